"""What a desk does with the links it sends to a caller."""

from dataclasses import replace
from typing import assert_never

from server.desk.web.connected_desk import ConnectedDesk, Result
from server.invitations.service.invitations import Invitations
from server.protocol import desk as m

InvitationCommand = m.Invite | m.InvitationResend | m.InvitationRevoke | m.InvitationMove


class InvitationCommands:
    """Sends, repeats and withdraws links for one desk."""

    def __init__(self, desk: ConnectedDesk, invitations: Invitations) -> None:
        self._desk = desk
        self._invitations = invitations

    async def do(self, message: InvitationCommand) -> Result:
        """Do one command."""
        actor = self._desk.actor()
        match message:
            case m.Invite():
                return await self._invite(message)
            case m.InvitationResend(invitation=invitation):
                await self._invitations.resend(actor, invitation, message.id)
            case m.InvitationRevoke(invitation=invitation):
                await self._invitations.revoke(actor, invitation)
            case m.InvitationMove(invitation=invitation):
                await self._invitations.move(actor, invitation, message.id)
            case _:
                assert_never(message)
        return {}

    async def _invite(self, message: m.Invite) -> Result:
        request = self._desk.request(message.id, message.call, message.mobile, message.email)
        request = replace(request, new_session=message.new_session)
        session = await self._invitations.invite(self._desk.actor(), request)
        return {"session": session.id}
