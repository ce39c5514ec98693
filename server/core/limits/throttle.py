"""Tries counted by key: how many are free, and how long a block lasts. Pure; `throttle_store` keeps the counts."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

WINDOW: Final = timedelta(minutes=15)
LONGEST_BLOCK: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Throttle:
    """What was counted of one account, address or number (`key` is a keyed hash)."""

    key: str
    count: int
    window_start: datetime
    blocked_until: datetime | None


def fail(
    throttle: Throttle | None,
    key: str,
    now: datetime,
    free: int,
    longest: timedelta = LONGEST_BLOCK,
) -> Throttle:
    """Count one failure; from the `free`-th of a window on, block for 1, 2, 4 … minutes, `longest` at most.

    The window starts again at the end of a block, so that a patient attacker finds the longer block, not a clean sheet.
    """
    if throttle is None or (now - throttle.window_start > WINDOW and not blocked(throttle, now)):
        return Throttle(key, 1, now, None)
    count = throttle.count + 1
    if count < free:
        return replace(throttle, count=count)
    until = now + min(timedelta(minutes=2 ** min(count - free, 10)), longest)
    return replace(throttle, count=count, blocked_until=until, window_start=until)


def forgiven(throttle: Throttle | None, key: str, now: datetime) -> Throttle:
    """Return the throttle unchanged, or a new one that counts nothing: the same write as for a failure."""
    return throttle or Throttle(key, 0, now, None)


def within(throttle: Throttle | None, key: str, now: datetime, span: timedelta) -> Throttle:
    """Count one more in the span that began with the first."""
    if throttle is None or now - throttle.window_start >= span:
        return Throttle(key, 1, now, None)
    return replace(throttle, count=throttle.count + 1)


def hourly(throttle: Throttle | None, key: str, now: datetime) -> Throttle:
    """Count one more in the hour that began with the first."""
    return within(throttle, key, now, timedelta(hours=1))


def blocked(throttle: Throttle | None, now: datetime) -> bool:
    """Whether further tries are refused now."""
    return (
        throttle is not None and throttle.blocked_until is not None and now < throttle.blocked_until
    )
