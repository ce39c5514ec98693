"""What an invitation means to the messages that carry its link.

Hooks of the delivery, each in its unit of work.
"""

from server.domain.messages import Message
from server.domain.session import State
from server.ports import UnitOfWork
from server.services.delivery import Subject
from server.services.sessions import call_of


async def about(uow: UnitOfWork, message: Message) -> Subject:
    """Return the session that a message invites to; nothing for a message that carries no invitation."""
    if message.invitation is None:
        return Subject()
    session = (await uow.invitations.get(message.invitation)).session
    return Subject(session, await call_of(uow, session))


async def needless(uow: UnitOfWork, message: Message) -> bool:
    """Tell whether the link in a message has done its work, or may do none any more."""
    if message.invitation is None:
        return False
    invitation = await uow.invitations.get(message.invitation)
    over = (await uow.sessions.get(invitation.session)).state is State.ENDED
    return bool(over or invitation.opened or invitation.tapped or invitation.revoked)
