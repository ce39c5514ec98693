"""Read what matters of a SIP message seen on the wire, whatever its writer got wrong.

A lenient scanner, not a validating parser: it never decides for the switchboard, it only observes.
RFC 3261 (messages, compact names, folding), 3325 (P-Asserted-Identity), 7989 (Session-ID),
NENA-STA-010.3 (Call-Info). Sans-io; raises only SipDecodeError.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote

from telephony.sip import sdp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_MESSAGE: Final = 65536
MAX_HEADERS: Final = 256
_COMPACT: Final = {
    "i": "call-id",
    "f": "from",
    "t": "to",
    "v": "via",
    "m": "contact",
    "s": "subject",
    "l": "content-length",
    "c": "content-type",
    "e": "content-encoding",
    "k": "supported",
    "o": "event",
    "r": "refer-to",
    "b": "referred-by",
    "u": "allow-events",
    "x": "session-expires",
    "a": "accept-contact",
    "j": "reject-contact",
    "d": "request-disposition",
    "y": "identity",
}
#: How these names are mostly written; any other spelling is read too, more slowly.
_SPELLED: Final = {
    **{
        spelling: name
        for name in (
            *_COMPACT.values(),
            *("max-forwards", "allow", "user-agent", "server", "call-info", "session-id"),
            *("p-asserted-identity", "remote-party-id", "record-route", "route", "reason"),
            *("min-se", "replaces", "diversion", "history-info", "require", "date"),
            *("content-disposition", "expires"),
        )
        for spelling in (name, name.title())
    },
    **{spelling: name for short, name in _COMPACT.items() for spelling in (short, short.upper())},
    "Call-ID": "call-id",
    "CSeq": "cseq",
    "cseq": "cseq",
    "Session-ID": "session-id",
    "Min-SE": "min-se",
    "Remote-Party-ID": "remote-party-id",
}
_STATUS: Final = re.compile(r"SIP/2\.0[ \t]+([1-6][0-9]{2})(?:[ \t]|$)", re.IGNORECASE)
_METHOD: Final = re.compile(r"[A-Za-z0-9.!%*_+`'~-]{1,64}")
_CSEQ: Final = re.compile(r"([0-9]{1,10})\s+([A-Za-z0-9.!%*_+`'~-]{1,64})\s*$")
_BRANCH: Final = re.compile(r";\s*branch\s*=\s*([^\s;,]+)", re.IGNORECASE)
_TAG: Final = re.compile(r";\s*tag\s*=\s*([^\s;,>]+)", re.IGNORECASE)
_PURPOSE: Final = re.compile(r";\s*purpose\s*=\s*\"?([^\s;,\"]+)", re.IGNORECASE)
_REMOTE: Final = re.compile(r";\s*remote\s*=\s*([0-9a-fA-F]{32})(?![0-9a-fA-F])", re.IGNORECASE)
_HALF: Final = re.compile(r"\s*([0-9a-fA-F]{32})(?![0-9a-fA-F])")
_USER: Final = re.compile(r"(?:sips?|tel):([^@;?>\s]*)", re.IGNORECASE)
#: How an address is nearly always written; `address` reads every other writing too.
_PLAIN: Final = re.compile(
    r"(?:\"[^\"\\]*\"\s*)?<(sips?:([^@;?%:<>\"\s]+)@[^<>\"\s]+)>(?:;tag=([^\s;,<>\"]+))?"
)
#: A quoted string, which may hold anything; the second quote is missing when nobody wrote it.
_QUOTED: Final = re.compile(r"\"(?:[^\"\\]|\\.)*(\"?)", re.DOTALL)
_SCHEME: Final = r"(?:sips?|tel):"
_BRACKET: Final = re.compile(rf"<\s*(?={_SCHEME})", re.IGNORECASE)
_BARE: Final = re.compile(rf"(?:^|[\s\"])(?={_SCHEME})", re.IGNORECASE)
#: Some write it behind the address: without it, a local number would be of another country (RFC 3966).
_CONTEXT: Final = re.compile(r";\s*phone-context\s*=[^;,]*", re.IGNORECASE)
_NIL: Final = "0" * 32


class SipDecodeError(ValueError):
    """The peer's mistake is data: `reason` is a slug to count by."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NameAddr(NamedTuple):
    """Who a From, To, Contact or identity header names. `user` is unescaped."""

    uri: str
    user: str
    tag: str = ""


@dataclass(frozen=True, slots=True)
class SipMessage:
    """One message, split; header names are lower case and long, values in order.

    `method` is the request's, or None for a response, whose `status` is then set.
    """

    method: str | None
    status: int | None
    request_uri: str = field(repr=False)
    headers: Mapping[str, tuple[str, ...]] = field(repr=False)
    body: bytes = field(repr=False)

    def first(self, name: str) -> str:
        """Return the first value of a header, empty when it is absent. `name` in lower case."""
        values = self.headers.get(name)
        return values[0] if values else ""

    def items(self, name: str) -> list[str]:
        """List the values of a header, repeated or in comma lists alike (RFC 3261, 7.3.1)."""
        values = self.headers.get(name, ())
        if len(values) == 1 and "," not in values[0]:
            return [values[0]] if values[0] else []
        return [each for value in values for each in split_list(value)]

    @property
    def call_id(self) -> str:
        """The Call-ID, empty when there is none."""
        return self.first("call-id")

    @property
    def cseq(self) -> tuple[int, str] | None:
        """Number and method of the transaction."""
        match = _CSEQ.match(self.first("cseq"))
        return (int(match.group(1)), match.group(2).upper()) if match else None

    @property
    def branches(self) -> tuple[str, ...]:
        """Via branches, the nearest hop first; empty strings where a hop wrote none."""
        found = [_BRANCH.search(via) for via in self.items("via")]
        return tuple([match.group(1) if match else "" for match in found])

    @property
    def from_(self) -> NameAddr:
        """Who calls, as written by the sender."""
        return address(self.first("from"))

    @property
    def to(self) -> NameAddr:
        """Who is called; its tag is empty in a request that starts a dialog."""
        return address(self.first("to"))

    @property
    def identities(self) -> tuple[NameAddr, ...]:
        """P-Asserted-Identity: who calls, by a trusted network (RFC 3325)."""
        return tuple(address(each) for each in self.items("p-asserted-identity"))

    @property
    def session_ids(self) -> tuple[str, ...]:
        """The halves of Session-ID, sorted, nil ones dropped: it compares as a set (RFC 7989)."""
        value = self.first("session-id")
        halves = [each.group(1).lower() for each in (_HALF.match(value),) if each]
        halves += [half.lower() for half in _REMOTE.findall(value)[:1]]
        return tuple(sorted({half for half in halves if half != _NIL}))

    @property
    def nena_ids(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Emergency call ids and incident ids of Call-Info (NENA-STA-010.3)."""
        return emergency_ids(self.items("call-info")) if "call-info" in self.headers else ((), ())

    @property
    def audio(self) -> sdp.Audio | None:
        """What each audio line of the body does (sendrecv, sendonly…); None without a description of audio."""
        if not self.body or sdp.EARLY_SESSION in self.first("content-disposition").lower():
            return None
        return sdp.audio(self.body, self.first("content-type"))

    @property
    def direction(self) -> str | None:
        """What the audio of the body does, all its lines together."""
        lines = self.audio
        return None if lines is None else sdp.merged(lines)


def emergency_ids(values: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Pick emergency call ids and incident ids out of values of Call-Info (NENA-STA-010.3)."""
    calls: dict[str, None] = {}
    incidents: dict[str, None] = {}
    for value in values:
        uri = address(value).uri
        found = _PURPOSE.search(value)
        purpose = found.group(1).lower() if found else ""
        if purpose == "emergency-callid" or (not purpose and ":callid:" in uri.lower()):
            calls[uri] = None
        elif purpose == "emergency-incidentid" or ":incidentid:" in uri.lower():
            incidents[uri] = None
    return tuple(calls), tuple(incidents)


def parse(data: bytes) -> SipMessage:
    """Split one message. Raises SipDecodeError: `too_large`, `empty`, `start_line` or `too_many_headers`."""
    if len(data) > MAX_MESSAGE:
        raise SipDecodeError("too_large")
    data = data.lstrip(b"\r\n\0")
    if not data:
        raise SipDecodeError("empty")
    head, body = _cut(data)
    # What is read of a line is stripped.
    lines = head.replace(b"\0", b"?").decode("utf-8", "replace").split("\n")
    start = lines[0].rstrip("\r")
    status = _STATUS.match(start)
    method, uri = (None, "") if status else _request_line(start)
    headers = _headers(lines)
    length = headers.get("content-length", ("",))[0]
    if length.isascii() and length.isdigit() and len(length) < 6:  # noqa: PLR2004 -- 5 digits hold 64 kB
        body = body[: int(length)]
    return SipMessage(
        method,
        int(status.group(1)) if status else None,
        uri,
        headers,
        body,
    )


def _request_line(line: str) -> tuple[str, str]:
    """Read method and Request-URI; spaces inside the URI are kept as one."""
    words = line.split()
    if len(words) < 3 or words[-1].upper() != "SIP/2.0" or not _METHOD.fullmatch(words[0]):  # noqa: PLR2004 -- method, URI, version
        raise SipDecodeError("start_line")
    return words[0].upper(), " ".join(words[1:-1])


def _cut(data: bytes) -> tuple[bytes, bytes]:
    head, found, body = data.partition(b"\r\n\r\n")
    if not found:
        head, _, body = data.partition(b"\n\n")
    return head, body


def _headers(lines: list[str]) -> dict[str, tuple[str, ...]]:
    """Collect headers; a line that is none is skipped, a folded one continues the last."""
    if len(lines) > MAX_HEADERS:
        raise SipDecodeError("too_many_headers")
    headers: dict[str, tuple[str, ...]] = {}
    last = ""
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        known = _SPELLED.get(name)
        if known is None:
            if line[:1] in {" ", "\t"}:
                if last:
                    *others, begun = headers[last]
                    headers[last] = (*others, f"{begun} {line.strip()}".strip())
                continue
            name = name.strip().lower()
            known = _COMPACT.get(name, name)
        last = known if colon else ""
        if last:
            value = value.strip()
            headers[last] = (*headers[last], value) if last in headers else (value,)
    return headers


def split_list(value: str) -> list[str]:
    """Split a comma list, minding quotes and angle brackets. Linear in the length."""
    if "," not in value:
        return [value.strip()] if value.strip() else []
    parts: list[str] = []
    start, quoted, angled, escaped = 0, False, False, False
    for at, char in enumerate(value):
        if escaped:
            escaped = False
        elif quoted:
            escaped = char == "\\"
            quoted = char != '"'
        elif char == '"':
            quoted = True
        elif char in "<>":
            angled = char == "<"
        elif char == "," and not angled:
            parts.append(value[start:at])
            start = at + 1
    parts.append(value[start:])
    return [part.strip() for part in parts if part.strip()]


def address(value: str) -> NameAddr:
    """Read a name-addr or an addr-spec (RFC 3261, 20.10), however it is decorated."""
    plain = _PLAIN.fullmatch(value)
    if plain:
        uri, user, tag = plain.groups("")
        return NameAddr(uri, user, tag)
    value = value.strip()
    text = _outside_quotes(value)
    start, bracketed = _opening(text)
    end = text.find(">", start) if bracketed else -1
    end = end if end >= 0 else text.find(";", start)
    end = end if end >= 0 else len(text)
    uri = (value if bracketed else text)[start:end].strip()
    if not bracketed and (":" not in uri or '"' in uri):
        uri = ""  # a name alone, or half a name
    if uri and (context := _CONTEXT.search(text, end)):
        uri += context.group().strip()
    found = _TAG.search(text, end) or _TAG.search(value, end)
    return NameAddr(uri, uri_user(uri), found.group(1) if found else "")


def _outside_quotes(value: str) -> str:
    """Blank what stands in quotes, unless a quote never closes: then no quote can be trusted to mean anything."""
    if '"' not in value:
        return value
    text = _QUOTED.sub(lambda each: " " * len(each[0]) if each[1] else each[0], value)
    return value if '"' in text else text


def _opening(text: str) -> tuple[int, bool]:
    """Find where the URI begins, and whether in angle brackets.

    The name stands before the URI and may hold anything, even another URI: the last one counts.
    """
    brackets = [each.end() for each in _BRACKET.finditer(text)]
    if brackets:
        return brackets[-1], True
    last = text.rfind("<")
    if last >= 0:
        return last + 1, True
    if _USER.match(text):
        return 0, False
    bare = [each.end() for each in _BARE.finditer(text)]
    return (bare[-1] if bare else 0), False


def uri_user(uri: str) -> str:
    """Take the user part of a sip, sips or tel URI, unescaped, without its parameters."""
    match = _USER.match(uri)
    if not match or (not uri[:4].lower().startswith("tel:") and "@" not in uri):
        return ""
    user = match.group(1).partition(":")[0]
    return unquote(user) if "%" in user else user
