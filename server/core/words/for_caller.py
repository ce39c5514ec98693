"""What a caller is told of a refusal: by the regulator, aloud, or by the caller's own page, in its language."""

from collections.abc import Mapping
from typing import Final

from server.core.errors import AppError

#: By code: French, read aloud to the caller. Most refusals do not concern the caller and have none.
ALOUD: Final[Mapping[str, str]] = {
    "link_expired": "Je vous envoie un nouveau message, ne touchez plus l'ancien.",
    "number_impossible": (
        "Pouvez-vous me redonner le numéro de votre téléphone portable, chiffre par chiffre ?"
    ),
    "number_ambiguous": (
        "Pouvez-vous me redonner le numéro de votre téléphone portable, chiffre par chiffre ?"
    ),
    "number_landline": (
        "Quelqu'un près de vous a-t-il un téléphone portable ? Donnez-moi son numéro."
    ),
    "email_impossible": "Pouvez-vous m'épeler votre adresse e-mail ?",
    "contact_missing": "Quel est le numéro de votre téléphone portable ?",
    "too_many_messages": (
        "Avez-vous une adresse e-mail, ou un autre téléphone portable près de vous ?"
    ),
    "carrier_refused": (
        "Le message ne peut pas partir vers ce numéro. Avez-vous un autre téléphone ou une "
        "adresse e-mail ?"
    ),
    "open_elsewhere": "Le lien est ouvert sur un autre téléphone : gardez celui qui filme.",
    "picture_malformed": "Prenez une autre photo, s'il vous plaît.",
}
#: By code: keys of templates/caller/words.html, which has each sentence in every language. Of a link that does not
#: work: title, then what to do.
ON_PAGE: Final[Mapping[str, tuple[str, ...]]] = {
    "link_expired": ("expired_title", "expired"),
    "link_revoked": ("closed_title", "closed"),
    "open_elsewhere": ("elsewhere_title", "elsewhere"),
    "session_ended": ("over_title", "over"),
    "link_unknown": ("unknown_title", "unknown"),
    "code_wrong": ("code_wrong",),
    "code_throttled": ("code_throttled",),
    "cookies_missing": ("cookies_title", "do_other_browser", "do_cookies"),
    "xsrf_refused": ("retry",),
}


def aloud(error: AppError) -> str:
    """Return what the regulator reads to the caller; "" when the refusal does not concern the caller."""
    return ALOUD.get(error.code, "")


def for_caller(error: AppError) -> tuple[str, ...]:
    """Return the keys of what the caller's page says; only for a refusal that this page shows."""
    return ON_PAGE[error.code]
