"""What a desk does with others: codes read aloud, observers, sessions offered and taken (docs/adr/0011)."""

from abc import abstractmethod
from typing import Any

from server.core.sites import SiteStore, Station
from server.desk.service.handover import HandOvers
from server.desk.web.page import seats_of
from server.desk.web.seats import Seats
from server.identity.web.signed_in import SignedInSocket
from server.invitations.service.invitations import InvitationRequest
from server.invitations.service.spoken import SpokenCodes
from server.observers.service import ObserverRequest, Observers
from server.protocol import desk as m
from server.video.store.sessions import SessionStore
from server.web.errors import MessageOutOfOrder


class ThirdParties(SignedInSocket):
    """The part of the desk's socket that concerns other people."""

    spoken: SpokenCodes
    observers: Observers
    handover: HandOvers
    seats: Seats
    _station: Station | None
    _watching: str | None
    _shown: frozenset[str | None]

    @abstractmethod
    def _request(self, command: str, call: str | None) -> InvitationRequest:
        """Return a request of this desk."""

    @abstractmethod
    def _done(self, command: str, **result: object) -> None:
        """Tell the page that its command is done."""

    async def _make_code(self, message: m.SpokenCodeMake) -> None:
        made = await self.spoken.make(
            self.actor(), self._request(message.id, message.call), message.session
        )
        told = {"code": made.code, "expires": made.expires.isoformat(), "address": made.address}
        self._done(message.id, session=made.session, **told)

    async def _offer_to(self, message: m.HandOverOffer) -> None:
        if message.session not in {self._watching, *self._shown}:
            raise MessageOutOfOrder("not_shown")
        await self.handover.offer(self.actor(), message.session, message.station)
        self._done(message.id)

    async def _accept(self, message: m.HandOverAccept) -> None:
        station = self._station.extension if self._station else None
        await self.handover.accept(self.actor(), message.session, station)
        self._done(message.id, session=message.session)

    async def _list_stations(self, message: m.StationList) -> None:
        site = self.me()[1].id
        async with self.web.transactions(write=False) as uow:
            known = await SiteStore(uow).stations(site)
            live = await SessionStore(uow).live_stations(site)
        own = self._station.extension if self._station else None
        others = [one for one in known if one.extension != own]
        rows = seats_of(others, self.seats, site, live)
        self._done(message.id, stations=sorted(rows, key=lambda row: row["who"] is None))

    async def _invite_observer(self, message: m.ObserverInvite) -> None:
        request = ObserverRequest(
            command=message.id,
            session=message.session,
            name=message.name,
            mobile=message.mobile,
            email=message.email,
            listed=message.listed,
        )
        self._done(message.id, observer=await self.observers.invite(self.actor(), request))

    async def _remove_observer(self, message: m.ObserverRemove) -> None:
        await self.observers.remove(self.actor(), message.observer)
        self._done(message.id)


THIRD: dict[type[Any], str] = {
    m.SpokenCodeMake: "_make_code",
    m.HandOverOffer: "_offer_to",
    m.HandOverAccept: "_accept",
    m.StationList: "_list_stations",
    m.ObserverInvite: "_invite_observer",
    m.ObserverRemove: "_remove_observer",
}
