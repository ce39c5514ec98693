"""Facts about legs in, logical calls out: the answer to "who is on which call now".

Pure: no clock, no I/O. A leg is a fold of its facts (leg.py), a call a connected component of
legs (grouping.py); only what a fact touches is computed again. Total over facts: nothing raises.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from telephony.correlate.fusion import Fusion
from telephony.correlate.grouping import LegGroup, assemble, group
from telephony.correlate.leg import LegView, fold, sort_key
from telephony.correlate.same_number import Numbers
from telephony.correlate.station_states import StationStates
from telephony.model.call import (
    Call,
    CallsChanged,
    CallState,
    DatedAlias,
    FactOutcome,
    Ignored,
    RecordingSpan,
    Related,
    Span,
    StationSpan,
)
from telephony.model.facts import AliasType, Fact, HungUp, Paired, Seen, Unpaired

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from datetime import datetime

__all__ = [
    "Call",
    "CallState",
    "CallsChanged",
    "Correlator",
    "DatedAlias",
    "FactOutcome",
    "Ignored",
    "RecordingSpan",
    "Related",
    "Span",
    "StationSpan",
]

#: A ringing call with no message for so long is over: its end was not seen.
RINGING_LIMIT: Final = timedelta(minutes=5)
#: The same for an answered call; a shift is 12 h.
TALKING_LIMIT: Final = timedelta(hours=12)
#: The same for a call of which nothing was heard since a restart, or since a feed that told of it was lost. A
#: session timer speaks at least as often (RFC 4028, 4.1: 1,800 s), and a call that ends says so: past it, it ended
#: while nobody listened.
UNCONFIRMED_LIMIT: Final = timedelta(minutes=30)
#: Facts kept for one leg: more is a faulty feed, not a telephone call.
MAX_FACTS: Final = 1000


class Correlator:
    """The one place that knows the calls of now. Not thread-safe: one consumer feeds it.

    `stations` are the monitored ones (empty: any), `mint` makes a fresh call id.
    """

    def __init__(self, stations: Collection[str], mint: Callable[[], str]) -> None:
        """Start with no call; `restore` brings back those of before a restart."""
        self._stations = frozenset(stations)
        self._mint = mint
        self._facts: dict[str, set[Fact]] = {}
        self._ordered: dict[str, list[Fact]] = {}
        self._views: dict[str, LegView] = {}
        self._index: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._pairs: defaultdict[str, set[str]] = defaultdict(set)
        self._ids: dict[str, str] = {}
        self._calls: dict[str, Call] = {}
        self._call_of: dict[str, str] = {}
        #: Legs of which nothing was heard since the moment given.
        self._lost: dict[str, datetime] = {}
        self._fusion = Fusion()
        self._fused: set[str] = set()
        self._numbers = Numbers()
        self._states = StationStates()
        #: The calls as their own legs tell them, before what other calls say of them.
        self._alone: dict[str, Call] = {}

    def receive(self, fact: Fact, *, confirms: bool = True) -> FactOutcome:
        """Fold one fact in; the same calls result from any order and any repetition.

        A fact that does not confirm is right, and something that followed it was lost: its call stays unconfirmed.
        """
        facts = self._facts.setdefault(fact.leg, set())
        if fact in facts:  # the same word at the same instant: no news that the call still lives
            return Ignored(fact, "repeated")
        before = self._views.get(fact.leg)
        full = len(facts) >= MAX_FACTS and not isinstance(fact, HungUp)
        after = before if full and before else self._fold(fact)
        found = self._heard_again(fact, after) if confirms else self._doubted(fact, after)
        if full and not found:
            return Ignored(fact, "too many facts for one leg")
        if after.started is None:
            return Ignored(fact, "no call for this leg yet")
        if isinstance(fact, Seen) and not found and _same(before, after):
            return Ignored(fact, "only seen")
        calls, merged = self._regroup({fact.leg})
        new = before is None or before.started is None
        kept = () if full else tuple(self._ordered[fact.leg]) if new else (fact,)
        return CallsChanged(calls, merged, self._call_of[fact.leg], kept)

    def expire(self, now: datetime) -> tuple[Call, ...]:
        """End the calls that fell silent, uncertainly, and drop what never became a call."""
        touched: set[str] = set()
        for call in self.live():
            over = self._over(call)
            if now >= over:
                for leg in (each for each in call.legs if self._views[each].ended is None):
                    silence = HungUp(leg, over, "correlator", "expired", certain=False)
                    self._fold(silence)
                    touched.add(leg)
        for leg in [name for name, view in self._views.items() if view.started is None]:
            if now - self._views[leg].last >= RINGING_LIMIT:
                self._drop(leg)
        return self._regroup(touched)[0] if touched else ()

    def feed_lost(self, source: str, at: datetime) -> tuple[Call, ...]:
        """Mark the live calls known through `source` unconfirmed until their next fact."""
        return self._unheard(set(self.live_legs(source)), at)

    def restarted(self, at: datetime) -> tuple[Call, ...]:
        """Mark every live call unconfirmed until its next fact: nobody listened for a while, up to `at`."""
        return self._unheard(set(self._living()), at)

    def calls(self) -> tuple[Call, ...]:
        """Every call in memory, the oldest first."""
        return tuple(sorted(self._calls.values(), key=lambda call: (call.started, call.id)))

    def live(self) -> tuple[Call, ...]:
        """The calls that are not ended."""
        return tuple(call for call in self.calls() if call.live)

    def get(self, call_id: str) -> Call | None:
        """Find a call by its id, or by an id it swallowed."""
        if call_id in self._calls:
            return self._calls[call_id]
        return next((self.call_of(leg) for leg, mine in self._ids.items() if mine == call_id), None)

    def call_of(self, leg: str) -> Call | None:
        """Find the call a leg belongs to."""
        return self._calls.get(self._call_of.get(leg, ""))

    def find(self, value: str, type: AliasType | None = None) -> tuple[Call, ...]:  # noqa: A002
        """Find calls by any of their names, the oldest first: a name used twice gives both."""
        return tuple(
            call
            for call in self.calls()
            if (call.id == value and type in {None, AliasType.CALL})
            or any(
                record.alias.value == value and type in {None, record.alias.type}
                for record in call.aliases
            )
        )

    def live_legs(self, source: str) -> tuple[str, ...]:
        """List the legs one feed told of that have not ended, for it to compare with what is there."""
        return tuple(
            leg for leg in self._living() if any(fact.source == source for fact in self._facts[leg])
        )

    def at_station(self, station: str) -> tuple[Call, ...]:
        """List the live calls that ring at, talk to or wait for a station."""
        return tuple(call for call in self.live() if station in call.current_stations)

    def forget(self, call_id: str) -> None:
        """Drop an ended call from memory; a live one stays."""
        call = self.get(call_id)
        if call is None or call.live:
            return
        for leg in call.legs:
            self._drop(leg)
        self._calls.pop(call.id, None)
        self._alone.pop(call.id, None)
        self._numbers.note((), [call.id])
        self._states.note((), [call.id])

    def restore(self, call_id: str, facts: Iterable[Fact]) -> None:
        """Take back a stored call under its id; its legs find their companions again."""
        legs: set[str] = set()
        for fact in facts:
            self._facts.setdefault(fact.leg, set())
            self._fold(fact)
            legs.add(fact.leg)
        begun = [self._views[leg] for leg in legs if self._views[leg].started is not None]
        for head in sorted(begun, key=lambda view: (view.started or view.last, view.leg)):
            if head.leg not in self._ids:
                self._ids[head.leg] = call_id
                break
        self._regroup(legs)

    def _fold(self, fact: Fact) -> LegView:
        """Keep the fact, tell again what its leg is, index its names."""
        ordered = self._ordered.setdefault(fact.leg, [])
        if fact not in self._facts[fact.leg]:
            self._facts[fact.leg].add(fact)
            insort(ordered, fact, key=sort_key)
        if isinstance(fact, Seen):
            for stale in [each for each in ordered if isinstance(each, Seen)][:-1]:
                ordered.remove(stale)
                self._facts[fact.leg].discard(stale)
        view = fold(fact.leg, ordered, self._stations)
        self._views[fact.leg] = view
        self._fused |= self._fusion.note(view)
        for key in view.keys:
            self._index[key].add(fact.leg)
        for verdict in view.verdicts:
            self._pairs[verdict.leg].add(verdict.with_leg)
            self._pairs[verdict.with_leg].add(verdict.leg)
        return view

    def _neighbourhood(self, legs: Iterable[str]) -> set[str]:
        """Walk to every leg that could be tied to these, ended or not."""
        found: set[str] = set()
        waiting = list(legs)
        while waiting:
            leg = waiting.pop()
            if leg in found or leg not in self._views:
                continue
            found.add(leg)
            waiting += self._pairs.get(leg, ())
            waiting += self._fusion.partners(leg)
            for key in self._views[leg].keys:
                waiting += self._index[key]
        return found

    def _regroup(self, legs: Iterable[str]) -> tuple[tuple[Call, ...], tuple[tuple[str, str], ...]]:
        """Compute again the calls around these legs; return those that changed, and the merged."""
        hood = self._neighbourhood({*legs, *self._fused})
        self._fused.clear()
        before = {self._call_of.pop(leg) for leg in hood if leg in self._call_of}
        groups = group((self._views[leg] for leg in hood), self._fusion.partners)
        owned = [self._own(found) for found in groups]
        for found, mine in zip(groups, owned, strict=True):
            self._call_of.update({leg.leg: mine[0] for leg in found.legs})
        changed: list[Call] = []
        for found, mine in zip(groups, owned, strict=True):
            call = assemble(mine[0], found, self._call_of, swallowed=mine[1:], lost=self._lost)
            self._alone[call.id] = call
            call = self._related(call)
            if self._calls.get(call.id) != call:
                changed.append(call)
                self._calls[call.id] = call
        merged = [(old, mine[0]) for mine in owned for old in mine[1:] if old in before]
        for old, _ in merged:
            self._calls.pop(old, None)
            self._alone.pop(old, None)
        gone = [old for old, _ in merged]
        echoes = self._numbers.note(changed, gone) | self._states.note(changed, gone)
        return (*self._renumbered(changed, echoes),), tuple(merged)

    def _renumbered(self, changed: list[Call], others: set[str]) -> Iterator[Call]:
        """Give the changed calls, and the others of the same number or at the same station, their relation."""
        mine = {call.id: call for call in changed}
        also = sorted(other for other in others if other in self._calls)
        for call_id in dict.fromkeys([*mine, *also]):
            known = self._calls[call_id]
            call = self._related(self._alone[call_id])
            self._calls[call_id] = call
            if call_id in mine or call != known:
                yield call

    def _related(self, alone: Call) -> Call:
        """Say of a call what the others mean for it."""
        return self._states.relate(self._numbers.relate(alone, certain=alone.certain))

    def _own(self, found: LegGroup) -> list[str]:
        """List the ids a group owns, the survivor first; mint one when it has none."""
        mine = [self._ids[leg.leg] for leg in found.legs if leg.leg in self._ids]
        if not mine:
            mine = [self._ids.setdefault(found.legs[0].leg, self._mint())]
        return list(dict.fromkeys(mine))

    def _living(self) -> Iterator[str]:
        """Give the legs of the live calls that have not ended."""
        for call in self.live():
            yield from (leg for leg in call.legs if self._views[leg].ended is None)

    def _unheard(self, legs: set[str], at: datetime) -> tuple[Call, ...]:
        """Note since when nothing was heard of these legs; an earlier moment stays."""
        for leg in legs:
            self._lost.setdefault(leg, at)
        return self._regroup(legs)[0] if legs else ()

    def _heard_again(self, fact: Fact, leg: LegView) -> bool:
        """Take a fact as a sign of life of the whole call; an end speaks of its own leg only, a deduction of none."""
        if not self._lost or isinstance(fact, Paired | Unpaired):
            return False
        if isinstance(fact, HungUp) and leg.ended is None:  # it ended a first attempt, or nothing
            return False
        call = None if isinstance(fact, HungUp) else self.call_of(fact.leg)
        legs = call.legs if call else (fact.leg,)
        return bool([leg for leg in legs if self._lost.pop(leg, None)])

    def _doubted(self, fact: Fact, leg: LegView) -> bool:
        """Note that what followed a fact was lost; an end stays an end. Tell whether that is news."""
        if leg.ended is not None:
            return isinstance(fact, HungUp) and self._lost.pop(fact.leg, None) is not None
        if fact.leg in self._lost:
            return False
        self._lost[fact.leg] = fact.at
        return True

    def _over(self, call: Call) -> datetime:
        """Say when a live call is over if nothing more is heard of it."""
        last = max(self._views[leg].last for leg in call.legs)
        if call.state is CallState.RINGING:
            return last + RINGING_LIMIT
        lost = [since for leg in call.legs if (since := self._lost.get(leg))]
        unconfirmed = max(last, *lost) + UNCONFIRMED_LIMIT if lost else last + TALKING_LIMIT
        return min(last + TALKING_LIMIT, unconfirmed)

    def _drop(self, leg: str) -> None:
        view = self._views.pop(leg)
        self._fused |= self._fusion.drop(leg)
        self._fused.discard(leg)
        for key in view.keys:
            self._index[key].discard(leg)
            if not self._index[key]:
                del self._index[key]
        for other in self._pairs.pop(leg, ()):
            self._pairs[other].discard(leg)
        del self._facts[leg], self._ordered[leg]
        self._ids.pop(leg, None)
        self._call_of.pop(leg, None)
        self._lost.pop(leg, None)


def _same(before: LegView | None, after: LegView) -> bool:
    """Whether nothing but the date of the last message differs."""
    return before is not None and replace(before, last=after.last) == after
