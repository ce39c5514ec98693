"""Prove a password without sending it: HTTP digest as SIP uses it (RFC 7616, 8760, 3261 22.4).

MD5 and SHA-256, with `qop=auth` or none. Sans-io: the caller brings cnonce and count.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_PARAMETER: Final = re.compile(
    r'(?<![A-Za-z0-9_-])([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))'
)
_LONGEST: Final = 512
#: Algorithms we can do, the best first.
_ALGORITHMS: Final = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a server asks with 401 or 407."""

    realm: str
    nonce: str = field(repr=False)
    algorithm: str = "MD5"
    qop: bool = False
    opaque: str = field(default="", repr=False)
    stale: bool = False


def challenge(values: Iterable[str]) -> Challenge | None:
    """Choose the best of the challenges offered, each the value of one header; None when we can do none."""
    found = [each for value in values if (each := _read(value))]
    order = list(_ALGORITHMS)
    return min(found, key=lambda each: order.index(each.algorithm), default=None)


def _read(value: str) -> Challenge | None:
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        return None
    given: dict[str, str] = {}
    for name, quoted, plain in _PARAMETER.findall(rest[: 8 * _LONGEST]):
        given.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) or plain)
    algorithm = given.get("algorithm", "MD5").upper()
    qop = {each.strip().lower() for each in given.get("qop", "").split(",")} - {""}
    known = algorithm in _ALGORITHMS and (not qop or "auth" in qop)
    fields = (given.get("realm", ""), given.get("nonce", ""), given.get("opaque", ""))
    if not known or not given.get("nonce") or any(not _safe(each) for each in fields):
        return None
    stale = given.get("stale", "").lower() == "true"
    return Challenge(fields[0], fields[1], algorithm, bool(qop), fields[2], stale)


def _safe(text: str) -> bool:
    return len(text) <= _LONGEST and not re.search(r"[\x00-\x1f\x7f]", text)


def answer(
    asked: Challenge,
    username: str,
    password: str,
    *,
    method: str,
    uri: str,
    cnonce: str,
    count: int,
) -> str:
    """Write the value of Authorization or Proxy-Authorization."""
    new = _ALGORITHMS[asked.algorithm]

    def digest(*parts: str) -> str:
        return new(":".join(parts).encode(), usedforsecurity=False).hexdigest()

    who = digest(username, asked.realm, password)
    what = digest(method, uri)
    nc = f"{count:08x}"
    told = [
        ("username", _quoted(username)),
        ("realm", _quoted(asked.realm)),
        ("nonce", _quoted(asked.nonce)),
        ("uri", _quoted(uri)),
        ("algorithm", asked.algorithm),
    ]
    if asked.qop:
        response = digest(who, asked.nonce, nc, cnonce, "auth", what)
        told += [("qop", "auth"), ("nc", nc), ("cnonce", _quoted(cnonce))]
    else:
        response = digest(who, asked.nonce, what)
    told.append(("response", _quoted(response)))
    if asked.opaque:
        told.append(("opaque", _quoted(asked.opaque)))
    return "Digest " + ", ".join(f"{name}={value}" for name, value in told)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
