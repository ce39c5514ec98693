"""Refusals of links made afterwards."""

from server.core.errors import Conflict, Invalid


class CallLinkReasonMissing(Invalid):
    """A link that stands is corrected with a reason, written by whoever corrects it."""

    code = "link_reason_missing"


class CallLinkChanged(Conflict):
    """Another person, or a late word of the telephony, linked this video meanwhile."""

    code = "link_changed"


class CallAmbiguous(Conflict):
    """Several calls bear this name."""

    code = "call_ambiguous"
