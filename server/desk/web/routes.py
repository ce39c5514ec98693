"""The paths of the desk: its page, the choice of a station, its socket."""

from tornado.routing import URLSpec

from server.desk.web.page import LAUNCHES_A_SECOND, LAUNCHES_BURST, DeskPage, DeskStation
from server.desk.web.services import DeskServices
from server.desk.web.socket import DeskSocket
from server.identity.web.signed_in import SignInWeb
from server.web.routing import path
from server.web.sockets.rate_limiter import RateLimiter


def routes(web: SignInWeb, services: DeskServices) -> list[URLSpec]:
    """List the paths of the desk."""
    seats, launch = services.seats, services.launch
    launches = RateLimiter("launches", a_second=LAUNCHES_A_SECOND, burst=LAUNCHES_BURST)
    return [
        path(r"/desk", DeskPage, web=web, seats=seats, launch=launch, launches=launches),
        path(r"/desk/station", DeskStation, web=web, seats=seats),
        path(r"/ws/desk", DeskSocket, web=web, services=services),
    ]
