"""Refusals of recordings."""

from server.core.errors import NotFound, Unavailable


class RecordingUnknown(NotFound):
    """No recording of this site has this id."""

    code = "recording_unknown"
    message = "Cet enregistrement n'existe pas."


class RecordingMissing(NotFound):
    """The reference is known, the file is not where it should be."""

    code = "recording_missing"
    message = (
        "Le fichier de cet enregistrement est absent : prévenez l'administrateur de l'enregistreur."
    )


class RecordingErased(NotFound):
    """The reference was erased with the person it named."""

    code = "recording_erased"
    message = "La référence de cet enregistrement a été effacée."


class RecordingOutside(NotFound):
    """No configured folder of this site holds this path."""

    code = "recording_outside"
    message = "Cet enregistrement n'est dans aucun dossier configuré pour ce site : prévenez l'administrateur."


class RecordingsAway(Unavailable):
    """The folder itself cannot be read: a network disk that is not there."""

    code = "recordings_away"
    message = "Le dossier des enregistrements ne répond pas : réessayez plus tard, ou prévenez l'administrateur."
