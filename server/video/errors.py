"""Refusals of sessions, signalling (I1), remote help and pictures."""

from server.core.errors import Conflict, Forbidden, Invalid, NotFound, TooMany
from server.protocol.errors import SdpRefused


class SessionEnded(Conflict):
    """The video is over."""

    code = "session_ended"


class OpenElsewhere(Conflict):
    """The link is bound to the first browser that tapped (I5)."""

    code = "open_elsewhere"


class SdpAudio(SdpRefused):
    """An audio m-line: never, in any session (I1)."""

    code = "sdp_audio"


class SdpCodec(SdpRefused):
    """A codec that is not known as one of pictures (I1)."""

    code = "sdp_codec"


class SdpDataChannel(SdpRefused):
    """A data channel was never planned (I1)."""

    code = "sdp_data_channel"


class SdpMalformed(SdpRefused):
    """Not a session description (RFC 8866) with exactly one video m-line."""

    code = "sdp_malformed"


class IceCandidateMalformed(Invalid):
    """Not an ICE candidate (RFC 8839)."""

    code = "candidate_malformed"


class IceCandidateLeftOut(Invalid):
    """An ICE candidate at which no peer can be: it goes no further, and only the count tells."""

    code = "candidate_left_out"


class PhoneAway(Conflict):
    """Nobody is there to do it."""

    code = "phone_away"


class HelpFlood(TooMany):
    """The phone has not answered the orders it has."""

    code = "help_flood"


class PictureMalformed(Invalid):
    """What came is not one plain JPEG."""

    code = "picture_malformed"


class PictureTooLarge(Invalid):
    """More bytes or more pixels than a page of ours sends."""

    code = "picture_too_large"


class PictureTooMany(TooMany):
    """More pictures than a page of ours sends."""

    code = "picture_too_many"


class PhotoUnknown(NotFound):
    """No photo of this site has this id, or its session has ended."""

    code = "photo_unknown"


class SnapshotNotAllowed(Forbidden):
    """The site keeps no pictures."""

    code = "snapshot_not_allowed"


class SnapshotTooMany(TooMany):
    """More pictures of one video than anybody looks at again."""

    code = "snapshot_too_many"


class SnapshotUnknown(NotFound):
    """No picture of this site has this id."""

    code = "snapshot_unknown"


class SnapshotErased(NotFound):
    """It was erased."""

    code = "snapshot_erased"
