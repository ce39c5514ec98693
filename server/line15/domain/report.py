"""What a site's line tells of itself, before it is judged and put into words (service/health.py)."""

from collections.abc import Sequence
from dataclasses import dataclass

from telephony import Call, FeedHealth


@dataclass(frozen=True, slots=True)
class FeedReport:
    """How one feed fares, what it is (`hep`, `ami`, …), and how often it was started again."""

    kind: str
    health: FeedHealth
    restarts: int


@dataclass(frozen=True, slots=True)
class LineReport:
    """Everything of a site's line 15 that an administrator watches; the counts only grow, `queued` excepted."""

    feeds: Sequence[FeedReport]
    calls: Sequence[Call]
    queued: int
    overflow: int
    failures: int
    errors: int
