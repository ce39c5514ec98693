"""Sign-in decided in pure code: one-time codes and back-off; time comes in as an argument."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

CODE_LIFE: Final = timedelta(minutes=5)
CODE_TRIES: Final = 5
FREE_FAILURES: Final = 5
WINDOW: Final = timedelta(minutes=15)
LONGEST_BLOCK: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Challenge:
    """A one-time code on its way; `user` is None for an unknown identifier, which is answered the same."""

    id: str
    user: str | None
    code_hash: str
    channel: str
    tries: int
    next: str
    created: datetime
    expires: datetime


class Outcome(StrEnum):
    """What a typed code does."""

    ACCEPTED = "accepted"
    WRONG = "wrong"
    OVER = "over"


def answer(challenge: Challenge, code_hash: str, now: datetime) -> tuple[Challenge, Outcome]:
    """Decide one try: five tries, five minutes, never for an unknown user."""
    if now >= challenge.expires or challenge.tries >= CODE_TRIES:
        return challenge, Outcome.OVER
    tried = replace(challenge, tries=challenge.tries + 1)
    if challenge.user is not None and challenge.code_hash == code_hash:
        return tried, Outcome.ACCEPTED
    return tried, Outcome.OVER if tried.tries >= CODE_TRIES else Outcome.WRONG


@dataclass(frozen=True, slots=True)
class Throttle:
    """Failures counted for one account or one address (`key` is a keyed hash)."""

    key: str
    count: int
    window_start: datetime
    blocked_until: datetime | None


def fail(throttle: Throttle | None, key: str, now: datetime, free: int = FREE_FAILURES) -> Throttle:
    """Count one failure; past `free` of them in a window, block for 1, 2, 4 … minutes, one hour at most."""
    if throttle is None or (
        now - throttle.window_start > WINDOW and not blocked(throttle, now)
    ):
        return Throttle(key, 1, now, None)
    count = throttle.count + 1
    if count < free:
        return replace(throttle, count=count)
    block = min(timedelta(minutes=2 ** min(count - free, 10)), LONGEST_BLOCK)
    return replace(throttle, count=count, blocked_until=now + block, window_start=now)


def blocked(throttle: Throttle | None, now: datetime) -> bool:
    """Whether further tries are refused now."""
    return throttle is not None and throttle.blocked_until is not None and now < throttle.blocked_until
