"""The link of an observer: a page that shows the muted picture and nothing else; one tap, one browser, one socket."""

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final, assert_never

from tornado.routing import Rule

from server.core.audit_entries import Actor
from server.core.bus import Bus, SiteChanged
from server.core.errors import AppError, Forbidden, Unavailable
from server.core.tasks import create_task
from server.core.words.for_observer import for_observer
from server.observers.errors import ObserverRemoved, ViewersFull
from server.observers.service import ObserverLinkTarget, Observers
from server.protocol import desk as m
from server.protocol.message import parse
from server.protocol.observer import OBSERVER_MESSAGES, ObserverHello
from server.video.errors import OpenElsewhere, SessionEnded
from server.video.service.ice import IceServers
from server.video.service.rooms import Rooms
from server.video.service.signalling import Signalling
from server.video.service.speaker import Speaker
from server.web.base import Web
from server.web.errors import (
    InvitationLinkExpired,
    InvitationLinkUnknown,
    MessageFlood,
    MessageOutOfOrder,
)
from server.web.link_as_sent import OBSERVER, TOKEN
from server.web.links import DottedHostMatches, InvitationLinkHandler, LinkAsSentMatches, PageAsSent
from server.web.routing import Asked, path, rule
from server.web.sockets.page_socket import PageSocket
from server.web.sockets.rate_limiter import RateLimiter
from server.web.status import status_of

COOKIE: Final = "v15_observer"
CLOSED: Final = (
    InvitationLinkExpired,
    InvitationLinkUnknown,
    ObserverRemoved,
    OpenElsewhere,
    SessionEnded,
)
#: What a room says that concerns an observer; the rest is the desks' own.
HEARD: Final = frozenset({"signal.offer", "signal.candidate", "caller.state"})
GATHER_SECONDS: Final = 0.05
COMES_BURST: Final = 10  # times an observer may come at once; each is a row of the audit
COMES_A_SECOND: Final = 0.1
WORDS_BURST: Final = 60  # answers and requests for a new path: a page of ours says one a connection
WORDS_A_SECOND: Final = 1.0


class ObserverPage(InvitationLinkHandler):
    """GET /o/TOKEN."""

    def __init__(self, *asked: *Asked, web: Web, observers: Observers) -> None:
        super().__init__(*asked, web=web)
        self.observers = observers

    async def get(self, token: str) -> None:
        """Show who invites and one button, or why the link does not work; a GET uses nothing up (I5)."""
        try:
            found = await self.observers.look(token, self.get_cookie(COOKIE))
        except CLOSED as refusal:
            self.name_browser(COOKIE, 1)
            self._close(refusal, await self.observers.site_of(token))
            return
        bound = found.observer.browser_hash is not None
        self.name_browser(COOKIE, 1, bound=bound)
        boot = {"token": token, "bound": bound}
        self._show(found.site.name, 200, closed=None, boot=boot, by=found.by)

    async def head(self, token: str) -> None:
        """Say what a GET would, and leave nothing."""
        try:
            await self.observers.look(token, self.get_cookie(COOKIE))
        except CLOSED as refusal:
            self.set_status(status_of(refusal))
        self.finish()

    def _close(self, why: AppError, site_name: str) -> None:
        self.web.metrics.refused(why.code)
        said = for_observer(why)
        self._show(site_name, status_of(why), closed=why, said=said, boot=None, by="")

    def _show(self, name: str, status: int, **context: object) -> None:
        self.page("observer/main.html", status, site_name=name, **context)


class ObserverPageAsSent(PageAsSent, ObserverPage):
    """GET /o/…."""

    letter = OBSERVER

    def say_unknown(self) -> None:
        """Say so on the observer's page."""
        self._close(InvitationLinkUnknown("no_token"), "")


class ObserverJoin(InvitationLinkHandler):
    """POST /o/TOKEN/join: the tap."""

    wants_json = True

    def __init__(self, *asked: *Asked, web: Web, observers: Observers) -> None:
        super().__init__(*asked, web=web)
        self.observers = observers

    async def post(self, token: str) -> None:
        """Bind the link to this browser."""
        browser = self.get_cookie(COOKIE) or secrets.token_urlsafe(24)
        await self.observers.bind(token, self.request.remote_ip, browser)
        self.set_secret_cookie(COOKIE, browser, days=1)
        self.json({})


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserverServices:
    """What an observer's socket works with; `comes` and `words` limit what each observer may cause."""

    observers: Observers
    signalling: Signalling
    rooms: Rooms
    bus: Bus
    ice: IceServers
    comes: RateLimiter = field(
        default_factory=lambda: RateLimiter("comes", a_second=COMES_A_SECOND, burst=COMES_BURST)
    )
    words: RateLimiter = field(
        default_factory=lambda: RateLimiter("words", a_second=WORDS_A_SECOND, burst=WORDS_BURST)
    )


class ObserverSocket(PageSocket):
    """WS /ws/observer."""

    kind: ClassVar[str] = "observer"
    wants_json = True
    old_cookies = True

    def __init__(self, *asked: *Asked, web: Web, services: ObserverServices) -> None:
        """Start before the hello: nobody."""
        super().__init__(*asked, web=web)
        self.observers = services.observers
        self.signalling = services.signalling
        self.rooms = services.rooms
        self.bus = services.bus
        self.ice = services.ice
        self.comes = services.comes
        self.words = services.words
        self.peer = ""
        self._found: ObserverLinkTarget | None = None
        self._dirty = asyncio.Event()
        self._unsubscribe: Callable[[], None] = lambda: None

    def send(self, message: Mapping[str, object]) -> None:
        """Pass on what an observer may hear; a room also says things that are between phone and desk."""
        kind = str(message.get("type"))
        if kind in HEARD or kind in {"welcome", "participants", "ended", "error", "tick"}:
            super().send(message)

    def show(self, key: str, frame: bytes) -> None:
        """Keep stills of a weak network with the desks: an observer reads that the picture stopped, and since when."""

    async def take(self, frame: str | bytes) -> None:
        """Handle one message: hello first, then signalling of this session only (I7)."""
        message = parse(OBSERVER_MESSAGES, frame)
        self.web.metrics.frame(self.kind, message.type)
        if isinstance(message, ObserverHello):
            await self.greet(lambda: self._hello(message))
            return
        found = self._found
        if found is None:
            raise MessageOutOfOrder("before_hello")
        session = found.session.id
        if message.session != session or self.rooms.get(session).desks.get(self.peer) is not self:
            raise MessageOutOfOrder("not_watching")
        self._signal(found, message)

    def _signal(
        self,
        found: ObserverLinkTarget,
        message: m.SignalAnswer | m.DeskIceCandidate | m.SignalRestart,
    ) -> None:
        session = found.session.id
        match message:
            case m.SignalAnswer(page=page, sdp=sdp):
                self.words.check(found.observer.id, self.web.clock.now())
                by = Speaker(self._actor(found), self.later)
                self.signalling.answer(by, session, self.peer, page, sdp)
            case m.DeskIceCandidate(page=page, candidate=candidate):
                value = candidate.model_dump() if candidate else None
                self.signalling.desk_candidate(session, self.peer, page, value)
            case m.SignalRestart():
                self.words.check(found.observer.id, self.web.clock.now())
                self.signalling.to_phone(session, self.peer, {"type": "signal.restart"})
            case _:
                assert_never(message)

    def _actor(self, found: ObserverLinkTarget) -> Actor:
        return Actor("observer", found.site.id, None, self.request.remote_ip)

    async def _hello(self, hello: ObserverHello) -> None:
        if self._found is not None:
            raise MessageOutOfOrder("second_hello")
        try:
            found = await self.observers.enter(hello.token, self.get_cookie(COOKIE))
            if self.gone:
                return
            # Nothing waits from here on: a hello is taken whole or not at all.
            ice = self.ice.for_session(found.session.id)
            self.comes.check(found.observer.id, self.web.clock.now())
            # Minted here: an observer that chose its own could take a desk's place.
            own = f"{found.observer.id}:{hello.page}"
            self.peer = "o-" + hashlib.sha256(own.encode()).hexdigest()[:24]
            self.observers.seat(found, self.peer, self)
        except (*CLOSED, ViewersFull, MessageFlood) as refusal:
            self._refuse(refusal, None)
            self.shut(refusal)
            return
        self._found = found
        session = found.session
        self.send(
            {
                "type": "welcome",
                "session": session.id,
                "site": found.site.name,
                "by": found.by,
                "ice": ice,
            }
        )
        self._unsubscribe = self.bus.subscribe(found.site.id, self._changed)
        self._beside.append(create_task(self._show(found), "observer.show"))
        self._dirty.set()
        self.later(lambda: self.observers.tell(self._actor(found), found.observer, here=True))

    def _changed(self, change: SiteChanged) -> None:
        if self._found is not None and change.session == self._found.session.id:
            self._dirty.set()

    async def tick(self) -> None:
        """Look every five seconds whether this observer may still be here, whatever was missed."""
        self._dirty.set()

    async def _show(self, found: ObserverLinkTarget) -> None:
        """Say who sees after each change; go when the video ended or the desk says so."""
        again = False
        while not self.over.is_set():
            await self._dirty.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._dirty.clear()
            if self.over.is_set():
                return
            try:
                session, people = await self.observers.state(found.observer)
            except (SessionEnded, Forbidden) as over:
                self._refuse(over, None)
                self.shut(over)
                return
            except Exception as fault:  # noqa: BLE001 - told once, logged when it is ours; the next tick asks again
                self.tell(fault, again=again)
                again = True
                continue
            again = False
            said = self.rooms.get(session.id).said
            shown = [{**one, "can": []} for one in people]
            self.send(
                {
                    "type": "participants",
                    "state": session.state.value,
                    "hidden": said.hidden,
                    "camera": said.camera,
                    "people": shown,
                }
            )

    def left(self) -> None:
        """Leave the room; the phone keeps its connection a while, in case only the socket was lost."""
        self._unsubscribe()
        self._dirty.set()  # ends the showing
        if self._found is None:
            return
        found = self._found
        self.rooms.leave_desk(found.session.id, self.peer, self)
        self._beside.append(create_task(self._told(found), "observer.left"))

    async def _told(self, found: ObserverLinkTarget) -> None:
        try:
            await self.observers.tell(self._actor(found), found.observer, here=False)
        except Unavailable as away:
            self.web.metrics.refused(away.code)


def routes(web: Web, services: ObserverServices) -> list[Rule]:
    """List the paths of observers."""
    observers = services.observers
    return [
        rule(DottedHostMatches(OBSERVER), ObserverPageAsSent, web=web, observers=observers),
        path(rf"/o/({TOKEN})", ObserverPage, web=web, observers=observers),
        rule(LinkAsSentMatches(OBSERVER), ObserverPageAsSent, web=web, observers=observers),
        path(rf"/o/({TOKEN})/join", ObserverJoin, web=web, observers=observers),
        path(r"/ws/observer", ObserverSocket, web=web, services=services),
    ]
