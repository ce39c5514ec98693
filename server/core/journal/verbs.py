"""The one list of what the audit tells: each verb with its French sentence, its subject and what its rows hold.

Nothing else can be written. The audit page, the record as JSON and docs/audit.md read it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from server.core.journal import payloads as p
from server.core.journal.payload import Payload

Held = TypeVar("Held", bound=Payload)
Held_co = TypeVar("Held_co", bound=Payload, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb(Generic[Held_co]):
    """One thing that happens.

    `subjects`: the kinds of thing it happens to; `sealed`: what the erasable payload may hold beside the address;
    `of_video`: its rows name a video, and stand in that video's record.
    """

    action: str
    said: str
    subjects: frozenset[str]
    payload: type[Held_co]
    sealed: type[Payload]
    of_video: bool


def _verbs(
    subjects: str,
    payload: type[Held],
    said: Mapping[str, str],
    *,
    sealed: type[Payload] = p.Nothing,
    of_video: bool = False,
) -> Iterator[Verb[Held]]:
    """List verbs of one family: `said` has the sentence of each action."""
    for action, sentence in said.items():
        yield Verb(
            action=action,
            said=sentence,
            subjects=frozenset(subjects.split()),
            payload=payload,
            sealed=sealed,
            of_video=of_video,
        )


#: A call moved, and its video with it: written once, so use cases look for it.
FOLLOWED: Final = next(
    _verbs(
        "session",
        p.Followed,
        {"session.followed": "Vidéo suivie à un autre poste, avec son appel"},
        of_video=True,
    )
)
_VIDEO: Final = (
    *_verbs(
        "session",
        p.StateChange,
        {
            "link.opened": "Lien affiché sur le téléphone",
            "link.tapped": "Lien touché sur le téléphone",
            "page.works": "Page ouverte dans un navigateur qui peut filmer",
            "camera.asked": "Le téléphone demande l’accès à la caméra",
            "camera.granted": "Caméra autorisée",
            "camera.refused": "Caméra indisponible",
            "picture.flowing": "Image en direct au poste",
            "picture.still": "Image fixe reçue au poste",
            "picture.lost": "Image interrompue",
            "session.timed_out": "Vidéo terminée, sans nouvelles du téléphone ou lien non touché",
            "session.left": "Vidéo terminée",
        },
        of_video=True,
    ),
    *_verbs("session", p.AtStation, {"session.created": "Vidéo créée"}, of_video=True),
    *_verbs(
        "session",
        p.Linked,
        {"session.linked": "Lien de la vidéo avec un appel, ou avec aucun"},
        sealed=p.Reason,
        of_video=True,
    ),
    FOLLOWED,
    *_verbs(
        "session",
        p.Moved,
        {
            "session.handed_over": "Vidéo passée à un autre poste",
            "session.released": "Vidéo quittée par un poste, suivie par un autre",
        },
        of_video=True,
    ),
    *_verbs(
        "session",
        p.Offer,
        {
            "session.offered": "Vidéo proposée à un autre poste",
            "session.offer_withdrawn": "Proposition à un autre poste retirée",
        },
        of_video=True,
    ),
    *_verbs(
        "session",
        p.Nothing,
        {"session.language": "Langue de l’appelant choisie"},
        sealed=p.Languages,
        of_video=True,
    ),
    *_verbs(
        "session",
        p.Description,
        {
            "sdp.accepted": "Description de l’image acceptée : sans son",
            "sdp.refused": "Description de l’image refusée",
        },
        of_video=True,
    ),
    *_verbs(
        "session", p.Network, {"network.preflight": "Réseau du téléphone essayé"}, of_video=True
    ),
    *_verbs(
        "session",
        p.Transport,
        {"network.transport": "Messages du téléphone reçus par une autre voie"},
        of_video=True,
    ),
    *_verbs(
        "session",
        p.Rung,
        {"picture.rung": "Passage entre vidéo, images fixes et photo"},
        of_video=True,
    ),
    *_verbs(
        "session",
        p.RungAsked,
        {"picture.asked": "Forme de l’image demandée par le poste"},
        of_video=True,
    ),
    *_verbs("session", p.PhotoTaken, {"photo.received": "Photo reçue du téléphone"}, of_video=True),
    *_verbs(
        "session",
        p.Order,
        {
            "help.asked": "Aide à distance demandée par le poste",
            "help.done": "Aide à distance faite par le téléphone",
            "help.refused": "Aide à distance impossible sur le téléphone",
        },
        of_video=True,
    ),
    *_verbs(
        "snapshot",
        p.Picture,
        {
            "snapshot.taken": "Photo conservée par le poste",
            "snapshot.viewed": "Photo conservée consultée",
        },
        of_video=True,
    ),
)
_LINKS: Final = (
    *_verbs(
        "invitation",
        p.Channel,
        {
            "invitation.created": "Invitation envoyée",
            "invitation.resent": "Invitation renvoyée",
            "invitation.revoked": "Invitation annulée",
            "invitation.bound": "Invitation liée à ce téléphone",
            "invitation.released": "Invitation libérée pour un autre navigateur",
            "invitation.moved_to": "Vidéo à reprendre par ce lien sur un autre téléphone",
        },
        sealed=p.Contact,
        of_video=True,
    ),
    *_verbs(
        "code",
        p.Code,
        {
            "code.created": "Code vocal créé",
            "code.redeemed": "Code vocal saisi par l’appelant",
            "code.expired": "Code vocal expiré sans saisie",
        },
        of_video=True,
    ),
    *_verbs("code", p.WrongCodes, {"code.refused": "Codes vocaux erronés"}),
    *_verbs(
        "observer",
        p.Channel,
        {
            "observer.invited": "Observateur invité",
            "observer.bound": "Lien d’observateur touché",
            "observer.joined": "Observateur arrivé",
            "observer.left": "Observateur parti",
            "observer.removed": "Observateur retiré",
        },
        sealed=p.Guest,
        of_video=True,
    ),
    *_verbs(
        "message",
        p.Sent,
        {
            "message.queued": "Message remis en file d’attente",
            "message.handed": "Message remis à l’opérateur",
            "message.buffered": "Message en attente du réseau",
            "message.delivered": "Message reçu",
            "message.failed": "Message non remis",
            "message.retried": "Message à envoyer de nouveau",
            "message.sent_again": "Message envoyé de nouveau, faute de réponse",
        },
        of_video=True,
    ),
)
_LINE15: Final = (
    *_verbs(
        "call",
        p.CallTimes,
        {
            "call.ringing": "L’appel sonne",
            "call.talking": "Appel décroché ou repris",
            "call.held": "Appel mis en attente",
            "call.ended": "Appel terminé",
        },
    ),
    *_verbs("call", p.Merged, {"call.merged": "Appel réuni avec un autre"}),
    *_verbs("call", p.CallRecords, {"call.imported": "Appel complété par les relevés du standard"}),
    *_verbs("site", p.Import, {"cdr.imported": "Relevés d’appels importés"}),
    *_verbs("desk", p.Launched, {"desk.launched": "Page ouverte depuis le logiciel d’appel"}),
    *_verbs("site", p.Nothing, {"webhook.connected": "Premiers événements d’appel signés reçus"}),
    *_verbs("site", p.Review, {"reconciliation.listed": "Vidéos sans appel consultées"}),
    *_verbs(
        "recording",
        p.Sound,
        {
            "recording.attached": "Enregistrement rapproché de l’appel",
            "recording.withdrawn": "Enregistrement retiré de l’appel",
            "recording.missing": "Fichier de l’enregistrement absent",
            "recording.back": "Fichier de l’enregistrement retrouvé",
        },
    ),
    *_verbs("recording", p.Nothing, {"recording.played": "Enregistrement écouté"}),
)
_PEOPLE: Final = (
    *_verbs("user", p.CodeSent, {"login.code_sent": "Code de connexion envoyé"}),
    *_verbs(
        "user",
        p.SignedIn,
        {"login.succeeded": "Connexion", "login.renewed": "Connexion renouvelée"},
    ),
    *_verbs("user", p.SignInRefused, {"login.refused": "Connexion refusée"}),
    *_verbs("user", p.SignInEnded, {"login.ended": "Fin de connexion"}),
    *_verbs(
        "user",
        p.HasRole,
        {"user.added": "Utilisateur ajouté", "user.role_set": "Rôle de l’utilisateur changé"},
    ),
    *_verbs(
        "user",
        p.Nothing,
        {
            "user.disabled": "Utilisateur désactivé",
            "user.enabled": "Utilisateur réactivé",
            "user.password_reset": "Mot de passe remplacé",
            "user.sessions_revoked": "Utilisateur déconnecté partout",
        },
    ),
    *_verbs("user", p.Unlocked, {"user.unlocked": "Compte débloqué"}),
    *_verbs("site", p.Nothing, {"site.added": "Site ajouté"}),
    *_verbs("site", p.Policy, {"site.policy_set": "Règle du site changée"}),
    *_verbs("station", p.Equipment, {"station.added": "Poste ajouté"}),
    *_verbs(
        "secret",
        p.Nothing,
        {"secret.added": "Secret partagé créé", "secret.retired": "Secret partagé retiré"},
    ),
    *_verbs("feedback", p.Report, {"feedback.sent": "Incident signalé ou remarque envoyée"}),
    *_verbs("feedback", p.ReportStep, {"feedback.state_changed": "Suivi de l’incident"}),
    *_verbs("feedback", p.Notes, {"feedback.erased": "Textes de l’incident effacés"}),
    *_verbs("site", p.ReportFilter, {"feedback.exported": "Incidents exportés"}),
)
_AUDIT: Final = (
    *_verbs("site", p.Search, {"audit.searched": "Recherche dans le journal"}, sealed=p.Searched),
    *_verbs("call session", p.Nothing, {"audit.viewed": "Consultation"}, of_video=True),
    *_verbs(
        "call session recording snapshot",
        p.Kind,
        {"audit.missed": "Consultation d’un élément inconnu du site"},
        sealed=p.Asked,
    ),
    *_verbs("personal", p.Erased, {"personal.erased": "Données personnelles effacées"}),
)

#: Every verb by its action.
VERBS: Final[Mapping[str, Verb[Payload]]] = {
    verb.action: verb for verb in (*_VIDEO, *_LINKS, *_LINE15, *_PEOPLE, *_AUDIT)
}
FIRST_PICTURE: Final = "picture.flowing"
SEARCHED: Final = "audit.searched"


def sentence(action: str) -> str:
    """Say an action in French; one that a later release wrote is said by its name."""
    verb = VERBS.get(action)
    return verb.said if verb else action


def held(action: str, data: object, payload: type[Held]) -> Held | None:
    """Read a row of a verb that holds this type; None for a row of any other."""
    verb = VERBS.get(action)
    return payload.read(data) if verb and verb.payload is payload else None


def kept(action: str, sealed: object, payload: type[Held]) -> Held | None:
    """Read the sealed half of a row whose verb seals this type; None for a row of any other."""
    verb = VERBS.get(action)
    return payload.read(sealed) if verb and verb.sealed is payload else None


def facts(action: str, data: object) -> list[tuple[str, object]]:
    """Return what a row tells, to be shown: as its type reads it, in its order; then whatever else is there."""
    row = data if isinstance(data, Mapping) else {"data": data}
    verb = VERBS.get(action)
    known = verb.payload.read(row).every() if verb else {}
    told = [
        (key, row[key] if value is None else value) for key, value in known.items() if key in row
    ]
    return [*told, *((str(key), value) for key, value in row.items() if key not in known)]
