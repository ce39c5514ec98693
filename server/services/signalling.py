"""Lets the two ends of one picture find each other; every description passes the rule of I1 here, and nowhere else."""

from collections.abc import Mapping

from server.domain.audit import AuditEvent
from server.domain.sdp import check_candidate, check_description
from server.domain.session import State
from server.errors import MessageOutOfOrder, SdpRefused, SessionEnded
from server.ports import Actor, Clock, Transactions
from server.services.rooms import Room, Rooms
from server.services.sessions import Sessions, call_of


class Signalling:
    """Checks and relays offers, answers and candidates between the pages of one room."""

    def __init__(
        self, transactions: Transactions, clock: Clock, sessions: Sessions, rooms: Rooms
    ) -> None:
        """Keep what the use cases need."""
        self._transactions = transactions
        self._clock = clock
        self._sessions = sessions
        self._rooms = rooms

    async def offer(self, actor: Actor, session: str, peer: str, sdp: str) -> None:
        """The phone offers to one desk."""
        await self._described(actor, session, "offer", sdp)
        room = self._rooms.get(session)
        if desk := room.desks.get(peer):
            desk.send({"type": "signal.offer", "session": session, "page": room.page, "sdp": sdp})

    async def answer(self, actor: Actor, session: str, peer: str, page: str, sdp: str) -> None:
        """A desk answers; an answer to a phone page that is gone is out of order."""
        await self._described(actor, session, "answer", sdp)
        room = self._rooms.get(session)
        if peer not in room.desks:
            raise MessageOutOfOrder("not_watching")
        if room.phone is not None and room.page == page:
            room.phone.send({"type": "signal.answer", "peer": peer, "sdp": sdp})

    async def _described(self, actor: Actor, session: str, kind: str, sdp: str) -> None:
        """Decide and audit: what passed is proven to have been one video line; what did not is kept as refused."""
        found = await self._sessions.get(actor.site, session)
        if found.state is State.ENDED:
            raise SessionEnded
        if found.state in {State.INVITED, State.OPENED}:
            raise MessageOutOfOrder("before_tap")
        try:
            check_description(sdp)
        except SdpRefused as refusal:
            await self._audit(actor, session, "sdp.refused", {"kind": kind, "code": refusal.code})
            raise
        await self._audit(actor, session, "sdp.accepted", {"kind": kind, "media": ["video"]})

    async def _audit(
        self, actor: Actor, session: str, action: str, data: dict[str, object]
    ) -> None:
        async with self._transactions() as uow:
            call = await call_of(uow, session)
            event = AuditEvent(action, f"session:{session}", session, call, data)
            await uow.audit.append(actor, event, self._clock.now())
            await uow.commit()

    def phone_candidate(
        self, session: str, peer: str, candidate: Mapping[str, object] | None
    ) -> None:
        """Relay the phone's ICE candidate to one desk."""
        _check(candidate)
        room = self._rooms.get(session)
        if desk := room.desks.get(peer):
            desk.send(
                {
                    "type": "signal.candidate",
                    "session": session,
                    "page": room.page,
                    "candidate": candidate,
                }
            )

    def desk_candidate(
        self, session: str, peer: str, page: str, candidate: Mapping[str, object] | None
    ) -> None:
        """Relay a desk's ICE candidate to the phone page it was made for."""
        _check(candidate)
        room = self._watched(session, peer)
        if room.phone is not None and room.page == page:
            room.phone.send({"type": "signal.candidate", "peer": peer, "candidate": candidate})

    def to_phone(self, session: str, peer: str, message: dict[str, object]) -> None:
        """Relay a desk's short message (`signal.restart`, `webcam`) to the phone."""
        room = self._watched(session, peer)
        if room.phone is not None:
            room.phone.send({**message, "peer": peer})

    def to_desks(self, session: str, message: dict[str, object]) -> None:
        """Relay the phone's own word to every desk that watches."""
        for desk in self._rooms.get(session).desks.values():
            desk.send({**message, "session": session})

    def _watched(self, session: str, peer: str) -> Room:
        room = self._rooms.get(session)
        if peer not in room.desks:
            raise MessageOutOfOrder("not_watching")
        return room


def _check(candidate: Mapping[str, object] | None) -> None:
    if candidate is not None:
        check_candidate(str(candidate.get("candidate", "")))
