"""What an invitation means to others: to its session, to the messages that carry its link, to who looks for its call.

Hooks of the sessions, the delivery and the reconciliation, each in the unit of work of whoever calls it.
"""

from collections.abc import Sequence
from datetime import datetime

from server.core.db.unit_of_work import UnitOfWork
from server.core.personal import PersonalStore
from server.delivery.domain.messages import Message
from server.delivery.service.delivery import Subject
from server.delivery.service.link_messages import drop
from server.delivery.store import MessageStore
from server.invitations.domain.invitation import revoked
from server.invitations.store.invitations import InvitationStore
from server.video.domain.session import Session, SessionState
from server.video.service.sessions import call_of, change_of
from server.video.store.sessions import SessionStore


# --- the delivery
async def on_settled(uow: UnitOfWork, message: Message) -> Subject:
    """Return the session that a message invites to; nothing for a message that carries no invitation."""
    if message.invitation is None:
        return Subject()
    id_ = (await InvitationStore(uow).get(message.site, message.invitation)).session
    session = await SessionStore(uow).get(message.site, id_)
    return Subject(id_, await call_of(uow, message.site, id_), change_of(session))


async def needless(uow: UnitOfWork, message: Message) -> bool:
    """Tell whether the link in a message has done its work, or may do none any more."""
    if message.invitation is None:
        return False
    invitation = await InvitationStore(uow).get(message.site, message.invitation)
    session = await SessionStore(uow).get(message.site, invitation.session)
    over = session.state is SessionState.ENDED
    return bool(over or invitation.opened or invitation.tapped or invitation.revoked)


# --- the session
async def links_over(uow: UnitOfWork, session: Session, now: datetime) -> bool:
    """Tell whether every link to this session is withdrawn or too old for a first tap."""
    links = await InvitationStore(uow).of_session(session.site, session.id)
    return all(link.revoked is not None or link.expires <= now for link in links)


async def release(uow: UnitOfWork, session: Session, now: datetime) -> None:
    """A session ended: drop the messages with its links; one that was revoked takes its links along."""
    for invitation in await InvitationStore(uow).of_session(session.site, session.id):
        await drop(uow, await MessageStore(uow).of_invitation(session.site, invitation.id))
        if session.end_reason == "revoked":
            await InvitationStore(uow).save(revoked(invitation, now))


# --- the reconciliation
async def mobiles_of(uow: UnitOfWork, site: str, session: str) -> Sequence[str]:
    """Return the mobile numbers that a session was sent to, sorted; those that were erased are missing."""
    invitations = await InvitationStore(uow).of_session(site, session)
    sent = [each.contact for each in invitations if each.channel == "sms" and each.contact]
    return sorted({to for to in (await PersonalStore(uow).get_all(site, sent)).values() if to})
