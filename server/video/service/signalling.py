"""Lets the two ends of one picture find each other; every description passes the rule of I1 here.

What passed is relayed at once and written down afterwards, in the queue of the page that said it (`Speaker`). A
description need not survive a crash, because the pages say it again; but what it held must be provable.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from server.core.audit_entries import Actor
from server.core.clock import Clock
from server.core.journal import pictures as journal
from server.protocol.errors import SdpRefused
from server.storage.transactions import Transactions
from server.video.domain import sdp as descriptions
from server.video.domain.ice_candidates import MOST_ADDRESSES, target
from server.video.domain.preflight import Preflight
from server.video.errors import IceCandidateLeftOut, IceCandidateMalformed, SdpMalformed
from server.video.service.rooms import Room, Rooms
from server.video.service.sessions import write_down
from server.video.service.speaker import Speaker
from server.web.errors import MessageOutOfOrder

#: Findings of one phone that are kept: a page of ours has a few, after changes of network.
EXPLORED = 20


@dataclass(frozen=True, slots=True)
class _Described:
    """What was decided about one description: `kind` is offer or answer."""

    kind: str
    refusal: SdpRefused | None
    sdp: str = ""  # what may be relayed
    left_out: int = 0  # candidates that it held and no longer holds


class Signalling:
    """Checks and relays offers, answers and candidates between the pages of one room.

    Who sits in a room was admitted to that session (`InvitationLinks.enter`, `Sessions.get`), and the room is emptied
    when the session ends: being there is the permission.
    """

    def __init__(
        self,
        transactions: Transactions,
        clock: Clock,
        rooms: Rooms,
        count: Callable[[str], object],
        *,
        one_machine: bool = False,
    ) -> None:
        """`count` takes the code of what is left out without a word to the page; `one_machine`: see `target`."""
        self._transactions = transactions
        self._clock = clock
        self._rooms = rooms
        self._count = count
        self._one_machine = one_machine

    def offer(self, by: Speaker, session: str, peer: str, sdp: str) -> None:
        """The phone offers to one desk."""
        room = self._rooms.get(session)
        desk = room.desks.get(peer)
        fit = self._pass(by, session, "offer", sdp, room.to_desk(peer) if desk else set())
        if desk is not None and fit is not None:
            message = {"type": "signal.offer", "session": session, "page": room.page}
            desk.send({**message, "sdp": fit})

    def answer(self, by: Speaker, session: str, peer: str, page: str, sdp: str) -> None:
        """A desk answers; an answer to a phone page that is gone is dropped."""
        room = self._watched(session, peer)
        fit = self._pass(by, session, "answer", sdp, room.to_phone(peer))
        if room.phone is not None and room.page == page and fit is not None:
            room.phone.send({"type": "signal.answer", "peer": peer, "sdp": fit})

    def _pass(
        self, by: Speaker, session: str, kind: str, sdp: str, addresses: set[str]
    ) -> str | None:
        """Return what of a description may be relayed, or None; the decision is written down afterwards in any case."""
        described = self._decide(kind, sdp, addresses)
        by.later(lambda: self._settle(by.actor, session, described))
        return described.sdp if described.refusal is None else None

    def _decide(self, kind: str, sdp: str, addresses: set[str]) -> _Described:
        """Judge a description and the candidates in it; `addresses`: those its sender named to this end before."""
        try:
            descriptions.check_description(sdp)
            lines = descriptions.candidates(sdp)
            unfit = frozenset(line for line in lines if not self._fits(line, addresses))
        except IceCandidateMalformed:
            return _Described(kind, SdpMalformed("candidate"))
        except SdpRefused as refusal:
            return _Described(kind, refusal)
        return _Described(kind, None, descriptions.without(sdp, unfit), len(unfit))

    def _fits(self, candidate: str, addresses: set[str]) -> bool:
        """Tell whether a candidate goes on, and remember its address; one that does not is counted."""
        address = target(candidate, one_machine=self._one_machine)
        if address is None or (address not in addresses and len(addresses) >= MOST_ADDRESSES):
            self._count(IceCandidateLeftOut.code)
            return False
        addresses.add(address)
        return True

    async def _settle(self, actor: Actor, session: str, described: _Described) -> None:
        """Write down what was decided, then raise the refusal if it was one."""
        refusal = described.refusal
        kind, left_out = described.kind, described.left_out
        if refusal is None:
            entry = journal.sdp_accepted(session, kind=kind, left_out=left_out)
        else:
            entry = journal.sdp_refused(session, kind=kind, code=refusal.code, left_out=left_out)
        async with self._transactions() as uow:
            await write_down(uow, actor, entry, self._clock.now())
            await uow.commit()
        if refusal is not None:
            raise refusal

    async def explored(self, actor: Actor, session: str, found: Preflight) -> bool:
        """Keep and write down what the phone's network lets through; return whether that was new."""
        room = self._rooms.get(session)
        if room.network == found or room.explored >= EXPLORED:
            return False
        room.network, room.explored = found, room.explored + 1
        async with self._transactions() as uow:
            entry = journal.network_preflight(
                session,
                socket=found.socket,
                stun=found.stun,
                udp=found.udp,
                tcp=found.tcp,
                tls=found.tls,
                way=found.way.value,
            )
            await write_down(uow, actor, entry, self._clock.now())
            await uow.commit()
        return True

    async def carried(self, actor: Actor, session: str, transport: str) -> None:
        """Write down that the phone's messages come by another way now; a socket from the start goes without it."""
        room = self._rooms.get(session)
        if room.explored >= EXPLORED:
            return
        room.explored += 1
        async with self._transactions() as uow:
            entry = journal.network_transport(session, transport=transport)
            await write_down(uow, actor, entry, self._clock.now())
            await uow.commit()

    def phone_candidate(
        self, session: str, peer: str, candidate: Mapping[str, object] | None
    ) -> None:
        """Relay the phone's ICE candidate to one desk."""
        room = self._rooms.get(session)
        desk = room.desks.get(peer)
        if self._passes(candidate, room.to_desk(peer) if desk else set()) and desk is not None:
            message = {"type": "signal.candidate", "session": session, "page": room.page}
            desk.send({**message, "candidate": candidate})

    def desk_candidate(
        self, session: str, peer: str, page: str, candidate: Mapping[str, object] | None
    ) -> None:
        """Relay a desk's ICE candidate to the phone page it was made for."""
        room = self._watched(session, peer)
        passes = self._passes(candidate, room.to_phone(peer))
        if passes and room.phone is not None and room.page == page:
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

    def _passes(self, candidate: Mapping[str, object] | None, addresses: set[str]) -> bool:
        """Tell whether a candidate, or the end of them, goes on; raises IceCandidateMalformed."""
        text = str(candidate.get("candidate", "")) if candidate else ""
        return not text or self._fits(text, addresses)

    def _watched(self, session: str, peer: str) -> Room:
        room = self._rooms.get(session)
        if peer not in room.desks:
            raise MessageOutOfOrder("not_watching")
        return room
