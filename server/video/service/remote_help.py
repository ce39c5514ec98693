"""Remote help: a desk asks something of the phone's camera or screen, the phone does it and says so.

An order is a row before it leaves (I4), except zoom and pointing, which are not written down. What the phone answers
is told to the desk at once and written down afterwards, as descriptions are (`signalling.py`).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from server.core.audit_entries import Actor
from server.core.clock import Clock
from server.core.journal import pictures as journal
from server.core.journal.entries import Entry
from server.storage.transactions import Transactions
from server.video.errors import HelpFlood, PhoneAway
from server.video.service.rooms import HelpOrder, Room, Rooms
from server.video.service.sessions import write_down
from server.video.service.speaker import Speaker
from server.web.errors import MessageOutOfOrder

#: Orders that are not written down: a finger on the zoom gives many a second.
UNWRITTEN: Final = frozenset({"zoom"})
#: Orders that a phone may leave unanswered, and after how long one of them no longer counts.
OPEN_ORDERS: Final = 10
PATIENCE: Final = timedelta(seconds=15)
KEPT_ORDERS: Final = 50
#: Places a second that one desk may point at.
PLACES: Final = 30
SPACING: Final = 1 / PLACES

Value = bool | float | str | None


@dataclass(frozen=True, slots=True)
class HelpRequest:
    """What one desk wants: `id` is its command's."""

    id: str
    session: str
    peer: str
    do: str
    value: Value


class RemoteHelp:
    """Carries orders to the phone and its answers back."""

    def __init__(self, transactions: Transactions, clock: Clock, rooms: Rooms) -> None:
        """Keep what the use cases need."""
        self._transactions = transactions
        self._clock = clock
        self._rooms = rooms

    async def ask(self, actor: Actor, asked: HelpRequest) -> None:
        """Write an order down and send it; one that is said twice is done once.

        Raises MessageOutOfOrder, PhoneAway, HelpFlood.
        """
        room = self._there(asked)
        if known := room.orders.get(asked.id):
            self._answer(room, asked.session, asked.id, known)
            return
        self._room_for_one(room)
        if asked.do not in UNWRITTEN:
            await self._write(
                actor, journal.help_asked(asked.session, do=asked.do, value=asked.value)
            )
            room = self._there(asked)
        room.orders[asked.id] = HelpOrder(asked.peer, asked.do, self._clock.now())
        if room.phone is not None:
            order = {"type": "help", "order": asked.id, "do": asked.do, "value": asked.value}
            room.phone.send(order)

    def point(self, session: str, peer: str, place: tuple[float, float]) -> None:
        """Show the caller where a desk points; nobody there is nothing to refuse: the next place follows."""
        room = self._rooms.get(session)
        if peer in room.desks and room.phone is not None:
            room.phone.send({"type": "help.point", "x": place[0], "y": place[1]})

    def answered(self, by: Speaker, session: str, id_: str, outcome: str, why: str | None) -> None:
        """Tell the desk what became of its order, once."""
        room = self._rooms.get(session)
        order = room.orders.get(id_)
        if order is None:
            raise MessageOutOfOrder("no_order")
        if order.outcome is not None:
            return
        order.outcome, order.why = outcome, why if outcome == "refused" else None
        self._answer(room, session, id_, order)
        by.later(lambda: self._settle(by.actor, session, order))

    async def _settle(self, actor: Actor, session: str, order: HelpOrder) -> None:
        """Write down what the phone made of an order."""
        if order.do not in UNWRITTEN:
            done = order.outcome == "done"
            await self._write(
                actor,
                journal.help_done(session, do=order.do)
                if done
                else journal.help_refused(session, do=order.do, why=order.why),
            )

    def able(self, session: str, abilities: Mapping[str, object]) -> None:
        """Keep what the camera can do, for desks that come later, and tell those that are here."""
        room = self._rooms.get(session)
        room.abilities = abilities
        for desk in room.desks.values():
            desk.send({"type": "caller.abilities", "session": session, "abilities": abilities})

    def _there(self, asked: HelpRequest) -> Room:
        """Return the room if both ends are in it."""
        room = self._rooms.get(asked.session)
        if asked.peer not in room.desks:
            raise MessageOutOfOrder("not_watching")
        if room.phone is None:
            raise PhoneAway
        return room

    def _room_for_one(self, room: Room) -> None:
        since = self._clock.now() - PATIENCE
        waiting = [o for o in room.orders.values() if o.outcome is None and o.at > since]
        if len(waiting) >= OPEN_ORDERS:
            raise HelpFlood
        while len(room.orders) >= KEPT_ORDERS:
            del room.orders[next(iter(room.orders))]

    def _answer(self, room: Room, session: str, id_: str, order: HelpOrder) -> None:
        desk = room.desks.get(order.peer)
        if desk is None or order.outcome is None:
            return
        desk.send(
            {
                "type": "help.done",
                "session": session,
                "order": id_,
                "outcome": order.outcome,
                "why": order.why,
            }
        )

    async def _write(self, actor: Actor, entry: Entry) -> None:
        async with self._transactions() as uow:
            await write_down(uow, actor, entry, self._clock.now())
            await uow.commit()


class PointerThrottle:
    """Where one desk points: so many places a second reach the phone, and the last one always does."""

    def __init__(self, send: Callable[[str, tuple[float, float]], None]) -> None:
        """Send by `send`."""
        self._send = send
        self._stamps: deque[float] = deque(maxlen=PLACES)
        self._late: asyncio.TimerHandle | None = None

    def point(self, session: str, place: tuple[float, float]) -> bool:
        """Send a place now; or, in a flood, soon unless a newer one comes first: False."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        self.rest()
        if len(self._stamps) == PLACES and now - self._stamps[0] < 1:
            self._late = loop.call_later(SPACING, self._send, session, place)
            return False
        self._stamps.append(now)
        self._send(session, place)
        return True

    def rest(self) -> None:
        """Point at nothing more."""
        if self._late is not None:
            self._late.cancel()
            self._late = None
