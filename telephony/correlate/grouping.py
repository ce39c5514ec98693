"""Which legs are one call, decided from the legs alone, so arrival order cannot matter.

Legs are taken by start time. A leg joins an earlier one when they were paired, sat in one bridge
together, are one leg seen by two feeds, or bear the same correlating name *and* the earlier one's call
had not ended: the same identifier used again later is another call. A call is that of one person
outside: two such persons in one bridge are a conference of two calls, each with its identity. Pure.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from telephony.correlate.leg import BRIDGE, NEVER, RELATING
from telephony.model.call import (
    Call,
    CallState,
    DatedAlias,
    RecordingSpan,
    Related,
    Span,
    StationSpan,
    StationState,
)
from telephony.model.facts import Alias, AliasType, Direction, Paired, Unpaired

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from telephony.correlate.leg import LegView

#: Bearers of one name that a new leg is compared with.
_RECENT: Final = 16
CONFERENCE: Final = "in conference"
#: The two sides of a call end within this.
_TOGETHER: Final = timedelta(seconds=2)
#: What a switchboard hangs up because a call is over ends within this: it ends with the call, and not after it.
_TEARDOWN: Final = timedelta(seconds=1)


@dataclass(slots=True)
class LegGroup:
    """The legs of one call, with why each was added and what else it may concern."""

    legs: list[LegView]
    evidence: dict[str, None] = field(default_factory=dict)
    inferred: bool = False
    doubtful: bool = False
    #: Pairs of legs that may be one call; forgotten when they turn out to be.
    doubts: dict[tuple[str, str], str] = field(default_factory=dict)
    related: dict[tuple[str, str, datetime | None, datetime | None], None] = field(
        default_factory=dict
    )

    #: Legs that the switchboard tells of too, under another name: it knows better who is on them.
    twins: set[str] = field(default_factory=set)

    @property
    def people(self) -> bool:
        """Whether a person outside is on this call."""
        return any(leg.trunk for leg in self.legs)

    @property
    def numbers(self) -> set[str]:
        """The numbers of the people outside, where they are known."""
        return {leg.outside.e164 for leg in self.legs if leg.outside}

    @property
    def end(self) -> datetime:
        """When the call ended, the end of time while it lives."""
        legs = sorted(self.legs, key=_age)
        return _end(legs, _deciding(legs, self.twins)) or NEVER


def group(
    views: Iterable[LegView], fused: Callable[[str], Collection[str]] = lambda _: ()
) -> list[LegGroup]:
    """Partition legs into calls, the oldest leg of each call first.

    `fused` names the legs of other feeds that are the given one.

    Linear in the legs but for the few that share a name: an identifier that a faulty switchboard
    puts on every call is compared with its last `_RECENT` bearers only.
    """
    of: dict[str, LegGroup] = {}
    ordered = sorted(
        (view for view in views if view.started is not None),
        key=_age,
    )
    if len(ordered) == 1:
        return [LegGroup(ordered)]
    verdicts, partners = _verdicts(ordered)
    bearers: defaultdict[tuple[str, str], deque[LegView]] = defaultdict(
        partial(deque, maxlen=_RECENT)
    )
    known: dict[str, LegView] = {}
    for view in ordered:
        of[view.leg] = LegGroup([view])
        twins = fused(view.leg)
        near = {other.leg: other for key in view.keys for other in bearers[key]}
        near |= {leg: known[leg] for leg in (*partners.get(view.leg, ()), *twins) if leg in known}
        for other in sorted(near.values(), key=_age):
            if not _tie(of, other, view, verdicts.get(frozenset((other.leg, view.leg)))):
                _fuse(of, other, view, same=other.leg in twins)
        known[view.leg] = view
        for key in view.keys:
            bearers[key].append(view)
    groups = list({id(each): each for each in of.values()}.values())
    for each in groups:
        for (old, new), why in each.doubts.items():
            _doubt(of, known[old], known[new], why)
    for each in groups:
        each.legs.sort(key=_age)
    return groups


def _age(view: LegView) -> tuple[datetime, str]:
    """Order legs by their beginning."""
    return view.started or NEVER, view.leg


def _tie(
    of: dict[str, LegGroup], old: LegView, new: LegView, verdict: Paired | Unpaired | None
) -> bool:
    """Join the groups of two legs (True), or note how they are related."""
    first, second = of[old.leg], of[new.leg]
    if isinstance(verdict, Paired):
        _merge(of, first, second, verdict.why)
        first.inferred |= verdict.inferred
        return True
    if isinstance(verdict, Unpaired) and verdict.doubtful:
        first.doubts[old.leg, new.leg] = verdict.why
    together = _together(old, new) if old.bridges and new.bridges else None
    if together and (first is second or not (first.people and second.people)):
        _merge(of, first, second, "in the same bridge")
        return True
    if together:
        _relate(first, second, old, new, CONFERENCE, together)
    for kind, value in sorted(old.keys & new.keys):
        if kind == BRIDGE:
            continue
        if kind in RELATING:
            _relate(first, second, old, new, f"same {kind}")
        elif first is second or first.end > (new.started or NEVER):
            _merge(of, first, second, f"same {kind} {value}")
            if kind == AliasType.SIP_CALL_ID:
                _twin(first, old, new)
            return True
        else:
            _relate(first, second, old, new, f"same {kind} used again")
    return isinstance(verdict, Unpaired)


def _fuse(of: dict[str, LegGroup], old: LegView, new: LegView, *, same: bool) -> None:
    """Join two legs that are one seen by two feeds, unless these contradict each other."""
    first, second = of[old.leg], of[new.leg]
    if not same or first is second:
        return
    if first.numbers and second.numbers and not first.numbers & second.numbers:
        first.doubts[old.leg, new.leg] = f"{old.source} and {new.source} contradict each other"
        return
    _merge(
        of, first, second, f"told by {old.source} and by {new.source} at the same place and time"
    )
    first.inferred = True
    _twin(first, old, new)


def _twin(into: LegGroup, old: LegView, new: LegView) -> None:
    if old.told_inside != new.told_inside:
        into.twins.add(old.leg if new.told_inside else new.leg)


def _doubt(of: dict[str, LegGroup], old: LegView, new: LegView, why: str) -> None:
    """Two calls that may be one are both uncertain, and say so."""
    first, second = of[old.leg], of[new.leg]
    if first is not second:
        _relate(first, second, old, new, why)
        first.doubtful = second.doubtful = True


def _merge(of: dict[str, LegGroup], first: LegGroup, second: LegGroup, why: str) -> None:
    first.evidence[why] = None
    if first is second:
        return
    first.legs += second.legs
    first.twins |= second.twins
    first.evidence |= second.evidence
    first.related |= second.related
    first.inferred |= second.inferred
    first.doubts |= second.doubts
    for leg in second.legs:
        of[leg.leg] = first


def _relate(
    first: LegGroup,
    second: LegGroup,
    old: LegView,
    new: LegView,
    why: str,
    when: Span | None = None,
) -> None:
    if first is not second:
        span = (when.start, when.end) if when else (None, None)
        first.related[(new.leg, why, *span)] = None
        second.related[(old.leg, why, *span)] = None


def _verdicts(
    views: Sequence[LegView],
) -> tuple[dict[frozenset[str], Paired | Unpaired], dict[str, set[str]]]:
    """Collect what was said of each two legs, from either side; a pairing by the PBX wins."""
    found: dict[frozenset[str], Paired | Unpaired] = {}
    partners: defaultdict[str, set[str]] = defaultdict(set)
    for verdict in (each for view in views for each in view.verdicts):
        ends = frozenset((verdict.leg, verdict.with_leg))
        known = found.get(ends)
        if known is None or _weight(verdict) > _weight(known):
            found[ends] = verdict
        partners[verdict.leg].add(verdict.with_leg)
        partners[verdict.with_leg].add(verdict.leg)
    return found, partners


def _weight(verdict: Paired | Unpaired) -> tuple[bool, datetime, str]:
    sure = isinstance(verdict, Paired) and not verdict.inferred
    return (sure, verdict.at, verdict.leg)


def _together(old: LegView, new: LegView) -> Span | None:
    """Tell from when to when two legs sat in one bridge; the first time, when they did several times."""
    spans = [
        (max(span.start, wide.start), min(span.end or NEVER, wide.end or NEVER))
        for name, span in old.bridges
        for other, wide in new.bridges
        if name == other
    ]
    start, end = min((each for each in spans if each[0] <= each[1]), default=(NEVER, NEVER))
    return None if start == NEVER else Span(start, None if end == NEVER else end)


def assemble(
    call_id: str,
    found: LegGroup,
    ids: Mapping[str, str],
    *,
    swallowed: Iterable[str],
    lost: Collection[str],
) -> Call:
    """Say what a group of legs looks like as one call. `ids` names the call of other legs, `lost` are unheard."""
    legs = found.legs
    started = legs[0].started or NEVER
    deciding = _deciding(legs, found.twins)
    ended = _end(legs, deciding)
    confirmed = not any(leg.leg in lost for leg in (deciding if ended else legs))
    names = [
        DatedAlias(Alias(AliasType.CALL, old), "correlator", started, None, "same call")
        for old in swallowed
    ]
    known = [leg for leg in legs if leg.leg not in found.twins] if found.twins else legs
    holds = _until(_union([("", hold) for leg in known for hold in leg.holds]), ended)
    direction = _direction(legs)
    answered = _answered(legs, direction)
    mine = {each.leg for each in legs}
    related = {
        Related(ids[leg], why, start, end): None
        for leg, why, start, end in found.related
        if leg in ids and leg not in mine and ids[leg] != call_id
    }
    doubt = _out_of_sight(legs, direction)
    return Call(
        id=call_id,
        caller=next((leg.caller for leg in legs if leg.caller), None),
        state=_state(legs, answered, over=ended is not None),
        started=started,
        answered=answered,
        ended=ended,
        end_certain=all(leg.end_certain for leg in deciding),
        certain=confirmed and not (found.doubtful or doubt),
        confirmed=confirmed,
        aliases=(*_aliases(legs, ended), *names),
        stations=_stations(known, ended),
        holds=tuple(hold for _, hold in holds),
        recordings=_recordings(legs),
        related=tuple(related),
        evidence=(*found.evidence, *doubt),
        inferred=found.inferred,
        called=_called(legs, direction),
        direction=direction,
        legs=tuple(leg.leg for leg in legs),
    )


def _answered(legs: Sequence[LegView], direction: Direction) -> datetime | None:
    """Date the answer by who was called: a station (a queue answers before), or the person outside."""
    called = [leg for leg in legs if leg.stations] or legs
    if direction is Direction.OUTGOING:
        called = [leg for leg in legs if not leg.stations] or legs
    return min((leg.answered for leg in called if leg.answered), default=None)


def _out_of_sight(legs: Sequence[LegView], direction: Direction) -> tuple[str, ...]:
    """Say what somebody who only listens outside cannot have seen: who is on the call is then uncertain."""
    if any(leg.told_inside for leg in legs):
        return ()
    manned = [leg for leg in legs if leg.stations]
    beyond = [leg.end for leg in legs if not leg.stations and leg.answered]
    if manned and beyond and max(beyond) - max(leg.end for leg in manned) > _TOGETHER:
        return ("one side went on without the other: transferred out of sight",)
    stations = {span.station for leg in manned for span in leg.stations}
    if len(stations) == 1 and direction is Direction.INTERNAL:
        return ("the other side was not seen",)
    return ()


def _called(legs: Sequence[LegView], direction: Direction) -> str | None:
    """Say what was dialled; for a call to the outside, out there and not on the way."""
    out = [leg for leg in legs if leg.direction is Direction.OUTGOING and leg.called]
    beyond = out if direction is Direction.OUTGOING else []
    return next((leg.called for leg in (*beyond, *legs) if leg.called), None)


def _direction(legs: Sequence[LegView]) -> Direction:
    """Say which way the call went; who is outside outweighs what happened inside."""
    told = [leg.direction for leg in legs if leg.direction is not Direction.UNKNOWN]
    beyond = [each for each in told if each is not Direction.INTERNAL]
    return next(iter(beyond or told), Direction.UNKNOWN)


def _state(legs: Sequence[LegView], answered: datetime | None, *, over: bool) -> CallState:
    if over:
        return CallState.ENDED
    live = [leg for leg in legs if leg.ended is None]
    if any(hold.end is None for leg in live for hold in leg.holds):
        return CallState.HELD
    if answered and any(leg.answered for leg in live):
        return CallState.TALKING
    return CallState.RINGING


def _deciding(legs: Sequence[LegView], twins: Collection[str]) -> Sequence[LegView]:
    """Choose the legs whose end is the end of the call: those of the people outside, else all of them.

    A station that stays alone in a conference has no call of line 15 any more. Somebody outside whom we called and
    who never answered was not on it. The switchboard's own word outweighs that of who listens outside; to a
    listener the caller's leg has no direction, and is known by having been the first.
    """
    people = [leg for leg in legs if leg.trunk and (leg.calls or leg.answered)]
    people = [leg for leg in people if leg.leg not in twins]
    inside = [leg for leg in people if leg.told_inside]
    if people or any(leg.told_inside for leg in legs):
        return inside or people or legs
    heard = [leg for leg in legs if leg.answered and not leg.stations]
    return heard if heard and heard[0] is legs[0] else legs


def _end(legs: Sequence[LegView], deciding: Sequence[LegView]) -> datetime | None:
    """Say when a call ended, None while it lives; what is hung up because it is over ends with it."""
    ends = [leg.ended for leg in deciding if leg.ended]
    if len(ends) < len(deciding):
        return None
    over = max(ends)
    return max(
        (leg.ended for leg in legs if leg.ended and leg.ended - over <= _TEARDOWN), default=over
    )


def _stations(legs: Sequence[LegView], ended: datetime | None) -> tuple[StationSpan, ...]:
    """Say of each station when it talked, on any leg, and when it only rang; nobody has a call that is over."""
    named: dict[StationState, list[tuple[str, Span]]] = {state: [] for state in StationState}
    for each in (each for leg in legs for each in leg.stations):
        named[each.state].append((each.station, Span(each.start, each.end)))
    talked = _until(_union(named[StationState.TALKING]), ended)
    rang = _until(_union(named[StationState.RINGING]), ended)
    spans = [StationSpan(name, span.start, span.end) for name, span in talked]
    spans += [
        StationSpan(name, rest.start, rest.end, StationState.RINGING)
        for name, span in rang
        for rest in _without(span, [other for its, other in talked if its == name])
    ]
    return tuple(sorted(spans, key=lambda span: (span.start, span.station)))


def _until(named: Iterable[tuple[str, Span]], ended: datetime | None) -> list[tuple[str, Span]]:
    """Cut what goes on after the end of the call."""
    if ended is None:
        return list(named)
    return [
        (name, Span(span.start, min(span.end or ended, ended)))
        for name, span in named
        if span.start <= ended
    ]


def _without(span: Span, others: Iterable[Span]) -> Iterator[Span]:
    """Give what is left of a span outside of the others, which come in order and do not overlap."""
    start = span.start
    for other in others:
        if other.end is not None and other.end <= start:
            continue
        if span.end is not None and other.start >= span.end:
            break
        if start < other.start:
            yield Span(start, other.start)
        if other.end is None or other.end == span.end:
            return
        start = other.end
    if span.end is None or start <= span.end:
        yield Span(start, span.end)


def _aliases(legs: Sequence[LegView], ended: datetime | None) -> Iterable[DatedAlias]:
    """Give each name once a feed, valid as long as any leg bears it, and the call lasts."""
    merged: dict[tuple[Alias, str], DatedAlias] = {}
    for record in (each for leg in legs for each in leg.aliases):
        key = (record.alias, record.source)
        known = merged.get(key)
        if known is None:
            merged[key] = record
            continue
        end = max(known.valid_to or NEVER, record.valid_to or NEVER)
        start = min(known.valid_from, record.valid_from)
        merged[key] = replace(known, valid_from=start, valid_to=None if end == NEVER else end)
    if ended is None:
        return merged.values()
    return [
        replace(each, valid_to=max(ended, each.valid_from)) if each.valid_to is None else each
        for each in merged.values()
    ]


def _recordings(legs: Sequence[LegView]) -> tuple[RecordingSpan, ...]:
    named = [(each.ref, Span(each.start, each.end)) for leg in legs for each in leg.recordings]
    return tuple(RecordingSpan(name, span.start, span.end) for name, span in _union(named))


def _union(named: Iterable[tuple[str, Span]]) -> list[tuple[str, Span]]:
    """Merge overlapping spans of one name: two legs that tell the same thing tell it once."""
    spans = sorted(named, key=lambda each: (each[0], each[1].start))
    if len(spans) < 2:  # noqa: PLR2004 -- nothing to merge
        return spans
    merged: list[tuple[str, Span]] = []
    for name, span in spans:
        if merged and merged[-1][0] == name and span.start <= (merged[-1][1].end or NEVER):
            end = max(merged[-1][1].end or NEVER, span.end or NEVER)
            merged[-1] = (name, Span(merged[-1][1].start, None if end == NEVER else end))
        else:
            merged.append((name, span))
    return sorted(merged, key=lambda each: (each[1].start, each[0]))
