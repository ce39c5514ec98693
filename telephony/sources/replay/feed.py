"""Demonstrations, tests and the replay command see real PBX traffic without a PBX.

Plays recorded HEP3 packets through the very path of live ones (telephony/sources/hep/reader.py). Looping, every
round is new calls (remint.py) happening now.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

from telephony.sources.feed import FeedHealth, FeedState, HealthBook, utc_now
from telephony.sources.hep import codec as hep
from telephony.sources.hep.facts import DEFAULT_HEADERS
from telephony.sources.hep.reader import HepReader, PacketRefusedError
from telephony.sources.replay.remint import Reminter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from importlib.resources.abc import Traversable

    from telephony.model.facts import Fact
    from telephony.sources.hep.codec import HepPacket

#: Traces shipped with the package, in the order of the demonstration.
PACKAGED: Final = ("asterisk-22-simple", "asterisk-22-hold", "asterisk-22-two_concurrent")
ABANDONED: Final = "asterisk-22-abandoned"


@dataclass(frozen=True, slots=True)
class Trace:
    """One recorded scenario: packets in order of capture, without retransmissions."""

    name: str
    packets: tuple[HepPacket, ...]

    @property
    def origin(self) -> datetime:
        """When it was recorded."""
        return self.packets[0].time


def packaged_trace(name: str) -> Trace:
    """Load a trace shipped with the package. Raises OSError when there is none of that name."""
    return _load(name, resources.files("telephony") / "traces" / name / "hep.jsonl")


def load_trace(path: Path) -> Trace:
    """Load `hep.jsonl` (or a folder holding it): one JSON object a line with `hep3_b64`.

    Raises OSError, or ValueError when the file holds no packet or something else.
    """
    file = path / "hep.jsonl" if path.is_dir() else path
    return _load(file.parent.name, file)


def _load(name: str, file: Path | Traversable) -> Trace:
    packets: dict[tuple[object, ...], HepPacket] = {}
    for line in file.read_text("utf-8").splitlines():
        try:
            packet = hep.decode(base64.b64decode(json.loads(line)["hep3_b64"]))
        except (KeyError, TypeError, RecursionError, ValueError) as error:
            raise ValueError(f"{name} is not a HEP trace") from error
        packets.setdefault((packet.src, packet.dst, packet.payload), packet)
    if not packets:
        raise ValueError(f"{name} holds no packet")
    return Trace(name, tuple(sorted(packets.values(), key=lambda packet: packet.time)))


def stretched(trace: Trace, talk: float) -> Trace:
    """Lengthen the longest silence of a trace to `talk` seconds: a call long enough to work in."""
    times = [packet.time for packet in trace.packets]
    gaps = [after - before for before, after in itertools.pairwise(times)]
    longest = max(gaps, default=timedelta())
    more = timedelta(seconds=talk) - longest
    if more <= timedelta():
        return trace
    at = gaps.index(longest)
    moved = [
        replace(packet, time=packet.time + more) if index > at else packet
        for index, packet in enumerate(trace.packets)
    ]
    return replace(trace, packets=tuple(moved))


class ReplayFeed:
    """A feed whose switchboard is a recording.

    `traces` are folders or files (None: those shipped, so that a call is always ringing, talking or
    just ended at 1501). `speed` 2.0 plays twice as fast, times of facts included; `gap` seconds
    pass between two traces; `talk` lengthens each to a conversation of so many seconds. Not
    looping, it plays each trace once and returns. With `loop` or `fresh` identifiers are minted
    anew and times are now's; otherwise facts are exactly those recorded.
    Raises OSError and ValueError for bad traces.
    """

    def __init__(
        self,
        name: str,
        traces: Sequence[Path | str] | None = None,
        *,
        loop: bool = True,
        speed: float = 1.0,
        gap: float = 3.0,
        talk: float = 0.0,
        fresh: bool | None = None,
        stations: Collection[str] = ("1501", "1601", "1602"),
        private_headers: Sequence[str] = DEFAULT_HEADERS,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        if speed <= 0:
            raise ValueError("a replay goes forward")
        self.name = name
        chosen = (
            [packaged_trace(each) for each in (*PACKAGED, ABANDONED)]
            if traces is None
            else [load_trace(Path(each)) for each in traces]
        )
        self._traces = [stretched(trace, talk) for trace in chosen]
        self._loop = loop
        self._fresh = loop if fresh is None else fresh
        self._speed = speed
        self._gap = gap
        self._headers = tuple(private_headers)
        self._stations = tuple(stations)
        self._clock = clock
        self._book = HealthBook(name, clock=clock)
        self.rounds = 0

    def health(self) -> FeedHealth:
        """Tell how the feed fares: `connected` while it plays."""
        return self._book.read()

    async def run(self, emit: Callable[[Fact], None]) -> None:
        """Play until cancelled, or once."""
        try:
            while True:
                for trace in self._traces:
                    await self._play(trace, emit)
                    await asyncio.sleep(self._gap / self._speed)
                self.rounds += 1
                if not self._loop:
                    return
        finally:
            self._book.state(FeedState.DOWN)

    async def _play(self, trace: Trace, emit: Callable[[Fact], None]) -> None:
        """Play one trace at its pace, each packet at its own moment."""
        reader = HepReader(
            self.name, stations=self._stations, private_headers=self._headers, max_skew=None
        )
        minter = Reminter(self._headers)
        loop = asyncio.get_running_loop()
        begun, start = loop.time(), self._clock()
        for packet in trace.packets:
            offset = (packet.time - trace.origin) / self._speed
            await asyncio.sleep(max(0.0, begun + offset.total_seconds() - loop.time()))
            played = minter.packet(packet, start + offset) if self._fresh else packet
            try:
                facts = reader.read(hep.encode(played), self._clock())
            except PacketRefusedError as refusal:
                self._book.reject(refusal.reason, refusal.sample)
                continue
            self._book.message()
            for fact in facts:
                emit(fact)
