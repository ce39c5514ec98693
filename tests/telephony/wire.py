"""SIP as it stands on the wire, for tests that tell a story message by message."""

from __future__ import annotations

from telephony.sip import SipMessage, parse

SDP = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\na={}\r\n"


def request(
    method: str,
    uri: str = "sip:15@samu37.example",
    *,
    call_id: str = "c1",
    cseq: str | None = None,
    from_: str = "<sip:+33612345678@operateur.example>;tag=caller",
    to: str = "<sip:15@samu37.example>",
    via: tuple[str, ...] = ("z9hG4bK-1",),
    headers: str = "",
    direction: str = "",
) -> SipMessage:
    start = f"{method} {uri} SIP/2.0"
    return _message(start, call_id, cseq or f"1 {method}", from_, to, via, headers, direction)


def response(
    status: int,
    *,
    call_id: str = "c1",
    cseq: str = "1 INVITE",
    from_: str = "<sip:+33612345678@operateur.example>;tag=caller",
    to: str = "<sip:15@samu37.example>;tag=callee",
    via: tuple[str, ...] = ("z9hG4bK-1",),
    headers: str = "",
    direction: str = "",
) -> SipMessage:
    start = f"SIP/2.0 {status} Whatever"
    return _message(start, call_id, cseq, from_, to, via, headers, direction)


def _message(
    start: str,
    call_id: str,
    cseq: str,
    from_: str,
    to: str,
    via: tuple[str, ...],
    headers: str,
    direction: str,
) -> SipMessage:
    vias = "".join(f"Via: SIP/2.0/UDP h;branch={branch}\r\n" for branch in via)
    body = SDP.format(direction) if direction else ""
    kind = "Content-Type: application/sdp\r\n" if body else ""
    head = f"{start}\r\n{vias}From: {from_}\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq}\r\n"
    return parse(f"{head}{headers}{kind}Content-Length: {len(body)}\r\n\r\n{body}".encode())
