"""Somebody else who sees the picture: a link of his own, one browser, nothing but looking (I5, I7)."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from server.core.tokens import token_hash
from server.observers.errors import ObserverRemoved
from server.video.domain.session import Session, SessionState
from server.video.errors import OpenElsewhere, SessionEnded
from server.web.errors import InvitationLinkExpired

#: A phone makes one connection for each viewer; its uplink bears no more (docs/adr/0011).
MOST_VIEWERS: Final = 3
LONGEST_NAME: Final = 64


@dataclass(frozen=True, slots=True)
class Observer:
    """One person invited to look; `name` and `contact` are ids of personal values, `message` carried the link."""

    id: str
    site: str
    session: str
    invited_by: str
    command: str
    channel: str
    name: str
    contact: str
    message: str
    token_hash: str
    created: datetime
    expires: datetime
    joined: datetime | None = None
    browser_hash: str | None = None
    removed: datetime | None = None
    version: int = 1


def admit(observer: Observer, session: Session, browser: str | None, now: datetime) -> None:
    """Raise why this browser may not use this link now; a bound browser comes back while the session lives."""
    if observer.removed is not None:
        raise ObserverRemoved
    if session.state is SessionState.ENDED:
        raise SessionEnded
    if observer.browser_hash is None:
        if now >= observer.expires:
            raise InvitationLinkExpired
    elif browser is None or observer.browser_hash != token_hash(browser):
        raise OpenElsewhere


def bound(observer: Observer, browser: str, now: datetime) -> Observer:
    """Bind to the browser that taps; `admit` has agreed."""
    if observer.browser_hash is not None:
        return observer
    return replace(observer, joined=now, browser_hash=token_hash(browser))


def removed(observer: Observer, now: datetime) -> Observer:
    """Withdraw the link."""
    return observer if observer.removed else replace(observer, removed=now)
