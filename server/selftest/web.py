"""The self-test of a PC and its network: a page, and a socket that sends back what it is asked to, within limits."""

import time
from collections import deque
from typing import ClassVar, Final, assert_never

from tornado.routing import URLSpec

from server import __version__
from server.core.errors import Forbidden, Unauthenticated
from server.identity.domain.access import Permission, may
from server.identity.web.signed_in import (
    SESSION_COOKIE,
    STATION_COOKIE,
    SignedIn,
    SignedInSocket,
    SignInWeb,
)
from server.protocol import selftest as m
from server.protocol.message import parse
from server.selftest.errors import SelftestRunning, SelftestSpent
from server.video.service.ice import IceServers
from server.web.errors import MessageOutOfOrder
from server.web.routing import Asked, path

MOST_A_TEST: Final = 8_000_000
MOST_A_PERSON: Final = 32_000_000
WINDOW: Final = 600.0  # seconds
PINGS: Final = 100
LEAST: Final = 4_000  # bytes: what handling a message weighs, however small it is


class SelftestPage(SignedIn):
    """GET /selftest."""

    permission = Permission.SELFTEST_USE

    def get(self) -> None:
        """Show the page; it runs by itself."""
        _, site = self.me()
        boot = {
            "socket": "/ws/selftest",
            "version": __version__,
            "site": site.key,
            "station": self.get_cookie(STATION_COOKIE),
        }
        self.page("selftest/main.html", boot=boot)


class Testers:
    """Who tests now, one test a person, and how much each person's tests weighed lately."""

    def __init__(self) -> None:
        """Start with nobody."""
        self._running: dict[str, SelftestSocket] = {}
        self._weights: dict[str, deque[tuple[float, int]]] = {}

    def sit(self, user: str, socket: "SelftestSocket") -> None:
        """Begin; a former test of this person ends."""
        former = self._running.get(user)
        self._running[user] = socket
        if former is not None and former is not socket:
            former.shut(SelftestRunning())

    def rise(self, user: str, socket: "SelftestSocket") -> None:
        """End, and forget the people whose tests are long over."""
        if self._running.get(user) is socket:
            del self._running[user]
        for name in [name for name, seen in self._weights.items() if self._stale(seen)]:
            del self._weights[name]

    def weigh(self, user: str, size: int) -> None:
        """Count so many bytes; SelftestSpent past the limit."""
        now = time.monotonic()
        seen = self._weights.setdefault(user, deque())
        while seen and now - seen[0][0] > WINDOW:
            seen.popleft()
        if sum(each for _, each in seen) + size > MOST_A_PERSON:
            raise SelftestSpent("person")
        seen.append((now, size))

    @staticmethod
    def _stale(seen: deque[tuple[float, int]]) -> bool:
        return not seen or time.monotonic() - seen[-1][0] > WINDOW


class SelftestSocket(SignedInSocket):
    """WS /ws/selftest."""

    kind: ClassVar[str] = "selftest"
    permission = Permission.SELFTEST_USE
    wants_json = True

    def __init__(self, *asked: *Asked, web: SignInWeb, ice: IceServers, testers: Testers) -> None:
        """Start before the hello, with nothing weighed."""
        super().__init__(*asked, web=web)
        self.ice = ice
        self.testers = testers
        self._ready = False
        self._weight = 0
        self._pings = 0

    async def tick(self) -> None:
        """Close when the sign-in was revoked, or the role changed."""
        found = await self.web.sign_ins.look(self.get_cookie(SESSION_COOKIE) or "")
        if found is None or found.over:
            self.shut(Unauthenticated())
        elif not may(found.user.role, Permission.SELFTEST_USE):
            self.shut(Forbidden("role_changed"))

    async def take(self, frame: str | bytes) -> None:
        """Answer one message: hello first."""
        message = parse(m.SELFTEST_MESSAGES, frame)
        self.web.metrics.frame(self.kind, message.type)
        if isinstance(message, m.SelftestHello):
            self._hello()
            return
        if not self._ready:
            raise MessageOutOfOrder("before_hello")
        match message:
            case m.SelftestPing(n=n):
                self._pings += 1
                if self._pings > PINGS:
                    raise SelftestSpent("pings")
                self.send({"type": "pong", "n": n, "now": self.web.clock.now().isoformat()})
            case m.SelftestUp(n=n, data=data):
                self._weigh(len(data))
                self.send({"type": "got", "n": n, "bytes": len(data)})
            case m.SelftestDown(n=n, size=size):
                self._weigh(size)
                self.send({"type": "fill", "n": n, "data": "0" * size})
            case _:
                assert_never(message)

    def _hello(self) -> None:
        if self._ready:
            raise MessageOutOfOrder("second_hello")
        user, _ = self.me()
        ice = self.ice.for_session(f"st-{self.web.ids.new()}")
        self._ready = self.greeting = True
        if self.gone:
            return
        self.testers.sit(user.id, self)
        self.send({"type": "ready", "ice": ice, "now": self.web.clock.now().isoformat()})

    def _weigh(self, size: int) -> None:
        size = max(size, LEAST)
        if self._weight + size > MOST_A_TEST:
            raise SelftestSpent("test")
        self.testers.weigh(self.me()[0].id, size)
        self._weight += size

    def left(self) -> None:
        """Leave the seat."""
        if self.user is not None:
            self.testers.rise(self.user.id, self)


def routes(web: SignInWeb, *, ice: IceServers) -> list[URLSpec]:
    """List the paths of the self-test."""
    return [
        path(r"/selftest", SelftestPage, web=web),
        path(r"/ws/selftest", SelftestSocket, web=web, ice=ice, testers=Testers()),
    ]
