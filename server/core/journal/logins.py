"""What the audit tells of signing in."""

from datetime import datetime

from server.core.journal.entries import Entry, entry
from server.core.journal.payloads import CodeSent, SignedIn, SignInEnded, SignInRefused

UNKNOWN = "unknown"  # whoever typed an identifier that nobody has


def login_code_sent(user: str | None, *, channel: str) -> Entry:
    """A code is on its way to a user."""
    return entry("login.code_sent", f"user:{user or UNKNOWN}", CodeSent(channel=channel))


def login_refused(user: str | None, *, reason: str, tries: int | None = None) -> Entry:
    """A sign-in was refused; for a wrong code, after how many `tries`."""
    payload = SignInRefused(reason=reason, tries=tries)
    return entry("login.refused", f"user:{user or UNKNOWN}", payload)


def login_succeeded(user: str, *, by: str) -> Entry:
    """A user signed in, with a code that came `by` SMS or e-mail."""
    return entry("login.succeeded", f"user:{user}", SignedIn(by=by))


def login_renewed(user: str, *, by: str) -> Entry:
    """A user signed in again in the same browser."""
    return entry("login.renewed", f"user:{user}", SignedIn(by=by))


def login_ended(user: str, *, reason: str, at: datetime | None = None) -> Entry:
    """A sign-in is over, since `at` when it was not written down at once."""
    payload = SignInEnded(reason=reason, at=at.isoformat() if at else None)
    return entry("login.ended", f"user:{user}", payload)
