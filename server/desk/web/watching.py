"""What a desk watches: its place in the room of a session, and what its sign-in remembers of it."""

import hashlib
from typing import assert_never

from server.desk.service.recent import Recent
from server.desk.web.connected_desk import ConnectedDesk, Result
from server.identity.domain.watched_videos import VideoWatch
from server.protocol import desk as m
from server.video.domain.session import Session, SessionState
from server.video.service.ice import IceServers
from server.video.service.photos import Photos
from server.video.service.rooms import Rooms, Viewer
from server.video.service.sessions import Sessions

SessionCommand = m.SessionWatch | m.SessionEnd | m.SessionsRecent


class Watching:
    """Enters and leaves the rooms of sessions for one desk."""

    def __init__(
        self,
        desk: ConnectedDesk,
        *,
        sessions: Sessions,
        rooms: Rooms,
        ice: IceServers,
        photos: Photos,
        recent: Recent,
    ) -> None:
        """Start with nothing watched."""
        self._desk = desk
        self._sessions = sessions
        self._rooms = rooms
        self._ice = ice
        self._photos = photos
        self._recent = recent
        self._seen: Session | None = None
        self._watch: VideoWatch | None = None  # what its sign-in remembers of it

    async def do(self, message: SessionCommand) -> Result:
        """Watch a session, end it, or list those of the shift."""
        match message:
            case m.SessionWatch(session=session):
                self.enter(await self._sessions.get(self._desk.site, session))
                self._desk.dirty.set()
                return {"session": session, "ice": self._ice.for_session(session)}
            case m.SessionEnd(session=session):
                return {"ended": await self._end(session)}
            case m.SessionsRecent():
                user, site = self._desk.page.me()
                station = self._desk.extension or ""
                return {"sessions": await self._recent.of(site.id, user.id, station)}
            case _:
                assert_never(message)

    def enter(self, found: Session) -> None:
        """Watch a session, instead of the former one; a page that has left takes no place from its successor."""
        desk, session = self._desk, found.id
        if desk.page.gone:
            return
        if desk.watching and desk.watching != session:
            self._turn_away(desk.watching)
            if desk.page.held is None:  # what it watched at its end it may come back to
                self._forget(desk.watching)
        desk.watching = session
        if found.state is not SessionState.ENDED:
            self._remember(session)
            self._rooms.enter_desk(session, desk.peer, desk.page, self._viewer())
            self._seen = found
            self._sessions.publish(found)
            if photo := self._photos.of(session):
                desk.page.send(photo.told())

    def leave(self) -> None:
        """Leave the room; the phone keeps its picture, in case we only lost our socket."""
        desk = self._desk
        if self._watch is not None:
            self._watch.lost = desk.web.clock.now()
        if desk.watching:
            self._rooms.leave_desk(desk.watching, desk.peer, desk.page)
        if self._seen is not None:
            self._sessions.publish(self._seen)  # who sees it is shown to all who do

    async def _end(self, session: str) -> bool:
        desk = self._desk
        ended = await self._sessions.quit(desk.actor(), session, desk.extension)
        if not ended and desk.watching == session:
            self._turn_away(session)
            self._forget(session)
            desk.watching = None
        return ended

    def _remember(self, session: str) -> None:
        desk = self._desk
        if desk.page.sign_in is not None:
            watches = desk.web.sign_ins.watches
            self._watch = watches.begin(desk.page.sign_in.id, desk.peer, session, desk.extension)

    def _forget(self, session: str) -> None:
        desk = self._desk
        if desk.page.sign_in is not None:
            desk.web.sign_ins.watches.leave(desk.page.sign_in.id, desk.peer, session)

    def _turn_away(self, session: str) -> None:
        """Leave a room on purpose; whoever still sees that picture learns it."""
        self._rooms.dismiss_desk(session, self._desk.peer)
        if self._seen is not None:
            self._sessions.publish(self._seen)
            self._seen = None

    def _viewer(self) -> Viewer:
        desk = self._desk
        where = f" · poste {desk.extension}" if desk.station else ""
        # All who see read this id, observers too; the peer's own name is between this page and the phone.
        shown = "d-" + hashlib.sha256(desk.peer.encode()).hexdigest()[:16]
        return Viewer(shown, desk.name + where, "desk", desk.web.clock.now())
