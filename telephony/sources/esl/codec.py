"""Messages of FreeSWITCH's event socket, cut out of a stream that nobody has checked.

Headers, an empty line, then a body of `Content-Length` bytes; the body of an event is itself headers, with
URL-encoded values. Bounded: a line, a number of lines and a body have a limit each; what is over it is dropped
and counted, and the stream goes on after it. Pure.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_LINE: Final = 8192
MAX_HEADERS: Final = 64
MAX_EVENT: Final = 256 * 1024
MAX_FIELDS: Final = 2000
#: An answer lists every channel: about 1 kB each.
MAX_BODY: Final = 8 * 1024 * 1024
EVENT: Final = "text/event-plain"
_DIGITS: Final = 18
_VERSION: Final = re.compile(r"FreeSWITCH Version ([0-9]{1,4}(\.[0-9]{1,4}){0,3})")


@dataclass(frozen=True, slots=True)
class EslMessage:
    """One event, answer or notice; keys in lower case. `body` is that of an answer."""

    kind: str
    headers: Mapping[str, str]
    fields: Mapping[str, str] = field(default_factory=dict)
    body: str = field(default="", repr=False)

    def get(self, key: str) -> str:
        """Return a field of the event, decoded, or nothing."""
        value = self.fields.get(key.lower(), "")
        return (unquote(value) if "%" in value else value).replace("\0", "?")

    @property
    def event(self) -> str:
        """Name the event; empty for anything else."""
        return self.get("event-name")

    @property
    def reply(self) -> str:
        """Return what a command was answered."""
        return self.headers.get("reply-text", "")


@dataclass(slots=True)
class EslDecoder:
    """Give it bytes as they come; it gives whole messages. `rejected` counts what it dropped, by reason."""

    rejected: Counter[str] = field(default_factory=Counter)
    _rest: bytearray = field(default_factory=bytearray)
    _headers: dict[str, str] = field(default_factory=dict)
    _lines: int = 0
    _spoilt: bool = False
    _skipping: bool = False
    _body: int | None = None
    _dropping: int = 0

    def feed(self, data: bytes) -> list[EslMessage]:
        """Take bytes in; return the messages they complete."""
        self._rest += data
        found: list[EslMessage] = []
        while self._drop() and (self._take_body(found) if self._body else self._take_line(found)):
            pass
        return found

    def _drop(self) -> bool:
        """Pass over a body that nobody wants; True when it is behind us."""
        gone = min(self._dropping, len(self._rest))
        del self._rest[:gone]
        self._dropping -= gone
        return not self._dropping

    def _take_body(self, found: list[EslMessage]) -> bool:
        size = self._body or 0
        if len(self._rest) < size:
            return False
        body = self._rest[:size].decode("utf-8", "replace")
        del self._rest[:size]
        self._body = None
        self._end(body, found)
        return True

    def _take_line(self, found: list[EslMessage]) -> bool:
        end = self._rest.find(b"\n")
        if end < 0:
            if len(self._rest) > MAX_LINE:
                if not self._skipping:
                    self._spoil("line_too_long")
                self._skipping = True
                self._rest.clear()
            return False
        line = bytes(self._rest[:end]).rstrip(b"\r")
        del self._rest[: end + 1]
        if self._skipping:  # the end of a line that was too long
            self._skipping = False
        elif len(line) > MAX_LINE:
            self._spoil("line_too_long")
        elif line:
            self._header(line.decode("utf-8", "replace"))
        elif self._lines or self._spoilt:
            self._begin(found)
        return True

    def _header(self, line: str) -> None:
        self._lines += 1
        key, colon, value = line.partition(":")
        if self._lines > MAX_HEADERS:
            self._spoil("too_many_lines")
        elif colon:
            self._headers[key.strip().lower()] = value.strip()

    def _spoil(self, reason: str) -> None:
        """Drop the message under way, once; its body goes with it."""
        if not self._spoilt:
            self.rejected[reason] += 1
        self._spoilt = True

    def _begin(self, found: list[EslMessage]) -> None:
        """The headers are complete: take the body, or pass over it."""
        length = self._headers.get("content-length", "0")
        most = MAX_EVENT if self._headers.get("content-type") == EVENT else MAX_BODY
        if not (length.isascii() and length.isdecimal() and len(length) <= _DIGITS):
            self._spoil("content_length")
            length = "0"
        if int(length) > most:
            self._spoil("body_too_large")
        if self._spoilt:
            self._dropping = int(length)
            self._clear()
        elif int(length):
            self._body = int(length)
        else:
            self._end("", found)

    def _end(self, body: str, found: list[EslMessage]) -> None:
        headers = self._headers
        self._clear()
        kind = headers.get("content-type", "")
        if not kind:
            self.rejected["no_content_type"] += 1
        elif kind != EVENT:
            found.append(EslMessage(kind, headers, {}, body))
        elif (fields := _fields(body)) is None:
            self.rejected["too_many_fields"] += 1
        elif "event-name" not in fields:
            self.rejected["no_event"] += 1
        else:
            found.append(EslMessage(kind, headers, fields))

    def _clear(self) -> None:
        self._headers, self._lines, self._spoilt, self._body = {}, 0, False, None


def _fields(body: str) -> dict[str, str] | None:
    """Read the lines of an event up to its own body; None when there are too many."""
    lines = body.partition("\n\n")[0].split("\n")
    if len(lines) > MAX_FIELDS:
        return None
    parts = (line.partition(":") for line in lines)
    return {key.strip().lower(): value.strip() for key, colon, value in parts if colon}


def dumped(body: str) -> EslMessage | None:
    """Read the answer to `uuid_dump … json` as an event; None when it is an error, or something else."""
    told = _json(body)
    if not isinstance(told, dict) or len(told) > MAX_FIELDS:
        return None
    fields: dict[str, str] = {}
    for key, value in told.items():
        parts = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        texts = [part for part in parts if isinstance(part, str)]
        many = "ARRAY::" if isinstance(value, list) else ""  # as an event writes it
        if texts:
            fields[key.lower()] = (many + "|:".join(texts)).replace("%", "%25")
    return EslMessage(EVENT, {}, fields) if fields.get("unique-id") else None


def channels(body: str) -> tuple[str, ...] | None:
    """Read the answer to `show channels as json`: the uuids; None when it is something else."""
    told = _json(body)
    rows = told.get("rows", []) if isinstance(told, dict) and "row_count" in told else None
    if not isinstance(rows, list):
        return None
    found = (row.get("uuid") for row in rows if isinstance(row, dict))
    return tuple(uuid for uuid in found if isinstance(uuid, str) and uuid)


def freeswitch_version(body: str) -> str | None:
    """Read the answer to `version`; None when it is something else."""
    found = _VERSION.search(body)
    return found[1] if found else None


def _json(body: str) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
