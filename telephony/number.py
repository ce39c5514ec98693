"""A telephone number is compared, masked and dialled the same way everywhere.

E.164 is the only stored form. Reading goes through the phonenumbers library; what it refuses is
not a number (short codes such as 15 or 1501 are extensions, not numbers).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

#: Territories that dial each other with ten digits starting with 0 (ARCEP numbering plan).
FRENCH_PLAN: Final = ("FR", "RE", "YT", "GP", "MQ", "GF")
#: Codes whose national form a French desk reads without the country code.
_FRENCH_CODES: Final = frozenset({33, 262, 508, 590, 594, 596, 681, 687, 689})
#: The plan gives these national prefixes to one territory, blocks not yet assigned included (ARCEP 2018-0881).
_OVERSEAS: Final = {
    "0262": "RE", "0263": "RE", "0692": "RE", "0693": "RE", "0269": "YT", "0639": "YT",
    "0590": "GP", "0690": "GP", "0691": "GP", "0594": "GF", "0694": "GF",
    "0596": "MQ", "0696": "MQ", "0697": "MQ",
}  # fmt: skip
#: Reserved for mobiles by the plan, assigned to an operator or not yet.
_FRENCH_MOBILES: Final = (
    "+336", "+337", "+262639", "+262692", "+262693", "+590690", "+590691", "+594694",
    "+596696", "+596697",
)  # fmt: skip
_MAX_TEXT: Final = 256
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_EXPLICIT: Final = re.compile(r"\+|0[1-9]")
_BRACKETED: Final = re.compile(r"<([^<>]*)>")
_DIALLABLE: Final = re.compile(r"\+?[0-9][0-9 ().\-/\u00a0]*")
_PHONE_CONTEXT: Final = re.compile(r";phone-context=(\+[0-9.\-()]+)", re.IGNORECASE)


class NumberKind(StrEnum):
    """Only a mobile takes an SMS; a landline caller needs another phone's number."""

    MOBILE = "mobile"
    LANDLINE = "landline"
    OTHER = "other"


_KINDS: Final = {
    PhoneNumberType.MOBILE: NumberKind.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: NumberKind.MOBILE,
    PhoneNumberType.FIXED_LINE: NumberKind.LANDLINE,
}


@dataclass(frozen=True, slots=True, order=True, repr=False)
class Number:
    """A number that cannot leak by accident: `str` and `repr` are masked, `e164` is not.

    Raises ValueError when `e164` is not `+` and 7 to 15 digits (ITU-T E.164).
    """

    e164: str

    def __post_init__(self) -> None:
        """Refuse anything but E.164: equality and look-up rely on one spelling."""
        if not _E164.fullmatch(self.e164):
            msg = "not an E.164 number"
            raise ValueError(msg)

    def __str__(self) -> str:
        """Masked for logs and screens that need no more: `+336•••••78`."""
        return f"{self.e164[:4]}•••••{self.e164[-2:]}"

    def __repr__(self) -> str:
        """Masked too, so that a traceback or a dataclass repr shows no number."""
        return f"Number({self})"

    @property
    def national(self) -> str:
        """The number as a French desk reads it aloud; foreign ones in international form."""
        number = _parsed(self.e164)
        if number is None:
            return self.e164
        french = number.country_code in _FRENCH_CODES
        form = PhoneNumberFormat.NATIONAL if french else PhoneNumberFormat.INTERNATIONAL
        return phonenumbers.format_number(number, form)

    @property
    def kind(self) -> NumberKind:
        """Whether an SMS can reach it: mobile, landline or other."""
        number = _parsed(self.e164)
        if number is None:
            return NumberKind.OTHER
        kind = _KINDS.get(phonenumbers.number_type(number), NumberKind.OTHER)
        return NumberKind.MOBILE if self.e164.startswith(_FRENCH_MOBILES) else kind


@lru_cache(maxsize=4096)
def parse_number(text: str, region: str = "FR") -> Number | None:
    """Read a number however people and PBXs write it; None when it is not one. Never raises.

    Takes national and international forms, `00` and bare country-code prefixes, `sip:`, `sips:` and
    `tel:` URIs (RFC 3966, with phone-context) and name-addr forms. In the French plan a national
    form picks its own territory: 0692… is Réunion (+262), 0694… Guyane (+594).
    """
    if len(text) > _MAX_TEXT:
        return None
    digits = _diallable(text)
    if digits is None:
        return None
    readings = [
        (number, candidate, where)
        for candidate, where in _readings(digits, region.upper())
        if (number := _parsed(candidate, where)) is not None
    ]
    found = next((n for n, dialled, where in readings if _assigned(n, dialled, where)), None)
    found = found or next((n for n, dialled, _ in readings if _possible(n, dialled)), None)
    if found is None:
        return None
    spelled = phonenumbers.format_number(found, PhoneNumberFormat.E164)
    return Number(spelled) if _E164.fullmatch(spelled) else None


def _diallable(text: str) -> str | None:
    """Take the user part out of a URI or a name-addr, without its parameters."""
    bracketed = _BRACKETED.search(text)
    inner = (bracketed.group(1) if bracketed else text).strip()
    context = _PHONE_CONTEXT.search(inner)
    head, colon, rest = inner.partition(":")
    if colon:
        if head.lower() not in {"sip", "sips", "tel"}:
            return None
        inner = rest
    user = inner.partition("@")[0].partition(";")[0].partition(":")[0].replace("%2B", "+").strip()
    if context and not user.startswith("+"):
        user = context.group(1) + user.removeprefix("0")
    return user if _DIALLABLE.fullmatch(user) else None


def _readings(text: str, region: str) -> list[tuple[str, str | None]]:
    """List the ways to read a dialled string, the most natural first."""
    if text.startswith("+"):
        return [(text.replace("(0)", ""), None)]
    if text.startswith("00"):
        return [("+" + text[2:], None)]
    regions = (region, *FRENCH_PLAN) if region in FRENCH_PLAN else (region,)
    own = _OVERSEAS.get(re.sub(r"[^0-9]", "", text)[:4]) if region in FRENCH_PLAN else None
    if own is not None:
        regions = (own, *regions)
    readings: list[tuple[str, str | None]] = [(text, where) for where in dict.fromkeys(regions)]
    return [*readings, ("+" + text, None)]


def _assigned(number: PhoneNumber, text: str, where: str | None) -> bool:
    """Accept what the numbering plan assigns; a national form only in the territory tried."""
    if where is None or not text.startswith("0"):
        return phonenumbers.is_valid_number(number)
    return phonenumbers.is_valid_number_for_region(number, where)


def _possible(number: PhoneNumber, text: str) -> bool:
    """Accept a block the library does not know yet, when the writing leaves no doubt."""
    return bool(_EXPLICIT.match(text)) and phonenumbers.is_possible_number(number)


def _parsed(text: str, region: str | None = None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def load_numbering_plans() -> None:
    """Load the numbering plan of every region now (65 ms, 1 MB).

    The library loads one when it is first asked. A load that fails, because no file descriptor is left, keeps its lock,
    and the next one waits for it for ever: the whole process would stand still.
    """
    phonenumbers.PhoneMetadata.load_all()
