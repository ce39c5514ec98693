"""What the rest of the product sees of the telephone: logical calls, as immutable values.

All times are aware UTC datetimes of whoever saw the event (the capture agent, the PBX).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from telephony.model.facts import Direction, Fact
from telephony.model.number import Number, parse_number

if TYPE_CHECKING:
    from datetime import datetime

    from telephony.model.facts import Alias


class CallState(StrEnum):
    """A desk offers a ringing, talking or held call, and never an ended one."""

    RINGING = "ringing"
    TALKING = "talking"
    HELD = "held"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a call's life; `end` is None while it lasts."""

    start: datetime
    end: datetime | None = None


class StationState(StrEnum):
    """Whether the call rings at a station (or is being dialled from it), or somebody there has it."""

    RINGING = "ringing"
    TALKING = "talking"


@dataclass(frozen=True, slots=True)
class StationSpan:
    """Where the call rang or was talked on, and when; `end` is None while it does.

    A station that rang, then talked, has two spans, the second from where the first ends. A call on hold is still
    its station's: its span goes on.
    """

    station: str
    start: datetime
    end: datetime | None = None
    state: StationState = StationState.TALKING

    @property
    def taken(self) -> bool:
        """Whether somebody had the call there: not only a ring."""
        return self.state is StationState.TALKING


@dataclass(frozen=True, slots=True)
class RecordingSpan:
    """Which audio recording covers the call; offsets are counted from `start`."""

    ref: str
    start: datetime
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class DatedAlias:
    """One line of the alias history shown to the auditor."""

    alias: Alias
    source: str
    valid_from: datetime
    valid_to: datetime | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Related:
    """Another call that may concern the same people, with the reason in words.

    `start` and `end` bound the time they were connected (a conference); None where nothing connected them.
    """

    call: str
    why: str
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """The line-15 call itself, whatever its legs are called; `id` never changes.

    `certain` is False while it is not `confirmed` or the grouping is ambiguous; `inferred` is True when
    two legs were grouped by circumstances only; `evidence` says why in words. `confirmed` is False when
    nothing was heard of it since a restart, or since a feed that told of it was lost, or while only
    the state of its station tells of it, which may be another call's.
    """

    id: str
    caller: Number | None
    state: CallState
    started: datetime
    answered: datetime | None = None
    ended: datetime | None = None
    end_certain: bool = True
    certain: bool = True
    confirmed: bool = True
    aliases: tuple[DatedAlias, ...] = ()
    stations: tuple[StationSpan, ...] = ()
    holds: tuple[Span, ...] = ()
    recordings: tuple[RecordingSpan, ...] = ()
    related: tuple[Related, ...] = ()
    evidence: tuple[str, ...] = ()
    inferred: bool = False
    called: str | None = field(default=None, repr=False)
    direction: Direction = Direction.UNKNOWN
    legs: tuple[str, ...] = ()

    @property
    def live(self) -> bool:
        """Whether somebody may still be on the line."""
        return self.state is not CallState.ENDED

    @property
    def current_stations(self) -> tuple[str, ...]:
        """Stations where the call rings or is talked on now, first come first."""
        return tuple(dict.fromkeys(span.station for span in self.stations if span.end is None))

    @property
    def talking_stations(self) -> tuple[str, ...]:
        """Stations where somebody has the call now, first come first."""
        taken = (span for span in self.stations if span.taken)
        return tuple(dict.fromkeys(span.station for span in taken if span.end is None))

    @property
    def number(self) -> Number | None:
        """The person outside: the caller, or whom an outgoing call (a call-back) dialled."""
        if self.direction is Direction.OUTGOING:
            return parse_number(self.called or "")
        return self.caller


@dataclass(frozen=True, slots=True)
class CallsChanged:
    """What one fact did: the calls as they are now, and the ids that were swallowed.

    `merged` pairs (younger id, surviving id). `facts` are those to store, under `call_id`: the
    fact received and, when it is the one that makes the call, those waiting for it. `calls` may
    be empty: the fact matters only together with a later one, and is to be stored all the same.
    """

    calls: tuple[Call, ...]
    merged: tuple[tuple[str, str], ...] = ()
    call_id: str = ""
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Ignored:
    """A repeated, late or homeless fact is data to count, not an error."""

    fact: Fact
    reason: str


FactOutcome = CallsChanged | Ignored
