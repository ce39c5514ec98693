"""`kind = "replay"`: real traces played again with fresh ids and times (demonstration)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from telephony.sources.replay.feed import ReplayFeed
from telephony.sources.source import Live, Source


class ReplaySource(Source):
    """The traces shipped with the package, for ever."""

    kind: Literal["replay"]
    name: str = "replay"
    speed: float = 1.0
    talk: float = 45.0

    def feed(self, stations: Sequence[str], live: Live) -> ReplayFeed:
        """Play them."""
        del live  # a recording cannot be asked
        return ReplayFeed(self.name, speed=self.speed, talk=self.talk, stations=stations)
