"""I5: one link, one caller. Opening it consumes nothing, the first tap binds.

A second device is told so, and the session may be moved to it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from server.core.tokens import token_hash
from server.invitations.errors import InvitationLinkRevoked
from server.video.domain.session import Session, SessionState
from server.video.errors import OpenElsewhere, SessionEnded
from server.web.errors import InvitationLinkExpired


@dataclass(frozen=True, slots=True)
class Invitation:
    """One link sent by one channel.

    `browser_hash` is set by the first tap; `active` is cleared when the session moved away. A code read aloud
    (channel `code`) goes nowhere: it has no contact.
    """

    id: str
    site: str
    session: str
    channel: str
    contact: str | None
    token_hash: str
    created: datetime
    expires: datetime
    opened: datetime | None = None
    tapped: datetime | None = None
    browser_hash: str | None = None
    active: bool = True
    revoked: datetime | None = None
    version: int = 1


def doubled(running: Iterable[tuple[Session, str | None]], call: str | None) -> Session | None:
    """Return the session that a new one for the same contact would double; None when there is none.

    `running` holds the sessions of this contact that have not ended, newest first, each with the call it is
    linked to. Only two known and different calls tell two sessions of one contact apart. One whose phone is
    there already comes first.
    """
    same = [one for one, linked in running if linked is None or call is None or linked == call]
    return min(
        same, key=lambda one: one.state in {SessionState.INVITED, SessionState.OPENED}, default=None
    )


def admit(
    invitation: Invitation,
    siblings: Iterable[Invitation],
    session: Session,
    browser_hash: str | None,
    now: datetime,
) -> None:
    """Raise why this browser may not use this link now; return when it may (or may tap first).

    A bound browser comes back for as long as the session lives: the fifteen minutes limit the first tap only.
    """
    if (
        session.state is SessionState.ENDED
        and invitation.revoked is None
        and session.end_reason != "expired"
    ):
        raise SessionEnded
    if invitation.revoked is not None:
        raise InvitationLinkRevoked
    if session.state is SessionState.ENDED:
        raise InvitationLinkExpired
    if invitation.browser_hash is not None:
        if invitation.browser_hash != browser_hash or not invitation.active:
            raise OpenElsewhere
        return
    if not invitation.active or any(other.browser_hash and other.active for other in siblings):
        raise OpenElsewhere
    if now >= invitation.expires:
        raise InvitationLinkExpired


def redeemed(invitation: Invitation, token: str, expires: datetime) -> Invitation:
    """The code was typed: only now is there a token, and its minutes begin."""
    return replace(invitation, token_hash=token_hash(token), expires=expires)


def opened(invitation: Invitation, now: datetime) -> Invitation:
    """Note the first time a visible page showed the link."""
    return invitation if invitation.opened else replace(invitation, opened=now)


def tapped(invitation: Invitation, browser_hash: str, now: datetime) -> Invitation:
    """Bind to the browser that taps; `admit` has agreed."""
    return replace(
        invitation,
        opened=invitation.opened or now,
        tapped=invitation.tapped or now,
        browser_hash=browser_hash,
    )


def released(invitation: Invitation, now: datetime) -> Invitation:
    """Give a link back that this browser was bound to; one that nobody could take any more stays as it is."""
    if now >= invitation.expires:
        return invitation
    return replace(invitation, browser_hash=None, tapped=None)


def moved_to(invitation: Invitation, target: str, expires: datetime) -> Invitation:
    """The session goes to `target`: that link waits for a new first tap, every other reads "open elsewhere"."""
    if invitation.id != target:
        return replace(invitation, active=False)
    return replace(invitation, active=True, browser_hash=None, tapped=None, expires=expires)


def revoked(invitation: Invitation, now: datetime) -> Invitation:
    """Withdraw the link."""
    return invitation if invitation.revoked else replace(invitation, revoked=now)
