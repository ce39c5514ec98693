"""Look-ups of the auditor: any name of a call, a number, a day, a session; each look-up is itself in the chain (I4)."""

from collections.abc import Awaitable, Callable, Sequence

from server.audit.domain.chain import ChainVerdict
from server.audit.domain.record import ChainPart, Found, Record
from server.audit.service.chain import ChainVerification
from server.audit.service.reader import (
    Reader,
    alias_parts,
    call_part,
    hold_parts,
    move_parts,
    recording_parts,
    station_parts,
)
from server.core.audit_entries import Actor
from server.core.clock import Clock
from server.core.days import day_bounds
from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import NotFound
from server.core.journal import lookups as journal
from server.core.journal.append import Journal
from server.core.journal.entries import Entry
from server.core.seal import Seal
from server.core.sites import Site
from server.delivery.domain.contacts import read_number
from server.line15.domain.calls import CallSummary
from server.line15.errors import CallUnknown
from server.line15.service.call_names import check_alias
from server.line15.store.calls import CallStore
from server.recordings.store import RecordingStore
from server.storage.transactions import Transactions
from server.video.domain.session import Session
from server.video.store.sessions import SessionStore


class AuditLookup:
    """Finds calls of the actor's own site, writes down who asked, and shows whether the chain is whole."""

    def __init__(
        self,
        transactions: Transactions,
        clock: Clock,
        seal: Seal,
        chain: ChainVerification,
    ) -> None:
        """Take the parts."""
        self._transactions = transactions
        self._clock = clock
        self._seal = seal
        self._chain = chain

    # --- search
    async def by_alias(self, actor: Actor, alias: str) -> Sequence[Found]:
        """Find by any call id; one that was used twice gives every call, by date."""
        value = check_alias(alias)

        async def find(uow: UnitOfWork) -> Sequence[Found]:
            calls = await CallStore(uow).find(actor.site, value)
            found = await _found(uow, actor.site, calls, lambda call: _matched(call, value))
            return found or await self._video(uow, actor.site, value)

        return await self._search(actor, "alias", value, find)

    async def _video(self, uow: UnitOfWork, site: str, id_: str) -> Sequence[Found]:
        """Find a video by its own id, when no call has that name."""
        try:
            return [_found_session(await SessionStore(uow).get(site, id_), "session")]
        except NotFound:
            return []

    async def by_number(self, actor: Actor, typed: str) -> Sequence[Found]:
        """Find by the caller's number, however it is written."""
        number = read_number(typed)

        async def find(uow: UnitOfWork) -> Sequence[Found]:
            lookup = self._seal.lookup("number", number.e164)
            calls = await CallStore(uow).by_number(actor.site, lookup)
            return await _found(uow, actor.site, calls, lambda _: "number")

        return await self._search(actor, "number", number.e164, find)

    async def by_day(self, actor: Actor, site: Site, day: str) -> Sequence[Found]:
        """Find the calls of one day (YYYY-MM-DD, the site's own), and the videos that belong to no call."""
        start, end = day_bounds(site, day)

        async def find(uow: UnitOfWork) -> Sequence[Found]:
            calls = await CallStore(uow).by_day(actor.site, start, end)
            found = await _found(uow, actor.site, calls, lambda _: "day")
            loose = await SessionStore(uow).unlinked(actor.site, start, end)
            return [*found, *(_found_session(session, "day") for session in loose)]

        return await self._search(actor, "day", day, find)

    async def _search(
        self,
        actor: Actor,
        by: str,
        value: str,
        find: Callable[[UnitOfWork], Awaitable[Sequence[Found]]],
    ) -> Sequence[Found]:
        """Search, and write down that it was done; what was typed may be personal, so it goes to the payload."""
        async with self._transactions(write=False) as uow:
            results = sorted(await find(uow), key=lambda found: found.started)
        entry = journal.searched(actor.site, by=by, results=len(results), value=value)
        await self._note(actor, entry)
        return results

    async def _note(self, actor: Actor, entry: Entry) -> None:
        async with self._transactions() as uow:
            await Journal(uow).append(actor, entry, self._clock.now())
            await uow.commit()

    # --- records
    async def records(self, actor: Actor, alias: str) -> Sequence[Record]:
        """Show everything about every call that ever had this name; the chain is read once for all."""
        found = [one for one in await self.by_alias(actor, alias) if one.kind == "call"]
        chain = await self._chain_part(actor.site) if found else None
        return [await self.record(actor, one.id, chain) for one in found]

    async def record(self, actor: Actor, call_id: str, chain: ChainPart | None = None) -> Record:
        """Show everything about one call; CallUnknown for another site's, and that too is written down."""
        try:
            async with self._transactions(write=False) as uow:
                found = (await CallStore(uow).get(actor.site, call_id)).id
        except NotFound:
            await self._note(actor, journal.missed("call", asked=call_id))
            raise CallUnknown from None  # without what was asked for: it may be a number
        await self._note(actor, journal.call_viewed(found))
        chain = chain or await self._chain_part(actor.site)
        async with self._transactions(write=False) as uow:
            reader = Reader(uow, actor.site)
            record = await CallStore(uow).record(actor.site, found)
            sessions = await reader.sessions(await SessionStore(uow).of_call(actor.site, found))
            events = await reader.events(found, sessions)
            sounds = await RecordingStore(uow).of_call(actor.site, found)
            return Record(
                call=call_part(record.call),
                aliases=alias_parts(record.call),
                stations=station_parts(record),
                moves=move_parts(record),
                holds=hold_parts(record),
                recordings=recording_parts(sounds, record.call, events),
                related=await reader.related(record),
                sessions=sessions,
                events=events,
                chain=chain,
            )

    async def record_of_session(self, actor: Actor, session_id: str) -> Record:
        """Show one session, whether or not it belongs to a call; NotFound for another site's."""
        try:
            await self._session(actor.site, session_id)
        except NotFound:
            await self._note(actor, journal.missed("session", asked=session_id))
            raise NotFound("session") from None
        await self._note(actor, journal.session_viewed(session_id))
        chain = await self._chain_part(actor.site)
        session = await self._session(actor.site, session_id)
        async with self._transactions(write=False) as uow:
            reader = Reader(uow, actor.site)
            sessions = await reader.sessions([session])
            events = await reader.events(None, sessions)
        return Record(
            call=None,
            aliases=(),
            stations=(),
            moves=(),
            holds=(),
            recordings=(),
            related=(),
            sessions=sessions,
            events=events,
            chain=chain,
        )

    async def _session(self, site: str, id_: str) -> Session:
        async with self._transactions(write=False) as uow:
            return await SessionStore(uow).get(site, id_)

    # --- the chain
    async def verify(self, site: str, noted: str | None = None) -> tuple[ChainVerdict, bool]:
        """Read the whole chain; say also whether a head noted elsewhere was met."""
        return await self._chain.verify(site, noted)

    async def _chain_part(self, site: str) -> ChainPart:
        verdict = await self._chain.glance(site)
        return ChainPart(verdict.intact, verdict.count, verdict.head, verdict.broken_at)


async def _found(
    uow: UnitOfWork, site: str, calls: Sequence[CallSummary], matched: Callable[[CallSummary], str]
) -> list[Found]:
    videos = await SessionStore(uow).linked_to(site, [call.id for call in calls])
    return [
        Found(
            kind="call",
            id=call.id,
            href=f"/audit/calls/{call.id}",
            number=call.number,
            started=call.started,
            ended=call.ended,
            state=call.state,
            sessions=videos.get(call.id, 0),
            matched=matched(call),
        )
        for call in calls
    ]


def _found_session(session: Session, matched: str) -> Found:
    return Found(
        kind="session",
        id=session.id,
        href=f"/audit/sessions/{session.id}",
        number=None,
        started=session.created,
        ended=session.ended,
        state=session.state.value,
        sessions=1,
        matched=matched,
    )


def _matched(call: CallSummary, value: str) -> str:
    """Say which name of the call matched."""
    return next((alias.type for alias in call.aliases if alias.value == value), "id")
