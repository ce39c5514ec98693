"""How much a sender may say: a bucket that fills with time and is emptied by messages; pure, time is an argument."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is left, as of a moment."""

    left: float
    at: datetime


def take(bucket: Bucket | None, now: datetime, *, a_second: float, burst: int) -> Bucket | None:
    """Take one; None when nothing is left. A clock that was set back fills nothing."""
    if bucket is None:
        return Bucket(burst - 1, now)
    left = filled(bucket, now, a_second=a_second, burst=burst)
    return Bucket(left - 1, now) if left >= 1 else None


def filled(bucket: Bucket, now: datetime, *, a_second: float, burst: int) -> float:
    """Return what is in it by now; `burst` is as much as a bucket that nobody knows."""
    return min(bucket.left + max(0.0, (now - bucket.at).total_seconds()) * a_second, burst)
