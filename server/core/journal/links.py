"""What the audit tells of links given out: invitations, spoken codes, observers."""

from datetime import datetime
from typing import Protocol

from server.core.journal.entries import Entry, entry
from server.core.journal.payloads import Channel, Code, Contact, Guest, WrongCodes


class LinkVerb(Protocol):
    """One thing that happens to a link that was given out: all are told alike."""

    def __call__(self, link: str, session: str, /, *, channel: str) -> Entry:
        """Make the entry of one link and its video."""


def invitation_created(
    invitation: str,
    session: str,
    *,
    channel: str,
    expires: datetime,
    call: str | None = None,
    to: str | None = None,
) -> Entry:
    """A link was made; the number or address it goes `to` is sealed."""
    payload = Channel(channel=channel, expires=expires.isoformat())
    return entry(
        "invitation.created",
        f"invitation:{invitation}",
        payload,
        session=session,
        call=call,
        personal=None if to is None else Contact(to=to),
    )


def _invitation(action: str, invitation: str, session: str, channel: str) -> Entry:
    return entry(action, f"invitation:{invitation}", Channel(channel=channel), session=session)


def invitation_resent(invitation: str, session: str, *, channel: str) -> Entry:
    """The same link was sent again."""
    return _invitation("invitation.resent", invitation, session, channel)


def invitation_revoked(invitation: str, session: str, *, channel: str) -> Entry:
    """A link was withdrawn."""
    return _invitation("invitation.revoked", invitation, session, channel)


def invitation_bound(invitation: str, session: str, *, channel: str) -> Entry:
    """A link was bound to the browser that tapped first (I5)."""
    return _invitation("invitation.bound", invitation, session, channel)


def invitation_released(invitation: str, session: str, *, channel: str) -> Entry:
    """A browser that cannot go on gave its link free for another."""
    return _invitation("invitation.released", invitation, session, channel)


def invitation_moved_to(invitation: str, session: str, *, channel: str) -> Entry:
    """The video goes to whoever taps this link next."""
    return _invitation("invitation.moved_to", invitation, session, channel)


def code_created(code: str, session: str, *, expires: datetime) -> Entry:
    """A code to be read aloud was made."""
    payload = Code(expires=expires.isoformat())
    return entry("code.created", f"code:{code}", payload, session=session)


def code_redeemed(code: str, session: str, *, tries: int) -> Entry:
    """The caller typed it."""
    return entry("code.redeemed", f"code:{code}", Code(tries=tries), session=session)


def code_expired(code: str, session: str) -> Entry:
    """Nobody typed it in time."""
    return entry("code.expired", f"code:{code}", Code(), session=session)


def code_refused(*, wrong: int, since: datetime, alarm: bool) -> Entry:
    """So many codes were wrong; they belong to no site, and none is named."""
    payload = WrongCodes(wrong=wrong, since=since.isoformat(), alarm=alarm)
    return entry("code.refused", "code:any", payload)


def observer_invited(observer: str, session: str, *, channel: str, name: str, to: str) -> Entry:
    """A desk invited a third person; who, and at which number or address, is sealed."""
    return entry(
        "observer.invited",
        f"observer:{observer}",
        Channel(channel=channel),
        session=session,
        personal=Guest(name=name, to=to),
    )


def _observer(action: str, observer: str, session: str, channel: str) -> Entry:
    return entry(action, f"observer:{observer}", Channel(channel=channel), session=session)


def observer_bound(observer: str, session: str, *, channel: str) -> Entry:
    """An observer's link was bound to the browser that tapped first."""
    return _observer("observer.bound", observer, session, channel)


def observer_joined(observer: str, session: str, *, channel: str) -> Entry:
    """An observer sees the picture."""
    return _observer("observer.joined", observer, session, channel)


def observer_left(observer: str, session: str, *, channel: str) -> Entry:
    """An observer sees it no more."""
    return _observer("observer.left", observer, session, channel)


def observer_removed(observer: str, session: str, *, channel: str) -> Entry:
    """A desk took the picture from an observer."""
    return _observer("observer.removed", observer, session, channel)
