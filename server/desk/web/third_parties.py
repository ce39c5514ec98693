"""What a desk does with others: codes read aloud, observers, sessions offered and taken (docs/adr/0011)."""

from typing import assert_never

from server.core.sites import SiteStore
from server.desk.service.handover import HandOvers
from server.desk.web.connected_desk import ConnectedDesk, Result
from server.desk.web.page import seats_of
from server.desk.web.seats import Seats
from server.invitations.service.spoken import SpokenCodes
from server.observers.service import ObserverRequest, Observers
from server.protocol import desk as m
from server.video.store.sessions import SessionStore
from server.web.errors import MessageOutOfOrder

ThirdPartyCommand = (
    m.SpokenCodeMake
    | m.HandOverOffer
    | m.HandOverAccept
    | m.StationList
    | m.ObserverInvite
    | m.ObserverRemove
)


class ThirdParties:
    """The commands of one desk that concern other people."""

    def __init__(
        self,
        desk: ConnectedDesk,
        *,
        spoken: SpokenCodes,
        observers: Observers,
        handover: HandOvers,
        seats: Seats,
    ) -> None:
        self._desk = desk
        self._spoken = spoken
        self._observers = observers
        self._handover = handover
        self._seats = seats

    async def do(self, message: ThirdPartyCommand) -> Result:
        """Do one command."""
        match message:
            case m.SpokenCodeMake():
                return await self._make_code(message)
            case m.HandOverOffer():
                return await self._offer_to(message)
            case m.HandOverAccept():
                return await self._accept(message)
            case m.StationList():
                return await self._list_stations()
            case m.ObserverInvite():
                return await self._invite_observer(message)
            case m.ObserverRemove():
                await self._observers.remove(self._desk.actor(), message.observer)
                return {}
            case _:
                assert_never(message)

    async def _make_code(self, message: m.SpokenCodeMake) -> Result:
        request = self._desk.request(message.id, message.call)
        made = await self._spoken.make(self._desk.actor(), request, message.session)
        return {
            "session": made.session,
            "code": made.code,
            "expires": made.expires.isoformat(),
            "address": made.address,
        }

    async def _offer_to(self, message: m.HandOverOffer) -> Result:
        if not self._desk.is_shown(message.session):
            raise MessageOutOfOrder("not_shown")
        await self._handover.offer(self._desk.actor(), message.session, message.station)
        return {}

    async def _accept(self, message: m.HandOverAccept) -> Result:
        actor, station = self._desk.actor(), self._desk.extension
        await self._handover.accept(actor, message.session, station)
        return {"session": message.session}

    async def _list_stations(self) -> Result:
        site, own = self._desk.site, self._desk.extension
        async with self._desk.web.transactions(write=False) as uow:
            known = await SiteStore(uow).stations(site)
            live = await SessionStore(uow).live_stations(site)
        others = [one for one in known if one.extension != own]
        rows = seats_of(others, self._seats, site, live)
        return {"stations": sorted(rows, key=lambda row: row["who"] is None)}

    async def _invite_observer(self, message: m.ObserverInvite) -> Result:
        request = ObserverRequest(
            command=message.id,
            session=message.session,
            name=message.name,
            mobile=message.mobile,
            email=message.email,
            listed=message.listed,
        )
        return {"observer": await self._observers.invite(self._desk.actor(), request)}
