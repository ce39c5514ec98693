"""The pyVoIP child itself, beside a registrar of a few lines: no notification is lost, whatever its headers.

In the shape of github.com/tayler6000/pyVoIP/issues/304, /251, /301 and /pull/309.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from server.line15.domain.feed_words import advice, why_refused
from telephony import Aliased, AliasType, Fact, FeedState
from telephony.sources.pyvoip.feed import PyVoipAccount, PyVoipFeed
from tests.lab.ports import free_port
from tests.telephony.shell import in_background, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOST = "127.0.0.1"
SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\n"
    "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=sendrecv\r\n"
)


@dataclass
class Switchboard(asyncio.DatagramProtocol):
    """Lets everybody register, and keeps what it is answered."""

    answers: list[str] = field(default_factory=list)
    transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        text = data.decode("latin-1")
        if not text.startswith("REGISTER"):
            self.answers.append(text)
            return
        lines = {line.partition(":")[0].lower(): line for line in text.split("\r\n")}
        kept = [lines[name] for name in ("via", "from", "to", "call-id", "cseq")]
        head = ["SIP/2.0 200 OK", *kept, "Contact: <sip:9015@127.0.0.1>;expires=120"]
        self.transport.sendto("\r\n".join([*head, "Content-Length: 0", "", ""]).encode(), addr)

    @property
    def port(self) -> int:
        return int(self.transport.get_extra_info("sockname")[1])

    def invite(self, to: int, name: str, sender: str, *more: str) -> None:
        lines = [
            f"INVITE sip:9015@{HOST}:{to} SIP/2.0",
            f"Via: SIP/2.0/UDP {HOST}:{self.port};rport;branch=z9hG4bK{name}",
            "Max-Forwards: 70",
            f"From: {sender};tag={name}",
            f"To: <sip:9015@{HOST}>",
            f"Contact: <sip:pbx@{HOST}:{self.port}>",
            f"Call-ID: {name}",
            "CSeq: 1 INVITE",
            f"X-Line15-Call-ID: l-{name}",
            *more,
            "Content-Type: application/sdp",
            f"Content-Length: {len(SDP)}",
            "",
            SDP,
        ]
        self.transport.sendto("\r\n".join(lines).encode("latin-1"), (HOST, to))

    def final(self, name: str) -> list[str]:
        """List the final answers to a notification."""
        mine = [text for text in self.answers if f"Call-ID: {name}\r\n" in text]
        return [text[8:11] for text in mine if text.startswith("SIP/2.0 ") and text[8] != "1"]


@asynccontextmanager
async def listening() -> AsyncIterator[Switchboard]:
    loop = asyncio.get_running_loop()
    transport, switchboard = await loop.create_datagram_endpoint(Switchboard, local_addr=(HOST, 0))
    try:
        yield switchboard
    finally:
        transport.close()


@asynccontextmanager
async def registered() -> AsyncIterator[tuple[Switchboard, PyVoipFeed, list[Fact], int]]:
    port, rtp = free_port(), free_port()
    async with listening() as switchboard:
        account = PyVoipAccount(
            HOST, "9015", "s3cret", switchboard.port, sip_port=port, rtp_low=rtp, rtp_high=rtp + 20
        )
        feed, facts = PyVoipFeed("pyvoip", account), list[Fact]()
        async with in_background(feed.run(facts.append)):
            await until(lambda: feed.health().state is FeedState.CONNECTED, 20)
            yield switchboard, feed, facts, port


def told(facts: list[Fact]) -> list[str]:
    found = [fact.alias for fact in facts if isinstance(fact, Aliased)]
    return [alias.value for alias in found if alias.type is AliasType.PRIVATE_HEADER]


async def test_what_pyvoip_cannot_read_is_told_counted_and_refused() -> None:
    async with registered() as (switchboard, feed, facts, port):
        switchboard.invite(port, "plain", f"<sip:visio15-notify@{HOST}>")
        switchboard.invite(port, "nospace", f'"P"<sip:1501@{HOST}>')  # 3CX
        switchboard.invite(port, "latin1", f'"Jérôme" <sip:1501@{HOST}>')
        switchboard.invite(port, "emptyheader", f"<sip:1501@{HOST}>", "Subject:")
        names = {"l-plain", "l-nospace", "l-latin1", "l-emptyheader"}
        await until(lambda: set(told(facts)) == names)
        await until(lambda: feed.health().rejected.get("pyvoip_headers") == 2)
        await until(
            lambda: switchboard.final("latin1") == switchboard.final("emptyheader") == ["500"]
        )
        switchboard.invite(port, "latin1", f'"Jérôme" <sip:1501@{HOST}>')  # the answer was lost
        await until(lambda: switchboard.final("latin1") == ["500", "500"])
        switchboard.invite(port, "after", f"<sip:visio15-notify@{HOST}>")
        await until(lambda: "l-after" in told(facts))
        assert sorted(told(facts)) == sorted([*names, "l-after"]), "each once"


#: Receive on a socket of our own. Refusals cannot be sent; when `deaf`, reading fails too.
RECEIVES = """
import errno, json, socket, sys, threading
from telephony.sources.pyvoip import child

class Broken(child.GuardedSocket):
    def sendto(self, *_):
        raise OSError(errno.EPERM, "a firewall does not let it out")
    def recvfrom(self, *args):
        if deaf:
            raise OSError(errno.EBADF, "gone")
        return super().recvfrom(*args)

deaf = sys.argv[1] == "deaf"
extension = child.Extension(
    dict(server="127.0.0.1", port=9, username="u", password="p", my_ip="127.0.0.1", sip_port=0,
         rtp_low=16000, rtp_high=16099, allow=["127.0.0.0/8"]),
    child.Reporter(sys.stdout),
)
client = extension.phone.sip
client.NSD, client.s = True, Broken(socket.AF_INET, socket.SOCK_DGRAM)
client.s.allow, client.s.report, client.s.invited = client.allow, client.report, client.invited
client.s.bind(("127.0.0.1", 0))
client.report("port", port=client.s.getsockname()[1])
threading.Thread(target=client.recv_loop, daemon=True).start()
sys.stdin.read()
"""


@asynccontextmanager
async def receiving(how: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RECEIVES, how, stdin=pipe, stdout=pipe
    )
    try:
        async with asyncio.timeout(60):
            yield child, (await reports(child, "port"))["port"]
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def reports(child: asyncio.subprocess.Process, kind: str) -> dict[str, Any]:
    """Read until it tells that."""
    assert child.stdout
    while line := await child.stdout.readline():
        report: dict[str, Any] = json.loads(line)
        if report["type"] == kind:
            return report
    raise AssertionError(kind)


async def test_a_refusal_that_cannot_be_sent_does_not_end_hearing() -> None:
    async with receiving("mute") as (child, port), listening() as switchboard:
        for name in ("first", "second"):
            switchboard.invite(port, name, f'"Jérôme" <sip:1501@{HOST}>')
            raw = base64.b64decode((await reports(child, "invite"))["raw"])
            assert f"l-{name}".encode() in raw


async def test_an_extension_that_no_longer_hears_ends() -> None:
    """So that the parent starts another: registered and deaf it would look well."""
    async with receiving("deaf") as (child, _):
        await reports(child, "error")
        assert await child.wait() == 1


def test_the_health_page_says_what_that_is() -> None:
    assert "pyVoIP" in why_refused("pyvoip_headers")
    assert any(
        "en-têtes" in each for each in advice("pyvoip", "connected", None, {"pyvoip_headers": 2})
    )
    for reason in ("no_identifier", "pyvoip_error", "child_line"):
        assert why_refused(reason) != reason
