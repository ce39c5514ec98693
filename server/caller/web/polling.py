"""The caller's socket by requests (ADR 29): for networks that let pages through and no WebSocket."""

import re
from typing import Final

from tornado.routing import URLSpec

from server.caller.web.page import BROWSER_COOKIE
from server.caller.web.socket import CallerServices, CallerSocketBase
from server.core.errors import Invalid
from server.protocol.message import MAX_FRAME
from server.web.base import Web
from server.web.links import InvitationLinkHandler
from server.web.routing import Asked, path
from server.web.sockets.polling import WINDOW, PolledSocket, PolledSocketOwner, PolledSockets
from server.web.sockets.rate_limiter import RateLimiter

MAX_UP: Final = 3 * MAX_FRAME  # one frame of the largest size, each of its quotes escaped, and room
BYTES: Final = "application/octet-stream"
_NUMBER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_TOKEN: Final = r"/v/([A-Za-z0-9_-]{20,64})"  # noqa: S105 - a pattern
_NAME: Final = r"([A-Za-z0-9_-]{20,64})"


class PolledCallerSocket(CallerSocketBase, PolledSocket):
    """A phone connected by requests."""

    def __init__(self, web: Web, opener: PolledSocketOwner, services: CallerServices) -> None:
        super().__init__(web, opener)
        self.serve(services)


class WireOpening(InvitationLinkHandler):
    """POST /v/TOKEN/wire."""

    wants_json = True

    def __init__(
        self,
        *asked: *Asked,
        web: Web,
        services: CallerServices,
        gestures: RateLimiter,
        sockets: PolledSockets,
    ) -> None:
        super().__init__(*asked, web=web)
        self.services = services
        self.gestures = gestures
        self.sockets = sockets

    async def post(self, token: str) -> None:
        """Open a socket by requests for the browser that tapped, at the pace of its session."""
        browser = self.get_cookie(BROWSER_COOKIE) or ""
        session, _ = await self.services.links.bound(token, browser)
        self.gestures.check(session.id, self.web.clock.now())
        opener = PolledSocketOwner(self.request.remote_ip, browser)
        socket = PolledCallerSocket(self.web, opener, self.services)
        self.json({"wire": self.sockets.open(socket, token)})


class _SocketRequest(InvitationLinkHandler):
    """A request of an open socket: judged without the database."""

    wants_json = True

    def __init__(self, *asked: *Asked, web: Web, sockets: PolledSockets) -> None:
        super().__init__(*asked, web=web)
        self.sockets = sockets

    async def prepare(self) -> None:
        """Ask nobody who is signed in: it goes on while the database is away, whoever tries it out."""

    def socket(self, token: str, name: str) -> PolledSocket:
        """Return the socket, to its own browser."""
        return self.sockets.get(name, token, self.get_cookie(BROWSER_COOKIE))

    def number(self, value: object) -> int:
        """Read the number of a frame."""
        if not _NUMBER.fullmatch(str(value)):
            raise Invalid("frame_number")
        return int(str(value))


class WireUp(_SocketRequest):
    """POST /v/TOKEN/wire/NAME/up."""

    async def post(self, token: str, name: str) -> None:
        """Take frames; those that were taken before are not taken again."""
        socket = self.socket(token, name)
        if self.request.headers.get("Content-Type") == BYTES:
            first = self.number(self.request.headers.get("X-Visio15-Frame"))
            taken = socket.take_up(first, [self.request.body])
            self.json({"taken": taken})
            return
        body = await self.json_body(MAX_UP)
        frames = body.get("frames")
        if not isinstance(frames, list) or len(frames) > WINDOW:
            raise Invalid("frames")
        if not all(isinstance(frame, str) for frame in frames):
            raise Invalid("frames")
        taken = socket.take_up(self.number(body.get("first")), frames)
        if body.get("close") is True:
            socket.goodbye()
        self.json({"taken": taken})


class WireDown(_SocketRequest):
    """POST /v/TOKEN/wire/NAME/down."""

    async def post(self, token: str, name: str) -> None:
        """Wait for frames; `seen` says how many the page has."""
        socket = self.socket(token, name)
        body = await self.json_body()
        handed = await socket.hand_down(self.number(body.get("seen")))
        answer: dict[str, object] = {"first": handed.first, "frames": handed.frames}
        if handed.closed is not None:
            code, reason = handed.closed
            answer["closed"] = {"code": code, "reason": reason}
        self.json(answer)


def routes(web: Web, *, services: CallerServices, gestures: RateLimiter) -> list[URLSpec]:
    """List the paths of sockets by requests."""
    sockets = PolledSockets(web)
    wire = rf"{_TOKEN}/wire"
    return [
        path(wire, WireOpening, web=web, services=services, gestures=gestures, sockets=sockets),
        path(rf"{wire}/{_NAME}/up", WireUp, web=web, sockets=sockets),
        path(rf"{wire}/{_NAME}/down", WireDown, web=web, sockets=sockets),
    ]
