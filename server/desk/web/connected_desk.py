"""A desk's page as the parts of its socket see it: who it is, where it sits, what it watches."""

import asyncio
from collections.abc import Mapping

from server.core.audit_entries import Actor
from server.core.sites import Station
from server.identity.web.signed_in import SignedInSocket, SignInWeb
from server.invitations.service.invitations import InvitationRequest
from server.line15.service.launch import Launched
from server.video.service.rooms import Rooms
from server.web.errors import MessageOutOfOrder

#: What a command's `done` tells.
Result = Mapping[str, object]


class ConnectedDesk:
    """What is known of one page; `peer` is empty before its hello."""

    def __init__(self, page: SignedInSocket) -> None:
        """Start before the hello: no peer, no station, nothing watched."""
        self.page = page
        self.peer = ""
        self.name = ""
        self.station: Station | None = None
        self.launched: Launched | None = None
        self.watching: str | None = None
        self.shown: frozenset[str | None] = frozenset()  # the sessions of its last view
        self.dirty = asyncio.Event()  # its last view is not true any more

    @property
    def web(self) -> SignInWeb:
        """Return what every handler needs."""
        return self.page.web

    @property
    def extension(self) -> str | None:
        """Return the extension of its station."""
        return self.station.extension if self.station else None

    @property
    def site(self) -> str:
        """Return the id of its site."""
        return self.page.me()[1].id

    def actor(self) -> Actor:
        """Return who acts, for the audit."""
        return self.page.actor()

    def is_shown(self, session: str) -> bool:
        """Whether the page watches this session, or has it in its view."""
        return session in {self.watching, *self.shown}

    def check_seated(self, rooms: Rooms, session: str) -> None:
        """Refuse a page that is not in the room under its peer name: pages choose these names themselves."""
        if rooms.get(session).desks.get(self.peer) is not self.page:
            raise MessageOutOfOrder("not_watching")

    def request(
        self, command: str, call: str | None, mobile: str | None = None, email: str | None = None
    ) -> InvitationRequest:
        """Return a request for an invitation by this desk."""
        return InvitationRequest(
            command=command,
            station=self.extension,
            mobile=mobile,
            email=email,
            call=call,
            launched=self.launched.call if self.launched else None,
        )
