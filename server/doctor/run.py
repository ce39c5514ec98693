"""`visio15 doctor`: tells before the first call, or after a bad one, what is wrong and what to do."""

import asyncio
import sys

import click

from server.app.settings.settings import ConfigurationError, Settings, load
from server.doctor.checks import EVERY
from server.doctor.finding import Finding
from server.doctor.ports import matrix

MARKS = {"ok": "✓", "warn": "!", "bad": "✗"}


async def examine(settings: Settings) -> list[Finding]:
    """Run every check at once; each answers for itself."""
    found = await asyncio.gather(*(check(settings) for check in EVERY))
    return [finding for several in found for finding in several]


def show(findings: list[Finding]) -> None:
    """Print one line a finding, and what to do below it."""
    for finding in findings:
        click.echo(f"{MARKS[finding.level]} {finding.part} : {finding.text}")
        if finding.do:
            click.echo(f"    → {finding.do}")
    bad = sum(finding.level == "bad" for finding in findings)
    warn = sum(finding.level == "warn" for finding in findings)
    click.echo(f"\n{bad} problème(s), {warn} remarque(s).")


@click.command()
@click.option(
    "--desk", is_flag=True, help="Print who talks to whom: the port matrix for the firewall."
)
def doctor(*, desk: bool) -> None:
    """Check configuration, schema, carriers, mail, relay, feeds, certificate, clock and disk."""
    try:
        settings = load()
    except ConfigurationError as wrong:
        show(
            [
                Finding("bad", "configuration", problem, "corrigez cette clé (docs/operations.md)")
                for problem in wrong.problems
            ]
        )
        sys.exit(1)
    if desk:
        click.echo(matrix(settings))
        return
    findings = [
        Finding("ok", "configuration", "lisible et complète"),
        *asyncio.run(examine(settings)),
    ]
    show(findings)
    sys.exit(1 if any(finding.level == "bad" for finding in findings) else 0)
