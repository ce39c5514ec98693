"""Two feeds that tell of one call from two sides, where their legs share no name.

The rule, and nothing beyond it: legs told by different feeds, at the same place (one station, or one
outside number), begun within 1 s of each other, and no second candidate on either
side. A pure function of the legs: the order in which they became known cannot matter.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from telephony.model.facts import Direction

if TYPE_CHECKING:
    from datetime import datetime

    from telephony.correlate.leg import LegView

WINDOW: Final = timedelta(seconds=1)
#: Legs at one place within the window, past which nobody is told apart.
_CROWD: Final = 16
_LAST: Final = "\U0010ffff"
_Mark = tuple["datetime", str, str]


class Fusion:
    """Keeps where and when each leg began, and which legs of different feeds are therefore one."""

    def __init__(self) -> None:
        """Start empty."""
        self._places: defaultdict[str, list[_Mark]] = defaultdict(list)
        self._marks: dict[str, tuple[str, _Mark]] = {}
        self._partners: dict[str, frozenset[str]] = {}

    def note(self, view: LegView) -> set[str]:
        """Take in what a leg is now; return the legs whose partners changed."""
        place = _place(view)
        mark = (place, (view.started, view.leg, view.source)) if place and view.started else None
        if self._marks.get(view.leg) == mark:
            return set()
        around = self._remove(view.leg)
        if mark is not None:
            insort(self._places[mark[0]], mark[1])
            self._marks[view.leg] = mark
            around |= self._near(view.leg)
        changed: set[str] = set()
        for leg in around | {view.leg}:
            changed |= self._judge(leg)
        return changed

    def partners(self, leg: str) -> frozenset[str]:
        """List the legs of other feeds that are this one."""
        return self._partners.get(leg, frozenset())

    def drop(self, leg: str) -> set[str]:
        """Forget a leg; return the legs whose partners changed."""
        around = self._remove(leg)
        changed: set[str] = set()
        for other in around | {leg}:
            changed |= self._judge(other)
        return changed - {leg}

    def _remove(self, leg: str) -> set[str]:
        around = self._near(leg)
        known = self._marks.pop(leg, None)
        if known:
            marks = self._places[known[0]]
            marks.pop(bisect_left(marks, known[1]))
            if not marks:
                del self._places[known[0]]
        return around

    def _near(self, leg: str) -> set[str]:
        """List the legs of other feeds that may be this one; nobody in a crowd."""
        known = self._marks.get(leg)
        if known is None:
            return set()
        place, (at, _, source) = known
        marks = self._places[place]
        low, high = (
            bisect_left(marks, (at - WINDOW, "", "")),
            bisect_right(marks, (at + WINDOW, _LAST, "")),
        )
        if high - low > _CROWD:
            return set()
        return {other for _, other, its in marks[low:high] if its != source}

    def _sole(self, leg: str) -> dict[str, str]:
        """Map each other feed to the one leg of it that may be this one."""
        by_source: defaultdict[str, list[str]] = defaultdict(list)
        for other in self._near(leg):
            by_source[self._marks[other][1][2]].append(other)
        return {source: found[0] for source, found in by_source.items() if len(found) == 1}

    def _judge(self, leg: str) -> set[str]:
        """Decide anew whom this leg is one with; return it, and the others, when that changed."""
        source = self._marks[leg][1][2] if leg in self._marks else ""
        mine = frozenset(
            other for other in self._sole(leg).values() if self._sole(other).get(source) == leg
        )
        before = self._partners.pop(leg, frozenset())
        if mine:
            self._partners[leg] = mine
        return {leg} | (before ^ mine) if before != mine else set()


def _place(view: LegView) -> str | None:
    """Say where a leg leads: to the station or the outside number that is called, else where it comes from."""
    stations = [span.station for span in view.stations]
    number = view.outside
    if view.called in stations:
        return f"station {view.called}"
    if number and (view.direction is Direction.OUTGOING or not stations):
        return f"number {number.e164}"
    return f"station {stations[0]}" if stations else None
