"""The language a caller reads: what the phone asked for, until the caller or the regulator chooses another.

It is the session's, so that it outlives a page, a socket and a change of device; whoever chose last is right.
"""

from dataclasses import replace
from datetime import datetime

from server.core.audit_entries import Actor
from server.core.clock import Clock
from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import NotFound
from server.core.journal import sessions as journal
from server.core.words.languages import BY_CODE
from server.storage.transactions import Transactions
from server.video.domain.session import Session
from server.video.service.rooms import Rooms
from server.video.service.sessions import Sessions, open_session, write_down
from server.video.store.sessions import SessionStore


class Languages:
    """Keeps it, and tells both ends."""

    def __init__(
        self, transactions: Transactions, clock: Clock, sessions: Sessions, rooms: Rooms
    ) -> None:
        """Keep what the use cases need."""
        self._transactions = transactions
        self._clock = clock
        self._sessions = sessions
        self._rooms = rooms

    async def choose(self, actor: Actor, id_: str, language: str, *, first: bool = False) -> None:
        """Keep a language, and tell the phone and the desks; `first`: only if there is none yet."""
        now = self._clock.now()
        async with self._transactions() as uow:
            before = await open_session(uow, actor.site, id_)
            wanted = before.language or language if first else language
            after = await keep_language(uow, actor, before, wanted, now)
            await uow.commit()
        self._rooms.translate(id_, wanted)
        if after != before:
            self._sessions.publish(after, soon=actor.source == "phone")


async def keep_language(
    uow: UnitOfWork, actor: Actor, session: Session, language: str, now: datetime
) -> Session:
    """Write a language down with its row of the audit, inside the caller's transaction."""
    if language not in BY_CODE:
        raise NotFound("language")
    if language == session.language:
        return session
    # Which one may tell where somebody comes from: it is erased with all that is personal (audit/store/erasure.py).
    entry = journal.session_language(session.id, was=session.language, now=language)
    await write_down(uow, actor, entry, now)
    return await SessionStore(uow).save(replace(session, language=language))
