"""A logical line-15 call as the product stores and shows it: the telephony's value, plus whose it is."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

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

    `earlier` are the starts that were believed before this reading replaced them.
    """

    kind: str
    value: str
    start: datetime
    end: datetime | None
    earlier: tuple[datetime, ...] = ()

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
        place = next((i for i, newer in enumerate(kept) if newer.overlaps(row)), None)
        if place is None:
            kept.append(row)
        else:
            kept[place] = replace(kept[place], earlier=(row.start, *kept[place].earlier))
    return kept[::-1]


@dataclass(frozen=True, slots=True)
class Move:
    """The call went from one station to another."""

    origin: str
    target: str
    at: datetime


def moves(stations: Sequence[SpanRow], answered: datetime | None) -> list[Move]:
    """Tell who handed the call to whom: who came after the answer, from who had it then and left first."""
    found = []
    stays = sorted(stations, key=lambda stay: stay.start)
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
            found.append(Move(origin, taker.value, max(left, taker.start)))
    return found


@dataclass(frozen=True, slots=True)
class LiveCall:
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
    #: Where it is now; where it was last when nobody has it any more.
    stations: Sequence[str] = ()

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

    def elsewhere(self, extension: str | None) -> tuple[str, ...]:
        """Where the call is, or was last, when that is at stations and none of them is this one; else nothing."""
        return () if extension in self.stations else tuple(self.stations)


@dataclass(frozen=True, slots=True)
class CallRecord:
    """Everything stored of one call, for the audit; `named_by` are the calls related to it, and why."""

    call: LiveCall
    spans: Sequence[SpanRow] = field(default_factory=tuple)
    named_by: Sequence[tuple[str, str]] = field(default_factory=tuple)
