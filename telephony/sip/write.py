"""Write SIP messages, and find where one ends in a stream (RFC 3261, 8, 18.3 and 20.14). Sans-io."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from telephony.sip.message import MAX_MESSAGE, SipDecodeError, SipMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_HEAD: Final = 16384
_END: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(
    rb"\r\n(?:content-length|l)[ \t]*:[ \t]*([0-9]{1,6})[ \t]*\r\n", re.IGNORECASE
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_REASONS: Final = {
    200: "OK",
    405: "Method Not Allowed",
    415: "Unsupported Media Type",
    481: "Subscription Does Not Exist",
    489: "Bad Event",
    500: "Server Internal Error",
}


def request(method: str, uri: str, headers: Sequence[tuple[str, str]]) -> bytes:
    """Write a request without body."""
    return _written(f"{method} {_clean(uri)} SIP/2.0", headers)


def response(
    asked: SipMessage, status: int, tag: str, more: Sequence[tuple[str, str]] = ()
) -> bytes:
    """Write the response to a request; `tag` is put to its To where there is none."""
    to = asked.first("to")
    if not asked.to.tag:
        to = f"{to};tag={tag}"
    headers = [("Via", via) for via in asked.headers.get("via", ())]
    headers += [("From", asked.first("from")), ("To", to)]
    headers += [("Call-ID", asked.call_id), ("CSeq", asked.first("cseq")), *more]
    return _written(f"SIP/2.0 {status} {_REASONS[status]}", headers)


def _written(start: str, headers: Sequence[tuple[str, str]]) -> bytes:
    lines = [start, *(f"{name}: {_clean(value)}" for name, value in headers)]
    return "\r\n".join([*lines, "Content-Length: 0", "", ""]).encode()


def _clean(value: str) -> str:
    """Nothing that was received may begin a line of ours."""
    return _CONTROL.sub(" ", value)


class Framer:
    """Cuts a stream into messages by their Content-Length."""

    def __init__(self) -> None:
        """Start between two messages."""
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Take what came and return the whole messages.

        Raises SipDecodeError (`head_too_large`, `no_length`, `too_large`): the stream cannot be followed.
        """
        self._buffer += data
        messages: list[bytes] = []
        while (message := self._next()) is not None:
            messages.append(message)
        return messages

    def _next(self) -> bytes | None:
        while self._buffer[:2] == b"\r\n":  # sent to keep the connection open
            del self._buffer[:2]
        head = self._buffer.find(_END, 0, MAX_HEAD)
        if head < 0:
            if len(self._buffer) >= MAX_HEAD:
                raise SipDecodeError("head_too_large")
            return None
        found = _LENGTH.search(self._buffer, 0, head + len(_END))
        if found is None:
            raise SipDecodeError("no_length")
        end = head + len(_END) + int(found.group(1))
        if end > MAX_MESSAGE:
            raise SipDecodeError("too_large")
        if len(self._buffer) < end:
            return None
        message = bytes(self._buffer[:end])
        del self._buffer[:end]
        return message
