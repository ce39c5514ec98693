"""The paths of a caller's link: its pages, what it asks, its socket and the requests in its place."""

from typing import Any

from tornado.routing import Rule, URLSpec

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
from server.caller.web.socket import WORDS_A_SECOND, WORDS_BURST, CallerSocket
from server.invitations.service.links import InvitationLinks
from server.video.service.ice import IceServers
from server.video.service.rooms import Rooms
from server.web.base import Web
from server.web.link_as_sent import CALLER, TOKEN
from server.web.links import DottedHostMatches, LinkAsSentMatches
from server.web.sockets.rate_limiter import RateLimiter

_OPAQUE = r"([A-Za-z0-9_-]{20,64})"


def routes(
    web: Web, *, links: InvitationLinks, rooms: Rooms, ice: IceServers, **services: Any
) -> list[Rule]:
    """List the paths of callers; `services`: what their socket needs besides."""
    base = {"web": web, "links": links}
    gestures = RateLimiter("gestures", a_second=GESTURES_A_SECOND, burst=GESTURES_BURST)
    gesture = {**base, "gestures": gestures}
    words = RateLimiter("words", a_second=WORDS_A_SECOND, burst=WORDS_BURST)
    parts = {"links": links, "rooms": rooms, "ice": ice, "words": words, **services}
    return [
        URLSpec(r"/v/words/([a-z]{2})", CallerWords, {"web": web}),
        Rule(DottedHostMatches(CALLER), CallerPageAsSent, base),
        URLSpec(rf"/v/({TOKEN})", CallerPage, base),
        # The one page below a link; whatever else is read there with GET is the link with a tail.
        URLSpec(rf"/v/({TOKEN})/cannot", CallerCannot, gesture),
        Rule(LinkAsSentMatches(CALLER), CallerPageAsSent, base),
        URLSpec(rf"/v/{_OPAQUE}/open", CallerOpen, {**gesture, "rooms": rooms, "ice": ice}),
        URLSpec(rf"/v/{_OPAQUE}/tap", CallerTap, gesture),
        URLSpec(rf"/v/{_OPAQUE}/release", CallerRelease, gesture),
        URLSpec(r"/ws/caller", CallerSocket, {"web": web, **parts}),
        *polling.routes(web, links, gestures, parts),
    ]
