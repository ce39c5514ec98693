"""A session given to another station by hand: offered, taken by one, never lost in between (docs/adr/0011).

The writer's turn decides every race (ADR 7): who comes second finds the offer gone, or the video ended.
"""

from dataclasses import replace

from server.core.audit_entries import Actor
from server.core.bus import Bus, SiteChanged
from server.core.clock import Clock
from server.core.errors import StationUnknown
from server.core.journal import sessions as journal
from server.core.sites import SiteStore
from server.desk.errors import HandOverGone
from server.storage.transactions import Transactions
from server.video.domain.session import Session
from server.video.service.sessions import open_session, write_down
from server.video.store.sessions import SessionStore


class HandOvers:
    """Offers, takes back, takes."""

    def __init__(self, transactions: Transactions, clock: Clock, bus: Bus) -> None:
        """Keep what the use cases need."""
        self._transactions = transactions
        self._clock = clock
        self._bus = bus

    async def offer(self, actor: Actor, id_: str, station: str | None) -> None:
        """Offer a session to another station, instead of whom it was offered to before; None takes the offer back."""
        now = self._clock.now()
        async with self._transactions() as uow:
            session = await open_session(uow, actor.site, id_)
            if station is not None:
                known = {one.extension for one in await SiteStore(uow).stations(actor.site)}
                if station not in known or station == session.station:
                    raise StationUnknown
            before = session.offered_to
            if before == station:
                return
            by = actor.user if station else None
            session = await SessionStore(uow).save(
                replace(session, offered_to=station, offered_by=by, changed=now)
            )
            if station is None:
                entry = journal.session_offer_withdrawn(id_, station=before)
            else:
                entry = journal.session_offered(id_, station=station)
            await write_down(uow, actor, entry, self._clock.now())
            await uow.commit()
        self._publish(session, before, station)

    async def accept(self, actor: Actor, id_: str, station: str | None) -> None:
        """Take a session that is offered to this station: it is this station's from now on."""
        now = self._clock.now()
        async with self._transactions() as uow:
            session = await open_session(uow, actor.site, id_)
            if session.handed is not None and station and session.station == station:
                return  # the same word again: its answer was lost
            if station is None or session.offered_to != station:
                raise HandOverGone
            origin, giver = session.station, session.offered_by
            taken = replace(
                session, station=station, offered_to=None, offered_by=None, handed=now, changed=now
            )
            session = await SessionStore(uow).save(taken)
            entry = journal.session_handed_over(id_, was=origin, station=station, giver=giver)
            await write_down(uow, actor, entry, self._clock.now())
            await uow.commit()
        self._publish(session, origin, station)

    def _publish(self, session: Session, *stations: str | None) -> None:
        concerned = frozenset(one for one in (session.station, *stations) if one)
        self._bus.publish(SiteChanged(session.site, concerned, session.id))
