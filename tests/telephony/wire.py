"""SIP as it stands on the wire, for tests that tell a story message by message."""

from __future__ import annotations

import itertools

from telephony import Fact, Seen
from telephony.correlate.correlation import Call, Correlator
from telephony.sip.message import SipMessage, parse
from telephony.sources.hep.facts import SipFactReader
from tests.telephony.strategies import at

STATIONS = ("1501", "1502", "1601")
TRUNK, PROXY, PBX, PHONE = (
    ("192.0.2.1", 5060),
    ("192.0.2.2", 5060),
    ("192.0.2.3", 5060),
    ("192.0.2.4", 5060),
)
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


class Wire:
    """A capture agent: messages in, calls out."""

    def __init__(self, *headers: str) -> None:
        self.observer = SipFactReader("hep", STATIONS, headers or ("X-Line15-Call-ID",))
        numbers = itertools.count(1)
        self.correlator = Correlator(STATIONS, lambda: f"call-{next(numbers)}")
        self.facts: list[Fact] = []

    def see(
        self,
        second: float,
        message: SipMessage,
        src: tuple[str, int] = TRUNK,
        dst: tuple[str, int] = PROXY,
    ) -> list[Fact]:
        facts = self.observer.observe(message, at(second), src, dst)
        for fact in facts:
            self.correlator.receive(fact)
        self.facts += facts
        return facts

    def call(self) -> Call:
        (call,) = self.correlator.calls()
        return call

    def kinds(self) -> list[type[Fact]]:
        return [type(fact) for fact in self.facts if not isinstance(fact, Seen)]
