"""The paths of a caller's link: its pages, what it asks, its socket and the requests in its place."""

from tornado.routing import Rule

from server.caller.web import polling
from server.caller.web.page import (
    GESTURES_A_SECOND,
    GESTURES_BURST,
    CallerCannot,
    CallerOpen,
    CallerPage,
    CallerPageAsSent,
    CallerRelease,
    CallerTap,
    CallerWords,
)
from server.caller.web.socket import CallerServices, CallerSocket
from server.web.base import Web
from server.web.link_as_sent import CALLER, TOKEN
from server.web.links import DottedHostMatches, LinkAsSentMatches
from server.web.routing import path, rule
from server.web.sockets.rate_limiter import RateLimiter

_OPAQUE = r"([A-Za-z0-9_-]{20,64})"


def routes(web: Web, services: CallerServices) -> list[Rule]:
    """List the paths of callers."""
    links = services.links
    gestures = RateLimiter("gestures", a_second=GESTURES_A_SECOND, burst=GESTURES_BURST)
    return [
        path(r"/v/words/([a-z]{2})", CallerWords, web=web),
        rule(DottedHostMatches(CALLER), CallerPageAsSent, web=web, links=links),
        path(rf"/v/({TOKEN})", CallerPage, web=web, links=links),
        # The one page below a link; whatever else is read there with GET is the link with a tail.
        path(rf"/v/({TOKEN})/cannot", CallerCannot, web=web, links=links, gestures=gestures),
        rule(LinkAsSentMatches(CALLER), CallerPageAsSent, web=web, links=links),
        path(
            rf"/v/{_OPAQUE}/open",
            CallerOpen,
            web=web,
            links=links,
            gestures=gestures,
            rooms=services.rooms,
            ice=services.ice,
        ),
        path(rf"/v/{_OPAQUE}/tap", CallerTap, web=web, links=links, gestures=gestures),
        path(rf"/v/{_OPAQUE}/release", CallerRelease, web=web, links=links, gestures=gestures),
        path(r"/ws/caller", CallerSocket, web=web, services=services),
        *polling.routes(web, services=services, gestures=gestures),
    ]
