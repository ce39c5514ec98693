"""Codes read aloud on the telephone: how long they live, how wrong ones are counted; pure, time is an argument.

Six digits can be guessed, so tries are counted by address and all together (docs/adr/0011). No count ever refuses an
address that has not typed a wrong code itself: many callers share one, and a lock on all would be the attacker's.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from server.core.limits.throttle import Throttle, blocked, fail, within

CODE_LIFE: Final = timedelta(minutes=5)
MOST_LIVE: Final = 500  # of a million: a try hits one in two thousand at the very worst
ADDRESS_WRONG: Final = 10  # a carrier puts many callers behind one address
MOST_TYPED: Final = 10  # times that one browser types its code: an answer may be lost, but not ten
LONGEST_BLOCK: Final = CODE_LIFE
ALARM_WRONG: Final = 100  # of all addresses, in a window
WINDOW: Final = CODE_LIFE


@dataclass(frozen=True, slots=True)
class SpokenCode:
    """One code, without its digits: `code` is a keyed hash, `browser` who typed it first."""

    id: str
    code: str
    site: str
    session: str
    invitation: str
    created: datetime
    expires: datetime
    used: datetime | None = None
    browser: str | None = None
    tries: int = 0

    def live(self, now: datetime) -> bool:
        """Whether it may still be typed for the first time."""
        return self.used is None and now < self.expires


def typed_digits(text: str) -> str:
    """Read a code as people type it: spaces, dots and dashes do not matter, digits of any script do."""
    return "".join(str(int(sign)) for sign in text[:64] if sign.isdecimal())


def alarmed(everybody: Throttle | None, now: datetime) -> bool:
    """Whether so many codes are wrong everywhere that somebody tries them out."""
    return (
        everybody is not None
        and everybody.count >= ALARM_WRONG
        and now - everybody.window_start < WINDOW
    )


def refused(own: Throttle | None, everybody: Throttle | None, now: datetime) -> bool:
    """Whether an address must wait; one without a fault of its own never does."""
    if blocked(own, now):
        return True
    faulty = own is not None and own.count > 0 and now - own.window_start < WINDOW
    return faulty and alarmed(everybody, now)


def wrong(own: Throttle | None, key: str, now: datetime) -> Throttle:
    """Count a wrong code of one address: ten are free, then each costs a block, five minutes at most."""
    return fail(own, key, now, ADDRESS_WRONG + 1, LONGEST_BLOCK)


def wrong_anywhere(everybody: Throttle | None, key: str, now: datetime) -> Throttle:
    """Count a wrong code of anybody, in windows of a code's life."""
    return within(everybody, key, now, WINDOW)


def over(everybody: Throttle | None, now: datetime) -> Throttle | None:
    """Return a window that has ended with wrong codes in it: what the audit is told, once."""
    if everybody is None or everybody.count == 0 or now - everybody.window_start < WINDOW:
        return None
    return everybody


def told(everybody: Throttle) -> Throttle:
    """The audit knows of this window."""
    return replace(everybody, count=0)
