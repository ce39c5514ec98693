"""Refusals of links made afterwards."""

from server.core.errors import Conflict, Invalid


class CallLinkReasonMissing(Invalid):
    """A link that stands is corrected with a reason, written by whoever corrects it."""

    code = "link_reason_missing"
    message = "Écrivez la raison de la correction, en quelques mots (300 signes au plus)."


class CallLinkChanged(Conflict):
    """Another person, or a late word of the telephony, linked this video meanwhile."""

    code = "link_changed"
    message = "Le lien de cette vidéo a changé entre-temps : relisez, puis recommencez."


class CallAmbiguous(Conflict):
    """Several calls bear this name."""

    code = "call_ambiguous"
    message = "Plusieurs appels portent cet identifiant : ouvrez le bon depuis le journal et copiez le sien."
