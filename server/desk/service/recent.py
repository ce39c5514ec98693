"""The sessions of the shift, for the one who wants to look back: those of a station and one's own, read-only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from server.core.clock import Clock
from server.core.db.unit_of_work import UnitOfWork
from server.core.personal import PersonalStore
from server.delivery.domain.messages import Message
from server.delivery.store import MessageStore
from server.desk.domain import funnel
from server.desk.service.view import SHIFT, Json, iso, link_label, national, step_of
from server.invitations.domain.invitation import Invitation
from server.invitations.store.invitations import InvitationStore
from server.line15.domain.call_links import CallLink
from server.line15.domain.calls import CallSummary
from server.line15.store.calls import CallStore
from server.storage.transactions import Transactions
from server.video.domain.session import Session, SessionState
from server.video.store.sessions import SessionStore

MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    """What was loaded for all of them, in one query a table."""

    links: Mapping[str, CallLink]
    calls: Mapping[str, CallSummary]
    invitations: Sequence[Invitation]
    messages: Sequence[Message]
    contacts: Mapping[str, str | None]

    def to(self, invitation: Invitation) -> str | None:
        """Return where an invitation went; None once erased, and for a code."""
        return self.contacts.get(invitation.contact) if invitation.contact else None


class Recent:
    """Looks back."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        """Keep where to look, and until when."""
        self._transactions = transactions
        self._clock = clock

    async def of(self, site: str, user: str, station: str) -> list[Json]:
        """Return the sessions of this station and of this user, newest first; nothing of another site (I7)."""
        now = self._clock.now()
        async with self._transactions(write=False) as uow:
            found = await SessionStore(uow).recent(site, station, user, now - SHIFT, MOST)
            loaded = await self._load(uow, site, found)
        return [_past(each, loaded, user, now) for each in found]

    async def _load(self, uow: UnitOfWork, site: str, found: Sequence[Session]) -> _Loaded:
        if not found:
            return _Loaded(links={}, calls={}, invitations=(), messages=(), contacts={})
        ids = [each.id for each in found]
        links = await SessionStore(uow).newest_links(site, ids)
        invitations = await InvitationStore(uow).of_sessions(site, ids)
        return _Loaded(
            links=links,
            calls=await CallStore(uow).get_all(
                site, [link.call for link in links.values() if link.call]
            ),
            invitations=invitations,
            messages=await MessageStore(uow).of_invitations(
                site, [each.id for each in invitations]
            ),
            contacts=await PersonalStore(uow).get_all(
                site, [each.contact for each in invitations if each.contact]
            ),
        )


def _past(session: Session, loaded: _Loaded, user: str, now: datetime) -> Json:
    own = [each for each in loaded.invitations if each.session == session.id]
    ids = {each.id for each in own}
    messages = [each for each in loaded.messages if each.invitation in ids]
    sms = next((loaded.to(each) for each in own if each.channel == "sms"), None)
    mail = next((loaded.to(each) for each in own if each.channel == "email"), None)
    link = loaded.links.get(session.id)
    return {
        "id": session.id,
        "state": session.state.value,
        "created": iso(session.created),
        "ended": iso(session.ended),
        "end_reason": session.end_reason,
        "number": national(sms) or mail,
        "station": session.station,
        "mine": session.created_by == user,
        "seconds": _seen(session, now),
        "link": link_label(link, loaded.calls.get(link.call or "")) if link else "",
        "steps": [step_of(step) for step in funnel.steps(session, messages)],
    }


def _seen(session: Session, now: datetime) -> float | None:
    """Return from the first picture to the end; None when there never was one."""
    first = session.marks.get("image")
    if first is None:
        return None
    end = session.ended if session.state is SessionState.ENDED and session.ended else now
    return max(0.0, (end - first).total_seconds())
