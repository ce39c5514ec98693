"""The languages a caller may read, and which one a phone asks for. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Language:
    """One language: how it calls itself, for the caller, and its French name, for the regulator."""

    code: str
    own: str
    french: str
    right_to_left: bool = False


#: Those whose catalogues are whole (`scripts/words --check` sees to it).
ALL: Final = (
    Language("fr", "Français", "français"),
    Language("en", "English", "anglais"),
    Language("es", "Español", "espagnol"),
    Language("pt", "Português", "portugais"),
    Language("de", "Deutsch", "allemand"),
    Language("it", "Italiano", "italien"),
    Language("nl", "Nederlands", "néerlandais"),
    Language("pl", "Polski", "polonais"),
    Language("ro", "Română", "roumain"),
    Language("ar", "العربية", "arabe", right_to_left=True),
    Language("tr", "Türkçe", "turc"),
    Language("ru", "Русский", "russe"),
    Language("uk", "Українська", "ukrainien"),
    Language("zh", "简体中文", "chinois"),
)
BY_CODE: Final = {language.code: language for language in ALL}
#: The language of the site, and of whoever does not say; the language of those who say another one.
OWN, COMMON = "fr", "en"
LONGEST = 512


def choose(accepted: str | None) -> str:
    """Return the offered language that an Accept-Language header prefers (RFC 9110, 12.5.4: basic filtering).

    `zh-Hans-CN`, `pt-BR`: the first part decides, since each language is offered in one form.
    """
    ranges = _ranges((accepted or "")[:LONGEST])
    if not ranges:
        return OWN
    return next((code for code, _ in ranges if code in BY_CODE), COMMON)


def _ranges(header: str) -> Sequence[tuple[str, float]]:
    """Return the wanted languages, most wanted first; what is malformed is not wanted."""
    found = []
    for part in header.split(","):
        tag, _, parameters = part.partition(";")
        weight = _weight(parameters)
        primary = tag.strip().lower().partition("-")[0]
        if weight > 0 and primary.isascii() and primary.isalpha():
            found.append((primary, weight))
    return sorted(found, key=lambda one: -one[1])


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if not name:
        return 1.0
    try:
        weight = float(value) if name.strip() == "q" else 0.0
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
