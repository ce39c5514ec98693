"""A trace played again must be new calls: same conversation, every identifier fresh.

One `Reminter` a round: the same old identifier always becomes the same new one, so the messages
of a call still agree with each other. Numbers, stations and addresses stay. Pure but for `mint`.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from telephony.sources.hep.codec import HepPacket

_CALL_ID: Final = re.compile(
    rb"^(?:call-id|i)[ \t]*:[ \t]*([^\r\n]+?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE
)
_SESSION: Final = re.compile(rb"^session-id[ \t]*:[^\r\n]*", re.IGNORECASE | re.MULTILINE)
_HALF: Final = re.compile(rb"(?<![0-9a-fA-F])(?!0{32})[0-9a-fA-F]{32}(?![0-9a-fA-F])")
_TAG: Final = re.compile(rb"(;[ \t]*tag=)([^;\s>,]+)", re.IGNORECASE)
_BRANCH: Final = re.compile(rb"(;[ \t]*branch=)(z9hG4bK)?([^;\s>,]+)", re.IGNORECASE)
_URN: Final = re.compile(
    rb"(urn:(?:emergency|nena):uid:(?:callid|incidentid):)([^:>;\s]+)", re.IGNORECASE
)


def _fresh() -> str:
    return uuid.uuid4().hex


class Reminter:
    """One round of one trace, with its table from old identifiers to new ones."""

    def __init__(
        self, private_headers: Sequence[str] = (), mint: Callable[[], str] = _fresh
    ) -> None:
        """Start with an empty table; `mint` returns 32 fresh hexadecimal digits."""
        self._mint = mint
        self._new: dict[bytes, bytes] = {}
        self._headers = [
            re.compile(
                rb"^(" + re.escape(name.encode()) + rb"[ \t]*:[ \t]*)([^\r\n]+)",
                re.IGNORECASE | re.MULTILINE,
            )
            for name in private_headers
        ]

    def packet(self, packet: HepPacket, at: datetime) -> HepPacket:
        """Return the packet as it would have been captured at `at`, in another call."""
        payload = self.payload(packet.payload) if packet.protocol == 1 else packet.payload
        known = self._new.get(packet.correlation_id.encode())
        correlation = packet.correlation_id if known is None else known.decode()
        return replace(packet, payload=payload, time=at, correlation_id=correlation)

    def payload(self, data: bytes) -> bytes:
        """Rewrite one SIP message; bodies hold no identifier and stay."""
        head, gap, body = data.partition(b"\r\n\r\n")
        for pattern in self._headers:
            head = pattern.sub(self._private, head)
        head = _URN.sub(lambda m: m[1] + self._token(m[2]), head)
        for match in _CALL_ID.findall(head):
            head = head.replace(match, self._token(match))
        head = _SESSION.sub(lambda m: _HALF.sub(lambda h: self._token(h[0].lower()), m[0]), head)
        head = _TAG.sub(lambda m: m[1] + self._token(m[2]), head)
        head = _BRANCH.sub(lambda m: m[1] + (m[2] or b"") + self._token(m[3]), head)
        return head + gap + body

    def _private(self, match: re.Match[bytes]) -> bytes:
        return match[0] if _URN.search(match[2]) else match[1] + self._token(match[2].strip())

    def _token(self, old: bytes) -> bytes:
        if old not in self._new:
            self._new[old] = self._mint().encode()
        return self._new[old]
