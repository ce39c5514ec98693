"""Videos without a call are matched when line 15 tells more: alone when sure, by a person when not (I2, F17).

Nothing is ever changed: each decision is a new link, and a row of the audit with what it stands on.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from server.core.audit_entries import Actor
from server.core.bus import Bus, SiteChanged
from server.core.clock import Clock
from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import AppError
from server.core.housekeeping import Failed, Rounds
from server.core.journal import sessions as journal
from server.core.journal.append import Journal
from server.core.seal import Seal
from server.line15.domain.call_links import CallLink, Evidence
from server.line15.domain.calls import CallSummary
from server.line15.store.calls import CallStore
from server.reconcile.domain.matching import (
    AROUND,
    NEAR,
    READ,
    DoubtfulMatch,
    SureMatch,
    UnlinkedVideo,
    candidate,
    decide,
)
from server.storage.transactions import Transactions
from server.video.domain.session import Session
from server.video.store.sessions import SessionStore
from telephony import Call

KEPT: Final = timedelta(hours=72)
EVERY: Final = timedelta(minutes=5)
#: Videos are read a day at a time: a long import holds neither the memory nor a reader.
STEP: Final = timedelta(days=1)
#: Returns the mobile numbers that a session was sent to, each once, in a fixed order.
MobilesOf = Callable[[UnitOfWork, str, str], Awaitable[Sequence[str]]]
_log = structlog.get_logger("reconcile")


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A video with the links it had and what may be its call; `calls` are those that the offers name."""

    session: Session
    links: Sequence[CallLink]
    mobiles: Sequence[str]
    verdict: SureMatch | DoubtfulMatch | None
    calls: Mapping[str, CallSummary]


class Reconciler:
    """Matches by itself: what changed touches a period, and a sweep looks at the videos of that period."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        clock: Clock,
        bus: Bus,
        seal: Seal,
        failed: Failed,
        mobiles_of: MobilesOf,
    ) -> None:
        """Start with nothing touched; `failed` counts what a sweep could not do."""
        self._rounds = Rounds("reconcile", failed)
        self._transactions = transactions
        self._clock = clock
        self._bus = bus
        self._seal = seal
        self._mobiles_of = mobiles_of
        self._touched: dict[str, datetime] = {}
        self._swept: dict[str, datetime] = {}

    def touch(self, site: str, calls: Sequence[Call]) -> None:
        """Note that these calls are new or otherwise than before: videos since the first may be theirs."""
        for call in calls:
            since = call.started - max(AROUND, NEAR)
            self._touched[site] = min(self._touched.get(site, since), since)

    async def due(self, sites: Sequence[str]) -> int:
        """Sweep what was touched, and now and then everything: another process may have imported."""
        return (await self._rounds.each({site: site for site in sites}, self._due)).changed

    async def _due(self, site: str) -> int:
        """Sweep one site; what could not be is due again, unless that is our mistake: then with all, later."""
        now = self._clock.now()
        touched = self._touched.pop(site, None)
        late = now - self._swept.get(site, now - EVERY) >= EVERY
        if late:
            self._swept[site] = now
        elif touched is None:
            return 0
        since = now - KEPT if late or touched is None else max(touched, now - KEPT)
        try:
            return await self.sweep(site, since)
        except AppError:
            self._touch_again(site, since)
            raise

    def _touch_again(self, site: str, since: datetime) -> None:
        self._touched[site] = min(since, self._touched.get(site, since))

    async def sweep(
        self, site: str, since: datetime, until: datetime | None = None, actor: Actor | None = None
    ) -> int:
        """Link every video of a period that is surely some call's; return how many."""
        end = until or self._clock.now() + timedelta(seconds=1)
        sure: dict[str, str] = {}
        begin = since
        while begin < end:
            step = min(end, begin + STEP)
            async with self._transactions(write=False) as uow:
                for session in await SessionStore(uow).unlinked(site, begin, step):
                    if await self._seems_sure(uow, session):
                        sure[session.id] = session.id
            begin = step
        who = actor or Actor("server", site)
        done = await self._rounds.each(sure, lambda id_: self._link(who, id_))
        if done.postponed:
            self._touch_again(site, since)
        if done.changed:
            _log.info("reconcile.linked", count=done.changed)
        return done.changed

    async def _seems_sure(self, uow: UnitOfWork, session: Session) -> bool:
        """Look before asking for the writer's turn; what cannot be read is told when it has that turn."""
        try:
            case = await look(uow, self._seal, self._mobiles_of, session)
        except Exception:  # noqa: BLE001 - `_link` meets the same, alone, and that is logged
            return True
        return isinstance(case.verdict, SureMatch)

    async def _link(self, actor: Actor, session_id: str) -> bool:
        """Decide once more where nobody can be faster, and append."""
        async with self._transactions() as uow:
            session = await SessionStore(uow).get(actor.site, session_id)
            case = await look(uow, self._seal, self._mobiles_of, session)
            if not isinstance(case.verdict, SureMatch):
                return False
            sure, former = case.verdict, case.links[-1]
            now = self._clock.now()
            evidence = Evidence.RECONCILED
            link = CallLink(
                session=session_id,
                call=sure.call,
                certainty=sure.certainty,
                evidence=evidence,
                actor=None,
                at=now,
            )
            await SessionStore(uow).add_link(actor.site, link)
            entry = journal.session_linked(
                link.session,
                link.call,
                certainty=link.certainty,
                evidence=link.evidence,
                because=[clue.value for clue in sure.clues],
                told_by=sorted(case.calls[sure.call].told_by),
                was=former.evidence.value,
            )
            await Journal(uow).append(actor, entry, now)
            await uow.commit()
        publish(self._bus, case.session)
        return True


async def look(uow: UnitOfWork, seal: Seal, mobiles_of: MobilesOf, session: Session) -> ReviewItem:
    """Gather a video and the calls of its own site that may be its (I7), and decide."""
    links = await SessionStore(uow).links(session.site, session.id)
    mobiles = await mobiles_of(uow, session.site, session.id)
    newest = links[-1] if links else None
    loose = UnlinkedVideo(
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
            await CallStore(uow).around(session.site, session.station, lookups, start, end, READ)
        )
    verdict = decide(loose, map(candidate, found), complete=len(found) < READ)
    calls = {record.call.id: record.call for record in found}
    return ReviewItem(session=session, links=links, mobiles=mobiles, verdict=verdict, calls=calls)


def publish(bus: Bus, session: Session) -> None:
    """Tell the desks of this video's station."""
    stations = frozenset({session.station}) if session.station else frozenset()
    bus.publish(SiteChanged(session.site, stations, session.id))
