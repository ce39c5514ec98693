"""The funnel of one video: each step with its time, and the sentence to say now. Pure.

French, for the regulator's voice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from server.domain.messages import Delivery, Message
from server.domain.session import Session, State

STEPS: Final = (
    ("accepted", "Invitation acceptée"),
    ("handed", "Remise à l'opérateur"),
    ("delivered", "Message reçu"),
    ("opened", "Lien ouvert"),
    ("tapped", "Bouton touché"),
    ("permission", "Autorisation caméra"),
    ("image", "Image"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the list: `state` is done, current, todo or failed; `seconds` counts from the acceptance."""

    key: str
    label: str
    state: str
    at: datetime | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Say:
    """The sentence to read aloud, and the likely cause when it stalls."""

    text: str
    cause: str = ""


def marks(session: Session, messages: Sequence[Message]) -> dict[str, datetime]:
    """Return the first time of each step that happened."""
    found = {key: at for key, at in session.marks.items() if key in dict(STEPS)}
    handed = [m.handed for m in messages if m.handed]
    delivered = [m.delivered for m in messages if m.delivered]
    if handed:
        found["handed"] = min(handed)
    if delivered:
        found["delivered"] = min(delivered)
    return found


def steps(session: Session, messages: Sequence[Message]) -> list[Step]:
    """Return the funnel; a step passed over (no receipt from this carrier) counts as done without a time."""
    times = marks(session, messages)
    keys = [key for key, _ in STEPS]
    reached = max((keys.index(key) for key in times), default=0)
    trouble = _failed_step(session, messages)
    result = []
    for index, (key, label) in enumerate(STEPS):
        at = times.get(key)
        if index <= reached:
            state = "done"
        elif session.state is State.ENDED:
            state = "todo"
        else:
            state = "current" if index == reached + 1 else "todo"
        if key == trouble and state == "current":
            state = "failed"
        seconds = (at - session.created).total_seconds() if at else None
        result.append(Step(key, label, state, at, seconds))
    return result


def _failed_step(session: Session, messages: Sequence[Message]) -> str | None:
    if messages and all(m.state is Delivery.FAILED for m in messages):
        return "delivered" if any(m.handed for m in messages) else "handed"
    if session.camera in CAMERA_SAY:
        return "permission"
    return None


CAMERA_SAY: Final[Mapping[str, Say]] = {
    "denied": Say(
        "Touchez le cadenas ou le bouton “AA” en haut de l'écran, autorisez la caméra, puis touchez “Réessayer”.",
        "L'appelant a refusé la caméra.",
    ),
    "system": Say(
        "Ouvrez les réglages du téléphone, autorisez la caméra pour le navigateur, puis revenez sur la page.",
        "Le téléphone lui-même interdit la caméra à ce navigateur.",
    ),
    "dismissed": Say(
        "Touchez de nouveau le gros bouton, puis “Autoriser”.",
        "La question a été fermée sans réponse.",
    ),
    "none": Say(
        "Avez-vous un autre téléphone ou une tablette avec une caméra ?",
        "Aucune caméra sur cet appareil.",
    ),
    "busy": Say(
        "Fermez les autres applications qui utilisent la caméra, puis touchez “Réessayer”.",
        "La caméra est prise par une autre application.",
    ),
    "insecure": Say(
        "Ouvrez le message et touchez le lien directement.",
        "Le navigateur refuse la caméra sur cette page.",
    ),
    "in_app": Say(
        "Touchez les trois points en haut, puis “Ouvrir dans le navigateur”.",
        "La page est ouverte dans une application sans caméra.",
    ),
    "unable": Say(
        "Ouvrez le lien dans un autre navigateur, Chrome ou Firefox, ou sur un autre téléphone.",
        "Ce navigateur ne sait pas envoyer de vidéo (iPhone en mode Isolement, navigateur rare).",
    ),
    "timeout": Say(
        "Regardez l'écran : touchez “Autoriser”. Si rien ne s'affiche, touchez “Réessayer”.",
        "La question de la caméra reste sans réponse.",
    ),
}

_BY_STATE: Final[Mapping[State, Say]] = {
    State.OPENED: Say("Touchez le gros bouton avec la caméra."),
    State.TAPPED: Say("Touchez le bouton “Autoriser” qui est apparu à l'écran."),
    State.CONNECTING: Say(
        "Très bien, l'image arrive. Mettez le haut-parleur et tenez le téléphone devant vous."
    ),
    State.LIVE: Say("Je vous vois. Filmez doucement ce que je vous demande."),
    State.INTERRUPTED: Say(
        "L'image est coupée : gardez la page ouverte, loin de l'oreille. Si l'écran est noir, rouvrez le lien.",
        "Réseau coupé, écran verrouillé ou page quittée.",
    ),
    State.ENDED: Say("La vidéo est terminée, je reste avec vous au téléphone."),
}


RUNG_SAY: Final[Mapping[str, Say]] = {
    "stills": Say(
        "Je reçois des photos, une par seconde : visez, puis tenez le téléphone immobile.",
        "Réseau du correspondant faible : images fixes.",
    ),
    "photo": Say(
        "Votre réseau est faible : touchez le gros bouton pour m'envoyer une seule photo.",
        "Réseau du correspondant très faible : une photo lui est demandée.",
    ),
}


def say_of_rung(session: Session, rung: str) -> Say | None:
    """Return what to say while something else than video comes; None when the usual sentence is right."""
    if session.state in {State.CONNECTING, State.LIVE, State.INTERRUPTED}:
        return RUNG_SAY.get(rung)
    return None


def say(session: Session, messages: Sequence[Message]) -> Say:
    """Return the sentence that helps most now."""
    if session.state is State.INVITED:
        return _while_sending(messages)
    trouble = CAMERA_SAY.get(session.camera or "")
    if trouble and session.state in {State.OPENED, State.TAPPED, State.INTERRUPTED}:
        return trouble
    if session.state is State.ENDED and session.end_reason == "expired":
        return Say("Je vous envoie un nouveau message.", "Le lien n'a pas été touché à temps.")
    return _BY_STATE[session.state]


def _while_sending(messages: Sequence[Message]) -> Say:
    alive = [m for m in messages if m.state is not Delivery.FAILED]
    if messages and not alive:
        return Say(
            "Le message n'est pas parti. Avez-vous un autre numéro de portable ou une adresse e-mail ?",
            "L'opérateur refuse ce message ou ce numéro.",
        )
    if arrived := [m for m in alive if m.state is Delivery.DELIVERED]:
        return Say(
            f"Vous avez reçu {_what(arrived)} : ouvrez-le et touchez le lien, sans raccrocher."
        )
    if any(m.state is Delivery.BUFFERED for m in alive):
        return Say(
            "Le message attend le réseau de votre téléphone : rapprochez-vous d'une fenêtre.",
            "Téléphone hors réseau ou éteint.",
        )
    if any(m.error for m in alive):
        return Say(
            "Le message part dans un instant, restez en ligne.",
            "L'opérateur ne répond pas encore ; nouvel essai.",
        )
    return Say(
        f"Je vous envoie {_what(alive)}. Mettez le haut-parleur, gardez-moi en ligne et touchez le lien."
    )


def _what(messages: Sequence[Message]) -> str:
    return "un SMS" if any(m.channel == "sms" for m in messages) else "un e-mail"


MESSAGE_LABELS: Final[Mapping[Delivery, str]] = {
    Delivery.QUEUED: "en cours d'envoi",
    Delivery.HANDED: "remis à l'opérateur",
    Delivery.BUFFERED: "en attente du réseau",
    Delivery.DELIVERED: "reçu",
    Delivery.FAILED: "échec",
}
