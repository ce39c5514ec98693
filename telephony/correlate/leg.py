"""The state of one leg is a fold of its facts, so their order of arrival cannot matter.

Pure: no clock, no I/O. Everything that decides what a leg is stands in this file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

from telephony.model.call import DatedAlias, RecordingSpan, Span, StationSpan, StationState
from telephony.model.facts import (
    CORRELATING,
    Aliased,
    AliasType,
    Answered,
    Direction,
    Fact,
    Held,
    HungUp,
    Joined,
    Left,
    Moved,
    Paired,
    Rang,
    RecordingStarted,
    RecordingStopped,
    Resumed,
    Seen,
    Unpaired,
    fact_to_json,
)
from telephony.model.number import Number, parse_number

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

F = TypeVar("F", bound=Fact)
Named = tuple[str, Span]
SortKey = tuple[datetime, int, "_Content"]

#: Order of facts bearing the same time: names first, the end last.
_ORDER: Final = (
    *(Aliased, Rang, Paired, Unpaired, Answered, Moved, Joined, RecordingStarted, Held),
    *(Resumed, Seen, RecordingStopped, Left, HungUp),
)
_RANK: Final[dict[type[Fact], int]] = {cls: rank for rank, cls in enumerate(_ORDER)}
#: What proves that a leg thought over still lives.
_LIFE: Final = (Answered, Held, Resumed, Moved, Joined, Seen)
_JUDGING: Final = (Paired, Unpaired)
_UNANSWERED: Final = ("cancelled", "rejected")
_REFUSED: Final = "rejected"
#: Names that relate calls without making them one.
RELATING: Final = frozenset({AliasType.NENA_INCIDENTID, AliasType.DOSSIER})
#: Names that only the switchboard knows.
_INSIDE: Final = frozenset({AliasType.UNIQUEID, AliasType.FREESWITCH_UUID})
_LINKING: Final = CORRELATING | RELATING
BRIDGE: Final = "bridge"
NEVER: Final = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LegView:
    """What the facts about one leg say together. `started` is None until it rang."""

    leg: str
    last: datetime
    source: str = ""
    started: datetime | None = None
    answered: datetime | None = None
    ended: datetime | None = None
    end_certain: bool = True
    caller: Number | None = None
    called: str | None = None
    direction: Direction = Direction.UNKNOWN
    stations: tuple[StationSpan, ...] = ()
    holds: tuple[Span, ...] = ()
    recordings: tuple[RecordingSpan, ...] = ()
    aliases: tuple[DatedAlias, ...] = ()
    bridges: tuple[tuple[str, Span], ...] = ()
    verdicts: tuple[Paired | Unpaired, ...] = ()
    #: What may tie it to another leg: (kind of name, value), (BRIDGE, bridge).
    keys: frozenset[tuple[str, str]] = frozenset()
    #: Whether the switchboard itself tells of this leg, not somebody who listens outside.
    told_inside: bool = False

    @property
    def outside(self) -> Number | None:
        """The number of the person outside, as far as this leg tells."""
        if self.direction is Direction.OUTGOING:
            return parse_number(self.called or "")
        return self.caller

    @property
    def trunk(self) -> bool:
        """Whether this leg leads outside: each such leg is one person who called, or was called."""
        return not self.stations and self.direction in {Direction.INCOMING, Direction.OUTGOING}

    @property
    def calls(self) -> bool:
        """Whether who is at its end called us."""
        return self.direction is Direction.INCOMING

    @property
    def end(self) -> datetime:
        """When it ended, or the end of time while it lives: for comparing."""
        return self.ended or NEVER


def sort_key(fact: Fact) -> SortKey:
    """Order facts by time, then by kind, then by content: a total order."""
    return (fact.at, _RANK[type(fact)], _Content(fact))


@dataclass(frozen=True, slots=True)
class _Content:
    """What a fact says, compared only where time and kind are the same."""

    fact: Fact

    def __lt__(self, other: _Content) -> bool:
        return self._text() < other._text()

    def _text(self) -> str:
        return json.dumps(fact_to_json(self.fact), sort_keys=True)


def fold(leg: str, ordered: Sequence[Fact], stations: Collection[str] = ()) -> LegView:
    """Tell what a leg is from all that was reported of it, given in the order of `sort_key`.

    `stations` limits whose presence is kept; empty means any.
    """
    kinds = set(map(type, ordered))  # most legs know few: what is not there is not looked for
    rang = _only(ordered, Rang) if Rang in kinds else []
    again = _tried_again(ordered, rang) if HungUp in kinds else frozenset()
    ending = _ending(ordered, again) if HungUp in kinds else None
    ended = ending.at if ending else None
    alive = ordered if ended is None else [fact for fact in ordered if fact.at <= ended]
    answers = _only(alive, Answered) if Answered in kinds else []
    aliases = _aliases(ordered, ended) if Aliased in kinds else ()
    bridges = tuple(_spans(_bridges(alive), ended)) if Joined in kinds else ()
    holds = _spans(_holds(alive), ended) if Held in kinds else []
    recordings = _spans(_recordings(alive), ended) if RecordingStarted in kinds else []
    return LegView(
        leg=leg,
        last=ordered[-1].at,
        source=rang[0].source if rang else "",
        started=rang[0].at if rang else None,
        answered=answers[0].at if answers else None,
        ended=ended,
        end_certain=ending is None or ending.certain,
        caller=next((fact.caller for fact in rang if fact.caller), None),
        called=next((fact.called for fact in rang if fact.called), None),
        direction=next(
            (fact.direction for fact in rang if fact.direction is not Direction.UNKNOWN),
            Direction.UNKNOWN,
        ),
        stations=_stations(alive, ended, stations, again),
        holds=tuple([span for _, span in holds]),
        recordings=tuple([RecordingSpan(ref, span.start, span.end) for ref, span in recordings]),
        aliases=aliases,
        bridges=bridges,
        verdicts=() if kinds.isdisjoint(_JUDGING) else _verdicts(ordered),
        keys=_keys(ordered, bridges) if aliases or bridges else frozenset(),
        told_inside=any(record.alias.type in _INSIDE for record in aliases),
    )


def _only(facts: Iterable[Fact], cls: type[F]) -> list[F]:
    return [fact for fact in facts if isinstance(fact, cls)]


def _tried_again(ordered: Sequence[Fact], rang: Iterable[Rang]) -> frozenset[HungUp]:
    """List the refusals after which the leg rang again, by the same feed's word: they ended an attempt, not the leg.

    A caller tries again under the same Call-ID with what was asked of it: a password (401, 407), another
    address (3xx), another session timer (422).
    """
    last: dict[str, datetime] = {ring.source: ring.at for ring in rang}
    return frozenset(
        fact
        for fact in _only(ordered, HungUp)
        if fact.cause.startswith(_REFUSED) and fact.at < last.get(fact.source, fact.at)
    )


def _ending(ordered: Sequence[Fact], again: Collection[HungUp]) -> HungUp | None:
    """Pick the hang-up that counts: the first certain one, else one no later life denies."""
    answered = min((fact.at for fact in _only(ordered, Answered)), default=NEVER)
    ends = [
        fact
        for fact in _only(ordered, HungUp)
        if not (fact.cause.startswith(_UNANSWERED) and answered <= fact.at) and fact not in again
    ]
    certain = next((fact for fact in ends if fact.certain), None)
    if certain or not ends:
        return certain
    life = max((fact.at for fact in ordered if isinstance(fact, _LIFE)), default=None)
    return next((fact for fact in ends if life is None or fact.at >= life), None)


class _Stations:
    """Follows one leg from station to station: where it rings, and where somebody has it."""

    def __init__(self) -> None:
        self.spans: list[StationSpan] = []
        self._opened: dict[str, StationSpan] = {}
        #: Stations that an incoming call rings: only one of them can answer it.
        self._called: set[str] = set()

    def ring(self, station: str, at: datetime, *, called: bool) -> None:
        if called:
            self._called.add(station)
        self._opened.setdefault(station, StationSpan(station, at, None, StationState.RINGING))

    def talk(self, station: str, at: datetime) -> None:
        """Somebody has it there."""
        stay = self._opened.get(station)
        if stay is not None and stay.state is StationState.TALKING:
            return
        if stay is not None and stay.start < at:
            self.spans.append(replace(stay, end=at))
        self._opened[station] = StationSpan(station, at)

    def answered(self, at: datetime) -> None:
        """Whoever is on the leg talks; of several stations that rang one does, and nobody knows which."""
        several = len(self._called & self._opened.keys()) > 1
        for station in [each for each in self._opened if not several or each not in self._called]:
            self.talk(station, at)

    def leave(self, at: datetime | None, *, but: str = "", called: bool = False) -> None:
        """It is nowhere any more, but at one; `called`: it only stops ringing where it rang."""
        for station in [each for each in self._opened if each != but]:
            if not called or station in self._called:
                self.spans.append(replace(self._opened.pop(station), end=at))


def _stations(
    alive: Sequence[Fact],
    ended: datetime | None,
    known: Collection[str],
    again: Collection[HungUp],
) -> tuple[StationSpan, ...]:
    """Tell where the leg rang and where somebody had it; an answer closes the others that rang.

    An attempt that was refused, in `again`, rings nowhere any more.
    """
    at = _Stations()
    answered, rang = False, None
    for fact in alive:
        if isinstance(fact, Rang) and fact.station is not None:
            rang = fact
            if not known or fact.station in known:
                at.ring(fact.station, fact.at, called=fact.direction is Direction.INCOMING)
        elif isinstance(fact, Answered):
            answered = True
            _take(at, fact, rang, known)
        elif isinstance(fact, Moved):
            at.leave(fact.at, but=fact.station)
            if known and fact.station not in known:
                continue
            if answered:
                at.talk(fact.station, fact.at)
            else:
                at.ring(fact.station, fact.at, called=True)
        elif not answered and isinstance(fact, HungUp) and fact in again:
            at.leave(fact.at)
    at.leave(ended)
    return tuple(sorted(at.spans, key=lambda span: (span.start, span.station)))


def _take(at: _Stations, fact: Answered, rang: Rang | None, known: Collection[str]) -> None:
    """Note an answer: at the station it names, else wherever somebody is on the leg."""
    # Some tell of a call only when it is answered, with the station where it rang.
    here = rang is not None and (rang.at, rang.source) == (fact.at, fact.source)
    station = fact.station or (rang.station if rang and here else None)
    if station is None:
        at.answered(fact.at)
        return
    at.leave(fact.at, but=station, called=fact.station is None)
    if not known or station in known:
        at.talk(station, fact.at)


def _spans(marks: Iterable[tuple[str, datetime, bool]], ended: datetime | None) -> list[Named]:
    """Turn openings (True) and closings into spans, each under its name."""
    opened: dict[str, datetime] = {}
    spans: list[Named] = []
    for name, at, opens in marks:
        if opens:
            opened.setdefault(name, at)
        elif name in opened:
            spans.append((name, Span(opened.pop(name), at)))
    spans += [(name, Span(start, ended)) for name, start in opened.items()]
    return sorted(spans, key=lambda named: (named[1].start, named[0]))


def _holds(alive: Sequence[Fact]) -> Iterable[tuple[str, datetime, bool]]:
    return (("", f.at, isinstance(f, Held)) for f in alive if isinstance(f, Held | Resumed))


def _recordings(alive: Sequence[Fact]) -> Iterable[tuple[str, datetime, bool]]:
    kinds = RecordingStarted | RecordingStopped
    return ((f.ref, f.at, isinstance(f, RecordingStarted)) for f in alive if isinstance(f, kinds))


def _bridges(alive: Sequence[Fact]) -> Iterable[tuple[str, datetime, bool]]:
    return ((f.bridge, f.at, isinstance(f, Joined)) for f in alive if isinstance(f, Joined | Left))


def _aliases(ordered: Sequence[Fact], ended: datetime | None) -> tuple[DatedAlias, ...]:
    """Keep the first report of each name by each feed; it is valid until the leg ends."""
    first: dict[tuple[object, str], DatedAlias] = {}
    for fact in _only(ordered, Aliased):
        until = None if ended is None else max(ended, fact.at)
        record = DatedAlias(fact.alias, fact.source, fact.at, until, fact.why)
        first.setdefault((fact.alias, fact.source), record)
    return tuple(first.values())


def _keys(ordered: Sequence[Fact], bridges: Iterable[Named]) -> frozenset[tuple[str, str]]:
    named = {
        (fact.alias.type.value, fact.alias.value)
        for fact in _only(ordered, Aliased)
        if fact.binds and fact.alias.type in _LINKING
    }
    return frozenset(named | {(BRIDGE, bridge) for bridge, _ in bridges})


def _verdicts(ordered: Sequence[Fact]) -> tuple[Paired | Unpaired, ...]:
    """Keep the last word on each other leg; what the switchboard says outweighs a deduction."""
    last: dict[str, Paired | Unpaired] = {}
    for fact in ordered:
        if not isinstance(fact, Paired | Unpaired):
            continue
        known = last.get(fact.with_leg)
        if isinstance(known, Paired) and not known.inferred and not _authoritative(fact):
            continue
        last[fact.with_leg] = fact
    return tuple(last.values())


def _authoritative(fact: Paired | Unpaired) -> bool:
    return isinstance(fact, Paired) and not fact.inferred
