"""Sign-in decided in pure code: one-time codes, where to go next; time comes in as an argument."""

import hmac
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from server.identity.domain.access import Permission, Role, may

CODE_LIFE: Final = timedelta(minutes=5)
CODE_TRIES: Final = 5
ACCOUNT_FAILURES: Final = 5
ADDRESS_FAILURES: Final = 50  # a whole hospital stands behind one address
CODES_SENT: Final = 10  # one-time codes to one account in a window
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
class LoginChallenge:
    """A one-time code on its way; `user` is None for wrong credentials, which are answered the same.

    `account` is the throttle key of the identifier as typed, so that failures count the same for unknown users.
    """

    id: str
    site: str | None
    user: str | None
    account: str
    code_hash: str
    channel: str
    tries: int
    next: str
    created: datetime
    expires: datetime


class CodeOutcome(StrEnum):
    """What a typed code does."""

    ACCEPTED = "accepted"
    WRONG = "wrong"
    OVER = "over"


def answer(
    challenge: LoginChallenge, code_hash: str, now: datetime
) -> tuple[LoginChallenge, CodeOutcome]:
    """Decide one try: five tries, five minutes, never for wrong credentials."""
    if now >= challenge.expires or challenge.tries >= CODE_TRIES:
        return challenge, CodeOutcome.OVER
    tried = replace(challenge, tries=challenge.tries + 1)
    same = hmac.compare_digest(challenge.code_hash, code_hash)
    if same and challenge.user is not None:
        return tried, CodeOutcome.ACCEPTED
    return tried, CodeOutcome.OVER if tried.tries >= CODE_TRIES else CodeOutcome.WRONG
