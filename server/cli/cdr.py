"""Command line that takes in a switchboard's call detail records, and matches the videos of their time."""

import hashlib
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from server.app.foundation import opened_foundation
from server.app.settings.settings import Settings
from server.cli.admin import CommandContext, finished
from server.core.errors import Invalid
from server.core.sites import SiteStore
from server.invitations.service.hooks import mobiles_of
from server.line15.wire.calls import wire_ingests
from server.reconcile.domain.cdr import MAX_BYTES, Bad, BadRowError, CdrRow, Form, grouped, read
from server.reconcile.service.cdr_import import Imported
from server.reconcile.wire import wire_cdr_import
from server.video.service.following import relink

SHOWN = 20


@click.group()
def cdr() -> None:
    """Call detail records of the switchboard."""


@cdr.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--site", "site_key", required=True, help="Key of the site whose switchboard it is.")
@click.option(
    "--preset",
    type=click.Choice(["header", "asterisk"]),
    default="header",
    help="header: the first line names the columns; asterisk: Master.csv of cdr_csv.",
)
@click.option(
    "--columns", help="Names of the columns in order, for a file whose first line is data."
)
@click.option("--timezone", help="Zone of times without an offset; the site's own when absent.")
@click.pass_obj
def cdr_import(
    lazy: CommandContext,
    file: Path,
    *,
    site_key: str,
    preset: str,
    columns: str | None,
    timezone: str | None,
) -> None:
    """Take in FILE (CSV): names and times are added to known calls, unknown ones are stored as ended."""
    with file.open("rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise click.ClickException(f"more than {MAX_BYTES // 1024 // 1024} MB: split the file")
    names = tuple(columns.split(",")) if columns else ()
    done, rows = finished(
        _take(lazy.settings, content, site_key, preset == "asterisk", names, timezone)
    )
    click.echo(f"{rows} rows read, {len(done.bad)} lines skipped")
    click.echo(f"calls: {done.new} new, {done.completed} completed, {done.unchanged} known already")
    click.echo(f"videos linked: {done.linked}")
    for bad in sorted(done.bad, key=lambda each: each.line)[:SHOWN]:
        click.echo(f"line {bad.line}: {bad.reason}", err=True)
    if len(done.bad) > SHOWN:
        click.echo(f"and {len(done.bad) - SHOWN} more", err=True)
    if done.bad and not rows:
        raise click.ClickException("nothing could be read")


async def _take(
    settings: Settings,
    content: bytes,
    site_key: str,
    asterisk: bool,  # noqa: FBT001 - one of two presets
    columns: tuple[str, ...],
    timezone: str | None,
) -> tuple[Imported, int]:
    async with opened_foundation(settings) as base:
        async with base.transactions(write=False) as uow:
            site = await SiteStore(uow).by_key(site_key)
            site.check_policy()
            stations = frozenset(s.extension for s in await SiteStore(uow).stations(site.id))
        try:
            zone = ZoneInfo(timezone or site.policy.timezone)
        except (ValueError, ZoneInfoNotFoundError):
            raise Invalid("timezone") from None
        form = Form(
            zone=zone, stations=stations, now=base.clock.now(), columns=columns, asterisk=asterisk
        )
        rows, bad = _read(content, form)
        # A detail record is of a call that is over, and names no recording: of the server's hooks
        # (server/app/features.py) only this one has something to do.
        ingest = wire_ingests(base, on_merged=(relink,))(site.id)
        importer = wire_cdr_import(base, ingest=ingest, mobiles_of=mobiles_of)
        done = await importer.take(site, grouped(rows), hashlib.sha256(content).hexdigest()[:16])
        done.bad += bad
        return done, len(rows)


def _read(content: bytes, form: Form) -> tuple[list[CdrRow], list[Bad]]:
    rows: list[CdrRow] = []
    bad: list[Bad] = []
    # Windows' own encoding fails on nothing that matters here: ids and numbers are ASCII.
    lines = content.decode("utf-8", errors="replace").split("\n")
    try:
        for each in read(lines, form):
            if isinstance(each, CdrRow):
                rows.append(each)
            else:
                bad.append(each)
    except BadRowError as unreadable:
        raise click.ClickException(str(unreadable)) from None
    return rows, bad
