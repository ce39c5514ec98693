"""The socket of a caller's phone: what it says and is told, whatever carries it."""

import time
from dataclasses import dataclass, field, replace
from typing import ClassVar, assert_never

from server.caller.web.page import BROWSER_COOKIE, PHASES
from server.core.audit_entries import Actor
from server.core.words.languages import BY_CODE
from server.invitations.service.links import InvitationLinks
from server.protocol import caller as m
from server.protocol.errors import MessageTooLarge
from server.protocol.message import MAX_FRAME, parse
from server.video.domain.preflight import Preflight
from server.video.domain.session import (
    CameraAsked,
    CameraGranted,
    CameraRefused,
    Event,
    SessionQuit,
)
from server.video.errors import SessionEnded
from server.video.service.ice import IceServers
from server.video.service.ladder import Ladder, StillAllowance
from server.video.service.languages import Languages
from server.video.service.remote_help import RemoteHelp
from server.video.service.rooms import PhoneReport, Rooms
from server.video.service.sessions import Sessions
from server.video.service.signalling import Signalling
from server.video.service.speaker import Speaker
from server.web.base import Web
from server.web.errors import MessageOutOfOrder
from server.web.routing import Asked
from server.web.sockets.page_socket import PageSocket, SocketBase
from server.web.sockets.rate_limiter import RateLimiter

# What is written down or draws a desk anew: a page of ours says some ten of them, then one now and then.
WORDS_BURST = 80
WORDS_A_SECOND = 2.0
#: What is written down: at the pace of its session.
WRITTEN = (
    m.Camera,
    m.SignalOffer,
    m.CallerMedia,
    m.Visibility,
    m.LanguageChosen,
    m.RungChanged,
    m.NetworkReport,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerServices:
    """What a phone's socket works with; `words` limits for each session how often something is written down."""

    links: InvitationLinks
    sessions: Sessions
    signalling: Signalling
    languages: Languages
    remote_help: RemoteHelp
    rooms: Rooms
    ice: IceServers
    ladder: Ladder
    words: RateLimiter = field(
        default_factory=lambda: RateLimiter("words", a_second=WORDS_A_SECOND, burst=WORDS_BURST)
    )


class CallerSocketBase(SocketBase):
    """What a phone says and is told, whatever carries it."""

    kind: ClassVar[str] = "caller"

    def serve(self, services: CallerServices) -> None:
        """Start before the hello: no session."""
        self.links = services.links
        self.sessions = services.sessions
        self.signalling = services.signalling
        self.languages = services.languages
        self.help = services.remote_help
        self.rooms = services.rooms
        self.ice = services.ice
        self.ladder = services.ladder
        self.words = services.words
        self._pace = StillAllowance()
        self._session = ""
        self._site = ""
        self._given = 0.0

    async def take(self, frame: str | bytes) -> None:
        """Handle one message: hello first, then anything else; a binary frame is a still."""
        if isinstance(frame, bytes):
            self._still(frame)
            return
        message = parse(m.CALLER_MESSAGES, frame)
        self.web.metrics.frame(self.kind, message.type)
        if isinstance(message, m.CallerHello):
            await self.greet(lambda: self._hello(message))
            return
        if not self._session:
            raise MessageOutOfOrder("before_hello")
        if isinstance(message, WRITTEN):
            self.words.check(self._session, self.web.clock.now())
        if isinstance(message, m.RungChanged):
            self._step(message)
        elif isinstance(message, m.Abilities | m.HelpDone):
            self._helped(message)
        elif isinstance(message, m.Camera | m.CallerMedia | m.Visibility | m.Facing):
            self._tells(message)
        elif isinstance(message, m.NetworkReport):
            found = Preflight(**message.model_dump(exclude={"type"}))
            self.later(lambda: self._explored(found))
        else:
            self._say(message)

    async def _hello(self, hello: m.CallerHello) -> None:
        if self._session:
            raise MessageOutOfOrder("second_hello")
        try:
            admitted = await self.links.enter(hello.token, self.browser(BROWSER_COOKIE))
            self.rooms.check_open(admitted.session)
        except tuple(PHASES) as refusal:
            self._refuse(refusal, None)
            self.shut(refusal)
            return
        ice = self.ice.for_session(admitted.session)
        # Nothing waits from here on: a hello is taken whole or not at all.
        self._session, self._site = admitted.session, admitted.site
        if self.gone:
            return  # its "leave" may follow; the place is its successor's
        room = self.rooms.enter_phone(self._session, self, hello.page)
        changed, room.transport = room.transport != self.transport, self.transport
        self.send(
            {
                "type": "welcome",
                "session": self._session,
                "site": admitted.site_name,
                "state": admitted.state,
                "language": admitted.language,
                "ice": ice,
                "watchers": list(room.desks),
                "shown": room.shown_by,
            }
        )
        room.tell_count()
        self._given = time.monotonic()
        self._tell("online")
        self.sessions.told(self._site, self._session)
        if admitted.language is None and hello.language in BY_CODE:
            self._choose(hello.language, first=True)
        if changed:
            self.later(
                lambda: self.signalling.carried(self._actor(), self._session, self.transport)
            )

    def _choose(self, language: str, *, first: bool = False) -> None:
        self.later(
            lambda: self.languages.choose(self._actor(), self._session, language, first=first)
        )

    def _still(self, frame: bytes) -> None:
        """Hand a still to the desks at once; that there is one is written down beside."""
        if len(frame) > MAX_FRAME:
            raise MessageTooLarge
        self.web.metrics.frame(self.kind, "still")
        if not self._session:
            raise MessageOutOfOrder("before_hello")
        if not self._seated():
            raise SessionEnded
        still, desks = self.ladder.receive(self._by(), self._session, frame, self._pace)
        self.send({"type": "still.ack", "seq": still.seq, "desks": desks})

    async def tick(self) -> None:
        """Renew the relay's credentials before they expire: a reconnection late in a long video must not fail."""
        if self._session and self.ice.due(time.monotonic() - self._given):
            self._given = time.monotonic()
            self.send({"type": "ice", "ice": self.ice.for_session(self._session)})

    def _tell(self, state: str) -> None:
        self.signalling.to_desks(self._session, {"type": "caller.state", "state": state})

    def _seated(self) -> bool:
        return self.rooms.get(self._session).phone is self

    def _actor(self) -> Actor:
        return Actor("phone", self._site, None, self.address)

    def _by(self) -> Speaker:
        return Speaker(self._actor(), self.later)

    def _say(
        self, message: m.SignalOffer | m.CallerIceCandidate | m.LanguageChosen | m.Leave
    ) -> None:
        match message:
            case m.SignalOffer() if not self._seated():
                raise SessionEnded
            case m.SignalOffer(peer=peer, sdp=sdp):
                self.signalling.offer(self._by(), self._session, peer, sdp)
            case m.CallerIceCandidate(peer=peer, candidate=candidate):
                value = candidate.model_dump() if candidate else None
                self.signalling.phone_candidate(self._session, peer, value)
            case m.LanguageChosen(language=language):
                self._choose(language)
            case m.Leave():
                self._happen(SessionQuit("phone", "left"))
            case _:
                assert_never(message)

    def _tells(self, message: m.Camera | m.CallerMedia | m.Visibility | m.Facing) -> None:
        """Take what the phone says of itself; a page whose place was taken speaks for it no more."""
        if isinstance(message, m.Camera):
            self._happen(_camera_event(message.state))
        if not self._seated():
            return
        said = self.rooms.get(self._session).said
        match message:
            case m.Camera(state=state):  # a question replaces what was said of the camera before it
                camera = said.camera if state == "granted" else None
                self._note(replace(said, camera=camera, asking=state == "asking"))
            case m.CallerMedia(camera=camera):
                self._note(replace(said, camera=camera))
                self._tell(camera)
            case m.Visibility(hidden=hidden):
                self._note(replace(said, hidden=hidden))
                self._tell("hidden" if hidden else "visible")
            case m.Facing(facing=facing):
                self._tell(facing)
            case _:
                assert_never(message)

    def _step(self, ladder: m.RungChanged) -> None:
        """Take the new rung at once, since stills follow, and write it down after."""
        if not self._seated():
            raise SessionEnded
        self.ladder.step(self._by(), self._session, ladder.rung, ladder.why)

    def _note(self, said: PhoneReport) -> None:
        """Keep what the phone says of itself: another sentence helps its caller now."""
        if self.rooms.get(self._session).note(said, self.web.clock.now()):
            self.sessions.told(self._site, self._session)

    def _helped(self, message: m.Abilities | m.HelpDone) -> None:
        if not self._seated():
            raise SessionEnded
        if isinstance(message, m.Abilities):
            self.help.able(self._session, message.model_dump(exclude={"type"}))
            return
        self.help.answered(self._by(), self._session, message.order, message.outcome, message.why)

    async def _explored(self, found: Preflight) -> None:
        if self._seated() and await self.signalling.explored(self._actor(), self._session, found):
            self.sessions.told(self._site, self._session)

    def _happen(self, event: Event) -> None:
        async def work() -> None:
            await self.sessions.happen(self._session, event, self._actor())

        self.later(work)

    def left(self) -> None:
        """Leave the room; the picture goes on without the socket."""
        if self._session and self.rooms.leave_phone(self._session, self):
            self.rooms.get(self._session).told = self.web.clock.now()
            self.sessions.told(self._site, self._session)
            self._tell("offline")


class CallerSocket(CallerSocketBase, PageSocket):
    """WS /ws/caller."""

    wants_json = True
    old_cookies = True

    def __init__(self, *asked: *Asked, web: Web, services: CallerServices) -> None:
        super().__init__(*asked, web=web)
        self.serve(services)


def _camera_event(state: str) -> Event:
    if state == "asking":
        return CameraAsked()
    return CameraGranted() if state == "granted" else CameraRefused(state)
