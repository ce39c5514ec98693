"""Sign-in decided in pure code: one-time codes, back-off, where to go next; time comes in as an argument."""

import hmac
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from server.domain.access import Permission, Role, may

CODE_LIFE: Final = timedelta(minutes=5)
CODE_TRIES: Final = 5
ACCOUNT_FAILURES: Final = 5
ADDRESS_FAILURES: Final = 50  # a whole hospital stands behind one address
CODES_SENT: Final = 10  # one-time codes to one account in a window
WINDOW: Final = timedelta(minutes=15)
LONGEST_BLOCK: Final = timedelta(hours=1)
HOME: Final = "/kiosk"
_KNOWN_PAGES: Final = re.compile(
    r"/(kiosk|desk|desk/station|audit|audit/reconcile|incidents|feedback|selftest|admin/telephony"
    r"|desk\?launch=[A-Za-z0-9_-]{1,64}"
    r"|(audit/calls|audit/sessions|audit/reconcile|incidents)/[A-Za-z0-9_-]{1,64})"
)
_NEEDS: Final = {
    "desk": Permission.DESK_USE,
    "audit": Permission.AUDIT_READ,
    "incidents": Permission.FEEDBACK_READ,
    "selftest": Permission.SELFTEST_USE,
    "admin": Permission.ADMIN,
}


def safe_next(target: str | None) -> str:
    """Keep a target only when it is a page of ours: a sign-in never sends anybody elsewhere."""
    return target if target and _KNOWN_PAGES.fullmatch(target) else HOME


def landing(target: str | None, role: Role) -> str:
    """Return where a sign-in leads: the page asked for, unless this role does not use it (a PC has many people)."""
    safe = safe_next(target)
    need = _NEEDS.get(re.split(r"[/?]", safe)[1])
    return safe if need is None or may(role, need) else HOME


def normal_identifier(typed: str) -> str:
    """Read an identifier as people type it: spaces around it and capitals do not matter."""
    return typed.strip().casefold()


@dataclass(frozen=True, slots=True)
class Challenge:
    """A one-time code on its way; `user` is None for wrong credentials, which are answered the same.

    `account` is the throttle key of the identifier as typed, so that failures count the same for unknown users.
    """

    id: str
    user: str | None
    account: str
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
    """Decide one try: five tries, five minutes, never for wrong credentials."""
    if now >= challenge.expires or challenge.tries >= CODE_TRIES:
        return challenge, Outcome.OVER
    tried = replace(challenge, tries=challenge.tries + 1)
    same = hmac.compare_digest(challenge.code_hash, code_hash)
    if same and challenge.user is not None:
        return tried, Outcome.ACCEPTED
    return tried, Outcome.OVER if tried.tries >= CODE_TRIES else Outcome.WRONG


@dataclass(frozen=True, slots=True)
class Throttle:
    """Failures counted for one account or one address (`key` is a keyed hash)."""

    key: str
    count: int
    window_start: datetime
    blocked_until: datetime | None


def fail(
    throttle: Throttle | None,
    key: str,
    now: datetime,
    free: int = ACCOUNT_FAILURES,
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
