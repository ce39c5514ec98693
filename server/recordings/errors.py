"""Refusals of recordings."""

from server.core.errors import NotFound, Unavailable


class RecordingUnknown(NotFound):
    """No recording of this site has this id."""

    code = "recording_unknown"


class RecordingMissing(NotFound):
    """The reference is known, the file is not where it should be."""

    code = "recording_missing"


class RecordingErased(NotFound):
    """The reference was erased with the person it named."""

    code = "recording_erased"


class RecordingOutside(NotFound):
    """No configured folder of this site holds this path."""

    code = "recording_outside"


class RecordingsAway(Unavailable):
    """The folder itself cannot be read: a network disk that is not there."""

    code = "recordings_away"
