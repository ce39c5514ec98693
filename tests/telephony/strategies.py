"""Values for property tests: facts of every kind, about a few legs, within a few minutes; numbers as people paste."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import phonenumbers
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from telephony import (
    Alias,
    Aliased,
    AliasType,
    Answered,
    Direction,
    Fact,
    Held,
    HungUp,
    Joined,
    Left,
    Moved,
    Number,
    Paired,
    Rang,
    RecordingStarted,
    RecordingStopped,
    Resumed,
    Seen,
    Unpaired,
)
from telephony.model.number import FRENCH_PLAN

START = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


LEGS = st.sampled_from(["sip:a", "sip:b", "sip:c", "ami:d"])
TIMES = st.integers(0, 60).map(at)
BASE = {"leg": LEGS, "at": TIMES, "source": st.sampled_from(["hep", "ami"])}
STATIONS = st.sampled_from(["1501", "1601", "9999"])
ALIASES = st.builds(
    Alias, st.sampled_from(AliasType), st.sampled_from(["x", "y", "urn:emergency:uid:callid:z"])
)


def facts() -> st.SearchStrategy[Fact]:
    numbers = st.none() | st.sampled_from([Number("+33612345678"), Number("+33711223344")])
    return st.one_of(
        st.builds(
            Rang,
            **BASE,
            caller=numbers,
            called=st.none() | st.text(max_size=5),
            station=st.none() | STATIONS,
            direction=st.sampled_from(Direction),
        ),
        st.builds(Answered, **BASE, station=st.none() | STATIONS),
        st.builds(Held, **BASE),
        st.builds(Resumed, **BASE),
        st.builds(
            HungUp,
            **BASE,
            cause=st.sampled_from(["bye", "cancelled", "rejected 486", "expired"]),
            certain=st.booleans(),
        ),
        st.builds(Aliased, **BASE, alias=ALIASES, why=st.text(max_size=5)),
        st.builds(Moved, **BASE, station=STATIONS),
        st.builds(Joined, **BASE, bridge=st.sampled_from(["b1", "b2"])),
        st.builds(Left, **BASE, bridge=st.sampled_from(["b1", "b2"])),
        st.builds(
            Paired, **BASE, with_leg=LEGS, why=st.sampled_from(["p", "q"]), inferred=st.booleans()
        ),
        st.builds(
            Unpaired, **BASE, with_leg=LEGS, why=st.sampled_from(["p", "q"]), doubtful=st.booleans()
        ),
        st.builds(RecordingStarted, **BASE, ref=st.sampled_from(["r1", "r2"])),
        st.builds(RecordingStopped, **BASE, ref=st.sampled_from(["r1", "r2"])),
        st.builds(Seen, **BASE),
    )


def _examples() -> list[str]:
    """List one landline and one mobile of every country, and their French writings where there are."""
    kinds = (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE)
    found = [
        phonenumbers.example_number_for_type(region, kind)
        for region in phonenumbers.SUPPORTED_REGIONS
        for kind in kinds
    ]
    numbers = [number for number in found if number is not None]
    forms = (PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL)
    texts = [phonenumbers.format_number(number, form) for number in numbers for form in forms]
    texts += [f"00{text[1:]}" for text in texts]
    return sorted(
        {
            *texts,
            *(
                phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
                for number in numbers
                if phonenumbers.region_code_for_number(number) in FRENCH_PLAN
            ),
        }
    )


#: Numbers as libphonenumber writes them.
PASTED = st.sampled_from(_examples())
_BLANKS = st.sampled_from(
    ["", *" -./\u00a0\u2007\u2009\u202f\u3000\u2010\u2011\u2012\u2013\u2014\u2212"]
)
_MARKS = st.sampled_from(
    [
        "",
        "",
        "",
        *"\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u2060\u2066\u2067\u2068\u2069\ufeff\ufe0d",
    ]
)
_SCRIPTS = st.sampled_from(["0123456789", "０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹"])


@st.composite
def pasted(draw: st.DrawFn, numbers: st.SearchStrategy[str]) -> str:
    """Write a number with what other programs put into it: marks, other blanks, the digits of another script."""
    digits = draw(_SCRIPTS)
    parts: list[str] = [draw(st.sampled_from(["", "", "(", "Tél. : ", "☎"]))]
    for char in draw(numbers):
        written = digits[int(char)] if char.isdigit() else char if char == "+" else draw(_BLANKS)
        parts += [draw(_MARKS), written]
    return "".join([*parts, draw(_MARKS), draw(st.sampled_from(["", "", ".", ")", " "]))])
