"""Videos without a call are matched when line 15 tells more: alone when sure, by a person when not (I2, F17).

Nothing is ever changed: each decision is a new link, and a row of the audit with what it stands on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from server.domain.calls import LiveCall
from server.domain.linking import Evidence, Link, linked_event
from server.domain.reconcile import (
    AROUND,
    NEAR,
    READ,
    Doubtful,
    Loose,
    Sure,
    candidate,
    decide,
)
from server.domain.session import Session
from server.errors import AppError
from server.ports import Actor, Bus, Changed, Clock, Seal, Transactions, UnitOfWork
from telephony import Call

KEPT: Final = timedelta(hours=72)
EVERY: Final = timedelta(minutes=5)
#: Videos are read a day at a time: a long import holds neither the memory nor a reader.
STEP: Final = timedelta(days=1)
_log = structlog.get_logger("reconcile")


@dataclass(frozen=True, slots=True)
class Case:
    """A video with the links it had and what may be its call; `calls` are those that the offers name."""

    session: Session
    links: Sequence[Link]
    mobiles: Sequence[str]
    verdict: Sure | Doubtful | None
    calls: Mapping[str, LiveCall]


class Reconciler:
    """Matches by itself: what changed touches a period, and a sweep looks at the videos of that period."""

    def __init__(self, transactions: Transactions, clock: Clock, bus: Bus, seal: Seal) -> None:
        """Start with nothing touched."""
        self._transactions = transactions
        self._clock = clock
        self._bus = bus
        self._seal = seal
        self._touched: dict[str, datetime] = {}
        self._swept: dict[str, datetime] = {}

    def touch(self, site: str, calls: Sequence[Call]) -> None:
        """Note that these calls are new or otherwise than before: videos since the first may be theirs."""
        for call in calls:
            since = call.started - max(AROUND, NEAR)
            self._touched[site] = min(self._touched.get(site, since), since)

    async def due(self, sites: Sequence[str]) -> int:
        """Sweep what was touched, and now and then everything: another process may have imported."""
        now, linked = self._clock.now(), 0
        for site in sites:
            touched = self._touched.pop(site, None)
            late = now - self._swept.get(site, now - EVERY) >= EVERY
            if late:
                self._swept[site] = now
            elif touched is None:
                continue
            since = now - KEPT if late or touched is None else max(touched, now - KEPT)
            try:
                linked += await self.sweep(site, since)
            except AppError:
                self._touched[site] = min(since, self._touched.get(site, since))
                raise
        return linked

    async def sweep(
        self, site: str, since: datetime, until: datetime | None = None, actor: Actor | None = None
    ) -> int:
        """Link every video of a period that is surely some call's; return how many."""
        end = until or self._clock.now() + timedelta(seconds=1)
        sure: list[str] = []
        while since < end:
            step = min(end, since + STEP)
            async with self._transactions(write=False) as uow:
                for session in await uow.sessions.unlinked(site, since, step):
                    case = await look(uow, self._seal, session)
                    if isinstance(case.verdict, Sure):
                        sure.append(session.id)
            since = step
        done = [each for each in sure if await self._link(actor or Actor("server", site), each)]
        if done:
            _log.info("reconcile.linked", count=len(done))
        return len(done)

    async def _link(self, actor: Actor, session_id: str) -> bool:
        """Decide once more where nobody can be faster, and append."""
        async with self._transactions() as uow:
            case = await look(uow, self._seal, await uow.sessions.get(session_id))
            if not isinstance(case.verdict, Sure):
                return False
            sure, former = case.verdict, case.links[-1]
            now = self._clock.now()
            evidence = Evidence.RECONCILED
            link = Link(session_id, sure.call, sure.certainty, evidence, None, now)
            await uow.sessions.add_link(link)
            event = linked_event(
                link,
                because=[clue.value for clue in sure.clues],
                told_by=sorted(case.calls[sure.call].told_by),
                was=former.evidence.value,
            )
            await uow.audit.append(actor, event, now)
            await uow.commit()
        publish(self._bus, case.session)
        return True


async def look(uow: UnitOfWork, seal: Seal, session: Session) -> Case:
    """Gather a video and the calls of its own site that may be its (I7), and decide."""
    links = await uow.sessions.links(session.id)
    invitations = await uow.invitations.of_session(session.id)
    sent = [each.contact for each in invitations if each.channel == "sms" and each.contact]
    mobiles = sorted({to for to in (await uow.personal.get_all(sent)).values() if to})
    newest = links[-1] if links else None
    loose = Loose(
        at=session.created,
        station=session.station,
        mobiles=frozenset(mobiles),
        link=newest.evidence if newest else Evidence.NO_CALL,
        call=newest.call if newest else None,
    )
    lookups = [seal.lookup("number", mobile) for mobile in mobiles]
    start, end = session.created - AROUND, session.created + AROUND
    found = []
    if session.station or lookups:
        found = list(
            await uow.calls.around(session.site, session.station, lookups, start, end, READ)
        )
    verdict = decide(loose, map(candidate, found), complete=len(found) < READ)
    calls = {record.call.id: record.call for record in found}
    return Case(session, links, mobiles, verdict, calls)


def publish(bus: Bus, session: Session) -> None:
    """Tell the desks of this video's station."""
    stations = frozenset({session.station}) if session.station else frozenset()
    bus.publish(Changed(session.site, stations, session.id))
