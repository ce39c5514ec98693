"""Refusals of sessions, signalling (I1), remote help and pictures."""

from server.core.errors import Conflict, Forbidden, Invalid, NotFound, TooMany
from server.protocol.errors import SdpRefused


class SessionEnded(Conflict):
    """The video is over."""

    code = "session_ended"
    message = "Cette vidéo est terminée."


class OpenElsewhere(Conflict):
    """The link is bound to the first browser that tapped (I5)."""

    code = "open_elsewhere"
    message = "Ce lien est déjà ouvert sur un autre appareil."
    say = "Le lien est ouvert sur un autre téléphone : gardez celui qui filme."


class SdpAudio(SdpRefused):
    """An audio m-line: never, in any session (I1)."""

    code = "sdp_audio"
    message = "Le son est interdit dans la vidéo : la voix reste sur la ligne 15."


class SdpCodec(SdpRefused):
    """A codec that is not known as one of pictures (I1)."""

    code = "sdp_codec"
    message = (
        "Ce navigateur propose un format d'image inconnu de cette version : essayez-en un autre."
    )


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
    message = "Une adresse réseau inutilisable n'a pas été transmise à l'autre appareil."


class PhoneAway(Conflict):
    """Nobody is there to do it."""

    code = "phone_away"
    message = (
        "Le téléphone n'est pas relié au serveur en ce moment : rien n'a été demandé, réessayez."
    )


class HelpFlood(TooMany):
    """The phone has not answered the orders it has."""

    code = "help_flood"
    message = "Le téléphone ne répond pas assez vite : attendez quelques secondes."


class PictureMalformed(Invalid):
    """What came is not one plain JPEG."""

    code = "picture_malformed"
    message = "Cette image n'est pas lisible : demandez à l'appelant d'en prendre une autre."
    say = "Prenez une autre photo, s'il vous plaît."


class PictureTooLarge(Invalid):
    """More bytes or more pixels than a page of ours sends."""

    code = "picture_too_large"
    message = "Cette image est trop grande : demandez à l'appelant d'en prendre une autre."


class PictureTooMany(TooMany):
    """More pictures than a page of ours sends."""

    code = "picture_too_many"
    message = "Trop d'images en peu de temps : la suivante passera dans quelques secondes."


class PhotoUnknown(NotFound):
    """No photo of this site has this id, or its session has ended."""

    code = "photo_unknown"
    message = "Cette photo n'est plus là : les photos ne sont gardées que le temps de la vidéo."


class SnapshotNotAllowed(Forbidden):
    """The site keeps no pictures."""

    code = "snapshot_not_allowed"
    message = "Ce site ne conserve pas de photo : demandez au référent."


class SnapshotTooMany(TooMany):
    """More pictures of one video than anybody looks at again."""

    code = "snapshot_too_many"
    message = "Cette vidéo a déjà 40 photos : aucune autre n'est conservée."


class SnapshotUnknown(NotFound):
    """No picture of this site has this id."""

    code = "snapshot_unknown"
    message = "Cette photo n'existe pas."


class SnapshotErased(NotFound):
    """It was erased."""

    code = "snapshot_erased"
    message = "Cette photo a été effacée à la demande de la personne concernée."
