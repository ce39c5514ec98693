"""Why: which legs are one call, decided from the legs alone, so arrival order cannot matter.

Legs are taken by start time. A leg joins an earlier one when they were paired, sat in one bridge
together, or bear the same correlating name *and* the earlier one's call had not ended: the same
identifier used again later is another call. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from telephony.call import (
    AliasRecord,
    Call,
    CallState,
    RecordingSpan,
    Related,
    Span,
    StationSpan,
)
from telephony.facts import CORRELATING, Alias, AliasType, Direction, Paired, Unpaired
from telephony.leg import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from telephony.leg import LegView

#: Names that relate calls without making them one.
_RELATING: Final = frozenset({AliasType.NENA_INCIDENTID, AliasType.DOSSIER})
_LINKING: Final = CORRELATING | _RELATING


@dataclass(slots=True)
class Group:
    """Why: the legs of one call, with why each was added and what else it may concern."""

    legs: list[LegView]
    evidence: dict[str, None] = field(default_factory=dict)
    inferred: bool = False
    doubtful: bool = False
    related: dict[tuple[str, str], None] = field(default_factory=dict)

    @property
    def end(self) -> datetime:
        """When the whole call ended, the end of time while a leg lives."""
        return max(leg.end for leg in self.legs)


def keys(view: LegView) -> set[tuple[str, str]]:
    """Name what may tie this leg to another: names, bridges."""
    named = {
        (record.alias.type.value, record.alias.value)
        for record in view.aliases
        if record.alias.type in _LINKING
    }
    return named | {("bridge", bridge) for bridge, _ in view.bridges}


def group(views: Iterable[LegView]) -> list[Group]:
    """Partition legs into calls, the oldest leg of each call first."""
    of: dict[str, Group] = {}
    begun = [view for view in views if view.started is not None]
    ordered = sorted(begun, key=lambda view: (view.started or NEVER, view.leg))
    verdicts = _verdicts(ordered)
    for view in ordered:
        mine = Group([view])
        of[view.leg] = mine
        for other in ordered:
            if other.leg == view.leg:
                break
            _tie(of, other, view, verdicts.get(frozenset((other.leg, view.leg))))
    groups = list({id(each): each for each in of.values()}.values())
    for each in groups:
        each.legs.sort(key=lambda view: (view.started or NEVER, view.leg))
    return groups


def _tie(
    of: dict[str, Group], old: LegView, new: LegView, verdict: Paired | Unpaired | None
) -> None:
    """Join the groups of two legs, or note how they are related."""
    first, second = of[old.leg], of[new.leg]
    if isinstance(verdict, Paired):
        _merge(of, first, second, verdict.why)
        first.inferred |= verdict.inferred
        return
    if isinstance(verdict, Unpaired) and verdict.doubtful:
        _relate(first, second, old, new, verdict.why)
        first.doubtful = second.doubtful = True
    if _shared_bridge(old, new):
        _merge(of, first, second, "in the same bridge")
        return
    for kind, value in sorted(keys(old) & keys(new)):
        if kind == "bridge":
            continue
        if AliasType(kind) in _RELATING:
            _relate(first, second, old, new, f"same {kind}")
        elif first is second or first.end > (new.started or NEVER):
            _merge(of, first, second, f"same {kind} {value}")
            return
        else:
            _relate(first, second, old, new, f"same {kind} used again")


def _merge(of: dict[str, Group], first: Group, second: Group, why: str) -> None:
    first.evidence[why] = None
    if first is second:
        return
    first.legs += second.legs
    first.evidence |= second.evidence
    first.related |= second.related
    first.inferred |= second.inferred
    first.doubtful |= second.doubtful
    for leg in second.legs:
        of[leg.leg] = first


def _relate(first: Group, second: Group, old: LegView, new: LegView, why: str) -> None:
    if first is not second:
        first.related[(new.leg, why)] = None
        second.related[(old.leg, why)] = None


def _verdicts(views: Sequence[LegView]) -> dict[frozenset[str], Paired | Unpaired]:
    """Collect what was said of each two legs, from either side; a pairing by the PBX wins."""
    found: dict[frozenset[str], Paired | Unpaired] = {}
    for verdict in (each for view in views for each in view.verdicts):
        ends = frozenset((verdict.leg, verdict.with_leg))
        known = found.get(ends)
        if known is None or _weight(verdict) > _weight(known):
            found[ends] = verdict
    return found


def _weight(verdict: Paired | Unpaired) -> tuple[bool, datetime, str]:
    sure = isinstance(verdict, Paired) and not verdict.inferred
    return (sure, verdict.at, verdict.leg)


def _shared_bridge(old: LegView, new: LegView) -> bool:
    return any(
        name == other and span.start <= (wide.end or NEVER) and wide.start <= (span.end or NEVER)
        for name, span in old.bridges
        for other, wide in new.bridges
    )


def assemble(
    call_id: str, found: Group, ids: Mapping[str, str], *, swallowed: Iterable[str], lost: bool
) -> Call:
    """Say what a group of legs looks like as one call. `ids` names the call of other legs."""
    legs = found.legs
    started = legs[0].started or NEVER
    over = all(leg.ended for leg in legs)
    ended = max((leg.ended for leg in legs if leg.ended), default=None) if over else None
    names = [
        AliasRecord(Alias(AliasType.CALL, old), "correlator", started, None, "same call")
        for old in swallowed
    ]
    aliases = [record for leg in legs for record in leg.aliases]
    holds = _union([("", hold) for leg in legs for hold in leg.holds])
    answered = _answered(legs)
    related = {
        (ids[leg], why): None
        for leg, why in found.related
        if leg in ids and leg not in {each.leg for each in legs}
    }
    return Call(
        id=call_id,
        caller=next((leg.caller for leg in legs if leg.caller), None),
        state=_state(legs, answered, over=over),
        started=started,
        answered=answered,
        ended=ended,
        end_certain=all(leg.end_certain for leg in legs),
        certain=not (lost or found.doubtful),
        aliases=tuple(dict.fromkeys(aliases)) + tuple(names),
        stations=_stations(legs),
        holds=tuple(hold for _, hold in holds),
        recordings=_recordings(legs),
        related=tuple(Related(call, why) for call, why in related if call != call_id),
        evidence=tuple(found.evidence),
        inferred=found.inferred,
        called=next((leg.called for leg in legs if leg.called), None),
        direction=next(
            (leg.direction for leg in legs if leg.direction is not Direction.UNKNOWN),
            Direction.UNKNOWN,
        ),
        legs=tuple(leg.leg for leg in legs),
    )


def _answered(legs: Sequence[LegView]) -> datetime | None:
    """Date the answer by a station where one is known: a queue answers before anybody speaks."""
    manned = [leg for leg in legs if leg.stations] or legs
    return min((leg.answered for leg in manned if leg.answered), default=None)


def _state(legs: Sequence[LegView], answered: datetime | None, *, over: bool) -> CallState:
    if over:
        return CallState.ENDED
    live = [leg for leg in legs if leg.ended is None]
    if any(hold.end is None for leg in live for hold in leg.holds):
        return CallState.HELD
    if answered and any(leg.answered for leg in live):
        return CallState.TALKING
    return CallState.RINGING


def _stations(legs: Sequence[LegView]) -> tuple[StationSpan, ...]:
    named = [(each.station, Span(each.start, each.end)) for leg in legs for each in leg.stations]
    return tuple(StationSpan(name, span.start, span.end) for name, span in _union(named))


def _recordings(legs: Sequence[LegView]) -> tuple[RecordingSpan, ...]:
    named = [(each.ref, Span(each.start, each.end)) for leg in legs for each in leg.recordings]
    return tuple(RecordingSpan(name, span.start, span.end) for name, span in _union(named))


def _union(named: Iterable[tuple[str, Span]]) -> list[tuple[str, Span]]:
    """Merge overlapping spans of one name: two legs that tell the same thing tell it once."""
    merged: list[tuple[str, Span]] = []
    for name, span in sorted(named, key=lambda each: (each[0], each[1].start)):
        if merged and merged[-1][0] == name and span.start <= (merged[-1][1].end or NEVER):
            end = max(merged[-1][1].end or NEVER, span.end or NEVER)
            merged[-1] = (name, Span(merged[-1][1].start, None if end == NEVER else end))
        else:
            merged.append((name, span))
    return sorted(merged, key=lambda each: (each[1].start, each[0]))
