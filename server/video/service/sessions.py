"""What happens to a video session: load, decide, save, audit, commit; then perform."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from server.core.audit_entries import Actor
from server.core.bus import Bus, SiteChanged
from server.core.clock import Clock
from server.core.db.unit_of_work import UnitOfWork
from server.core.housekeeping import Failed, Rounds
from server.core.journal import sessions as journal
from server.core.journal.append import Journal
from server.core.journal.entries import Entry
from server.core.sites import SiteStore
from server.line15.domain.call_links import CallLink
from server.line15.domain.calls import CallSummary
from server.line15.store.calls import CallStore
from server.storage.transactions import Transactions
from server.video.domain.session import (
    CallerTapped,
    CameraAsked,
    CameraGranted,
    CameraRefused,
    ClosePeers,
    Command,
    Event,
    InvitationOpened,
    MediaFlowing,
    PageWorks,
    PeerLost,
    ReleaseInvitations,
    Session,
    SessionQuit,
    SessionState,
    StillSeen,
    TimedOut,
    step,
)
from server.video.errors import OpenElsewhere, SessionEnded
from server.video.service.rooms import Rooms
from server.video.store.sessions import SessionStore

_SHOWN_ONLY = frozenset({""})  # no station has this name; none at all would mean every desk

#: Is told that a session ended, in the unit of work that ends it.
OnEnded = Callable[[UnitOfWork, Session, datetime], Awaitable[None]]
#: Tells whether no link to a session may be tapped for the first time any more.
LinksOver = Callable[[UnitOfWork, Session, datetime], Awaitable[bool]]


def past(id_: str, event: Event, was: str, now: str) -> Entry:  # noqa: C901, PLR0911 - a case an event
    """Return what the audit tells of an event that took a session from state `was` to `now`."""
    match event:
        case InvitationOpened():
            return journal.link_opened(id_, was=was, now=now)
        case PageWorks():
            return journal.page_works(id_, was=was, now=now)
        case CallerTapped():
            return journal.link_tapped(id_, was=was, now=now)
        case CameraAsked():
            return journal.camera_asked(id_, was=was, now=now)
        case CameraGranted():
            return journal.camera_granted(id_, was=was, now=now)
        case CameraRefused(reason):
            return journal.camera_refused(id_, was=was, now=now, reason=reason)
        case MediaFlowing():
            return journal.picture_flowing(id_, was=was, now=now)
        case StillSeen():
            return journal.picture_still(id_, was=was, now=now)
        case PeerLost():
            return journal.picture_lost(id_, was=was, now=now)
        case TimedOut(reason):
            return journal.session_timed_out(id_, was=was, now=now, reason=reason)
        case SessionQuit(by, reason):
            return journal.session_left(id_, was=was, now=now, by=by, reason=reason)


class Sessions:
    """The one way a session changes."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        clock: Clock,
        bus: Bus,
        rooms: Rooms,
        failed: Failed,
        on_ended: Sequence[OnEnded],
        links_over: LinksOver,
    ) -> None:
        """Keep what the use cases need; `failed` counts what the sweep could not do.

        `on_ended` and `links_over` are of those who give links to a session.
        """
        self._transactions = transactions
        self._clock = clock
        self._bus = bus
        self._rooms = rooms
        self._rounds = Rounds("sweep", failed)
        self._on_ended = on_ended
        self._links_over = links_over

    async def happen(self, id_: str, event: Event, actor: Actor) -> Session:
        """Apply one event; an event that changes nothing is not written."""
        now = self._clock.now()
        async with self._transactions() as uow:
            before = await SessionStore(uow).get(actor.site, id_)
            after, commands = await self.apply(uow, before, event, actor, now)
            await uow.commit()
        if after != before:
            self.perform(after, commands, soon=actor.source == "phone")
        return after

    async def apply(
        self, uow: UnitOfWork, before: Session, event: Event, actor: Actor, now: datetime
    ) -> tuple[Session, tuple[Command, ...]]:
        """Decide, save and audit inside the caller's transaction."""
        after, commands = step(before, event, now)
        if after == before:
            return before, ()
        after = await SessionStore(uow).save(after)
        told = past(before.id, event, before.state.value, after.state.value)
        await write_down(uow, actor, told, now)
        if any(isinstance(command, ReleaseInvitations) for command in commands):
            for hook in self._on_ended:
                await hook(uow, after, now)
        return after, commands

    def perform(
        self, session: Session, commands: tuple[Command, ...], *, soon: bool = False
    ) -> None:
        """Act on what was committed; an end is shown at once, whoever made it."""
        closing = any(isinstance(command, ClosePeers) for command in commands)
        if closing:
            self._rooms.close(session.id, session.ended_by or "server", session.end_reason or "")
        self.publish(session, soon=soon and not closing)

    async def quit(self, actor: Actor, id_: str, station: str | None) -> bool:
        """A desk quits: the video ends, unless its call went on to another station, which goes on seeing it.

        Return whether it ended.
        """
        now = self._clock.now()
        async with self._transactions() as uow:
            session = await SessionStore(uow).get(actor.site, id_)
            linked = await call_of(uow, actor.site, id_)
            call = (
                (await CallStore(uow).get_all(actor.site, [linked])).get(linked) if linked else None
            )
            moved = (
                gone_to(session, call, station) if session.state is not SessionState.ENDED else ()
            )
            if moved:
                told = journal.session_released if session.handed else journal.session_moved_on
                await Journal(uow).append(actor, told(id_, linked, stations=moved), now)
                await uow.commit()
                return False
            after, commands = await self.apply(
                uow, session, SessionQuit("desk", "quit"), actor, now
            )
            await uow.commit()
        if after != session:
            self.perform(after, commands)
        return True

    def close_phone(self, session: str) -> None:
        """Tell the phone that the session moved to another device."""
        self._rooms.expel(session, OpenElsewhere("moved"))

    def publish(self, session: Session, *, soon: bool = False) -> None:
        """Tell the desks of this session's station.

        `soon`, for what a phone says of itself: several things in a row, and its first picture comes before them.
        """
        self._bus.publish(change_of(session, soon=soon))

    def told(self, site: str, id_: str) -> None:
        """Tell the desks that show this session that its phone changed, though nothing is to be written."""
        self._bus.publish(SiteChanged(site, _SHOWN_ONLY, id_, soon=True))

    async def get(self, site: str, id_: str) -> Session:
        """Return a session of this site; NotFound for any other (I7)."""
        async with self._transactions(write=False) as uow:
            return await SessionStore(uow).get(site, id_)

    async def refresh(self, site: str, id_: str) -> None:
        """Tell the desks to show a session of this site as it is now; NotFound for any other (I7)."""
        self.publish(await self.get(site, id_))

    async def sweep(self, grace: timedelta) -> int:
        """End what will never come back: links all expired untapped, or nothing heard for the whole grace.

        Return how many changed. One that fails keeps none of the others waiting.
        """
        async with self._transactions(write=False) as uow:
            late = {
                session.id: session
                for site in await SiteStore(uow).all()
                for session in await SessionStore(uow).running(site.id)
                if await self._seems_late(uow, session, grace)
            }
        return (await self._rounds.each(late, lambda seen: self._time_out(seen, grace))).changed

    async def _seems_late(self, uow: UnitOfWork, session: Session, grace: timedelta) -> bool:
        """Look before asking for the writer's turn; what cannot be read is told when it has that turn."""
        try:
            return await self._late(uow, session, self._clock.now(), grace) is not None
        except Exception:  # noqa: BLE001 - `_time_out` meets the same, alone, and that is logged
            return True

    async def _time_out(self, seen: Session, grace: timedelta) -> bool:
        """Decide on what is so in the writer's turn: a phone may have come back since the first look, or come now."""
        async with self._transactions() as uow:
            now = self._clock.now()
            before = await SessionStore(uow).get(seen.site, seen.id)
            event = await self._late(uow, before, now, grace)
            if event is None:
                return False
            actor = Actor("server", before.site)
            after, commands = await self.apply(uow, before, event, actor, now)
            if after == before or await self._late(uow, before, now, grace) is None:
                return False
            await uow.commit()
        self.perform(after, commands)
        return True

    async def _late(
        self, uow: UnitOfWork, session: Session, now: datetime, grace: timedelta
    ) -> Event | None:
        """Return what the passing of time does to this session, if anything."""
        if session.state is SessionState.ENDED:
            return None
        if session.state in {SessionState.INVITED, SessionState.OPENED}:
            over = await self._links_over(uow, session, now)
            return TimedOut("expired") if over else None
        room = self._rooms.get(session.id)
        if room.phone is not None or session.changed + grace > now:
            return None
        if session.state is SessionState.LIVE:
            # A desk that shows the picture is its judge; observers, and desks that show nothing, see none.
            return None if room.shown else PeerLost()
        return TimedOut("lost")


def change_of(session: Session, *, soon: bool = False) -> SiteChanged:
    """Return what tells the desks of this session's station to show it as it is now."""
    stations = frozenset({session.station}) if session.station else frozenset()
    return SiteChanged(session.site, stations, session.id, soon)


def gone_to(session: Session, call: CallSummary | None, station: str | None) -> tuple[str, ...]:
    """Return where a session went on to from this station: by hand, else with its call; nothing when it is here."""
    if session.handed is not None:
        return (session.station,) if session.station and session.station != station else ()
    return call.elsewhere(station) if call else ()


async def open_session(uow: UnitOfWork, site: str, id_: str) -> Session:
    """Return a session of this site; raises NotFound for any other (I7), SessionEnded for one that is over."""
    session = await SessionStore(uow).get(site, id_)
    if session.state is SessionState.ENDED:
        raise SessionEnded
    return session


async def call_of(uow: UnitOfWork, site: str, session: str) -> str | None:
    """Return the call a session is linked to now."""
    links: list[CallLink] = list(await SessionStore(uow).links(site, session))
    return links[-1].call if links else None


async def write_down(uow: UnitOfWork, actor: Actor, entry: Entry, at: datetime) -> None:
    """Append what happened in a session to the audit, with the call that the session is linked to now.

    `entry.call` is not read: it is looked up. An entry without a session has no call.
    """
    call = await call_of(uow, actor.site, entry.session) if entry.session else None
    await Journal(uow).append(actor, entry.of_call(call), at)
