"""What an auditor or a référent decides about the call of a video: each a new link with who and why (I2, I4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from server.core.audit_entries import Actor
from server.core.bus import Bus
from server.core.clock import Clock
from server.core.db.unit_of_work import UnitOfWork
from server.core.journal import calls, lookups, sessions
from server.core.journal.append import Journal
from server.core.journal.entries import Entry
from server.core.seal import Seal
from server.line15.domain.call_links import CallLink, Certainty, Evidence
from server.line15.errors import CallUnknown
from server.line15.service.call_names import check_alias
from server.line15.store.calls import CallStore
from server.reconcile.domain.matching import SETTLED
from server.reconcile.errors import CallAmbiguous, CallLinkChanged, CallLinkReasonMissing
from server.reconcile.service.reconciler import KEPT, MobilesOf, ReviewItem, look, publish
from server.storage.transactions import Transactions
from server.video.store.sessions import SessionStore

LONGEST_REASON: Final = 300
SHORTEST_REASON: Final = 3


@dataclass(frozen=True, slots=True)
class ReviewList:
    """The videos of a period: to be matched, said to have no call, and matched afterwards."""

    waiting: Sequence[ReviewItem]
    without: Sequence[ReviewItem]
    matched: Sequence[ReviewItem]


class Review:
    """The list and its decisions; all of the actor's own site."""

    def __init__(
        self,
        transactions: Transactions,
        clock: Clock,
        bus: Bus,
        seal: Seal,
        *,
        mobiles_of: MobilesOf,
    ) -> None:
        """Take the parts."""
        self._transactions = transactions
        self._clock = clock
        self._bus = bus
        self._seal = seal
        self._mobiles_of = mobiles_of

    async def listed(
        self, actor: Actor, start: datetime | None = None, end: datetime | None = None
    ) -> ReviewList:
        """Return the videos of a period (the last 72 hours when none is given); looking is written down."""
        now = self._clock.now()
        start, end = start or now - KEPT, end or now + timedelta(seconds=1)
        async with self._transactions(write=False) as uow:
            loose = await SessionStore(uow).unlinked(actor.site, start, end)
            done = await SessionStore(uow).reviewed(actor.site, start, end)
            cases = [await look(uow, self._seal, self._mobiles_of, each) for each in loose]
            matched = [await look(uow, self._seal, self._mobiles_of, each) for each in done]
        waiting = [case for case in cases if not _settled(case)]
        entry = calls.reconciliation_listed(actor.site, waiting=len(waiting), matched=len(matched))
        await self._note(actor, entry)
        return ReviewList(waiting, [case for case in cases if _settled(case)], matched)

    async def case(self, actor: Actor, session_id: str) -> ReviewItem:
        """Return one video with every call it may belong to; NotFound for another site's."""
        async with self._transactions(write=False) as uow:
            case = await self._look(uow, actor, session_id)
        await self._note(actor, lookups.session_viewed(session_id))
        return case

    async def link(
        self, actor: Actor, session_id: str, name: str | None, *, reason: str, seen: int
    ) -> None:
        """Append the link to the call of this name (its id or any alias), or to none when there is no name.

        `seen` is how many links the decision was made on. Raises CallLinkChanged when there is another since,
        CallLinkReasonMissing when a link to a call is replaced without a reason.
        """
        reason = reason.strip()
        async with self._transactions() as uow:
            case = await self._look(uow, actor, session_id)
            if len(case.links) != seen:
                raise CallLinkChanged
            former = case.links[-1] if case.links else None
            corrects = former is not None and (former.call is not None or _settled(case))
            if len(reason) > LONGEST_REASON or (corrects and len(reason) < SHORTEST_REASON):
                raise CallLinkReasonMissing
            call = await self._call(uow, actor.site, name) if name is not None else None
            evidence = Evidence.REVIEWED if call else Evidence.REVIEWED_NONE
            certainty = Certainty.CERTAIN if call else Certainty.UNLINKED
            now = self._clock.now()
            link = CallLink(
                session=session_id,
                call=call,
                certainty=certainty,
                evidence=evidence,
                actor=actor.user,
                at=now,
            )
            await SessionStore(uow).add_link(actor.site, link)
            entry = sessions.session_linked(
                link.session,
                link.call,
                certainty=link.certainty,
                evidence=link.evidence,
                was=former.evidence if former else None,
                was_call=former.call if former else None,
                reason=reason,
            )
            await Journal(uow).append(actor, entry, now)
            await uow.commit()
        publish(self._bus, case.session)

    async def _look(self, uow: UnitOfWork, actor: Actor, session_id: str) -> ReviewItem:
        session = await SessionStore(uow).get(actor.site, session_id)
        return await look(uow, self._seal, self._mobiles_of, session)

    async def _call(self, uow: UnitOfWork, site: str, name: str) -> str:
        found = await CallStore(uow).find(site, check_alias(name))
        if not found:
            raise CallUnknown
        if len(found) > 1:
            raise CallAmbiguous
        return found[0].id

    async def _note(self, actor: Actor, entry: Entry) -> None:
        async with self._transactions() as uow:
            await Journal(uow).append(actor, entry, self._clock.now())
            await uow.commit()


def _settled(case: ReviewItem) -> bool:
    return bool(case.links) and case.links[-1].evidence in SETTLED
