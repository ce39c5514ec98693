"""Any call-centre software that can POST: the web server hands its events in, already authentic.

Nothing is fetched here: `run` only keeps the accounts open, `read` turns events into facts.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from telephony.model.facts import AliasType
from telephony.sources.feed import FeedHealth, FeedState, HealthBook, utc_now
from telephony.sources.webhook.facts import RINGING, CtiEvent, facts_from_cti

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from telephony.model.call import Call
    from telephony.model.facts import Fact

#: Between a leg's name and when it began: no sender's id can hold it.
_AGAIN: Final = "\n"


class WebhookFeed:
    """Reads pushed events; `find` looks calls up by name, so that an id used again is another call."""

    def __init__(
        self,
        name: str,
        find: Callable[[str, AliasType], Sequence[Call]],
        quiet_after: float = 600.0,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.name = name
        self.listening = False
        self._find = find
        self._book = HealthBook(name, quiet_after=quiet_after, clock=clock)

    def health(self) -> FeedHealth:
        """Tell how the feed fares: `quiet` until the first message and after a silence."""
        return self._book.read()

    async def run(self, emit: Callable[[Fact], None]) -> None:
        """Take events until cancelled."""
        del emit
        self._book.state(FeedState.QUIET)
        self.listening = True
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.listening = False
            self._book.state(FeedState.DOWN)

    def refuse(self, reason: str) -> None:
        """Count a message that was not taken."""
        self._book.reject(reason)

    def read(self, events: Sequence[CtiEvent]) -> list[tuple[str, tuple[Fact, ...]]]:
        """Tell each event as its leg and the facts about it; an empty message is a heartbeat."""
        self._book.message()
        told = [(self._leg(event), event) for event in events]
        return [(leg, facts_from_cti(event, leg, self.name)) for leg, event in told]

    def _leg(self, event: CtiEvent) -> str:
        """Name the leg: the newest of this id that had begun, or a new one when an ended call's id rings again."""
        base = f"cti:{event.call}"
        mine = [
            (call, leg)
            for call in self._find(event.call, AliasType.CTI_CALL_ID)
            for leg in call.legs
            if leg.partition(_AGAIN)[0] == base
        ]
        if not mine:
            return base
        begun = [each for each in mine if each[0].started <= event.at] or mine[:1]
        call, leg = begun[-1]
        if event.type == RINGING and call.ended and event.at > call.ended:
            return f"{base}{_AGAIN}{event.at.isoformat()}"
        return leg
