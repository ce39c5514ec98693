"""Command line of whoever answers for the audit: the proof that it is whole, and erasing a person from it."""

import sys
from collections.abc import Mapping

import click

from server.app.foundation import opened_foundation
from server.audit.domain.chain import ChainVerdict
from server.audit.wire.chain import wire_chain
from server.cli.admin import CommandContext, finished
from server.core.audit_entries import Actor
from server.core.errors import NotFound
from server.core.sites import Site, SiteStore


@click.group()
def audit() -> None:
    """The audit chain."""


@audit.command("verify")
@click.option("--site", "site_key", help="Only this site.")
@click.option("--head", help="A head noted earlier, elsewhere: it must still be in the chain.")
@click.pass_obj
def audit_verify(lazy: CommandContext, site_key: str | None, head: str | None) -> None:
    """Read every row of the chain; exit code 1 when one was changed, removed or inserted."""

    async def work() -> list[tuple[Site, ChainVerdict, bool]]:
        async with opened_foundation(lazy.settings) as base:
            async with base.transactions(write=False) as uow:
                sites = [one for one in await SiteStore(uow).all() if site_key in {None, one.key}]
            if site_key and not sites:
                raise NotFound("site")
            chain = wire_chain(base).verification
            return [(one, *(await chain.verify(one.id, head))) for one in sites]

    results = finished(work())
    for one, verdict, _ in results:
        state = "whole" if verdict.intact else f"BROKEN at {verdict.broken_at}"
        click.echo(f"{one.key}\t{verdict.count} rows\thead {verdict.head}\t{state}")
    met = head is None or any(met for _, _, met in results)
    if not met:
        click.echo(f"head {head} is in no chain: rows were removed or rewritten", err=True)
    if not met or not all(verdict.intact for _, verdict, _ in results):
        sys.exit(1)


@click.command()
@click.argument("site_key")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def forget(lazy: CommandContext, site_key: str, *, yes: bool) -> None:
    """Erase a caller's number or e-mail (read from standard input) from everything sealed; the chain stays whole."""
    contact = sys.stdin.readline().strip() if yes else click.prompt("Numéro ou e-mail")
    if not yes:
        click.confirm(
            "Effacer pour toujours tout ce qui porte ce numéro ou cette adresse ?", abort=True
        )

    async def work() -> Mapping[str, int]:
        async with opened_foundation(lazy.settings) as base:
            async with base.transactions(write=False) as uow:
                sites = {one.key: one for one in await SiteStore(uow).all()}
            if site_key not in sites:
                raise NotFound("site")
            return await wire_chain(base).erasure.forget(Actor("cli", sites[site_key].id), contact)

    counts = finished(work())
    click.echo(", ".join(f"{name}: {count}" for name, count in counts.items()))
