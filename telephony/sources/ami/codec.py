"""Messages of the Asterisk Manager Interface, cut out of a stream that nobody has checked.

Lines of `Key: value`, an empty line ends a message; keys may repeat. Bounded: a line, a message and
what waits for its end have a limit each, and what is over it is dropped and counted. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_LINE: Final = 8192
MAX_LINES: Final = 512
#: The first version that is followed: Asterisk 12. Before it, other events told of dials, bridges and holds.
OLDEST: Final = 2
_GREETING: Final = re.compile(r"Asterisk Call Manager/([0-9]{1,4}(\.[0-9]{1,4}){0,3})")
#: What only those older versions send.
_OLD_EVENTS: Final = frozenset({"Dial", "Bridge", "Link", "Unlink", "Join", "Leave", "Masquerade"})


@dataclass(frozen=True, slots=True)
class AmiMessage:
    """One event or response; keys in lower case, each with its values in order."""

    fields: Mapping[str, tuple[str, ...]]

    def get(self, key: str) -> str:
        """Return the first value of a key, or nothing."""
        return self.fields.get(key.lower(), ("",))[0]

    def all(self, key: str) -> tuple[str, ...]:
        """Return every value of a key."""
        return self.fields.get(key.lower(), ())

    @property
    def event(self) -> str:
        """Name the event; empty for a response."""
        return self.get("event")


def greeted(line: str) -> str | None:
    """Read the version out of the first line of a manager: empty when it is not legible, None when it is no manager."""
    if "Call Manager" not in line:
        return None
    found = _GREETING.fullmatch(line.strip())
    return found[1] if found else ""


def too_old(version: str) -> bool:
    """Whether a version is older than those that are followed; one that is not legible is not."""
    return bool(version) and int(version.partition(".")[0]) < OLDEST


def is_old(message: AmiMessage) -> bool:
    """Whether an event is one that only a version too old to be followed sends."""
    on_or_off = message.event == "Hold" and bool(message.get("Status"))
    return on_or_off or message.event in _OLD_EVENTS


@dataclass(slots=True)
class AmiDecoder:
    """Give it bytes as they come; it gives whole messages. `rejected` counts what it dropped, by reason."""

    rejected: Counter[str] = field(default_factory=Counter)
    banner: str = ""
    _rest: bytes = b""
    _lines: list[str] = field(default_factory=list)
    _spoilt: bool = False
    _skipping: bool = False

    def feed(self, data: bytes) -> list[AmiMessage]:
        """Take bytes in; return the messages they complete."""
        *lines, rest = (self._rest + data).split(b"\n")
        found: list[AmiMessage] = []
        for line in lines:
            if self._skipping:  # the end of a line that was too long
                self._skipping = False
                continue
            self._line(line.rstrip(b"\r"), found)
        if len(rest) > MAX_LINE or self._skipping:
            if not self._skipping:
                self._spoil("line_too_long")
            self._skipping, rest = True, b""
        self._rest = rest
        return found

    def _line(self, line: bytes, found: list[AmiMessage]) -> None:
        if len(line) > MAX_LINE:
            self._spoil("line_too_long")
        elif line:
            text = line.replace(b"\0", b"?").decode("utf-8", "replace")
            if not self._lines and text.startswith("Asterisk Call Manager/"):
                self.banner = text
            elif len(self._lines) >= MAX_LINES:
                self._spoil("too_many_lines")
            else:
                self._lines.append(text)
        else:
            self._end(found)

    def _spoil(self, reason: str) -> None:
        """Drop the message under way, once; its remaining lines go with it."""
        if not self._spoilt:
            self.rejected[reason] += 1
        self._spoilt = True

    def _end(self, found: list[AmiMessage]) -> None:
        lines, spoilt = self._lines, self._spoilt
        self._lines, self._spoilt = [], False
        if spoilt or not lines:
            return
        fields: dict[str, tuple[str, ...]] = {}
        for line in lines:
            key, colon, value = line.partition(":")
            if colon:
                name = key.strip().lower()
                fields[name] = (*fields.get(name, ()), value.strip())
        if "event" in fields or "response" in fields:
            found.append(AmiMessage(fields))
        else:
            self.rejected["no_event"] += 1
