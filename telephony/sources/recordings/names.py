"""What a recorder writes into the name of a file: which call it is of, and when it began.

Pure: names in, aliases out. A name that does not fit the pattern says nothing, and nothing is guessed.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from telephony.model.facts import (
    Alias,
    Aliased,
    AliasType,
    Fact,
    RecordingStarted,
    RecordingStopped,
)
from telephony.model.number import Number, parse_number

if TYPE_CHECKING:
    from collections.abc import Iterator

#: `20261122-184536-15-+33612345678-samu37-1795373136.0.wav`: date, number dialled, caller, Linkedid (it begins
#: with the name of the system, where the switchboard has one).
ASTERISK_NAMES: Final = (
    r"(?P<date>\d{8}-\d{6})-[^-]*-(?P<number>\+?\d*)-"
    r"(?P<linkedid>(?:[\w.-]+-)?\d+\.\d+)\.[A-Za-z0-9]+"
)
#: Groups that name a call.
NAMES: Final = {
    "linkedid": AliasType.LINKEDID,
    "uniqueid": AliasType.UNIQUEID,
    "callid": AliasType.SIP_CALL_ID,
    "nena": AliasType.NENA_CALLID,
    "cti": AliasType.CTI_CALL_ID,
}
GROUPS: Final = frozenset({*NAMES, "date", "number"})
#: The name tells the second in which the recording began, not when in it.
NAME_SLACK: Final = 1.0
_DATES: Final = ("%Y%m%d-%H%M%S", "%Y%m%d%H%M%S", "%Y-%m-%d_%H-%M-%S", "%Y-%m-%dT%H%M%S")
_EPOCH: Final = re.compile(r"\d{9,11}(\.\d+)?")
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LONGEST: Final = 255
#: A recording as short as the seconds by which its time is always uncertain is not doubted.
_DOUBTED: Final = 5.0
#: Seconds between telling the recorder to begin and the first sound: ringing, then some.
_RINGS: Final = 300.0
#: In autumn an hour comes twice, and a local time cannot say which of the two it means.
_HOUR: Final = timedelta(hours=1)


class PatternError(ValueError):
    """A sentence for the administrator."""


def begin_known(started: datetime, stopped: datetime | None, slack: float) -> bool:
    """Whether it is known where a recording begins: not when that may be anywhere up to its end."""
    return stopped is None or slack < max(_DOUBTED, (stopped - started).total_seconds())


@dataclass(frozen=True, slots=True)
class FoundRecording:
    """A recording somebody else made, as far as its name and its file tell.

    `started` is when the recorder was told to begin: the first sound may come later. `seconds` is how long it
    sounds, `slack` by how many seconds the times may be wrong: as many as up to its end when its beginning is
    not known, and `started` is then the earliest.
    """

    ref: str
    aliases: tuple[Alias, ...] = ()
    number: Number | None = None
    started: datetime | None = None
    stopped: datetime | None = None
    slack: float = NAME_SLACK
    seconds: float | None = None
    why: str = ""

    def facts(self, source: str) -> tuple[Fact, ...]:
        """Tell it in the vocabulary of facts, to be kept with its call; nothing when its start is not known."""
        if self.started is None:
            return ()
        base = (f"recording:{self.ref}", self.started, source)
        named = [Aliased(*base, alias=each, why=self.why) for each in self.aliases]
        facts: list[Fact] = [*named]
        if begin_known(self.started, self.stopped, self.slack):
            facts.append(RecordingStarted(*base, ref=self.ref))
        if self.stopped is not None and self.stopped >= self.started:
            facts.append(RecordingStopped(base[0], self.stopped, source, ref=self.ref))
        return tuple(facts)


class NamePattern:
    """Reads names with one regular expression, which must match them whole; a zone for times without one."""

    def __init__(self, pattern: str = ASTERISK_NAMES, timezone: str = "Europe/Paris") -> None:
        """Raises PatternError."""
        try:
            self._pattern = re.compile(pattern)
            self._zone = ZoneInfo(timezone)
        except re.error as wrong:
            msg = f"l'expression n'est pas valable : {wrong.msg}"
            raise PatternError(msg) from None
        except (ZoneInfoNotFoundError, ValueError):
            msg = "ce fuseau horaire n'existe pas (exemple : Europe/Paris, UTC)"
            raise PatternError(msg) from None
        groups = set(self._pattern.groupindex)
        if not groups & GROUPS:
            msg = f"l'expression ne nomme aucun groupe connu : {', '.join(sorted(GROUPS))}"
            raise PatternError(msg)
        if groups - GROUPS:
            msg = f"groupe inconnu : {', '.join(sorted(groups - GROUPS))}"
            raise PatternError(msg)

    def read(self, ref: str) -> FoundRecording | None:
        """Read the last part of a path; None when it does not fit, or tells neither call nor caller."""
        name = ref.rpartition("/")[2]
        match = self._pattern.fullmatch(name) if len(name) <= _LONGEST else None
        if match is None:
            return None
        said = {key: value for key, value in match.groupdict().items() if value}
        aliases = tuple(Alias(NAMES[key], said[key]) for key in NAMES if key in said)
        number = parse_number(said.get("number", ""))
        if not aliases and number is None:
            return None
        started = self._date(said.get("date", ""))
        slack = _HOUR.total_seconds() if started and self._twice(started) else NAME_SLACK
        return FoundRecording(ref, aliases, number, started, slack=slack, why="file name")

    def _date(self, text: str) -> datetime | None:
        """Read a local time, or seconds since 1970."""
        if _EPOCH.fullmatch(text):
            return datetime.fromtimestamp(float(text), UTC)
        for form in _DATES:
            try:
                read = datetime.strptime(text, form).replace(tzinfo=self._zone).astimezone(UTC)
            except (ValueError, OverflowError):
                continue
            return read if read >= _EARLIEST else None
        return None

    def _twice(self, at: datetime) -> bool:
        """Whether the clocks went back, so that this local time came again an hour later."""
        wall = at.astimezone(self._zone).replace(fold=0)
        return wall.utcoffset() != wall.replace(fold=1).utcoffset()


def wav_seconds(head: bytes, size: int) -> float | None:
    """Tell how long a WAV file sounds from its first bytes and its length; None for anything else.

    A file whose recorder died has zero in its header: what is there counts.
    """
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:12] != b"WAVE":  # noqa: PLR2004 -- RIFF
        return None
    rate = 0
    for kind, length, at in _chunks(head):
        if kind == b"fmt " and at + 12 <= len(head):
            (rate,) = struct.unpack_from("<I", head, at + 8)
        elif kind == b"data" and rate:
            there = max(0, size - at)
            return (min(length, there) or there) / rate
    return None


def _chunks(head: bytes) -> Iterator[tuple[bytes, int, int]]:
    at = 12
    while at + 8 <= len(head):
        kind, length = struct.unpack_from("<4sI", head, at)
        yield kind, length, at + 8
        at += 8 + length + length % 2


def bounded(found: FoundRecording, seconds: float | None, modified: datetime) -> FoundRecording:
    """Add what the file itself tells: how long it sounds, and when it was written last.

    The last write is its end, unless the file was copied since: then it lies too far off, and is not believed.
    """
    if found.started is None:
        started = None if seconds is None else modified - timedelta(seconds=seconds)
        return replace(found, started=started, stopped=modified, seconds=seconds)
    begun = [found.started]
    if found.slack >= _HOUR.total_seconds():
        begun.append(found.started + _HOUR)
    for started in begun:
        if _ends(started, seconds, modified):
            slack = NAME_SLACK if len(begun) > 1 else found.slack
            return replace(found, started=started, stopped=modified, seconds=seconds, slack=slack)
    return replace(found, seconds=seconds)


def _ends(started: datetime, seconds: float | None, modified: datetime) -> bool:
    """Whether the last write may be the end of what began then."""
    lasted = (modified - started).total_seconds()
    if seconds is None:
        return 0 <= lasted <= timedelta(hours=12).total_seconds()
    return -2 * NAME_SLACK <= lasted - seconds <= _RINGS
