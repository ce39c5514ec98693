"""What the desks of a sign-in watch, so that its end does not take it from them (docs/adr/0027-sign-ins-end.md)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

#: A desk whose connection was lost shortly before the end watched until the end: its page comes back by itself.
AWAY: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class RunningVideo:
    """A video that has not ended; `handed`: another station took it from the one that made it."""

    id: str
    site: str
    made_by: str
    created: datetime
    handed: bool


@dataclass(slots=True, eq=False)
class VideoWatch:
    """A desk that watches a video from a station; `lost`: since when its connection is gone."""

    session: str
    station: str | None
    lost: datetime | None = None


class VideoWatches:
    """Who watches what, by sign-in; in memory only."""

    def __init__(self) -> None:
        """Start with nobody."""
        self._of: dict[str, dict[tuple[str, str], VideoWatch]] = {}

    def __len__(self) -> int:
        """Count them."""
        return sum(len(kept) for kept in self._of.values())

    def begin(self, sign_in: str, peer: str, session: str, station: str | None) -> VideoWatch:
        """Note that a page of this sign-in watches; the same page without a station had its former one."""
        kept = self._of.setdefault(sign_in, {})
        former = kept.get((peer, session))
        watch = VideoWatch(session, station or (former.station if former else None))
        kept[peer, session] = watch
        return watch

    def leave(self, sign_in: str, peer: str, session: str) -> None:
        """Forget a video that this page turned away from on purpose."""
        self._of.get(sign_in, {}).pop((peer, session), None)

    def until(self, sign_in: str, end: datetime) -> Iterator[VideoWatch]:
        """Return what was watched when this sign-in ended, or still was shortly before."""
        for watch in self._of.get(sign_in, {}).values():
            if watch.lost is None or watch.lost > end - AWAY:
                yield watch

    def forget(self, sign_in: str) -> None:
        """Forget a sign-in that was revoked, or replaced by another one."""
        self._of.pop(sign_in, None)

    def sessions(self) -> frozenset[str]:
        """Return the videos that anything is remembered of."""
        return frozenset(watch.session for kept in self._of.values() for watch in kept.values())

    def drop(self, ended: frozenset[str]) -> None:
        """Forget videos that have ended."""
        left = {
            sign_in: {key: watch for key, watch in kept.items() if watch.session not in ended}
            for sign_in, kept in self._of.items()
        }
        self._of = {sign_in: kept for sign_in, kept in left.items() if kept}
