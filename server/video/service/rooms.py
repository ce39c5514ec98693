"""Who is connected to which session right now: one phone, its desks, and nothing durable.

A room is only a meeting place for sockets; everything that must survive is in the database, and both pages say `hello`
again after a restart.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from server.core.errors import AppError, Unavailable
from server.video.domain.preflight import Preflight
from server.video.domain.session import BLIND
from server.video.errors import OpenElsewhere, SessionEnded
from server.web.sockets.connected_page import Socket
from server.web.sockets.transports import SOCKET

TRY: Final = timedelta(seconds=10)  # a camera that is opened anew and fails sooner never came back
ENDS_KEPT: Final = 1_000  # more than end while a hello is answered


@dataclass(frozen=True, slots=True)
class Admission:
    """A phone that may sit in a room: what its tap, or its link looked up again, proved."""

    token: str
    browser: str
    session: str
    site: str
    site_name: str
    state: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who sits behind a peer id: `kind` is desk or observer, `id` stays the same over his pages."""

    id: str
    name: str
    kind: str
    since: datetime


@dataclass(frozen=True, slots=True)
class PhoneReport:
    """The phone's last word of its page and its camera (docs/protocol.md); `asking`: it asks for the camera now."""

    hidden: bool = False
    camera: str | None = None
    asking: bool = False


@dataclass(slots=True)
class HelpOrder:
    """What a desk asked of the phone; `outcome` once the phone has answered."""

    peer: str
    do: str
    at: datetime
    outcome: str | None = None
    why: str | None = None


@dataclass(slots=True)
class Room:
    """One session's meeting place; `desks` by peer id, `page` the phone page's id, `abilities` what its camera can do.

    `network` is what that page found out of its network, `explored` how often it said so; `transport` what carries its
    messages: a socket, or requests where none comes up.

    `rung` is how pictures come (video, stills or photo), by the phone's word, and `why`; `stills` were handed on at
    that rung, `stilled` says that this was written down.

    `said`: what the phone says of itself, since `told`; `blind`: since when its camera gives nothing, tries included.
    `showing`: whether a desk shows a fresh picture, by its last word; one that only lost its socket still does.

    `addresses`: those that one end named to the other as its own, by direction and peer (domain/ice_candidates.py).

    Observers sit among the desks, for what the phone sends them is the same; `viewers` tells who is who.
    """

    phone: Socket | None = None
    page: str | None = None
    said: PhoneReport = PhoneReport()
    showing: dict[str, bool] = field(default_factory=dict)
    told: datetime | None = None
    blind: datetime | None = None
    network: Preflight | None = None
    explored: int = 0
    transport: str = SOCKET
    desks: dict[str, Socket] = field(default_factory=dict)
    rung: str = "video"
    why: str = ""
    stills: int = 0
    stilled: bool = False
    abilities: Mapping[str, object] | None = None
    orders: dict[str, HelpOrder] = field(default_factory=dict)
    viewers: dict[str, Viewer] = field(default_factory=dict)
    addresses: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def to_desk(self, peer: str) -> set[str]:
        """Return the addresses that the phone named to this desk."""
        return self.addresses.setdefault(("desk", peer), set())

    def to_phone(self, peer: str) -> set[str]:
        """Return the addresses that this desk named to the phone."""
        return self.addresses.setdefault(("phone", peer), set())

    def stations(self) -> Iterator[Socket]:
        """Iterate over the desks alone: an observer is shown no still and no photo."""
        for peer, socket in self.desks.items():
            viewer = self.viewers.get(peer)
            if viewer is None or viewer.kind == "desk":
                yield socket

    def note(self, said: PhoneReport, now: datetime) -> bool:
        """Keep what the phone says of itself; return whether that is news."""
        if said == self.said:
            return False
        fails = said.camera in BLIND and self.said.camera not in BLIND
        if fails and (self.blind is None or self.told is None or now - self.told > TRY):
            self.blind = now
        self.said, self.told = said, now
        return True

    @property
    def shown_by(self) -> list[str] | None:
        """Return the desks that show a fresh picture; None before any desk has said what it shows."""
        return sorted(peer for peer, on in self.showing.items() if on) if self.showing else None

    @property
    def shown(self) -> bool:
        """Whether a desk that is here shows a fresh picture."""
        return any(self.showing.get(peer) for peer in self.desks)

    def show(self, peer: str, *, on: bool) -> None:
        """A desk begins or ceases to show a fresh picture: the phone may say that it is seen, or must not."""
        if self.showing.get(peer) == on:
            return
        self.showing[peer] = on
        if self.phone is not None:
            self.phone.send({"type": "shown", "peer": peer, "on": on})

    def hide(self, peer: str) -> None:
        """A desk that left, or is elsewhere, shows nothing any more."""
        if self.showing.get(peer):
            self.show(peer, on=False)

    def tell_count(self) -> None:
        """Tell the phone how many see its picture."""
        if self.phone is not None:
            self.phone.send({"type": "viewers", "count": len(self.desks)})


class Rooms:
    """All rooms of this process."""

    def __init__(self) -> None:
        """Start empty."""
        self._rooms: dict[str, Room] = {}
        self._expected: dict[str, Admission] = {}
        self._ended: deque[str] = deque(maxlen=ENDS_KEPT)
        self.when_over: list[Callable[[str], None]] = []

    def __iter__(self) -> Iterator[str]:
        """Iterate over the sessions that somebody is connected to."""
        return iter(tuple(self._rooms))

    def get(self, session: str) -> Room:
        """Return a session's room, empty when nobody is there."""
        return self._rooms.get(session, Room())

    def check_open(self, session: str) -> None:
        """Refuse who was admitted just before the end and comes just after it: nobody would tell him."""
        if session in self._ended:
            raise SessionEnded

    def enter_phone(self, session: str, socket: Socket, page: str) -> Room:
        """Seat the phone; a newer socket of the same browser replaces the older.

        An older page is told that the newer one films. Of one page's own sockets the newer may be the one it gave up,
        whose hello was held back on its way: whichever it goes on over comes back and takes the seat.
        """
        room = self._rooms.setdefault(session, Room())
        instead: AppError = Unavailable("newer_line")
        if room.page != page:
            instead = OpenElsewhere("newer_page")
            room.abilities, room.orders = None, {}
            room.network = None  # another page finds out for itself
            room.said = PhoneReport()
        former, room.phone, room.page = room.phone, socket, page
        room.said = replace(room.said, hidden=False)
        if former is not None and former is not socket:
            former.shut(instead)
        return room

    def leave_phone(self, session: str, socket: Socket) -> bool:
        """Unseat the phone if it is still this one; say whether it was."""
        room = self._rooms.get(session)
        if room is None or room.phone is not socket:
            return False
        room.phone = None
        self._forget_if_empty(session, room)
        return True

    def enter_desk(
        self, session: str, peer: str, socket: Socket, viewer: Viewer | None = None
    ) -> Room:
        """Seat a desk, or an observer, and tell the phone that it waits."""
        for other, left in self._rooms.items():
            if other != session and peer not in left.desks:
                left.hide(peer)  # it went from there while its socket was cut
        room = self._rooms.setdefault(session, Room())
        room.desks[peer] = socket
        if viewer is not None:
            room.viewers[peer] = viewer
        if room.phone is not None:
            room.phone.send({"type": "watch", "peer": peer})
        room.tell_count()
        return room

    def viewer_count(self, session: str, but: str = "") -> int:
        """Count who sees, one page excepted."""
        return sum(peer != but for peer in self.get(session).desks)

    def desk_count(self, session: str) -> int:
        """Count the desks among them: at least one, for whoever asks will be there."""
        viewers = self.get(session).viewers.values()
        return max(1, sum(viewer.kind == "desk" for viewer in viewers))

    def dismiss_viewer(self, session: str, id_: str, but: str = "") -> None:
        """Another page of the same observer takes over."""
        self._drop(session, id_, OpenElsewhere("newer_socket"), but)

    def remove_viewer(self, session: str, id_: str, error: AppError) -> None:
        """An observer sees no more: his page is told why, the phone drops that connection."""
        self._drop(session, id_, error, "")

    def _drop(self, session: str, id_: str, error: AppError, but: str) -> None:
        room = self.get(session)
        for peer, viewer in tuple(room.viewers.items()):
            if viewer.id == id_ and viewer.kind == "observer" and peer != but:
                socket = room.desks.get(peer)
                self.dismiss_desk(session, peer)
                if socket is not None:
                    socket.shut(error)

    def leave_desk(self, session: str, peer: str, socket: Socket) -> None:
        """Unseat a desk; the phone keeps its connection, since the desk may only have lost its socket."""
        room = self._rooms.get(session)
        if room is None or room.desks.get(peer) is not socket:
            return
        del room.desks[peer]
        room.viewers.pop(peer, None)
        room.tell_count()
        self._forget_if_empty(session, room)

    def dismiss_desk(self, session: str, peer: str) -> None:
        """The desk shows something else on purpose: the phone may drop that connection."""
        room = self._rooms.get(session)
        if room is None or room.desks.pop(peer, None) is None:
            return
        room.hide(peer)
        if room.phone is not None:
            room.phone.send({"type": "unwatch", "peer": peer})
        room.viewers.pop(peer, None)
        room.tell_count()
        self._forget_if_empty(session, room)

    def expect(self, admission: Admission) -> None:
        """The phone that just tapped was admitted; its `hello` follows at once and need not be judged again."""
        self._expected[admission.session] = admission

    def expected(self, token: str, browser: str) -> Admission | None:
        """Return the admission of this very tap; good once, and only while nothing happened to the session."""
        for admission in self._expected.values():
            if (admission.token, admission.browser) == (token, browser):
                return self._expected.pop(admission.session)
        return None

    def translate(self, session: str, language: str) -> None:
        """The caller's page is to speak another language: now, or as soon as its phone enters."""
        if admission := self._expected.get(session):
            self._expected[session] = replace(admission, language=language)
        room = self._rooms.get(session)
        if room is not None and room.phone is not None:
            room.phone.send({"type": "language", "language": language})

    def expel(self, session: str, error: AppError) -> None:
        """The session moved to another device: its phone is told and must be admitted anew."""
        self._expected.pop(session, None)
        room = self._rooms.get(session)
        if room is not None and room.phone is not None:
            room.phone.shut(error)

    def close(self, session: str, by: str, reason: str) -> None:
        """The session is over: everybody leaves the room; the desks learn it from their view."""
        self._expected.pop(session, None)
        self._ended.append(session)
        room = self._rooms.pop(session, None)
        if room is not None and room.phone is not None:
            room.phone.send({"type": "ended", "by": by, "reason": reason})
        for tell in self.when_over:
            tell(session)

    def _forget_if_empty(self, session: str, room: Room) -> None:
        if room.phone is None and not room.desks:
            self._rooms.pop(session, None)
