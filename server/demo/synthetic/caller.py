"""The synthetic caller: plays a phone on one link, so that the whole chain is proven without one (F16).

A process of its own: encoding a picture must never slow signalling down. The link is a secret: it is never logged, and
`visio15 caller -` reads it from standard input.
"""

import asyncio
import re
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from server.app.logs import configure
from server.core.tasks import create_task
from server.demo.synthetic.phone import SyntheticBrowser, SyntheticCallError, SyntheticPhone

LINK: Final = re.compile(r"(https?://[^/\s]+)/v/([A-Za-z0-9_-]{8,64})/?")
SENTENCES: Final = {
    "ended": "La session est terminée.",
    "seconds": "Durée écoulée : l'appelant a quitté.",
    "stopped": "L'appelant a quitté.",
    "link": "Ce n'est pas un lien d'invitation (https://…/v/…).",
    "unreachable": "Le serveur ne répond pas à l'adresse du lien.",
    "certificate": "Le certificat du serveur n'est pas reconnu : donnez l'autorité avec --ca FICHIER.",
    "page": "Ce n'est pas la page d'un appelant de Visio15.",
    "no_candidate": "Aucune interface réseau utilisable : WebRTC a besoin d'une adresse autre que 127.0.0.1.",
    "expired": "Ce lien a expiré : envoyez-en un autre depuis le poste.",
    "revoked": "Ce lien a été annulé : envoyez-en un autre depuis le poste.",
    "elsewhere": "Un autre appareil tient ce lien : fermez sa page, ou envoyez un autre lien.",
    "unknown": "Aucune invitation n'a ce lien : copiez-le en entier.",
}


@dataclass(frozen=True, slots=True)
class SyntheticOutcome:
    """How a call went: the stable reason it ended for, and whether a desk had the picture."""

    reason: str
    seen: bool = False

    @property
    def ok(self) -> bool:
        """Whether it ended as a call should."""
        return self.reason in {"ended", "seconds", "stopped"}

    @property
    def sentence(self) -> str:
        """The reason for a person."""
        return SENTENCES.get(self.reason, f"Le serveur a refusé : {self.reason}.")


async def call(
    link: str, seconds: float | None, ca: Path | None, on_state: Callable[[str], None]
) -> SyntheticOutcome:
    """Play the phone on `link` until the call ends, or for `seconds`; `on_state` hears of each step."""
    parts = LINK.fullmatch(link.strip())
    if parts is None:
        return SyntheticOutcome("link")
    phone = SyntheticPhone(SyntheticBrowser(parts[1], ca), parts[2], on_state)
    try:
        await phone.tap()
        async with asyncio.timeout(seconds):
            reason = await phone.talk()
    except SyntheticCallError as refusal:
        reason = refusal.reason
    except TimeoutError:
        reason = "seconds"
    finally:
        await phone.leave()
    return SyntheticOutcome(reason, phone.seen)


async def _until_signal(link: str, seconds: float | None, ca: Path | None) -> SyntheticOutcome:
    """Run a call that SIGTERM and Ctrl-C end politely."""
    task: asyncio.Task[SyntheticOutcome] = create_task(
        call(link, seconds, ca, click.echo), "synthetic.call"
    )
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, task.cancel)
    with suppress(asyncio.CancelledError):
        return await task
    return SyntheticOutcome("stopped")


@click.command()
@click.argument("link")
@click.option("--seconds", type=click.FloatRange(min=1), help="Leave after this time.")
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="PEM file of an authority to trust (the demonstration's own).",
)
def caller(link: str, seconds: float | None, ca: Path | None) -> None:
    """Play the caller's phone on LINK (`-`: read it from standard input) with a generated picture."""
    configure("WARNING")
    given = sys.stdin.readline() if link == "-" else link
    outcome = asyncio.run(_until_signal(given, seconds, ca))
    click.echo(outcome.sentence, err=not outcome.ok)
    sys.exit(0 if outcome.ok else 1)
