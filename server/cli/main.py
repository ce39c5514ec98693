"""The command line `visio15`: `serve` and `migrate` stand here, the others in `LATER`, imported when asked for."""

import asyncio
import importlib
import os
import sys

import click

from server import __version__
from server.app.logs import configure
from server.app.runtime.systemd import Notifier
from server.app.settings.settings import ConfigurationError, Settings, load
from server.core.errors import AppError
from server.core.words.for_shell import shell_line


class LazySettings:
    """Settings read only by the commands that need them."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self._settings: Settings | None = None

    @property
    def settings(self) -> Settings:
        """Read once; every problem is printed and the command ends with status 2."""
        if self._settings is None:
            try:
                self._settings = load()
            except ConfigurationError as wrong:
                click.echo("La configuration est incomplète ou fausse :", err=True)
                for problem in wrong.problems:
                    click.echo(f"  - {problem}", err=True)
                click.echo("Voir docs/operations.md, « Configuration ».", err=True)
                sys.exit(2)
        return self._settings


LATER = {
    "audit": "server.cli.audit:audit",
    "backup": "server.cli.storage:backup",
    "caller": "server.demo.synthetic.caller:caller",
    "cdr": "server.cli.cdr:cdr",
    "demo": "server.demo.run:demo",
    "doctor": "server.doctor.run:doctor",
    "forget": "server.cli.audit:forget",
    "replay": "server.cli.replay:replay",
    "restore": "server.cli.storage:restore",
    "site": "server.cli.site:site",
    "station": "server.cli.admin:station",
    "user": "server.cli.admin:user",
}


class LaterGroup(click.Group):
    """Imports a command when it is asked for: no command pays for aiortc or Alembic it does not use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List every command without importing any."""
        return sorted({*super().list_commands(ctx), *LATER})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command that was asked for."""
        if cmd_name not in LATER:
            return super().get_command(ctx, cmd_name)
        module, _, name = LATER[cmd_name].partition(":")
        found: click.Command = getattr(importlib.import_module(module), name)
        return found


@click.group(cls=LaterGroup)
@click.version_option(__version__, prog_name="visio15")
@click.pass_context
def main(context: click.Context) -> None:
    """Muted video for line-15 calls, linked to the recorded call."""
    context.obj = LazySettings()


@main.command()
@click.pass_obj
def serve(lazy: LazySettings) -> None:
    """Run the server until SIGTERM or Ctrl-C."""
    settings = lazy.settings
    configure(settings.log_level)
    sys.exit(run(settings))


@main.command()
@click.option("--down", is_flag=True, help="Go back to the empty database (asks first).")
@click.pass_obj
def migrate(lazy: LazySettings, *, down: bool) -> None:
    """Bring the database to this release's schema."""
    from server.storage import schema  # noqa: PLC0415 - Alembic is slow to import

    if down:
        click.confirm("Effacer toutes les tables ?", abort=True)
    try:
        asyncio.run(
            schema.downgrade(lazy.settings.database_url, "base")
            if down
            else _migrated(lazy.settings)
        )
    except AppError as refused:
        raise click.ClickException(shell_line(refused)) from None
    click.echo("Base de données prête.")


async def _migrated(settings: Settings) -> None:
    """Bring the database up; one that a demonstration makes is marked, so that no other can serve it."""
    from server.storage import schema  # noqa: PLC0415 - Alembic is slow to import
    from server.storage.demonstration_mark import demonstration_of  # noqa: PLC0415 - same

    if not settings.demo:
        await schema.upgrade(settings.database_url)
        return
    async with demonstration_of(settings.database_url):
        await schema.upgrade(settings.database_url)


def _cannot_start(refused: AppError) -> str:
    return f"Démarrage impossible. {shell_line(refused)}"


def run(settings: Settings) -> int:
    """Run one server to its end; return the exit status."""
    from server.web.http.connections import raise_file_limit  # noqa: PLC0415 - only servers pay

    raise_file_limit()
    notifier = Notifier.take(os.environ, os.getpid())
    try:
        return asyncio.run(_life(settings, notifier))
    finally:
        notifier.close()


async def _life(settings: Settings, notifier: Notifier) -> int:
    """Serve; every way a start can fail has its sentence and its status."""
    from server.app.process import ServerProcess  # noqa: PLC0415 - same
    from server.app.runtime.tls import CertificateUnusable  # noqa: PLC0415 - same
    from server.app.wiring import build  # noqa: PLC0415 - same

    try:
        process = ServerProcess(build(settings), notifier)
        await process.start()
    except CertificateUnusable as broken:
        sentence, status = _cannot_start(broken), 2
    except AppError as refused:  # also of a driver that is not installed
        sentence, status = _cannot_start(refused), 3
    except OSError as taken:
        sentence = f"Le port {settings.port} ne peut pas être ouvert : {taken.strerror}."
        status = 4
    else:
        await process.stopped()
        return 0
    click.echo(sentence, err=True)
    return status


if __name__ == "__main__":
    main()
