"""The lower rungs of a poor network: stills through the socket, each step written down (docs/adr/0009-ladder.md).

The phone decides; what is here relays, counts, and lets the desk ask. A still is never stored anywhere.
"""

import json
from dataclasses import dataclass, field

from server.core.audit_entries import Actor
from server.core.bus import Bus, SiteChanged
from server.core.clock import Clock
from server.core.journal import pictures as journal
from server.core.journal.entries import Entry
from server.core.limits.token_bucket import Bucket, take
from server.storage.transactions import Transactions
from server.video.domain.session import SessionState, StillSeen
from server.video.domain.stills import Still, read
from server.video.errors import PictureTooMany
from server.video.service.rooms import Rooms
from server.video.service.sessions import Sessions, write_down
from server.video.service.speaker import Speaker
from server.web.errors import MessageOutOfOrder

STILLS_A_SECOND = 4.0  # a page of ours sends one
STILLS_AT_ONCE = 8


@dataclass(slots=True)
class StillAllowance:
    """How much one phone may still send; one a connection."""

    bucket: Bucket | None = field(default=None)


class Ladder:
    """Where each session stands between video and photo, and the stills meanwhile."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        clock: Clock,
        bus: Bus,
        rooms: Rooms,
        sessions: Sessions,
    ) -> None:
        """Keep what the use cases need."""
        self._transactions = transactions
        self._clock = clock
        self._bus = bus
        self._rooms = rooms
        self._sessions = sessions

    def receive(
        self, by: Speaker, session: str, frame: bytes, pace: StillAllowance
    ) -> tuple[Still, int]:
        """Hand one still of the phone to every desk in the room; return it, and how many desks there are."""
        now = self._clock.now()
        filled = take(pace.bucket, now, a_second=STILLS_A_SECOND, burst=STILLS_AT_ONCE)
        if filled is None:
            raise PictureTooMany("stills")
        pace.bucket = filled
        still = read(frame, now)
        room = self._rooms.get(session)
        head = {
            "type": "still",
            "session": session,
            "seq": still.seq,
            "taken": still.taken.isoformat(),
        }
        packed = _pack(head, still.picture.data)
        desks = list(room.stations())
        for desk in desks:
            desk.show(session, packed)
        room.stills += 1 if desks else 0
        if desks and not room.stilled:
            by.later(lambda: self._seen(by.actor, session))
        return still, len(desks)

    async def _seen(self, actor: Actor, session: str) -> None:
        """Write down that stills reach a desk, once a stretch; while the desk still calls its video live, later."""
        room = self._rooms.get(session)
        if room.stilled:
            return
        after = await self._sessions.happen(session, StillSeen(), actor)
        room.stilled = after.state is not SessionState.LIVE

    def step(self, by: Speaker, session: str, rung: str, why: str) -> None:
        """The phone changed its rung; the same one again, as after a reconnection, is not news."""
        room = self._rooms.get(session)
        former, stills = room.rung, room.stills
        if rung == former:
            return
        room.rung, room.why, room.stills, room.stilled = rung, why, 0, False
        self._bus.publish(SiteChanged(by.actor.site, session=session))
        entry = journal.picture_rung(session, rung=rung, was=former, why=why, stills=stills)
        by.later(lambda: self._note(by.actor, entry))

    def ask(self, by: Speaker, session: str, peer: str, rung: str) -> None:
        """A desk asks the phone for a rung."""
        room = self._rooms.get(session)
        if peer not in room.desks:
            raise MessageOutOfOrder("not_watching")
        if room.phone is not None:
            room.phone.send({"type": "ladder", "peer": peer, "rung": rung})
        by.later(lambda: self._note(by.actor, journal.picture_asked(session, rung=rung)))

    async def _note(self, actor: Actor, entry: Entry) -> None:
        async with self._transactions() as uow:
            await write_down(uow, actor, entry, self._clock.now())
            await uow.commit()


def _pack(head: dict[str, object], picture: bytes) -> bytes:
    """Write one binary frame for a desk: length of the head (2 bytes), the head as JSON, the picture."""
    text = json.dumps(head).encode()
    return len(text).to_bytes(2, "big") + text + picture
