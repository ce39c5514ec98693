"""The switchboard with contrib/kamailio-presence.cfg: it tells one account who is on the phone."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab.ports import free_port
from tests.lab.switchboard.kamailio import Kamailio, kamailio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SNIPPET = Path(__file__).parents[3] / "contrib" / "kamailio-presence.cfg"
WATCHER, PASSWORD = "visio15", "s3cret"


@asynccontextmanager
async def presence(
    desk: str, *, port: int | None = None, hep: tuple[str, int] | None = None
) -> AsyncIterator[Kamailio]:
    """Run a switchboard whose 1501 is the phone at `desk` (host:port), and that tells what it does."""
    port = port or free_port()
    defined = (
        '#!define VISIO15_OWN_PRESENCE\n#!define VISIO15_DOMAIN "127.0.0.1"\n'
        f'#!define VISIO15_SELF "sip:127.0.0.1:{port}"\n'
    )
    async with kamailio(
        {"1501": f"1501@{desk}"},
        users={WATCHER: PASSWORD, "1601": "other"},
        include=defined + SNIPPET.read_text(),
        before_dialog="route(VISIO15_WATCH);",
        on_presence="route(VISIO15_PRESENCE);",
        port=port,
        hep=hep,
    ) as switchboard:
        yield switchboard
