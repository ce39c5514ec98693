"""The paths of the desk: its page, the choice of a station, its socket."""

from typing import Any

from tornado.routing import URLSpec

from server.desk.web.page import LAUNCHES_A_SECOND, LAUNCHES_BURST, DeskPage, DeskStation
from server.desk.web.seats import Seats
from server.desk.web.socket import DeskSocket
from server.identity.web.signed_in import SignInWeb
from server.line15.service.launch import Launch
from server.web.sockets.rate_limiter import RateLimiter


def routes(web: SignInWeb, launch: Launch, **services: Any) -> list[URLSpec]:
    """List the paths of the desk; `services`: what its socket needs besides."""
    base = {"web": web, "seats": Seats()}
    launches = RateLimiter("launches", a_second=LAUNCHES_A_SECOND, burst=LAUNCHES_BURST)
    return [
        URLSpec(r"/desk", DeskPage, {**base, "launch": launch, "launches": launches}),
        URLSpec(r"/desk/station", DeskStation, base),
        URLSpec(r"/ws/desk", DeskSocket, {**base, "launch": launch, **services}),
    ]
