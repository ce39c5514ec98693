"""Refusals of requests, links and sockets, whoever asks."""

from server.core.errors import Conflict, Forbidden, Invalid, NotFound, TooMany, Unavailable


class HostUnknown(Invalid):
    """A request under a name that is not in the configuration: somebody else's name may lead here (DNS rebinding)."""

    code = "host_unknown"


class OriginForeign(Forbidden):
    """The page that speaks is not ours."""

    code = "origin_foreign"


class XsrfRefused(Forbidden):
    """The form does not come from our page."""

    code = "xsrf_refused"


class CookiesMissing(XsrfRefused):
    """The browser sends back none of the cookies it was given with the page: it blocks them."""

    code = "cookies_missing"


class InvitationLinkUnknown(NotFound):
    """No invitation has this token."""

    code = "link_unknown"


class InvitationLinkExpired(Conflict):
    """The link is older than its fifteen minutes and was never tapped."""

    code = "link_expired"


class MessageOutOfOrder(Invalid):
    """Known, but not now."""

    code = "message_out_of_order"


class MessageFlood(TooMany):
    """More frames a second than any page sends."""

    code = "message_flood"


class PolledSocketUnknown(NotFound):
    """No such line by requests, or another browser's, or one that ended: its page opens another."""

    code = "wire_unknown"


class PolledSocketGap(Conflict):
    """Frames before these are missing: the page says them again."""

    code = "wire_gap"


class PolledSocketsFull(Unavailable):
    """As many pages are connected by requests as there may be."""

    code = "wires_full"
