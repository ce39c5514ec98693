"""A logical line-15 call as the product stores and shows it: the telephony's value, plus whose it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from telephony import StationState

#: The source, and the kind of span, of what was imported from the switchboard's call detail records.
CDR: Final = "cdr"


@dataclass(frozen=True, slots=True)
class AliasRow:
    """One name of a call and when it was valid."""

    type: str
    value: str
    source: str
    why: str
    valid_from: datetime
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class SpanRow:
    """A stretch of a call: `kind` station, hold, recording, related or cdr; `value` names which.

    `earlier` are the starts that were believed before this reading replaced them. `state` is that of a station,
    `ringing` or `talking`; None where 0.1 stored it, which did not tell them apart: the station had the call.
    """

    kind: str
    value: str
    start: datetime
    end: datetime | None
    earlier: tuple[datetime, ...] = ()
    state: str | None = None

    @property
    def taken(self) -> bool:
        """Whether somebody had the call there, as far as is known: not only a ring."""
        return self.state != StationState.RINGING

    def overlaps(self, other: "SpanRow") -> bool:
        """Whether both tell of the same thing at some same moment."""
        if (self.kind, self.value) != (other.kind, other.value):
            return False
        return (self.end is None or other.start < self.end) and (
            other.end is None or self.start < other.end
        )


def settled(rows: Sequence[SpanRow]) -> list[SpanRow]:
    """Keep the newest of the readings that tell of the same stretch, with the starts it replaced.

    `rows` come as they were written. A second source that dates a stretch otherwise makes a new row; without
    this the first one, whose end nobody will ever write, would last for ever.
    """
    kept: list[SpanRow] = []
    for row in reversed(rows):
        newer = [place for place, other in enumerate(kept) if other.overlaps(row)]
        if not newer:
            kept.append(row)
        for place in [each for each in newer if kept[each].state == row.state][:1]:
            kept[place] = replace(kept[place], earlier=(row.start, *kept[place].earlier))
    return kept[::-1]


@dataclass(frozen=True, slots=True)
class StationMove:
    """The call went from one station to another."""

    origin: str
    target: str
    at: datetime


def moves(stations: Sequence[SpanRow], answered: datetime | None) -> list[StationMove]:
    """Tell who handed the call to whom: who came after the answer, from who had it then and left first.

    Who only rang took nothing.
    """
    found = []
    stays = _stays(stations)
    for taker in stays:
        if answered is None or taker.start <= answered:
            continue  # they rang together, or one after the other
        givers = [
            (giver.end, giver.value)
            for giver in stays
            if giver.end is not None
            and giver.value != taker.value
            and giver.start < taker.start
            and giver.end > answered
            and (taker.end is None or giver.end < taker.end)
        ]
        if givers:
            left, origin = max(givers)
            found.append(StationMove(origin, taker.value, max(left, taker.start)))
    return found


def _stays(stations: Sequence[SpanRow]) -> list[SpanRow]:
    """Make one stay, from the ring on, of each stretch in which a station had the call."""
    stays: list[SpanRow] = []
    ringing: dict[str, SpanRow] = {}
    for span in sorted(stations, key=lambda span: span.start):
        rang = ringing.pop(span.value, None)
        if not span.taken:
            ringing[span.value] = span
        elif rang is not None and rang.end == span.start:
            stays.append(replace(span, start=rang.start))
        else:
            stays.append(span)
    return sorted(stays, key=lambda stay: stay.start)


@dataclass(frozen=True, slots=True)
class CallPlaces:
    """Where a call is.

    `stations`: where it rings or somebody has it, else where it was last; `ringing`, `talking`: those of now;
    `holders`: who has it, else who had it last, and where it rang when nobody ever took it.
    """

    stations: tuple[str, ...] = ()
    ringing: tuple[str, ...] = ()
    talking: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()


def places(stations: Sequence[SpanRow]) -> CallPlaces:
    """Read the stretches of a call's stations."""
    talking = _names(span for span in stations if span.taken and span.end is None)
    ringing = _names(span for span in stations if not span.taken and span.end is None)
    ringing = tuple(name for name in ringing if name not in talking)
    holders = talking or _last([span for span in stations if span.taken]) or _last(stations)
    return CallPlaces((*talking, *ringing) or holders, ringing, talking, holders)


def _names(spans: Iterable[SpanRow]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(span.value for span in spans))


def _last(spans: Sequence[SpanRow]) -> tuple[str, ...]:
    """Name the stations whose stretch is the last to have ended, or has not."""
    if any(span.end is None for span in spans):
        return _names(span for span in spans if span.end is None)
    end = max((span.end for span in spans if span.end), default=None)
    return _names(span for span in spans if span.end == end)


@dataclass(frozen=True, slots=True)
class CallSummary:
    """What the desk shows of a call; `number` is E.164 or None (unknown or erased)."""

    id: str
    site: str
    number: str | None
    state: str
    started: datetime
    answered: datetime | None
    ended: datetime | None
    end_certain: bool
    certain: bool
    evidence: Sequence[str] = ()
    merged_into: str | None = None
    aliases: Sequence[AliasRow] = ()
    places: CallPlaces = CallPlaces()
    #: False: nothing was heard of it since a restart, or since a feed that told of it was lost.
    confirmed: bool = True

    @property
    def asserted(self) -> bool:
        """Known only by what a launch or a person said; no feed has reported it yet."""
        return self.state == "asserted"

    @property
    def told_by(self) -> set[str]:
        """The feeds, and other sources, that gave it its names."""
        return {alias.source for alias in self.aliases}

    @property
    def live(self) -> bool:
        """Somebody may still be on the line."""
        return self.state in {"ringing", "talking", "held"}

    @property
    def stations(self) -> Sequence[str]:
        """Where it rings or somebody has it now, else where it was last."""
        return self.places.stations

    def talks_at(self, extension: str) -> bool:
        """Whether somebody there talks on it now: not where it only rings, nor where it waits."""
        return self.state == "talking" and extension in self.places.talking

    def state_at(self, extension: str) -> str:
        """Say its state as one station has it: where it only rings, that it talks elsewhere does not count."""
        rings = self.live and extension in self.places.ringing
        return StationState.RINGING.value if rings else self.state

    def elsewhere(self, extension: str | None) -> tuple[str, ...]:
        """Who has the call, or had it last, when these are stations and none of them is this one; else nothing."""
        return () if extension in self.places.holders else self.places.holders


@dataclass(frozen=True, slots=True)
class CallHistory:
    """Everything stored of one call, for the audit; `named_by` are the calls related to it, and why."""

    call: CallSummary
    spans: Sequence[SpanRow] = field(default_factory=tuple)
    named_by: Sequence[tuple[str, str]] = field(default_factory=tuple)
