"""Reads recorded traces into call graphs, written the way a person would describe them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from telephony.correlate.correlation import Call, CallsChanged, Correlator
from telephony.sip.message import parse
from telephony.sources.ami.codec import AmiDecoder
from telephony.sources.ami.facts import AmiFactReader
from telephony.sources.esl.codec import EslDecoder
from telephony.sources.esl.facts import EslFactReader
from telephony.sources.hep.facts import SipFactReader
from telephony.sources.replay.feed import ABANDONED, PACKAGED, Trace, load_trace, packaged_trace

if TYPE_CHECKING:
    from telephony import Fact
    from telephony.sources.ami.codec import AmiMessage
    from telephony.sources.esl.codec import EslMessage

STATIONS = ("1501", "1601", "1602")
MORE = Path(__file__).with_name("traces")


def trace(name: str) -> Trace:
    shipped = name in {*PACKAGED, ABANDONED}
    return packaged_trace(name) if shipped else load_trace(MORE / name)


def facts_of(recorded: Trace) -> list[Fact]:
    observer = SipFactReader("hep", STATIONS)
    return [
        fact
        for packet in recorded.packets
        if packet.protocol == 1
        for fact in observer.observe(parse(packet.payload), packet.time, packet.src, packet.dst)
    ]


def ami_messages(name: str) -> list[AmiMessage]:
    return AmiDecoder().feed((MORE / name / "ami.txt").read_bytes())


def ami_facts(name: str) -> list[Fact]:
    observer = AmiFactReader("ami", STATIONS, max_skew=None)
    now = datetime(2026, 11, 23, tzinfo=UTC)
    return [fact for message in ami_messages(name) for fact in observer.observe(message, now)]


def esl_messages(name: str) -> list[EslMessage]:
    return EslDecoder().feed((MORE / name / "esl.txt").read_bytes())


def esl_facts(name: str) -> list[Fact]:
    observer = EslFactReader("esl", STATIONS, max_skew=None)
    now = datetime(2026, 11, 23, tzinfo=UTC)
    return [fact for message in esl_messages(name) for fact in observer.observe(message, now)]


def correlated(facts: list[Fact]) -> tuple[Correlator, list[CallsChanged]]:
    numbers = itertools.count(1)
    correlator = Correlator(STATIONS, lambda: f"call-{next(numbers)}")
    changes = [
        change for fact in facts if isinstance(change := correlator.receive(fact), CallsChanged)
    ]
    return correlator, changes


#: A station, what the call did there, from when to when.
Stay = tuple[str, str, float, float | None]


def rang(station: str, start: float, end: float | None) -> Stay:
    return (station, "ringing", start, end)


def talked(station: str, start: float, end: float | None) -> Stay:
    return (station, "talking", start, end)


def taken(station: str, start: float, end: float) -> tuple[Stay, Stay]:
    """Where a call rings it is answered after 0.8 s, in nearly every recording."""
    answered = round(start + 0.8, 1)
    return rang(station, start, answered), talked(station, answered, end)


@dataclass(frozen=True)
class Told:
    """One call as the scenario tells it; seconds count from the first packet of the trace."""

    caller: str | None
    state: str
    started: float
    answered: float | None
    ended: float | None
    stations: tuple[Stay, ...]
    legs: int
    holds: tuple[tuple[float, float | None], ...] = ()
    certain: bool = True


def told(call: Call, origin: datetime) -> Told:
    def seconds(when: datetime | None) -> float | None:
        return None if when is None else round((when - origin).total_seconds(), 1)

    return Told(
        caller=call.number.e164 if call.number else None,
        state=call.state.value,
        started=seconds(call.started) or 0.0,
        answered=seconds(call.answered),
        ended=seconds(call.ended),
        stations=tuple(
            (s.station, s.state.value, seconds(s.start) or 0.0, seconds(s.end))
            for s in call.stations
        ),
        legs=len(call.legs),
        holds=tuple((seconds(h.start) or 0.0, seconds(h.end)) for h in call.holds),
        certain=call.certain,
    )


def graph(name: str) -> list[Told]:
    recorded = trace(name)
    correlator, _ = correlated(facts_of(recorded))
    return [told(call, recorded.origin) for call in correlator.calls()]
