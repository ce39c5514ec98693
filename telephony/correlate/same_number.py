"""A call-back, or a second call of the same person, is a new call, and the auditor is told of the first.

Each call is related to the one of the same outside number just before it, never merged with it. Where nobody inside the
switchboard tells of them, two at the same time may be one that was transferred out of sight: it is said, and uncertain.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from telephony.model.call import Call, Related
from telephony.model.facts import AliasType, Direction

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Between the beginnings of two calls that may concern the same emergency.
WITHIN: Final = timedelta(hours=1)
CALL_BACK: Final = "call-back to the same number"
AGAIN: Final = "same number again"
TOGETHER: Final = "same number at the same time: may be one call"
_WORDS: Final = frozenset({CALL_BACK, AGAIN, TOGETHER})
#: Names that only who makes the calls gives them.
_INSIDE: Final = frozenset({AliasType.UNIQUEID, AliasType.FREESWITCH_UUID, AliasType.CTI_CALL_ID})

_Mark = tuple[datetime, str, str, Direction, datetime | None, bool]


class Numbers:
    """The calls in memory by outside number, in the order in which they began."""

    def __init__(self) -> None:
        """Start empty."""
        self._calls: defaultdict[str, list[_Mark]] = defaultdict(list)
        self._marks: dict[str, tuple[str, _Mark]] = {}

    def note(self, changed: Iterable[Call], gone: Iterable[str]) -> set[str]:
        """Take in calls as they are now, forget others; return those whose relation may be another."""
        touched: set[str] = set()
        for call_id in gone:
            touched |= self._remove(call_id)
        for call in changed:
            first = call.legs[0] if call.legs else ""
            inside = any(record.alias.type in _INSIDE for record in call.aliases)
            mark = (call.started, first, call.id, call.direction, call.ended, inside)
            wanted = (call.number.e164, mark) if call.number else None
            if self._marks.get(call.id) == wanted:
                continue
            touched |= self._remove(call.id)
            if wanted:
                insort(self._calls[wanted[0]], mark)
                self._marks[call.id] = wanted
                touched |= {call.id, *self._next(call.id)}
        return touched

    def relate(self, call: Call, *, certain: bool) -> Call:
        """Return the call with its relation to the one before it; `certain` is what its legs alone say."""
        others = tuple(each for each in call.related if each.why not in _WORDS)
        before = self._before(call.id)
        related = others if before is None else (*others, before)
        certain = certain and (before is None or before.why != TOGETHER)
        if (call.related, call.certain) == (related, certain):
            return call
        return replace(call, related=related, certain=certain)

    def _before(self, call_id: str) -> Related | None:
        if call_id not in self._marks:
            return None
        number, mark = self._marks[call_id]
        place = bisect_left(self._calls[number], mark)
        if place == 0 or mark[0] - self._calls[number][place - 1][0] > WITHIN:
            return None
        earlier = self._calls[number][place - 1]
        ended, inside = earlier[4], mark[5]
        if not inside and (ended is None or ended > mark[0]):
            return Related(earlier[2], TOGETHER)
        back = mark[3] is Direction.OUTGOING and earlier[3] is not Direction.OUTGOING
        return Related(earlier[2], CALL_BACK if back else AGAIN)

    def _next(self, call_id: str) -> set[str]:
        number, mark = self._marks[call_id]
        place = bisect_left(self._calls[number], mark) + 1
        return {each[2] for each in self._calls[number][place : place + 1]}

    def _remove(self, call_id: str) -> set[str]:
        known = self._marks.get(call_id)
        if known is None:
            return set()
        touched = self._next(call_id)
        number, mark = known
        del self._marks[call_id]
        self._calls[number].remove(mark)
        if not self._calls[number]:
            del self._calls[number]
        return touched
