"""Refusals of messages, and of the descriptions in them (I1)."""

from server.core.errors import Invalid


class SdpRefused(Invalid):
    """The description breaks the rule of the muted picture."""

    code = "sdp_refused"


class SdpTooLarge(SdpRefused):
    """Larger than any honest description."""

    code = "sdp_too_large"


class MessageMalformed(Invalid):
    """Not a JSON object of a known form."""

    code = "message_malformed"


class MessageUnknown(Invalid):
    """A type this protocol does not have."""

    code = "message_unknown"


class MessageTooLarge(Invalid):
    """Past 64 kB."""

    code = "message_too_large"
