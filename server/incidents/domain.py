"""What becomes of an incident or a remark: its number, its states, and what a référent may write into a spreadsheet."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

#: Also as they are typed in wide letters.
_FORMULA: Final = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
YEAR: Final = 1_000_000
LONGEST_NOTE: Final = 2_000
KINDS: Final = {"incident": "Incident", "remark": "Remarque"}


class IncidentState(StrEnum):
    """Where it stands."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    FORWARDED = "forwarded"
    CLOSED = "closed"


STATES: Final = {
    IncidentState.NEW: "Nouveau",
    IncidentState.ACKNOWLEDGED: "Pris en compte",
    IncidentState.FORWARDED: "Transmis à l’agence",
    IncidentState.CLOSED: "Clos",
}
#: What a person may choose: nothing becomes new again.
CHOICES: Final = (IncidentState.ACKNOWLEDGED, IncidentState.FORWARDED, IncidentState.CLOSED)


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident or remark as it is stored; `remark` names its personal value."""

    id: str
    site: str
    user: str
    kind: str
    remark: str
    context: dict[str, str]
    created: datetime
    number: int
    state: IncidentState
    steps: int
    mail: str | None

    @property
    def reference(self) -> str:
        """The name people say to each other."""
        return reference(self.number)


@dataclass(frozen=True, slots=True)
class IncidentStep:
    """One change of state, or a note without one; `note` names its personal value."""

    incident: str
    step: int
    state: IncidentState
    user: str
    note: str | None
    at: datetime


def reference(number: int) -> str:
    """Write a number as `INC-2026-0042`."""
    return f"INC-{number // YEAR}-{number % YEAR:04d}"


def number_of(text: str) -> int | None:
    """Read a reference back; None when it is none."""
    parts = text.strip().upper().split("-")
    if len(parts) != len(("INC", "year", "number")) or parts[0] != "INC":
        return None
    year, count = parts[1:]
    if not (_digits(year, 4) and _digits(count, 6)):
        return None
    return int(year) * YEAR + int(count)


def _digits(text: str, most: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= most


def cell(text: str) -> str:
    """Make a text harmless in a spreadsheet: a first sign that would start a formula gets an apostrophe before it."""
    harmless = text.replace("\0", "")
    risky = harmless.lstrip()[:1] in _FORMULA or harmless[:1] in {"\t", "\r", "\n"}
    return f"'{harmless}" if risky else harmless


def row(values: list[str]) -> str:
    """Write one line of RFC 4180: every value quoted, quotes doubled, CRLF at the end."""
    return ",".join('"' + cell(value).replace('"', '""') + '"' for value in values) + "\r\n"
