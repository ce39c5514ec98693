"""Command line of whoever keeps the database: copies that can be trusted, and putting one back."""

import sys
from contextlib import aclosing
from pathlib import Path

import click

from server.app.settings.settings import Settings
from server.audit.domain.chain import ChainVerdict
from server.audit.wire.chain import wire_chain
from server.cli.admin import CommandContext, finished
from server.core.sites import SiteStore
from server.storage.backup import BackupRefused, restored
from server.storage.backup import backup as take
from server.storage.wire import lay_foundation

_file = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.command()
@_file
@click.pass_obj
def backup(lazy: CommandContext, file: Path) -> None:
    """Copy the database to FILE while the server works; print the audit heads to note elsewhere."""
    heads = finished(take(lazy.settings.database_url, file))
    for key, (seq, head) in heads.items():
        click.echo(f"{key}\t{seq} rows\thead {head}")
    click.echo(f"{file}: {file.stat().st_size} octets. Gardez secret_key ailleurs.")


@click.command()
@_file
@click.option(
    "--force", is_flag=True, help="Replace what the database holds, even by a broken chain."
)
@click.pass_obj
def restore(lazy: CommandContext, file: Path, *, force: bool) -> None:
    """Put the copy FILE into an empty database, the server stopped; the audit chain is read to its end."""

    async def work() -> dict[str, ChainVerdict]:
        settings = lazy.settings
        async with restored(settings.database_url, file, force=force) as url:
            verdicts = await _verdicts(settings, url)
            if not force and not _whole(verdicts):
                broken = ", ".join(key for key, one in verdicts.items() if not one.intact)
                raise BackupRefused("chain", sites=broken)
        return verdicts

    verdicts = finished(work())
    for key, verdict in verdicts.items():
        state = "whole" if verdict.intact else f"BROKEN at {verdict.broken_at}"
        click.echo(f"{key}\t{verdict.count} rows\thead {verdict.head}\t{state}")
    click.echo("Base restaurée.")
    if not _whole(verdicts):
        sys.exit(1)


def _whole(verdicts: dict[str, ChainVerdict]) -> bool:
    return all(one.intact for one in verdicts.values())


async def _verdicts(settings: Settings, url: str) -> dict[str, ChainVerdict]:
    secret = settings.secret_key.get_secret_value()
    async with aclosing(lay_foundation(url, secret)) as base:
        chain = wire_chain(base).verification
        async with base.transactions(write=False) as uow:
            sites = await SiteStore(uow).all()
        return {site.key: (await chain.verify(site.id))[0] for site in sites}
