"""Changing a session's link by hand: "changer d'appel", a typed id, or explicitly none; each a new row (I2)."""

from server.core.audit_entries import Actor
from server.core.clock import Clock, Ids
from server.core.db.unit_of_work import UnitOfWork
from server.core.journal import sessions as journal
from server.core.journal.append import Journal
from server.line15.domain.call_links import CallLink, Certainty, Evidence
from server.line15.service.call_names import check_alias, find_or_assert
from server.line15.store.calls import CallStore
from server.storage.transactions import Transactions
from server.video.service.sessions import Sessions
from server.video.store.sessions import SessionStore


class CallLinks:
    """Appends links; the newest is in force."""

    def __init__(
        self, transactions: Transactions, clock: Clock, ids: Ids, sessions: Sessions
    ) -> None:
        """Keep what the use cases need."""
        self._transactions = transactions
        self._clock = clock
        self._ids = ids
        self._sessions = sessions

    async def choose(self, actor: Actor, session: str, call: str) -> None:
        """Link to a call the doctor picked."""
        async with self._transactions() as uow:
            found = await CallStore(uow).get(actor.site, call)
            await self._append(uow, actor, session, found.id, Evidence.CHOSEN)

    async def manual(self, actor: Actor, session: str, value: str) -> None:
        """Link to the call with this id; an id no feed reported yet is kept as asserted."""
        value = check_alias(value)
        async with self._transactions() as uow:
            call = await find_or_assert(uow, actor.site, value, self._ids, self._clock)
            await self._append(uow, actor, session, call, Evidence.MANUAL_ID)

    async def none(self, actor: Actor, session: str) -> None:
        """Say that this video belongs to no call."""
        async with self._transactions() as uow:
            await self._append(uow, actor, session, None, Evidence.DECLINED)

    async def _append(
        self, uow: UnitOfWork, actor: Actor, session_id: str, call: str | None, evidence: Evidence
    ) -> None:
        session = await SessionStore(uow).get(actor.site, session_id)
        links = await SessionStore(uow).links(actor.site, session.id)
        if links and (links[-1].call, links[-1].evidence) == (call, evidence):
            return  # the same choice again: a double click, or a lost answer
        certainty = Certainty.UNLINKED if call is None else Certainty.CERTAIN
        link = CallLink(
            session=session.id,
            call=call,
            certainty=certainty,
            evidence=evidence,
            actor=actor.user,
            at=self._clock.now(),
        )
        await SessionStore(uow).add_link(actor.site, link)
        entry = journal.session_linked(
            link.session, link.call, certainty=link.certainty, evidence=link.evidence
        )
        await Journal(uow).append(actor, entry, link.at)
        await uow.commit()
        self._sessions.publish(session)
