"""One SMS is one GSM-7 segment (3GPP TS 23.038): a text in several parts is slow to arrive, or arrives in pieces.

What is not in that alphabet is written with what is; a long site name gives way, the link and the sentence never do.
"""

import unicodedata
from collections.abc import Callable
from typing import Final

SEGMENT: Final = 160  # septets
_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = frozenset("\f^{}\\[~]|€")  # two septets each
_SPELLED: Final = str.maketrans(
    {"œ": "oe", "Œ": "OE", "’": "'", "‘": "'", "“": '"', "”": '"', "«": '"', "»": '"', "…": "..."}
    | dict.fromkeys("‐‑‒–—−", "-")
    | dict.fromkeys("\u00a0\u202f\u2009\t", " ")
)


def septets(text: str) -> int:
    """Count what `text` takes on the air; raises ValueError when it is not in the alphabet."""
    if not all(c in _BASIC or c in _EXTENSION for c in text):
        raise ValueError("not GSM-7")
    return sum(2 if c in _EXTENSION else 1 for c in text)


def gsm(text: str) -> str:
    """Write `text` in the GSM-7 alphabet: other accents are left out, what has no letter there becomes a "?"."""
    return "".join(_letter(c) for c in text.translate(_SPELLED))


def _letter(c: str) -> str:
    if c in _BASIC or c in _EXTENSION:
        return c
    parts = [p for p in unicodedata.normalize("NFKD", c) if not unicodedata.combining(p)]
    if parts and all(p in _BASIC or p in _EXTENSION for p in parts):
        return "".join(parts)
    return "" if unicodedata.combining(c) else "?"


def one_segment(write: Callable[[str], str], name: str) -> str:
    """Return the text that `write` makes, with as much of the site's name as one segment holds."""
    room = SEGMENT - septets(gsm(write("")))
    name = gsm(unicodedata.normalize("NFC", name))
    while septets(name) > room and name:
        name = name[:-1].rstrip(" -,.'(")
    return gsm(write(name))
