"""A call that only the state of its station tells of, and what else was at that station meanwhile.

Some presence servers say that an extension is in use, and neither by which call nor by whom. Nothing ties that to what
another feed tells of the same call, unless both begin together (fusion.py). First told in mid-call, or beside a call
of another feed at its station, it may be that one: it is unconfirmed and related to it, hence never in its way.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from telephony.correlate.leg import NEVER
from telephony.model.call import Call, Related
from telephony.model.facts import AliasType, Direction

if TYPE_CHECKING:
    from collections.abc import Iterable

MAY_BE_ONE: Final = "at the same station at the same time: may be one call"
#: Names of a call of which only the state of a station is known: they tie it to nothing.
_NO_NAMES: Final = frozenset({AliasType.DIALOG_ID, AliasType.CALL})


class StationStates:
    """The calls in memory by station."""

    def __init__(self) -> None:
        """Start empty."""
        self._calls: dict[str, Call] = {}
        self._at: defaultdict[str, dict[str, Call]] = defaultdict(dict)

    def note(self, changed: Iterable[Call], gone: Iterable[str]) -> set[str]:
        """Take in calls as they are now, forget others; return those whose doubt may be another."""
        touched: set[str] = set()
        for call_id in gone:
            touched |= self._remove(call_id)
        for call in changed:
            touched |= self._remove(call.id)
            self._calls[call.id] = call
            for station in _stations(call):
                self._at[station][call.id] = call
            touched |= self._states_beside(call)
        return touched

    def relate(self, call: Call) -> Call:
        """Return a call with its doubts."""
        if not _only_a_state(call):
            return call
        beside = {
            other.id: None
            for station in _stations(call)
            for other in self._at.get(station, {}).values()
            if not _only_a_state(other) and _together(call, other)
        }
        if not beside and call.answered != call.started:
            return call
        related = (*call.related, *(Related(each, MAY_BE_ONE) for each in sorted(beside)))
        return replace(call, related=related, certain=False, confirmed=False)

    def _remove(self, call_id: str) -> set[str]:
        known = self._calls.pop(call_id, None)
        if known is None:
            return set()
        touched = self._states_beside(known)
        for station in _stations(known):
            del self._at[station][call_id]
            if not self._at[station]:
                del self._at[station]
        return touched

    def _states_beside(self, call: Call) -> set[str]:
        """List the calls known by a state only that another one makes doubtful."""
        if _only_a_state(call):
            return set()
        return {
            other.id
            for station in _stations(call)
            for other in self._at.get(station, {}).values()
            if _only_a_state(other) and _together(call, other)
        }


def _only_a_state(call: Call) -> bool:
    """Whether nothing is known of a call but that a station has it."""
    nobody = call.direction is Direction.UNKNOWN and call.caller is None
    return nobody and bool(call.aliases) and all(r.alias.type in _NO_NAMES for r in call.aliases)


def _stations(call: Call) -> set[str]:
    return {span.station for span in call.stations}


def _together(one: Call, other: Call) -> bool:
    """Whether two calls were at one station at one time."""
    return any(
        a.station == b.station and a.start <= (b.end or NEVER) and b.start <= (a.end or NEVER)
        for a in one.stations
        for b in other.stations
    )
