"""Read what a session description says of the audio: sent, received, both, nothing, or refused.

Lenient, like message.py: it observes what two sides agree on, it decides for neither. RFC 3264 and 4566 (direction,
port 0, null address), RFC 8839 and 9143 (what ICE and bundles change of that). Sans-io; raises nothing.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

#: The direction of each audio line, in their order; "" for a line that is refused (port 0).
Audio = tuple[str, ...]

_LINE: Final = re.compile(
    rb"^(?:m=([^ \t\r\n]*)[ \t]*([0-9]*)|c=([^\r\n]*)"
    rb"|a=(?:(sendrecv|sendonly|recvonly|inactive)|(bundle-only))[ \t]*\r?$)",
    re.MULTILINE,
)
_BOUNDARY: Final = re.compile(r"boundary\s*=\s*(?:\"([^\"]+)\"|([^\s;,\"]+))", re.IGNORECASE)
#: A description for the early media of its own (RFC 3959): it says nothing of the call.
EARLY_SESSION: Final = "early-session"
SENDS: Final = frozenset({"sendrecv", "sendonly"})
RECEIVES: Final = frozenset({"sendrecv", "recvonly"})


def audio(body: bytes, content_type: str = "") -> Audio | None:
    """Tell what each audio line of a body does; None when there is no description of audio."""
    if b"m=audio" not in body:
        return None
    kind = content_type.lower()
    if "multipart" in kind:
        body = _part(body, content_type)
    elif kind and "sdp" not in kind:
        return None
    return _lines(body[max(body.find(b"v=0"), 0) :]) or None


def merged(lines: Audio) -> str:
    """Say in one direction what all audio lines do together."""
    sends, receives = not SENDS.isdisjoint(lines), not RECEIVES.isdisjoint(lines)
    if sends:
        return "sendrecv" if receives else "sendonly"
    return "recvonly" if receives else "inactive"


def _lines(description: bytes) -> Audio:
    """Read the audio lines; one with a null address receives nothing, which is a hold (RFC 2543).

    With ICE the address of the line is not where the sound goes (RFC 8839, 8840): it then holds nothing.
    """
    ice = b"\na=ice-" in description
    session, nowhere = "sendrecv", False
    found: list[str] = []
    #: Of the audio line being read: its port, direction and whether its address is null.
    port, way, null = b"", "", False
    current = b""
    for kind, number, address, direction, bundled in _LINE.findall(description):
        if kind:
            if current == b"audio":
                found.append(_line(port, way or session, null=null and not ice))
            current, port, way, null = kind, number, "", nowhere
        elif address:
            if current:
                null = _null(address)
            else:
                nowhere = _null(address)
        elif bundled:
            port = b"9"
        elif current:
            way = direction.decode()
        else:
            session = direction.decode()
    if current == b"audio":
        found.append(_line(port, way or session, null=null and not ice))
    return tuple(found)


def _line(port: bytes, direction: str, *, null: bool) -> str:
    if not port.strip(b"0"):
        return ""
    return "inactive" if null else direction


def _null(address: bytes) -> bool:
    """Whether a connection line leads nowhere: an unspecified address or a name of `.invalid` (RFC 6157)."""
    host = address.split()[-1:] or [b""]
    name = host[0].split(b"/")[0].decode("ascii", "replace").lower()
    if name[:1] in {"0", ":"}:
        try:
            return ipaddress.ip_address(name).is_unspecified
        except ValueError:
            return False
    return name.endswith(".invalid")


def _part(body: bytes, content_type: str) -> bytes:
    """Take the session description out of a multipart body; all of it when no part says it is one."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        return body
    for part in body.split(b"--" + (found[1] or found[2]).encode()):
        head, _, text = part.replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")
        head = head.lower()
        if b"application/sdp" in head and EARLY_SESSION.encode() not in head:
            return text
    return body if b"application/sdp" not in body.lower() else b""
