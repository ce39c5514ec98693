"""What the desk says of the context that opened it."""

from collections.abc import Mapping, Sequence
from typing import Final

from server.core.words.for_doctor import SENTENCES
from server.line15.domain.launch_notice import Notice, NoticeKind

WORDS: Final[Mapping[NoticeKind, str]] = {
    NoticeKind.CONTEXT_GONE: "Le contexte d'appel a expiré : rouvrez la page depuis l'appel.",
    NoticeKind.STATION_FOREIGN: "Le poste indiqué n'est pas de votre site : choisissez le vôtre.",
    NoticeKind.CALL_MALFORMED: (
        "L'identifiant d'appel reçu est illisible : choisissez l'appel dans la liste."
    ),
    NoticeKind.CALL_ENDED: "Cet appel est terminé : la vidéo lui restera liée si vous invitez.",
    NoticeKind.CALL_ASSERTED: (
        "Appel pas encore vu par la téléphonie : identifiant conservé, à confirmer."
    ),
    NoticeKind.CALL_RINGS: "Cet appel sonne au poste {stations}.",
    NoticeKind.CALL_HELD: "Cet appel est au poste {stations}.",
    NoticeKind.NUMBER_MALFORMED: "Le numéro reçu est illisible : saisissez-le.",
    NoticeKind.NUMBER_LANDLINE: (
        "L'appelant est sur un téléphone fixe : demandez un numéro de mobile."
    ),
}


def launch_words(code: str | None, notices: Sequence[Notice]) -> str | None:
    """Return the sentence of a refused context, else those of what was off; None when all was well."""
    if code:
        return SENTENCES[code]
    said = [WORDS[one.kind].format(stations=", ".join(one.stations)) for one in notices]
    return " ".join(said) or None
