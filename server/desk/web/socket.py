"""The socket of page B."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, Final

from server.core.bus import Bus, SiteChanged
from server.core.errors import Forbidden, StationUnknown, Unauthenticated
from server.core.sites import SiteStore, Station
from server.core.tasks import create_task
from server.desk.errors import PointerFlood
from server.desk.service.recent import Recent
from server.desk.service.view import Desk, DeskView, sessions_of
from server.desk.web.seats import Seat
from server.desk.web.third_parties import THIRD, ThirdParties
from server.identity.domain.access import Permission, may
from server.identity.domain.watched_videos import VideoWatch
from server.identity.errors import SignInOver
from server.identity.web.signed_in import SESSION_COOKIE, STATION_COOKIE
from server.invitations.service.invitations import InvitationRequest, Invitations
from server.invitations.store.invitations import InvitationStore
from server.line15.service.launch import Launch, Launched
from server.observers.store import ObserverStore
from server.protocol import desk as m
from server.protocol.message import parse
from server.reconcile.service.relinking import CallLinks
from server.video.domain.session import Event, MediaFlowing, PeerLost, Session, SessionState
from server.video.service.ice import IceServers
from server.video.service.ladder import Ladder
from server.video.service.languages import Languages
from server.video.service.photos import Photos
from server.video.service.remote_help import HelpRequest, PointerThrottle, RemoteHelp
from server.video.service.rooms import Rooms, Viewer
from server.video.service.sessions import Sessions
from server.video.service.signalling import Signalling
from server.video.service.speaker import Speaker
from server.video.store.sessions import SessionStore
from server.web.base import Web
from server.web.errors import MessageOutOfOrder

PERIODIC = timedelta(seconds=30)
GATHER_SECONDS = 0.02  # at least between two views of a desk
#: What a phone says of itself between tap and first picture is shown together, after it.
SOON_SECONDS = 0.25


class DeskSocket(ThirdParties):
    """WS /ws/desk."""

    kind: ClassVar[str] = "desk"
    permission = Permission.DESK_USE
    wants_json = True
    finishes = True

    bus: Bus
    view: DeskView
    recent: Recent
    launch: Launch
    invitations: Invitations
    languages: Languages
    call_links: CallLinks
    sessions: Sessions
    signalling: Signalling
    help: RemoteHelp
    rooms: Rooms
    ice: IceServers
    ladder: Ladder
    photos: Photos

    def initialize(self, web: Web, **services: Any) -> None:
        """Start before the hello: no peer, no station, nothing watched."""
        super().initialize(web, **services)
        self.peer = ""
        self.name = ""
        self._station: Station | None = None
        self._launched: Launched | None = None
        self._watching: str | None = None
        self._seen: Session | None = None
        self._watch: VideoWatch | None = None  # what its sign-in remembers of it
        self._shown: frozenset[str | None] = frozenset()
        self._blind = False  # the last view could not be made
        self._dirty = asyncio.Event()
        self._soon: asyncio.TimerHandle | None = None
        self._finger = PointerThrottle(
            lambda session, place: self.help.point(session, self.peer, place)
        )
        self._unsubscribe: Callable[[], None] = lambda: None

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Upgrade; `prepare` has checked who it is."""
        await super().get(*args, **kwargs)

    async def tick(self) -> None:
        """Close at once when the sign-in was revoked, or the role no longer uses a desk.

        A sign-in that ended by itself lets a video go on to its end, and nothing else be begun.
        """
        found = await self.web.sign_ins.look(self.get_cookie(SESSION_COOKIE) or "")
        if found is None:
            self.shut(Unauthenticated())
            return
        if not may(found.user.role, Permission.DESK_USE):
            self.shut(Forbidden("role_changed"))
            return
        self.sign_in = found
        self.held = await self.web.sign_ins.held(found) if found.over else None
        if found.over and not self.held:
            self.shut(SignInOver())
        elif found.site != self.site:  # what the site has decided since
            self.site = found.site
            self._dirty.set()

    async def take(self, frame: str | bytes) -> None:
        """Handle one message: hello first, then anything else."""
        message = parse(m.DESK_MESSAGES, frame)
        self.web.metrics.frame(self.kind, message.type)
        if isinstance(message, m.DeskHello):
            await self.greet(lambda: self._hello(message))
            return
        if not self.peer:
            raise MessageOutOfOrder("before_hello")
        await self._check_over(message)
        if signal := SIGNALS.get(type(message)):
            getattr(self, signal)(message)
            return
        handler: Callable[[Any], Awaitable[None]] = getattr(self, HANDLERS[type(message)])
        self.later(lambda: handler(message))

    async def _check_over(self, message: m.DeskMessage) -> None:
        """After the end of the sign-in: only what concerns a video that is held, and who could take it over."""
        ends = self.sign_in.standing.ends if self.sign_in else None
        if self.held is None and (ends is None or self.web.clock.now() >= ends):
            await self.tick()  # it may have been prolonged since it was looked at
        if self.held is None:
            return
        if not isinstance(message, FINISHING):
            raise SignInOver("begins")
        match message:
            case m.StationList():
                return
            case m.ObserverRemove() | m.InvitationRevoke():
                self.check_held(await self._concerned(message))
            case _:
                self.check_held(message.session)

    async def _concerned(self, message: m.ObserverRemove | m.InvitationRevoke) -> str:
        """Return the video to which somebody was invited."""
        site = self.me()[1].id
        async with self.web.transactions(write=False) as uow:
            if isinstance(message, m.ObserverRemove):
                return (await ObserverStore(uow).get(site, message.observer)).session
            return (await InvitationStore(uow).get(site, message.invitation)).session

    async def _hello(self, hello: m.DeskHello) -> None:
        if self.peer:
            raise MessageOutOfOrder("second_hello")
        user, site = self.me()
        launched = None
        watch = hello.watch if self.held is None or hello.watch in self.held else None
        if hello.launch and self.held is None:
            launched = await self.launch.resolve(self.actor(), hello.launch, accept=hello.accept)
        async with self.web.transactions(write=False) as uow:
            known = {s.extension: s for s in await SiteStore(uow).stations(site.id)}
            live = await SessionStore(uow).live_stations(site.id)
        if hello.station and hello.station not in known:
            raise StationUnknown
        watched = await self.sessions.get(site.id, watch) if watch else None
        # Nothing waits from here on: a hello is taken whole or not at all.
        named = launched.station if launched and not (hello.station and hello.chosen) else None
        # The cookie is the PC's: another window of it may have changed it since.
        own = hello.station or self.get_cookie(STATION_COOKIE)
        extension = named or own if self.held is None else self._seat_left(watched, own, hello.peer)
        station = known.get(extension or "")
        if station and not self.gone:
            seat = Seat(self, hello.peer, user.name, user.id, self.web.clock.now())
            where = station.extension
            take = hello.take and self.held is None
            self.seats.sit(site.id, where, seat, take=take, live=where in live)
        # Whoever was refused the seat has said nothing: the same page says hello again when it means it.
        self.peer, self.name = hello.peer, user.name
        self._launched, self._station = launched, station
        if self.gone:
            return
        self._unsubscribe = self.bus.subscribe(site.id, self._changed)
        self._beside.append(create_task(self._show(), "desk.show"))
        if watched:
            self._enter(watched)
        self._dirty.set()

    def _seat_left(self, watched: Session | None, own: str | None, peer: str) -> str | None:
        """Return where a desk may sit once its sign-in is over: its own place at its video, if nobody else sits there.

        Without a seat it sees its video all the same.
        """
        user, site = self.me()
        if watched is None or self.sign_in is None or own is None:
            return None
        its = own in self.web.sign_ins.seats(self.sign_in, watched.id, watched.station)
        return own if its and self.seats.is_left(site.id, own, user.id, peer) else None

    def _changed(self, change: SiteChanged) -> None:
        here = self._station.extension if self._station else None
        mine = change.session is not None and change.session in {self._watching, *self._shown}
        if change.stations and here not in change.stations and not mine:
            return
        if not change.soon:
            self._dirty.set()
        elif self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(SOON_SECONDS, self._dirty.set)

    async def _show(self) -> None:
        """Send the whole view after each change: the first at once, those that come close behind in one."""
        loop, last = asyncio.get_running_loop(), 0.0
        while not self.over.is_set():
            try:
                async with asyncio.timeout(PERIODIC.total_seconds()):
                    await self._dirty.wait()
            except TimeoutError:
                pass
            await asyncio.sleep(last + GATHER_SECONDS - loop.time())
            self._dirty.clear()
            if self._soon is not None:
                self._soon.cancel()
                self._soon = None
            last = loop.time()
            desk = Desk(*self.me(), self._station, self._launched, self._watching)
            await self._send_view(desk)

    async def _send_view(self, desk: Desk) -> None:
        try:
            view = await self.view.of(desk)
            self._shown = sessions_of(view)
            self.send(view)
            self._blind = False
        except Exception as fault:  # noqa: BLE001 - the desk lives on and is shown the next view
            self.tell(fault, again=self._blind)
            self._blind = True
            await asyncio.sleep(1)
            self._dirty.set()

    def _done(self, command: str, **result: object) -> None:
        self.send({"type": "done", "id": command, "result": result})

    async def _invite(self, message: m.Invite) -> None:
        request = self._request(message.id, message.call, message.mobile, message.email)
        request = replace(request, new_session=message.new_session)
        session = await self.invitations.invite(self.actor(), request)
        self._done(message.id, session=session.id)

    def _request(
        self, command: str, call: str | None, mobile: str | None = None, email: str | None = None
    ) -> InvitationRequest:
        return InvitationRequest(
            command=command,
            station=self._station.extension if self._station else None,
            mobile=mobile,
            email=email,
            call=call,
            launched=self._launched.call if self._launched else None,
        )

    async def _resend(self, message: m.InvitationResend) -> None:
        await self.invitations.resend(self.actor(), message.invitation, message.id)
        self._done(message.id)

    async def _revoke(self, message: m.InvitationRevoke) -> None:
        await self.invitations.revoke(self.actor(), message.invitation)
        self._done(message.id)

    async def _move(self, message: m.InvitationMove) -> None:
        await self.invitations.move(self.actor(), message.invitation, message.id)
        self._done(message.id)

    async def _watch_command(self, message: m.SessionWatch) -> None:
        self._enter(await self.sessions.get(self.me()[1].id, message.session))
        self._done(message.id, session=message.session, ice=self.ice.for_session(message.session))
        self._dirty.set()

    def _enter(self, found: Session) -> None:
        """Watch a session, instead of the former one; a page that has left takes no place from its successor."""
        session = found.id
        if self.gone:
            return
        if self._watching and self._watching != session:
            self._turn_away(self._watching)
            if self.held is None:  # what it watched at its end it may come back to
                self._forget(self._watching)
        self._watching = session
        if found.state is not SessionState.ENDED:
            self._remember(session)
            self.rooms.enter_desk(session, self.peer, self, self._viewer())
            self._seen = found
            self.sessions.publish(found)
            if photo := self.photos.of(session):
                self.send(photo.told())

    def _remember(self, session: str) -> None:
        if self.sign_in is not None:
            where = self._station.extension if self._station else None
            watches = self.web.sign_ins.watches
            self._watch = watches.begin(self.sign_in.id, self.peer, session, where)

    def _forget(self, session: str) -> None:
        if self.sign_in is not None:
            self.web.sign_ins.watches.leave(self.sign_in.id, self.peer, session)

    def _turn_away(self, session: str) -> None:
        """Leave a room on purpose; whoever still sees that picture learns it."""
        self.rooms.dismiss_desk(session, self.peer)
        if self._seen is not None:
            self.sessions.publish(self._seen)
            self._seen = None

    def _viewer(self) -> Viewer:
        where = f" · poste {self._station.extension}" if self._station else ""
        # All who see read this id, observers too; the peer's own name is between this page and the phone.
        shown = "d-" + hashlib.sha256(self.peer.encode()).hexdigest()[:16]
        return Viewer(shown, self.name + where, "desk", self.web.clock.now())

    async def _end(self, message: m.SessionEnd) -> None:
        station = self._station.extension if self._station else None
        ended = await self.sessions.quit(self.actor(), message.session, station)
        if not ended and self._watching == message.session:
            self._turn_away(message.session)
            self._forget(message.session)
            self._watching = None
        self._done(message.id, ended=ended)

    async def _recent(self, message: m.SessionsRecent) -> None:
        user, site = self.me()
        station = self._station.extension if self._station else ""
        self._done(message.id, sessions=await self.recent.of(site.id, user.id, station))

    async def _choose(self, message: m.CallLinkChoose) -> None:
        await self.call_links.choose(self.actor(), message.session, message.call)
        self._done(message.id)

    async def _manual(self, message: m.CallLinkManual) -> None:
        await self.call_links.manual(self.actor(), message.session, message.value)
        self._done(message.id)

    async def _language(self, message: m.CallerLanguage) -> None:
        await self.languages.choose(self.actor(), message.session, message.language)
        self._done(message.id)

    async def _none(self, message: m.CallLinkNone) -> None:
        await self.call_links.none(self.actor(), message.session)
        self._done(message.id)

    def _seated(self, session: str) -> None:
        """Refuse who is not in the room under this name: pages mint their own names."""
        if self.rooms.get(session).desks.get(self.peer) is not self:
            raise MessageOutOfOrder("not_watching")

    def _answer(self, message: m.SignalAnswer) -> None:
        self._seated(message.session)
        by = Speaker(self.actor(), self.later)
        self.signalling.answer(by, message.session, self.peer, message.page, message.sdp)

    def _candidate(self, message: m.DeskIceCandidate) -> None:
        self._seated(message.session)
        candidate = message.candidate.model_dump() if message.candidate else None
        self.signalling.desk_candidate(message.session, self.peer, message.page, candidate)

    def _restart(self, message: m.SignalRestart) -> None:
        self._seated(message.session)
        self.signalling.to_phone(message.session, self.peer, {"type": "signal.restart"})

    def _media(self, message: m.DeskMedia) -> None:
        """Tell the phone at once who shows its picture; write down after that the video flows, or is lost to all."""
        if message.session != self._watching:
            raise MessageOutOfOrder("not_watching")
        flows = message.state == "flowing"
        room = self.rooms.get(message.session)
        if room.desks.get(self.peer) is self:
            room.show(self.peer, on=flows)
        event = MediaFlowing() if flows else PeerLost()
        self.later(lambda: self._judged(message.session, event))

    async def _judged(self, session: str, event: Event) -> None:
        if isinstance(event, PeerLost) and self.rooms.get(session).shown:
            return  # another desk shows it: the last to lose it says so
        await self.sessions.happen(session, event, self.actor())

    def _webcam(self, message: m.Webcam) -> None:
        if message.on and not (self._station and self._station.webcam):
            raise Forbidden("no_webcam")
        self._seated(message.session)
        self.signalling.to_phone(message.session, self.peer, {"type": "webcam", "on": message.on})

    def _ask_rung(self, message: m.RungAsked) -> None:
        self._seated(message.session)
        by = Speaker(self.actor(), self.later)
        self.ladder.ask(by, message.session, self.peer, message.rung)

    async def _help(self, message: Any) -> None:
        do, field = HELP[type(message)]
        self._seated(message.session)
        value = getattr(message, field) if field else None
        asked = HelpRequest(message.id, message.session, self.peer, do, value)
        await self.help.ask(self.actor(), asked)
        self._done(message.id)

    def _point(self, message: m.HelpPoint) -> None:
        self._seated(message.session)
        if not self._finger.point(message.session, (message.x, message.y)):
            self.web.metrics.refused(PointerFlood.code)

    def left(self) -> None:
        """Leave the seat and the room; the phone keeps its picture, in case we only lost our socket."""
        self._unsubscribe()
        self._finger.rest()
        self._dirty.set()  # ends the showing
        if self._watch is not None:
            self._watch.lost = self.web.clock.now()
        if self._station and self.site:
            self.seats.rise(self.site.id, self._station.extension, self)
        if self._watching:
            self.rooms.leave_desk(self._watching, self.peer, self)
        if self._seen is not None:
            self.sessions.publish(self._seen)  # who sees it is shown to all who do


#: What a desk may still say of its video when the sign-in has ended: nothing reaches anybody new by it; who was reached
#: may be put out.
FINISHING: Final = (
    m.SessionWatch,
    m.SessionEnd,
    m.HandOverOffer,
    m.StationList,
    m.ObserverRemove,
    m.InvitationRevoke,
    m.CallLinkChoose,
    m.CallLinkManual,
    m.CallLinkNone,
    m.CallerLanguage,
    m.SignalAnswer,
    m.DeskIceCandidate,
    m.SignalRestart,
    m.DeskMedia,
    m.Webcam,
    m.RungAsked,
    m.HelpCamera,
    m.HelpTorch,
    m.HelpZoom,
    m.HelpPrefer,
    m.HelpMessage,
    m.HelpPoint,
)

#: What each order is called on the phone, and which field is its value.
HELP: dict[type[Any], tuple[str, str]] = {
    m.HelpCamera: ("camera", ""),
    m.HelpTorch: ("torch", "on"),
    m.HelpZoom: ("zoom", "zoom"),
    m.HelpPrefer: ("prefer", "prefer"),
    m.HelpMessage: ("message", "message"),
}

#: Commands: awaited one after the other, each answered by `done` or an error of its id.
HANDLERS: dict[type[Any], str] = {
    m.Invite: "_invite",
    **THIRD,
    m.InvitationResend: "_resend",
    m.InvitationRevoke: "_revoke",
    m.InvitationMove: "_move",
    m.SessionWatch: "_watch_command",
    m.SessionEnd: "_end",
    m.SessionsRecent: "_recent",
    m.CallLinkChoose: "_choose",
    m.CallLinkManual: "_manual",
    m.CallLinkNone: "_none",
    m.CallerLanguage: "_language",
    **dict.fromkeys(HELP, "_help"),
}

#: What is acted on at once and not answered.
SIGNALS: dict[type[Any], str] = {
    m.SignalAnswer: "_answer",
    m.DeskIceCandidate: "_candidate",
    m.SignalRestart: "_restart",
    m.Webcam: "_webcam",
    m.RungAsked: "_ask_rung",
    m.HelpPoint: "_point",
    m.DeskMedia: "_media",
}
