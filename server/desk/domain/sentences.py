"""What the regulator reads aloud, in one table: for each thing waited for, the sentence now and those for later.

French, for a frightened caller on a bad line: one thing to do, the words that stand on his own screen, nothing
technical. The cause is for the regulator's eyes only. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from server.video.domain.session import BEFORE_ASKING

LONGEST: Final = 140
"""Characters of a sentence: what is said in one breath, and read at a glance."""

# How many seconds a step usually takes at most; past it the next sentence is said. The first is when the
# regulator should ask, the second when he should try another way.
SMS_ASK: Final = 20
SMS_OTHER_WAY: Final = 45
EMAIL_ASK: Final = 30
EMAIL_OTHER_WAY: Final = 60
REFUSED_AGAIN: Final = 30
NETWORK_OTHER_WAY: Final = 30
UNREAD_ASK: Final = 20
UNREAD_GUIDE: Final = 45
UNREAD_OTHER_WAY: Final = 90
UNTAPPED_ASK: Final = 10
UNTAPPED_GUIDE: Final = 30
UNTAPPED_OTHER_WAY: Final = 60
PROMPT_ASK: Final = 12
PROMPT_AGAIN: Final = 30
CAMERA_GUIDE: Final = 20
CAMERA_OTHER_WAY: Final = 45
FRAME_SLOW: Final = 6
FRAME_NETWORK: Final = 15
FRAME_OTHER_WAY: Final = 40
UNHEARD_MAYBE: Final = 1
UNHEARD: Final = 4
AWAY_AGAIN: Final = 12
AWAY_OTHER_WAY: Final = 40
FROZEN_NETWORK: Final = 6
FROZEN_AGAIN: Final = 20


@dataclass(frozen=True, slots=True)
class Say:
    """The sentence to read aloud, and the likely cause when it stalls."""

    text: str
    cause: str = ""


@dataclass(frozen=True, slots=True)
class SentenceAfter:
    """A sentence, and after how many seconds of waiting it is the one to say."""

    after: int
    say: Say


def _stages(first: Say, *later: tuple[int, Say]) -> tuple[SentenceAfter, ...]:
    return (SentenceAfter(0, first), *(SentenceAfter(after, say) for after, say in later))


_OTHER_PHONE: Final = "Y a-t-il un autre téléphone près de vous ? Donnez-moi son numéro."
_SOMEBODY: Final = "Y a-t-il quelqu'un avec vous pour vous aider avec le téléphone ?"
_OPEN_AGAIN: Final = "Rouvrez le message que j'ai envoyé et touchez encore une fois le lien."
_OTHER_BROWSER: Final = "Copiez le lien du message, et ouvrez-le dans Chrome ou Safari."
_PHOTOS: Final = "Je reçois des photos, une par seconde : visez, puis tenez le téléphone immobile."
_ALLOW: Final = "Touchez le bouton “Autoriser” qui est apparu à l'écran."
_WINDOW: Final = "Êtes-vous en Wi-Fi ? Si oui, coupez-le. Sinon, approchez-vous d'une fenêtre."
_DEVICE_CAUSE: Final = "Toujours pas de caméra : changez de téléphone."
_LATE_CAUSE: Final = "Autre numéro, e-mail, ou code à dicter (Alt+C)."

_CAMERA_PAUSE: Final = (
    "La caméra ne donne pas d'image pour le moment. Gardez la page ouverte, ne touchez à rien."
)
_CAMERA_LATER: Final = (
    (CAMERA_GUIDE, Say(_OPEN_AGAIN, "La caméra ne revient pas toute seule.")),
    (CAMERA_OTHER_WAY, Say(_OTHER_PHONE, _DEVICE_CAUSE)),
)

WEAK: Final = Say("L'image passe mal. Bougez doucement, près d'une fenêtre.", "Réseau faible.")
"""For a live picture that comes badly, whoever measures it: the server is told by the phone, the desk sees it."""

SAYINGS: Final[Mapping[str, tuple[SentenceAfter, ...]]] = {
    # --- a code is read aloud ----------------------------------------------------------------------
    "code": _stages(
        Say("Ouvrez Internet sur le téléphone. Tapez l'adresse que je vous dicte, puis le code."),
        (
            UNREAD_OTHER_WAY,
            Say(
                "Tapez l'adresse tout en haut de l'écran, puis le code. Voulez-vous que je les répète ?",
                "Code non saisi : il est valable cinq minutes.",
            ),
        ),
    ),
    "code_read": _stages(Say("Le code est bon : touchez le gros bouton avec la caméra.")),
    # --- the message travels -----------------------------------------------------------------------
    "sms": _stages(
        Say(
            "Je vous envoie un SMS. Mettez le haut-parleur, ne raccrochez pas, et touchez le lien du message."
        ),
        (
            SMS_ASK,
            Say(
                "Avez-vous reçu mon SMS ? Ouvrez-le et touchez le lien, sans raccrocher.",
                "Pas encore d'accusé de réception : réseau lent, ou numéro inexact.",
            ),
        ),
        (
            SMS_OTHER_WAY,
            Say(
                "Toujours pas de SMS ? Avez-vous un autre portable, ou une adresse e-mail ?",
                f"SMS peut-être non reçu : aucun accusé. {_LATE_CAUSE}",
            ),
        ),
    ),
    "email": _stages(
        Say(
            "Je vous envoie un e-mail. Mettez le haut-parleur, ne raccrochez pas, et touchez le lien du message."
        ),
        (
            EMAIL_ASK,
            Say(
                "Avez-vous reçu mon e-mail ? Regardez aussi dans les courriers indésirables.",
                "Un e-mail n'a pas d'accusé de réception.",
            ),
        ),
        (
            EMAIL_OTHER_WAY,
            Say(
                "Toujours pas d'e-mail ? Y a-t-il un téléphone portable près de vous ?",
                "E-mail retardé ou adresse inexacte ? Un SMS, ou le code à dicter (Alt+C).",
            ),
        ),
    ),
    "retrying": _stages(
        Say(
            "Le message part dans un instant, restez en ligne.",
            "L'opérateur ne répond pas encore ; nouvel essai.",
        ),
        (
            REFUSED_AGAIN,
            Say(
                "Le message ne part pas. Avez-vous une adresse e-mail ?",
                "L'opérateur ne répond toujours pas. E-mail, ou code à dicter (Alt+C).",
            ),
        ),
    ),
    "refused": _stages(
        Say(
            "Le message n'est pas parti. Avez-vous un autre numéro de portable ou une adresse e-mail ?",
            "L'opérateur refuse ce message ou ce numéro.",
        ),
    ),
    "buffered": _stages(
        Say(
            "Votre téléphone capte mal : le SMS attend le réseau. Approchez-vous d'une fenêtre.",
            "Téléphone hors réseau ou éteint.",
        ),
        (NETWORK_OTHER_WAY, Say(_OTHER_PHONE, f"Toujours hors réseau. {_LATE_CAUSE}")),
    ),
    "sms_received": _stages(
        Say("Vous avez reçu un SMS : ouvrez-le et touchez le lien, sans raccrocher."),
        (
            UNREAD_ASK,
            Say(
                "Regardez en haut de l'écran : touchez le SMS, puis touchez le lien.",
                "Reçu, mais pas ouvert : l'appelant ne trouve pas le message.",
            ),
        ),
        (
            UNREAD_GUIDE,
            Say(
                "Sans raccrocher, revenez à l'écran d'accueil, ouvrez vos messages et touchez le lien.",
                "L'appelant ne sait pas quitter l'écran d'appel.",
            ),
        ),
        (
            UNREAD_OTHER_WAY,
            Say(_OTHER_PHONE, "Appelant en difficulté, ou téléphone sans internet. Code : Alt+C."),
        ),
    ),
    "email_received": _stages(
        Say("Vous avez reçu un e-mail : ouvrez-le et touchez le lien, sans raccrocher."),
        (
            UNREAD_GUIDE,
            Say(
                "Sans raccrocher, ouvrez vos e-mails : touchez le plus récent, puis le lien.",
                "Reçu, mais pas ouvert. Regarder aussi les courriers indésirables.",
            ),
        ),
        (UNREAD_OTHER_WAY, Say(_OTHER_PHONE, "E-mail non ouvert. Un SMS, ou un code (Alt+C).")),
    ),
    # --- the page ----------------------------------------------------------------------------------
    "opened": _stages(
        Say("Touchez le gros bouton avec la caméra."),
        (
            UNTAPPED_ASK,
            Say(
                "Vous voyez un gros bouton au milieu de l'écran ? Touchez-le une fois.",
                "Lien ouvert, bouton pas encore touché.",
            ),
        ),
        (
            UNTAPPED_GUIDE,
            Say(
                "L'écran est peut-être éteint : rallumez-le, et touchez le gros bouton.",
                "Écran verrouillé, page quittée, ou l'appelant hésite.",
            ),
        ),
        (UNTAPPED_OTHER_WAY, Say(_SOMEBODY, "L'appelant ne trouve pas le bouton.")),
    ),
    "tapped": _stages(
        Say(_ALLOW),
        (
            PROMPT_ASK,
            Say(
                "Lisez-moi ce qui est écrit à l'écran. Si vous voyez “Autoriser”, touchez-le.",
                "La question de la caméra reste sans réponse.",
            ),
        ),
        (
            PROMPT_AGAIN,
            Say(_OPEN_AGAIN, "Question fermée ou cachée, ou page bloquée : refaire le lien."),
        ),
    ),
    "unheard": _stages(
        Say(_ALLOW),
        # By now he may have allowed it, and nobody has heard.
        (
            UNHEARD_MAYBE,
            Say(
                "Si le téléphone demande la caméra, touchez “Autoriser”.",
                "Bouton touché ; la page n'a encore rien dit de plus.",
            ),
        ),
        (
            UNHEARD,
            Say(
                "Qu'est-ce qui est écrit sur la page ? Si vous êtes en Wi-Fi, coupez-le.",
                "Bouton touché, mais la page n'a pas de liaison avec le serveur : réseau qui bloque, ou page fermée.",
            ),
        ),
        (AWAY_OTHER_WAY, Say(_OTHER_PHONE, "Page toujours sans liaison. Code : Alt+C.")),
    ),
    "denied": _stages(
        Say(
            "Touchez le cadenas en haut de l'écran, autorisez la caméra, puis touchez “Réessayer”.",
            "L'appelant a refusé la caméra.",
        ),
        (
            CAMERA_GUIDE,
            Say(
                "Suivez le dessin qui est à l'écran, puis touchez “Réessayer”.",
                "Caméra toujours refusée : son téléphone lui montre où la permettre.",
            ),
        ),
        (CAMERA_OTHER_WAY, Say(_OTHER_PHONE, _DEVICE_CAUSE)),
    ),
    "dismissed": _stages(
        Say(
            "Touchez de nouveau le gros bouton, puis “Autoriser”.",
            "La question a été fermée sans réponse.",
        ),
        (CAMERA_OTHER_WAY, Say(_OTHER_PHONE, _DEVICE_CAUSE)),
    ),
    "none": _stages(
        Say(
            "Avez-vous un autre téléphone ou une tablette avec une caméra ?",
            "Aucune caméra sur cet appareil.",
        ),
    ),
    "busy": _stages(
        Say(
            "Fermez les autres applications qui utilisent la caméra, puis touchez “Réessayer”.",
            "La caméra est prise par une autre application.",
        ),
        (
            CAMERA_OTHER_WAY,
            Say(_OTHER_PHONE, _DEVICE_CAUSE),
        ),
    ),
    "insecure": _stages(
        Say(
            "Ouvrez le message et touchez le lien directement.",
            "Le navigateur refuse la caméra sur cette page.",
        ),
        (CAMERA_OTHER_WAY, Say(_OTHER_PHONE, _DEVICE_CAUSE)),
    ),
    "in_app": _stages(
        Say(
            "Touchez les trois points en haut, puis “Ouvrir dans le navigateur”.",
            "La page est ouverte dans une application sans caméra.",
        ),
        (CAMERA_OTHER_WAY, Say(_OPEN_AGAIN, "Rouvrir depuis les messages, ou renvoyer par SMS.")),
    ),
    "system": _stages(
        Say(
            "Ouvrez les réglages du téléphone, autorisez la caméra pour le navigateur, puis revenez sur la page.",
            "Le téléphone lui-même interdit la caméra à ce navigateur.",
        ),
        (CAMERA_OTHER_WAY, Say(_OTHER_PHONE, _DEVICE_CAUSE)),
    ),
    "unable": _stages(
        Say(
            "Ce téléphone ne peut pas filmer ici. Y en a-t-il un autre près de vous ?",
            "Ce navigateur ne sait pas envoyer de vidéo (iPhone en mode Isolement, navigateur rare).",
        ),
    ),
    # A page that cannot do its work says so itself, or what is left of it does.
    "no_script": _stages(
        Say(_OTHER_BROWSER, "Ce navigateur n'exécute pas de scripts (JavaScript désactivé)."),
        (CAMERA_OTHER_WAY, Say(_OTHER_PHONE, "Toujours pas de page utilisable : autre téléphone.")),
    ),
    "old_browser": _stages(
        Say(_OTHER_BROWSER, "Navigateur trop ancien : il ne sait pas exécuter la page."),
        (CAMERA_OTHER_WAY, Say(_OTHER_PHONE, "Téléphone trop ancien : changez de téléphone.")),
    ),
    "lost_script": _stages(
        Say(
            "La page n'est pas arrivée en entier. Approchez-vous d'une fenêtre, et touchez “Réessayer”.",
            "Réseau du correspondant faible ou filtré : une partie de la page s'est perdue.",
        ),
        (CAMERA_GUIDE, Say(_OPEN_AGAIN, "La page n'arrive toujours pas en entier.")),
        (CAMERA_OTHER_WAY, Say(_OTHER_PHONE, "Page toujours incomplète : autre téléphone.")),
    ),
    "cookies": _stages(
        Say(_OTHER_BROWSER, "Ce navigateur bloque les cookies : la page ne peut rien enregistrer."),
        (CAMERA_OTHER_WAY, Say(_OTHER_PHONE, "Cookies toujours bloqués : autre téléphone.")),
    ),
    "timeout": _stages(
        Say(
            "Regardez l'écran : touchez “Autoriser”. Si rien ne s'affiche, touchez “Réessayer”.",
            "La question de la caméra reste sans réponse.",
        ),
        (CAMERA_OTHER_WAY, Say(_OPEN_AGAIN, "Question cachée ou page bloquée.")),
    ),
    # --- the picture -------------------------------------------------------------------------------
    "connecting": _stages(
        Say("Très bien, l'image arrive. Mettez le haut-parleur et tenez le téléphone devant vous."),
        (
            FRAME_SLOW,
            Say(
                "L'image met un peu de temps. Gardez la page ouverte, ne touchez à rien.",
                "La première image tarde.",
            ),
        ),
        (
            FRAME_NETWORK,
            Say(_WINDOW, "Toujours aucune image : réseau du correspondant trop faible ?"),
        ),
        (FRAME_OTHER_WAY, Say(_OTHER_PHONE, "Aucune image : réseau qui bloque la vidéo ?")),
    ),
    "live": _stages(Say("Je vous vois. Filmez doucement ce que je vous demande.")),
    "frozen": _stages(
        Say(
            "L'image est figée. Restez en ligne et gardez la page ouverte.",
            "Plus d'image : réseau coupé ?",
        ),
        (FROZEN_NETWORK, Say(_WINDOW, "Plus d'image, mais la page répond : réseau trop faible ?")),
        (FROZEN_AGAIN, Say(_OPEN_AGAIN, "La vidéo ne reprend pas toute seule.")),
    ),
    # --- the phone ---------------------------------------------------------------------------------
    "hidden": _stages(
        Say(
            "Revenez à la page de la vidéo, et gardez l'écran allumé.",
            "Page quittée, écran verrouillé, ou un autre appel.",
        ),
        (AWAY_AGAIN, Say(_OPEN_AGAIN, "Il ne retrouve pas la page.")),
        (AWAY_OTHER_WAY, Say(_SOMEBODY, "Page toujours quittée.")),
    ),
    "put_aside": _stages(
        Say(
            "Gardez l'écran allumé. Si la page est fermée, rouvrez le message et touchez le lien.",
            "Page quittée ou autre application, puis plus de nouvelles : le téléphone l'a mise en veille.",
        ),
        (AWAY_AGAIN, Say(_OPEN_AGAIN, "Page toujours en veille, ou fermée.")),
        (AWAY_OTHER_WAY, Say(_OTHER_PHONE, "Sans nouvelles du téléphone. Code : Alt+C.")),
    ),
    "away": _stages(
        Say(
            "Gardez l'écran allumé. Si la page est fermée, rouvrez le message et touchez le lien.",
            "Le téléphone ne répond plus : réseau coupé, écran verrouillé ou page quittée.",
        ),
        (AWAY_AGAIN, Say(_WINDOW, "Le téléphone ne répond toujours pas.")),
        (AWAY_OTHER_WAY, Say(_OTHER_PHONE, "Sans nouvelles du téléphone. Code : Alt+C.")),
    ),
    "offline": _stages(
        Say(
            "L'image est coupée : gardez l'écran allumé. Si la page est fermée, rouvrez le lien.",
            "Réseau coupé, écran verrouillé ou page quittée.",
        ),
        (AWAY_AGAIN, Say(_WINDOW, "Le téléphone ne répond plus : réseau coupé ou page fermée.")),
        (AWAY_OTHER_WAY, Say(_OTHER_PHONE, "Sans nouvelles du téléphone. Code : Alt+C.")),
    ),
    # --- the camera was granted and gives nothing: never the network ---------------------------------
    "camera_muted": _stages(
        Say(
            "Votre téléphone a coupé la caméra. S'il y a un autre appel, refusez-le, et revenez à la page.",
            "Caméra coupée par le téléphone : autre appel, ou autre application.",
        ),
        *_CAMERA_LATER,
    ),
    "camera_ended": _stages(
        Say(_CAMERA_PAUSE, "La caméra s'est arrêtée ; le téléphone la redemande."), *_CAMERA_LATER
    ),
    "camera_busy": _stages(
        Say(
            "Une autre application tient la caméra : fermez-la, puis revenez à la page de la vidéo.",
            "La caméra est prise par une autre application.",
        ),
        *_CAMERA_LATER,
    ),
    "camera_refused": _stages(
        Say(
            "La caméra n'est plus autorisée : suivez le dessin à l'écran, puis touchez “Réessayer”.",
            "Le téléphone n'autorise plus la caméra.",
        ),
        *_CAMERA_LATER,
    ),
    "camera_gone": _stages(
        Say(
            "Avez-vous un autre téléphone ou une tablette avec une caméra ?",
            "La caméra a disparu : débranchée, ou introuvable.",
        ),
    ),
    "camera_still": _stages(
        Say(_CAMERA_PAUSE, "La caméra est ouverte et ne donne aucune image."), *_CAMERA_LATER
    ),
    # --- the network holds the picture back ----------------------------------------------------------
    "weak": _stages(WEAK),
    "stills": _stages(Say(_PHOTOS, "Réseau du correspondant faible : images fixes.")),
    "asked": _stages(Say(_PHOTOS, "Images fixes à la demande d'un poste.")),
    "photo": _stages(
        Say(
            "Votre réseau est faible : touchez le gros bouton pour m'envoyer une seule photo.",
            "Réseau du correspondant très faible : une photo lui est demandée.",
        ),
    ),
    # --- the end -----------------------------------------------------------------------------------
    "ended": _stages(Say("La vidéo est terminée, je reste avec vous au téléphone.")),
    "lost": _stages(
        Say(
            "La vidéo s'est coupée, je reste avec vous au téléphone.",
            "Sans nouvelles du téléphone : renvoyer une invitation si besoin.",
        ),
    ),
    "expired": _stages(
        Say("Je vous envoie un nouveau message.", "Le lien n'a pas été touché à temps."),
    ),
}

CAMERA: Final = BEFORE_ASKING | {"denied", "dismissed", "none", "busy", "system", "timeout"}
"""Why a camera does not open, in the phone's words."""

LADDER: Final = frozenset({"stills", "asked", "photo"})
"""Photos come in the place of the video; `asked`: stills that a desk wanted."""

NETWORK: Final = LADDER | {"weak"}
"""How the network holds a live picture back."""

SPOKEN: Final = tuple(
    dict.fromkeys(stage.say.text for stages in SAYINGS.values() for stage in stages)
)
"""Every sentence that may be said, once: what a translation must know."""
