"""What the state of a feed means in French, and what to do about it: sentences for an administrator at his screen."""

from collections.abc import Mapping, Sequence
from typing import Final

from telephony import TRIED, tried_instead

#: Seconds by the two clocks together until somebody should look; a clock that is ahead is wrong sooner.
LATE: Final = 5.0
AHEAD: Final = -2.0

_ASTERISK: Final = " et ".join(("Asterisk " + TRIED["Asterisk"][0], *TRIED["Asterisk"][1:]))
_STATES: Final = {
    "starting": "démarrage",
    "connected": "connectée",
    "quiet": "silencieuse",
    "down": "coupée",
}
_DOWN: Final = {
    "hep": "Le port de capture ne s’ouvre pas : un autre programme l’occupe, ou l’adresse n’est pas celle de "
    "cette machine. « visio15 doctor » le nomme.",
    "ami": "La connexion au commutateur est perdue ; elle est refaite sans cesse. Vérifiez qu’Asterisk répond "
    "sur ce port, et le pare-feu.",
    "esl": "La connexion au commutateur est perdue ; elle est refaite sans cesse. Vérifiez que FreeSWITCH répond "
    "sur ce port (event_socket.conf), et le pare-feu.",
    "dialog-info": "Le serveur de présence ne répond pas, ou refuse l’abonnement ; il est redemandé sans cesse. "
    "Vérifiez son adresse, le compte et le pare-feu ; « visio15 doctor » dit ce qu’il répond.",
    "pyvoip": "Le poste d’écoute ne s’enregistre pas : vérifiez son mot de passe et que le commutateur répond.",
}
_QUIET: Final = {
    "hep": "Rien de lisible n’arrive de la capture. Vérifiez que le commutateur recopie encore son SIP "
    "(OPTIONS comprises) vers ce port, et le pare-feu.",
    "webhook": "Le logiciel du centre d’appels ne dit plus rien. Vérifiez qu’il poste encore, au moins une liste vide "
    "toutes les dix minutes.",
}
_REFUSED: Final = {
    "source": "adresse absente de la liste « allow »",
    "oversize": "paquet trop grand",
    "key_missing": "sans clé de capture",
    "key_wrong": "mauvaise clé de capture",
    "clock_skew": "daté à plus d’une heure de notre horloge (gardé, redaté)",
    "login": "le commutateur refuse le compte",
    "acl": "le commutateur refuse notre adresse",
    "events": "le commutateur refuse de dire ses événements",
    "denied": "question refusée par le commutateur",
    "list": "liste des appels illisible",
    "description": "description d’appel illisible",
    "ami_version": "Asterisk trop ancien (AMI 1)",
    "not_ami": "ce n’est pas l’interface AMI d’un Asterisk",
    "not_esl": "ce n’est pas l’event socket d’un FreeSWITCH",
    "old_event": "événement d’un Asterisk trop ancien",
    "line_too_long": "ligne trop longue",
    "too_many_lines": "trop de lignes",
    "no_event": "illisible",
    "content_length": "longueur illisible",
    "body_too_large": "contenu trop grand",
    "no_content_type": "message sans type",
    "too_many_fields": "trop de champs",
    "foreign_notify": "notification d’un abonnement qui n’est pas le nôtre",
    "foreign_response": "réponse à rien, ou reçue deux fois",
    "event": "notification d’un autre genre que « dialog »",
    "content_type": "notification d’un autre format que dialog-info",
    "out_of_order": "notification arrivée après une plus récente",
    "method": "demande que Visio15 ne sert pas",
    "subscription_ended": "abonnement fini par le commutateur (refait)",
    "no_answer": "abonnement sans réponse",
    "no_notify": "abonnement accepté, sans notification",
    "no_stations": "aucun poste à suivre",
    "auth_unsupported": "identification demandée par un procédé inconnu",
    "head_too_large": "en-tête trop grand",
    "no_length": "message SIP sans longueur",
    "too_large": "message trop grand",
    "version_old": "document plus ancien que le précédent (abonnement refait)",
    "version_gap": "document manquant (état redemandé)",
    "entity": "document sur un autre poste",
    "contradiction": "document qui se contredit, ou contredit le précédent",
    "folder": "dossier illisible",
    "file": "fichier illisible",
    "unfinished": "fichier encore en cours d’écriture",
    "name": "nom de fichier non reconnu",
    "no_identifier": "appel de notification sans identifiant d’appel",
    "pyvoip_headers": "appel de notification que pyVoIP ne sait pas lire (lu par nous, refusé au commutateur)",
    "pyvoip_error": "erreur de pyVoIP",
    "child_line": "compte rendu illisible du poste d’écoute",
    "webhook_signature_wrong": "signature fausse",
    "webhook_expired": "daté de plus de cinq minutes",
    "webhook_malformed": "contenu illisible",
    "webhook_unsigned": "sans signature",
    "webhook_too_large": "contenu trop grand",
    "webhook_too_many": "plus de cent événements à la fois",
    "webhook_key_malformed": "clé d’idempotence illisible",
    "webhook_body_conflict": "même clé d’idempotence, autre contenu",
    "webhook_not_ready": "reçu avant que Visio15 soit prêt, à renvoyer par l’expéditeur",
    "webhook_replayed": "déjà reçu",
    "webhook_flood": "trop de messages à la seconde",
    "webhook_queue_full": "file pleine, à renvoyer par l’expéditeur",
    "failed": "illisible par un défaut de Visio15 (voir le journal)",
}
#: Many reasons of one kind: what follows the start is for a developer.
_BY_START: Final = (
    ("hep_", "paquet HEP illisible"),
    ("sip_", "message SIP illisible"),
    ("xml_", "document de présence illisible"),
    ("status_", "abonnement refusé par le commutateur"),
)
_REMEDIES: Final = (
    (
        {"login"},
        "Le commutateur refuse le compte : comparez identifiant et mot de passe avec sa configuration.",
    ),
    (
        {"acl"},
        "Le commutateur refuse notre adresse : permettez-la (event_socket.conf, apply-inbound-acl).",
    ),
    (
        {"events", "denied"},
        "Le commutateur ne laisse pas ce compte suivre les appels : donnez-lui les événements et « api ».",
    ),
    (
        {"ami_version"},
        f"Cet Asterisk parle AMI 1, qui n’est pas suivi : il faut Asterisk 12 ou plus récent. Essayés : {_ASTERISK}.",
    ),
    (
        {"not_ami"},
        "Ce qui répond à cette adresse n’est pas l’interface AMI d’un Asterisk : vérifiez host, port et tls.",
    ),
    (
        {"not_esl"},
        "Ce qui répond à cette adresse n’est pas l’event socket d’un FreeSWITCH : vérifiez host et port.",
    ),
    (
        {"old_event"},
        f"Des événements d’Asterisk 11 ou plus ancien ne sont pas suivis : des appels manquent. Essayés : {_ASTERISK}.",
    ),
    (
        {"source"},
        "Des paquets viennent d’une adresse inconnue : ajoutez l’agent à « allow », ou cherchez qui les envoie.",
    ),
    (
        {"key_missing", "key_wrong"},
        "La clé de capture n’est pas celle de l’agent : mettez la même des deux côtés (auth_key).",
    ),
    (
        {"pyvoip_headers"},
        "Des notifications sont lues mais refusées au commutateur : ôtez-en les en-têtes vides et les accents.",
    ),
    (
        {"no_identifier"},
        "Des appels de notification ne nomment aucun appel : envoyez X-Line15-Call-ID ou Call-Info (contrib/).",
    ),
    (
        {"contradiction"},
        "La présence se contredit : ce commutateur ne distingue pas les appels d’un poste. Ajoutez la capture ou AMI.",
    ),
    (
        {"entity"},
        "Le serveur de présence répond pour un autre poste : vérifiez le domaine et les adresses des postes.",
    ),
    (
        {"auth_unsupported"},
        "Le serveur de présence demande un procédé d’identification inconnu : il faut Digest, MD5 ou SHA-256.",
    ),
    (
        {"webhook_signature_wrong"},
        "La signature des événements est fausse : comparez le secret des deux côtés (visio15 site secret).",
    ),
    (
        {"clock_skew", "webhook_expired"},
        "L’horloge de l’expéditeur est fausse : synchronisez les deux machines par NTP.",
    ),
)


def state_words(state: str) -> str:
    """Say a feed's state."""
    return _STATES.get(state, state)


def level(state: str, lag: float | None, *, lost: int = 0) -> str:
    """Say whether somebody has to act (bad), should look (watch: messages lost, too), or may sleep (ok)."""
    if state == "down":
        return "bad"
    return "ok" if state == "connected" and not _off(lag) and not lost else "watch"


def why_refused(reason: str) -> str:
    """Say why messages were dropped; what only a developer understands keeps its slug."""
    if reason in _REFUSED:
        return _REFUSED[reason]
    for start, words in _BY_START:
        if reason.startswith(start):
            return f"{words} ({reason.removeprefix(start)})"
    return reason


def remark(switchboard: str) -> str:
    """Say that a switchboard's version was never tried; nothing when it was, or when it does not say."""
    tried = tried_instead(switchboard)
    return f"version jamais essayée avec Visio15 (essayées : {tried})" if tried else ""


def advice(
    kind: str,
    state: str,
    lag: float | None,
    rejected: Mapping[str, int],
    *,
    dropped: int = 0,
    overflow: int = 0,
) -> Sequence[str]:
    """Say what to do about each thing that is wrong with a feed; `dropped` and `overflow` count what it lost."""
    told = []
    if state == "down":
        told.append(
            _DOWN.get(
                kind,
                "La source est arrêtée ; elle est relancée sans cesse. Le journal du serveur dit pourquoi.",
            )
        )
    if state == "quiet":
        told.append(
            _QUIET.get(kind, "La source est ouverte mais ne dit rien. Vérifiez ce qui l’alimente.")
        )
    if state == "starting":
        told.append(
            "La source démarre. Si cela dure plus d’une minute, le journal du serveur dit pourquoi."
        )
    if lag is not None and lag > LATE:
        told.append(
            f"Ses messages ont {_seconds(lag)} de retard : réseau, charge du commutateur, ou horloges. "
            "Vérifiez d’abord NTP."
        )
    if lag is not None and lag < AHEAD:
        told.append(
            f"Son horloge avance de {_seconds(-lag)} sur la nôtre : synchronisez les deux machines par NTP."
        )
    if any(reason.startswith(("hep_", "sip_")) for reason in rejected):
        told.append(
            "Des paquets ne se lisent pas : l’agent doit envoyer du HEP 3, non compressé, vers ce port et lui seul."
        )
    told += [sentence for reasons, sentence in _REMEDIES if reasons & rejected.keys()]
    if dropped:
        told.append(
            f"{_messages(dropped)} avant lecture : l’envoi allait plus vite que ce serveur ne lit. Cherchez d’abord "
            "qui en envoie tant ; sinon agrandissez la mémoire de réception (net.core.rmem_max, « visio15 doctor » dit "
            "ce qui est accordé)."
        )
    if overflow:
        told.append(
            f"{_messages(overflow)} faute de place dans la file. Cherchez qui en envoie tant (« par minute ») ; "
            "sinon vérifiez le disque et les verrous de la base de données."
        )
    return told


def _messages(lost: int) -> str:
    return "1 message perdu" if lost == 1 else f"{lost} messages perdus"


def _off(lag: float | None) -> bool:
    return lag is not None and not AHEAD <= lag <= LATE


def _seconds(span: float) -> str:
    return f"{span:.1f} s".replace(".", ",")
