"""A telephone number is compared, masked and dialled the same way everywhere.

E.164 is the only stored form. Reading goes through the phonenumbers library; what it refuses is
not a number (short codes such as 15 or 1501 are extensions, not numbers). Nothing is guessed that
could be another person's number: what may be two persons' is refused (`is_ambiguous`).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType, ValidationResult

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Territories that dial each other with ten digits starting with 0 (ARCEP numbering plan).
FRENCH_PLAN: Final = ("FR", "RE", "YT", "GP", "MQ", "GF")
#: Codes whose national form a French desk dials, and types, without the country code.
_FRENCH_CODES: Final = frozenset({33, 262, 590, 594, 596})
#: The plan gives these national prefixes to one territory, blocks not yet assigned included (ARCEP 2018-0881).
_OVERSEAS: Final = {
    "0262": "RE", "0263": "RE", "0692": "RE", "0693": "RE", "0269": "YT", "0639": "YT",
    "0590": "GP", "0690": "GP", "0691": "GP", "0594": "GF", "0694": "GF",
    "0596": "MQ", "0696": "MQ", "0697": "MQ",
    "07090": "GP", "07091": "MQ", "07092": "RE", "07093": "GF",
    "070935": "YT", "070936": "YT", "070937": "YT",
}  # fmt: skip
#: Reserved for mobiles by the plan, assigned to an operator or not yet.
_FRENCH_MOBILES: Final = (
    "+336", "+337", "+262639", "+262692", "+262693", "+590690", "+590691", "+594694",
    "+596696", "+596697", "+262709", "+590709", "+594709", "+596709",
)  # fmt: skip
#: Metropolitan machines, cars that call for help by themselves among them: 0700 and ten digits (ARCEP 2012-0855).
_MACHINE: Final = re.compile(r"(?:0|(?:\+|00)?33)(700[0-9]{10})")
#: Somebody abroad, or somebody at home through a switchboard that takes a first 0 for an outside line.
_TWO_ZEROS: Final = re.compile(r"00[1-9][0-9]{8}")
#: A French number whole, as it may stand behind the number of a room or a prefix of the switchboard.
_FRENCH: Final = re.compile(r"(?:0|(?:00)?330?)[1-9][0-9]{8}")
#: Before it: digits without a first zero, or 001 to 009 (rooms of a ground floor; behind a gap only).
_BEFORE: Final = re.compile(r"[1-9][0-9]*|00[1-9]")
_MAX_TEXT: Final = 1024
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_EXPLICIT: Final = re.compile(r"\+|0[1-9]")
_FORM: Final = re.compile(r"(\+{0,2})([0-9]+)")
_BRACKETED: Final = re.compile(r"<([^<>]*)>")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_URI: Final = re.compile(r"(?:sips?|tel):(.*)", re.IGNORECASE | re.DOTALL)
_PARAMETER: Final = re.compile(r";\s*[a-z-]+\s*=", re.IGNORECASE)
_PHONE_CONTEXT: Final = re.compile(r";\s*phone-context\s*=\s*\"?([^\s;?@\"]*)", re.IGNORECASE)
_GLOBAL_CONTEXT: Final = re.compile(r"\+[0-9.\-()]+")
#: Asks the network to hide, or show, the caller's number (3GPP TS 22.030); the number follows.
_SERVICE: Final = re.compile(r"[*#]31#\s*(?=[0-9+])")
_TRUNK_ZERO: Final = re.compile(r"\([ ]*0[ ]*\)")
#: Written between digits, beside every blank and every dash of Unicode.
_GROUPING: Final = "./·\u2024\u2027\uff0e\uff0f\u2044~\u2053\u223c\uff5e\u2212\u2043\u30fc\t"
_SIGNS: Final = {
    **dict.fromkeys(_GROUPING, " "),
    **dict.fromkeys("(\uff08[\uff3b", "("),
    **dict.fromkeys(")\uff09]\uff3d", ")"),
    **dict.fromkeys("+\uff0b\ufe62", "+"),
}
#: What may stand around a pasted number, beside letters before it and blanks. No dots that stand for missing digits.
_AROUND: Final = frozenset(".,:;!?'\"’‘“”«»&°º|_") | {
    char for char, sign in _SIGNS.items() if sign != "+"
}


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
        if _MACHINE.fullmatch(self.e164):
            return " ".join(re.findall("..", f"0{number.national_number}"))
        french = number.country_code in _FRENCH_CODES
        form = PhoneNumberFormat.NATIONAL if french else PhoneNumberFormat.INTERNATIONAL
        return phonenumbers.format_number(number, form)

    @property
    def kind(self) -> NumberKind:
        """Whether an SMS can reach it: mobile, landline or other (a machine is other)."""
        number = _parsed(self.e164)
        if number is None or _MACHINE.fullmatch(self.e164):
            return NumberKind.OTHER
        kind = _KINDS.get(phonenumbers.number_type(number), NumberKind.OTHER)
        return NumberKind.MOBILE if self.e164.startswith(_FRENCH_MOBILES) else kind


def parse_number(text: str, region: str = "FR") -> Number | None:
    """Read a number however people and PBXs write it; None when it is not one. Never raises.

    Takes national and international forms, `00` and bare country-code prefixes, `sip:`, `sips:` and
    `tel:` URIs and name-addr forms. What people paste is read as libphonenumber does, and more of it:
    invisible marks, any blanks and dashes, brackets, the digits of any script, words before the number,
    `*31#` and `#31#`. Letters in or after it are refused: an O is no zero.

    * In the French plan a national form picks its own territory, blocks not yet assigned included:
      0692… is Réunion (+262), 0694… Guyane (+594), 0596… and 07091… Martinique (+596).
    * 0700 and ten more digits is a machine of metropolitan France (M2M, eCall): +33 700…, which takes no SMS.
    * A local number with a phone-context (RFC 3966) is of the country of that context, or nothing; a
      domain there tells no country.
    * Nine digits without a first zero are French where the plan has them (a spreadsheet took the zero);
      a bare country code is believed only before a number that its country has assigned, and after no words.
    * What may be two persons' is None (`is_ambiguous`).
    """
    found = _read(text, region.upper())
    return None if found.ambiguous else found.number


def called_as(user: str, uri: str) -> str:
    """Say what a URI calls: its user part, in E.164 where that alone would be a number of another country."""
    if "phone-context" not in uri.lower():
        return user
    number = parse_number(uri)
    if number is None:
        return uri if parse_number(user) else user
    return number.e164


def is_ambiguous(text: str, region: str = "FR") -> bool:
    """Whether a text is refused because two persons may be meant.

    `00` leads abroad, or is the 0 of an outside line and that of a number; the first digits are a country's code, or
    the number of a room, a place in a list, a prefix of the switchboard.
    """
    return _read(text, region.upper()).ambiguous


def without_marks(text: str) -> str:
    """Take out what nobody sees: marks of direction, zero-width characters, kinds of blanks, blanks at the ends."""
    seen = [char for char in text if not _invisible(char)]
    return "".join(" " if unicodedata.category(char) == "Zs" else char for char in seen).strip()


def compacted(text: str) -> str:
    """Write a text so that a number in it is found by its digits: those of any script, with nothing between them."""
    signs = ((char, " " if char.isspace() else _sign(char)) for char in text)
    return "".join(char if sign is None else sign.strip(" ()") for char, sign in signs)


class _Written(NamedTuple):
    """A text taken apart: `forms` are a plus sign or none, and digits; the second form lacks a `(0)`.

    `groups` are the digits of the first form as they are grouped. `loose`: words or brackets stand before or between
    them, so that the first may be no part of the number.
    """

    forms: tuple[str, ...]
    context: str = ""
    groups: tuple[str, ...] = ()
    loose: bool = False


class _Reading(NamedTuple):
    """One way to read: `text` in the plan of `region`; None: with its country's code, which may be a guess."""

    text: str
    region: str | None = None
    guess: bool = False


class _Read(NamedTuple):
    """What a text says: a number or none, and whether it may be another person's too."""

    number: Number | None = None
    ambiguous: bool = False


@lru_cache(maxsize=4096)
def _read(text: str, region: str) -> _Read:
    """Read a text whatever it may mean besides, and say whether it may."""
    written = _written(text)
    if written is None:
        return _Read()
    first = written.forms[0]
    machine = _MACHINE.fullmatch(first)
    if machine and region in FRENCH_PLAN and written.context in {"", "+33"}:
        return _Read(Number(f"+33{machine[1]}"))
    if written.context:
        return _Read(_spelled(_local(first, written.context)))
    readings = [each for form in written.forms for each in _readings(form, region)]
    number = _spelled(_found([each for each in readings if not each.guess]))
    guessed = None if number else _spelled(_found([each for each in readings if each.guess]))
    others = _behind(written) if region in FRENCH_PLAN and not first.startswith("+") else ()
    number = number or guessed
    ambiguous = (
        (guessed is not None and written.loose)
        or _doubtful(first, region)
        or any(_read(each, region).number != number for each in others)
    )
    return _Read(number, ambiguous)


def _spelled(number: PhoneNumber | None) -> Number | None:
    if number is None:
        return None
    spelled = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return Number(spelled) if _E164.fullmatch(spelled) else None


def _behind(written: _Written) -> set[str]:
    """Collect the French numbers that stand behind other digits: apart from them, or ten digits that touch them."""
    groups, digits = written.groups, "".join(written.groups)
    cuts = [("".join(groups[:at]), "".join(groups[at:])) for at in range(1, len(groups))]
    if not digits.startswith("0"):
        cuts.append((digits[:-10], digits[-10:]))
    return {
        number for before, number in cuts if _BEFORE.fullmatch(before) and _FRENCH.fullmatch(number)
    }


def _written(text: str) -> _Written | None:
    """Take the number out of a URI, a name-addr or a pasted text; None where there is none, or no telling whose."""
    if len(text) > _MAX_TEXT:
        return None
    bracketed = _BRACKETED.search(_QUOTED.sub("", text))
    inner = (bracketed.group(1) if bracketed else text).strip()
    before = ""
    uri = _URI.fullmatch(inner)
    contexts: set[str] = set()
    if uri or "@" in inner or _PARAMETER.search(inner):
        inner = uri.group(1) if uri else inner
        contexts = {unquote(each) for each in _PHONE_CONTEXT.findall(inner)}
        user = inner.partition("@")[0].partition(";")[0].partition(":")[0]
        plain = _plain(unquote(user).strip())
    else:
        before, plain = _pasted(inner)
    if plain is None:
        return None
    loose = ")" in plain or any(unicodedata.category(char)[0] in "LS" for char in before)
    groups = tuple(re.findall("[0-9]+", plain))
    forms = dict.fromkeys(re.sub("[ ()]", "", each) for each in (plain, _TRUNK_ZERO.sub("", plain)))
    found = [f"{each[1][:1]}{each[2]}" for each in map(_FORM.fullmatch, forms) if each]
    if not found:
        return None
    if not contexts or found[0].startswith("+"):
        return _Written(tuple(found), "", groups, loose)
    context = contexts.pop()
    known = not contexts and _GLOBAL_CONTEXT.fullmatch(context)
    return _Written(tuple(found), context, groups, loose) if known else None


def _pasted(text: str) -> tuple[str, str | None]:
    """Tell what stands before a pasted number, and the number without what stands after it."""
    begin = next((at for at, char in enumerate(text) if _begins(char)), len(text))
    before = without_marks(f"{text[:begin]}.")[:-1]
    if before[-1:].isalpha() or "//" in before or not all(map(_may_precede, before)):
        return before, None
    number = text[begin:]
    while number and (number[-1] in _AROUND or number[-1].isspace() or _invisible(number[-1])):
        number = number[:-1]
    return before, _plain(number)


def _begins(char: str) -> bool:
    return char.isdecimal() or char in "*#" or _SIGNS.get(char) == "+"


def _may_precede(char: str) -> bool:
    """Allow words and signs before a number; no other digits, and no dots that stand for some."""
    category = unicodedata.category(char)
    return char in _AROUND or category[0] in "LMZ" or category in {"So", "Pd"}


def _invisible(char: str) -> bool:
    """Whether a character only steers how others are shown: formats (Unicode Cf) and variation selectors."""
    return "\ufe00" <= char <= "\ufe0f" or unicodedata.category(char) == "Cf"


def _plain(text: str) -> str | None:
    """Write digits of any script, plus signs, brackets and grouping in ASCII; None when there is anything else."""
    signs = [_sign(char) for char in _SERVICE.sub("", text, count=1)]
    return None if None in signs else "".join(sign for sign in signs if sign)


def _sign(char: str) -> str | None:
    """Write one character of a number in ASCII, empty for one that nobody sees; None when it is none of a number."""
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    if char in _SIGNS:
        return _SIGNS[char]
    if unicodedata.category(char) in {"Zs", "Pd"}:
        return " "
    return "" if _invisible(char) else None


def _doubtful(text: str, region: str) -> bool:
    """Whether a dialled string is a number abroad, and a national one behind an outside-line zero too."""
    if not text.startswith("00"):
        return False
    if region in FRENCH_PLAN:
        return bool(_TWO_ZEROS.fullmatch(text))
    number = _parsed(text[1:], region)
    if number is None or str(number.national_number) != text[2:]:
        return False
    return phonenumbers.is_valid_number_for_region(number, region)


def _local(text: str, context: str) -> PhoneNumber | None:
    """Read a local number where its phone-context says (RFC 3966, 5.1.5), with or without a trunk zero."""
    prefix = re.sub("[^0-9]", "", context)
    codes = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    code = next((int(prefix[:size]) for size in (1, 2, 3) if int(prefix[:size]) in codes), None)
    if code is None:
        return None
    there = phonenumbers.region_code_for_country_code(code)
    home = phonenumbers.country_code_for_region(_territory(text) or "FR")
    for number in (_parsed(f"+{prefix}{text}"), _parsed(text, there)):
        if number is None or number.country_code != code:
            continue
        if phonenumbers.is_valid_number(number) or (code == home and _possible(number, text)):
            return number
    return None


def _readings(text: str, region: str) -> list[_Reading]:
    """List the ways to read a dialled string, the most natural first."""
    if text.startswith("+"):
        return [_Reading(text)]
    if text.startswith("00"):
        return [_Reading(f"+{text[2:]}")]
    regions = (region, *FRENCH_PLAN) if region in FRENCH_PLAN else (region,)
    own = _territory(text) if region in FRENCH_PLAN else None
    if own is not None:  # the plan gives these numbers to nobody else
        return [_Reading(text, own)]
    return [
        *(_Reading(text, each) for each in dict.fromkeys(regions)),
        _Reading(f"+{text}", guess=True),
    ]


def _territory(text: str) -> str | None:
    """Tell which overseas territory the French plan gives a national number to."""
    return next((_OVERSEAS[text[:size]] for size in (6, 5, 4) if text[:size] in _OVERSEAS), None)


def _found(readings: Sequence[_Reading]) -> PhoneNumber | None:
    """Take the first reading that is assigned to somebody, else the first that may be."""
    parsed = [
        (number, each)
        for each in readings
        if (number := _parsed(each.text, each.region)) is not None
    ]
    known = (number for number, each in parsed if _assigned(number, each))
    new = (number for number, each in parsed if not each.guess and _possible(number, each.text))
    return next(known, None) or next(new, None)


def _assigned(number: PhoneNumber, reading: _Reading) -> bool:
    """Accept what the numbering plan assigns; a national form only in the territory tried."""
    if reading.region is None or not reading.text.startswith("0"):
        return phonenumbers.is_valid_number(number)
    return phonenumbers.is_valid_number_for_region(number, reading.region)


def _possible(number: PhoneNumber, text: str) -> bool:
    """Accept a block the library does not know yet, when the writing leaves no doubt.

    A zero that is left at the beginning, where it is that of the trunk, says that digits are missing.
    """
    there = phonenumbers.region_code_for_country_code(number.country_code or 0)
    trunk = phonenumbers.ndd_prefix_for_region(there, strip_non_digits=True)
    if number.italian_leading_zero and trunk == "0":
        return False
    whole = phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
    return whole and bool(_EXPLICIT.match(text))


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
