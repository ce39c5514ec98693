"""Line 15 as the feeds report it, made durable, and told to the desks.

What the telephony package calls on each change.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from server.domain.audit import AuditEvent
from server.domain.calls import CDR
from server.domain.linking import Certainty, Evidence, Link, linked_event
from server.domain.session import State
from server.ports import Actor, Bus, Changed, Clock, Transactions, UnitOfWork
from server.services.recordings import Catalogue
from telephony import Call, CallState
from telephony import Changed as CallsChanged

MEMORY = timedelta(hours=12)
#: A CDR and a feed date the beginning of one call so near to each other.
SAME = timedelta(minutes=2)


class Line15:
    """One site's calls on their way into the database."""

    def __init__(
        self,
        site: str,
        transactions: Transactions,
        clock: Clock,
        bus: Bus,
        catalogue: Catalogue | None = None,
        touched: Callable[[str, Sequence[Call]], None] = lambda _site, _calls: None,
    ) -> None:
        """Serve one site; another site's feeds have their own (I7). `touched` is told which calls changed."""
        self._catalogue = catalogue
        self.site = site
        self._transactions = transactions
        self._clock = clock
        self._bus = bus
        self._touched = touched
        self._followed: set[tuple[str, str]] = set()

    async def receive(self, changes: Sequence[CallsChanged]) -> None:
        """Store what happened, in one transaction, then tell the desks.

        Raises StorageUnavailable, and the runner tries the same again: nothing a feed said is lost (I3).
        """
        now, feed = self._clock.now(), Actor("feed", self.site)
        newest = {call.id: call for change in changes for call in change.calls}
        async with self._transactions() as uow:
            for call in newest.values():
                await self._save(uow, call, now)
            told = [(change.call_id, fact) for change in changes for fact in change.facts]
            await uow.calls.add_facts(self.site, told, now)
            for change in changes:
                for younger, surviving in change.merged:
                    await uow.calls.merged(younger, surviving)
                    await self._follow(uow, younger, surviving, Evidence.MERGED, feed, now)
            await uow.commit()
        self._touched(self.site, list(newest.values()))
        stations = {span.station for call in newest.values() for span in call.stations}
        if stations or any(change.merged for change in changes):
            self._bus.publish(Changed(self.site, frozenset(stations)))

    async def _save(self, uow: UnitOfWork, call: Call, now: datetime) -> None:
        known = await uow.calls.save(self.site, call, now)
        if self._catalogue is not None:
            await self._catalogue.told(uow, self.site, call, now)
        if known is None:
            await self.adopt(uow, call, now, Actor("feed", self.site))
        if known != call.state.value:
            await uow.audit.append(Actor("feed", self.site), _event(call), now)
        if call.live and len({span.station for span in call.stations if span.taken}) > 1:
            await self._accompany(uow, call, now)

    async def _accompany(self, uow: UnitOfWork, call: Call, now: datetime) -> None:
        """Write down that the videos of a call that moved are shown where it is now (the desk's view does it)."""
        for session in await uow.sessions.of_calls(self.site, [call.id]):
            for station in call.talking_stations:
                known = session.state is State.ENDED or (session.id, station) in self._followed
                if known or station == session.station:
                    continue
                self._followed.add((session.id, station))
                data: dict[str, object] = {"from": session.station, "to": station}
                name = f"session:{session.id}"
                event = AuditEvent("session.followed", name, session.id, call.id, data)
                await uow.audit.append(Actor("feed", self.site), event, now)

    async def adopt(self, uow: UnitOfWork, call: Call, now: datetime, actor: Actor) -> None:
        """A launch or a CDR named this call before any feed did: its stand-in becomes this call."""
        for record in call.aliases:
            for candidate in await uow.calls.find(self.site, record.alias.value):
                if candidate.id == call.id:
                    continue
                if candidate.asserted and candidate.started >= call.started - MEMORY:
                    await uow.calls.merged(candidate.id, call.id)
                    await self._follow(
                        uow, candidate.id, call.id, Evidence.LAUNCH_CONTEXT, actor, now
                    )
                elif candidate.told_by == {CDR} and abs(candidate.started - call.started) <= SAME:
                    await uow.calls.merged(candidate.id, call.id)
                    await self._follow(uow, candidate.id, call.id, Evidence.MERGED, actor, now)

    async def _follow(
        self,
        uow: UnitOfWork,
        former: str,
        call: str,
        evidence: Evidence,
        actor: Actor,
        now: datetime,
    ) -> None:
        """Append to every session of `former` the link to what that call turned out to be."""
        merged = AuditEvent("call.merged", f"call:{former}", None, call, {"into": call})
        await uow.audit.append(actor, merged, now)
        for session in await uow.sessions.of_call(self.site, former):
            links = await uow.sessions.links(session.id)
            if not links or links[-1].call != former:
                continue
            certainty = (
                Certainty.CERTAIN if evidence is Evidence.LAUNCH_CONTEXT else links[-1].certainty
            )
            link = Link(session.id, call, certainty, evidence, None, now)
            await uow.sessions.add_link(link)
            await uow.audit.append(actor, linked_event(link), now)


def _event(call: Call) -> AuditEvent:
    data: dict[str, object] = {"certain": call.certain, "started": call.started.isoformat()}
    if call.answered:
        data["answered"] = call.answered.isoformat()
    if call.state is CallState.ENDED:
        data["end_certain"] = call.end_certain
        data["ended"] = call.ended.isoformat() if call.ended else None
    return AuditEvent(f"call.{call.state.value}", f"call:{call.id}", None, call.id, data)
