"""The socket of page B."""

from collections.abc import Callable
from typing import ClassVar

from server.core.errors import Forbidden, StationUnknown, Unauthenticated
from server.core.sites import SiteStore
from server.core.tasks import create_task
from server.desk.web.calls import CallCommand, CallCommands
from server.desk.web.connected_desk import ConnectedDesk, Result
from server.desk.web.finishing import check_over
from server.desk.web.invitations import InvitationCommand, InvitationCommands
from server.desk.web.remote_help import HelpCommand, HelpCommands
from server.desk.web.seats import Seat
from server.desk.web.services import DeskServices
from server.desk.web.showing import Showing
from server.desk.web.signals import Signals
from server.desk.web.third_parties import ThirdParties, ThirdPartyCommand
from server.desk.web.watching import SessionCommand, Watching
from server.identity.domain.access import Permission, may
from server.identity.errors import SignInOver
from server.identity.web.signed_in import (
    SESSION_COOKIE,
    STATION_COOKIE,
    SignedInSocket,
    SignInWeb,
)
from server.protocol import desk as m
from server.protocol.message import parse
from server.video.domain.session import Session
from server.video.store.sessions import SessionStore
from server.web.errors import MessageOutOfOrder
from server.web.routing import Asked

#: Awaited one after the other, each answered by `done` or an error of its id.
Command = InvitationCommand | ThirdPartyCommand | SessionCommand | CallCommand | HelpCommand


class DeskSocket(SignedInSocket):
    """WS /ws/desk."""

    kind: ClassVar[str] = "desk"
    permission = Permission.DESK_USE
    wants_json = True
    finishes = True

    def __init__(self, *asked: *Asked, web: SignInWeb, services: DeskServices) -> None:
        """Start before the hello, with those who do what the page asks."""
        super().__init__(*asked, web=web)
        desk = self._desk = ConnectedDesk(self)
        self._services = services
        self._showing = Showing(desk, services.view)
        self._watching = Watching(
            desk,
            sessions=services.sessions,
            rooms=services.rooms,
            ice=services.ice,
            photos=services.photos,
            recent=services.recent,
        )
        self._signals = Signals(
            desk,
            signalling=services.signalling,
            sessions=services.sessions,
            rooms=services.rooms,
            ladder=services.ladder,
        )
        self._help = HelpCommands(desk, remote_help=services.remote_help, rooms=services.rooms)
        self._invitations = InvitationCommands(desk, services.invitations)
        self._calls = CallCommands(
            desk, call_links=services.call_links, languages=services.languages
        )
        self._third_parties = ThirdParties(
            desk,
            spoken=services.spoken,
            observers=services.observers,
            handover=services.handover,
            seats=services.seats,
        )
        self._unsubscribe: Callable[[], None] = lambda: None

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
            self._desk.dirty.set()

    async def take(self, frame: str | bytes) -> None:
        """Handle one message: hello first, then anything else."""
        message = parse(m.DESK_MESSAGES, frame)
        self.web.metrics.frame(self.kind, message.type)
        if isinstance(message, m.DeskHello):
            await self.greet(lambda: self._hello(message))
            return
        if not self._desk.peer:
            raise MessageOutOfOrder("before_hello")
        await check_over(self._desk, message)
        if isinstance(message, Command):
            self.later(lambda: self._answer(message))
        elif isinstance(message, m.HelpPoint):
            self._help.point(message)
        else:
            self._signals.take(message)

    async def _answer(self, message: Command) -> None:
        result = await self._do(message)
        self.send({"type": "done", "id": message.id, "result": result})

    async def _do(self, message: Command) -> Result:
        if isinstance(message, InvitationCommand):
            return await self._invitations.do(message)
        if isinstance(message, ThirdPartyCommand):
            return await self._third_parties.do(message)
        if isinstance(message, SessionCommand):
            return await self._watching.do(message)
        if isinstance(message, CallCommand):
            return await self._calls.do(message)
        return await self._help.do(message)

    async def _hello(self, hello: m.DeskHello) -> None:
        desk, services = self._desk, self._services
        if desk.peer:
            raise MessageOutOfOrder("second_hello")
        user, site = self.me()
        launched = None
        watch = hello.watch if self.held is None or hello.watch in self.held else None
        if hello.launch and self.held is None:
            launched = await services.launch.resolve(
                self.actor(), hello.launch, accept=hello.accept
            )
        async with self.web.transactions(write=False) as uow:
            known = {s.extension: s for s in await SiteStore(uow).stations(site.id)}
            live = await SessionStore(uow).live_stations(site.id)
        if hello.station and hello.station not in known:
            raise StationUnknown
        watched = await services.sessions.get(site.id, watch) if watch else None
        # Nothing waits from here on: a hello is taken whole or not at all.
        named = launched.station if launched and not (hello.station and hello.chosen) else None
        # The cookie is the PC's: another window of it may have changed it since.
        own = hello.station or self.get_cookie(STATION_COOKIE)
        extension = named or own if self.held is None else self._seat_left(watched, own, hello.peer)
        station = known.get(extension or "")
        if station and not self.gone:
            seat = Seat(
                desk=self, peer=hello.peer, name=user.name, user=user.id, since=self.web.clock.now()
            )
            where = station.extension
            take = hello.take and self.held is None
            services.seats.sit(site.id, where, seat, take=take, live=where in live)
        # Whoever was refused the seat has said nothing: the same page says hello again when it means it.
        desk.peer, desk.name = hello.peer, user.name
        desk.launched, desk.station = launched, station
        if self.gone:
            return
        self._unsubscribe = services.bus.subscribe(site.id, self._showing.changed)
        self._beside.append(create_task(self._showing.run(), "desk.show"))
        if watched:
            self._watching.enter(watched)
        desk.dirty.set()

    def _seat_left(self, watched: Session | None, own: str | None, peer: str) -> str | None:
        """Return where a desk may sit once its sign-in is over: its own place at its video, if nobody else sits there.

        Without a seat it sees its video all the same.
        """
        user, site = self.me()
        if watched is None or self.sign_in is None or own is None:
            return None
        its = own in self.web.sign_ins.seats(self.sign_in, watched.id, watched.station)
        return own if its and self._services.seats.is_left(site.id, own, user.id, peer) else None

    def left(self) -> None:
        """Leave the seat and the room."""
        self._unsubscribe()
        self._help.rest()
        self._desk.dirty.set()  # ends the showing
        if self._desk.station and self.site:
            self._services.seats.rise(self.site.id, self._desk.station.extension, self)
        self._watching.leave()
