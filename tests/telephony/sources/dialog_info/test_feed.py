"""The feed with a presence server that says wrong things: counted, mended, or given up."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from telephony import CallState, FeedCutError, FeedState
from telephony.sip.message import SipMessage, parse
from telephony.sources.dialog_info.feed import Account, DialogInfoFeed
from tests.telephony.shell import Full, in_background, running, until
from tests.telephony.sources.dialog_info.dialects import Asterisk, FreeSwitch, TrueCall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from telephony import Call


def document(version: int, *dialogs: str, state: str = "full") -> bytes:
    inside = "".join(
        f'<dialog id="{each}" call-id="{each}" direction="recipient"><state>early</state>'
        "<remote><identity>sip:+33612345678@gw</identity></remote></dialog>"
        for each in dialogs
    )
    head = '<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" '
    return f'{head}version="{version}" state="{state}">{inside}</dialog-info>'.encode()


class PresenceServer(asyncio.DatagramProtocol):
    """Accepts every subscription and answers each question with the next body, then with the last."""

    def __init__(self, bodies: list[bytes], product: str) -> None:
        self.bodies = bodies
        self.product = product
        self.port = 0
        self.asked: list[SipMessage] = []
        self.replies: list[int] = []
        #: While set: says at once that it works on it, and answers when told.
        self.busy: list[tuple[bytes, tuple[str, int]]] | None = None
        self._count = 0
        self._transport: asyncio.DatagramTransport | None = None
        self._last: tuple[SipMessage, tuple[str, int]] | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message = parse(data)
        if message.status is not None:
            self.replies.append(message.status)
            return
        self._last = (message, addr)
        if self.busy is not None:
            self.busy.append((data, addr))
            names = ("via", "from", "to", "call-id", "cseq")
            self._say(
                ["SIP/2.0 100 Trying", *(f"{name}: {message.first(name)}" for name in names)],
                b"",
                addr,
            )
            return
        self.asked.append(message)
        names = ("via", "from", "call-id", "cseq", "expires")
        lines = [f"{name}: {message.first(name)}" for name in names]
        lines += [f"To: <{message.to.uri}>;tag=theirs", f"Contact: <sip:127.0.0.1:{self.port}>"]
        self._say(["SIP/2.0 200 OK", f"Server: {self.product}", *lines], b"", addr)
        self.notify(self.bodies.pop(0) if len(self.bodies) > 1 else self.bodies[0])

    def notify(self, body: bytes) -> None:
        assert self._last is not None
        message, addr = self._last
        self._count += 1
        lines = [
            "NOTIFY sip:visio15@127.0.0.1 SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{self._count}",
            f"From: <{message.to.uri}>;tag=theirs",
            f"To: {message.first('from')}",
            f"Call-ID: {message.call_id}",
            f"CSeq: {self._count} NOTIFY",
            "Event: dialog",
            "Subscription-State: active;expires=60",
            "Content-Type: application/dialog-info+xml",
        ]
        self._say(lines, body, addr)

    def answer(self) -> None:
        """Answer what waits."""
        waiting, self.busy = self.busy or [], None
        for data, addr in waiting:
            self.datagram_received(data, addr)

    def babble(self) -> None:
        """Send what is no SIP to who asked last."""
        assert self._transport is not None
        assert self._last is not None
        self._transport.sendto(b"babble", self._last[1])

    def _say(self, lines: list[str], body: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
        self._transport.sendto(head.encode() + body, addr)


@asynccontextmanager
async def serving(*bodies: bytes, product: str = "") -> AsyncIterator[PresenceServer]:
    server = PresenceServer(list(bodies), product)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: server, local_addr=("127.0.0.1", 0))
    try:
        yield server
    finally:
        transport.close()


def feed(
    port: int, *, transport: str = "udp", heartbeat: float = 60.0, patience: float = 4.0
) -> DialogInfoFeed:
    account = Account("visio15", "s3cret", "x")
    return DialogInfoFeed(
        "dialog",
        "127.0.0.1",
        port,
        account,
        stations=["1501"],
        transport=transport,
        heartbeat=heartbeat,
        patience=patience,
    )


async def test_a_gap_is_asked_about_and_mended() -> None:
    async with serving(document(0, "c1"), document(6, "c2")) as server:
        told = feed(server.port)
        async with running([told]) as (runner, _):
            await until(lambda: told.health().state is FeedState.CONNECTED)
            server.notify(document(5, "c3", state="partial"))
            await until(lambda: len(server.asked) == 2)
            await until(lambda: len(runner.correlator.calls()) == 2)
            assert [(each.legs, each.state) for each in runner.correlator.calls()] == [
                (("sip:c1",), CallState.ENDED),
                (("sip:c2",), CallState.RINGING),
            ]
            assert told.health().rejected == {"version_gap": 1}
            assert server.asked[1].call_id == server.asked[0].call_id


async def test_a_server_that_counts_from_the_beginning_is_subscribed_to_anew() -> None:
    async with serving(document(9, "c1"), document(3, "c2")) as server:
        told = feed(server.port)
        async with running([told]) as (runner, _):
            await until(lambda: told.health().state is FeedState.CONNECTED)
            server.notify(document(2, "c2"))
            await until(lambda: len(runner.correlator.calls()) == 2)
            assert server.asked[1].call_id != server.asked[0].call_id
            assert told.health().rejected == {"version_old": 1}


async def test_what_cannot_be_read_is_counted_and_asked_for_again() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "b">]>' + document(0)
    async with serving(bomb, b"<dialog-info", document(1, "c1")) as server:
        told = feed(server.port, heartbeat=0.05)
        async with running([told]) as (runner, _):
            await until(lambda: told.health().state is FeedState.CONNECTED)
            assert told.health().rejected["xml_doctype"] == 1
            assert told.health().rejected["xml_malformed"] == 1
            assert [each.legs for each in runner.correlator.live()] == [("sip:c1",)]
            assert set(server.replies) == {200}


async def test_a_stream_that_cannot_be_followed_is_given_up() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"NOTIFY sip:a SIP/2.0\r\nCall-ID: 1\r\n\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server:
        told = feed(server.sockets[0].getsockname()[1], transport="tcp")
        with pytest.raises(FeedCutError, match="framing"):
            await told.run(lambda _: None)
    assert told.health().rejected == {"no_length": 1}
    assert told.health().state is FeedState.DOWN


async def test_one_that_listens_and_says_nothing_is_given_up() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    async with server:
        told = feed(server.sockets[0].getsockname()[1], transport="tcp", patience=0.3)
        with pytest.raises(FeedCutError, match="no_answer"):
            await told.run(lambda _: None)
    assert told.health().rejected == {"no_answer": 1}


async def test_it_unsubscribes_when_it_is_stopped() -> None:
    async with serving(document(0)) as server:
        told = feed(server.port)
        async with in_background(told.run(lambda _: None)):
            await until(lambda: told.health().state is FeedState.CONNECTED)
        assert [each.first("expires") for each in server.asked] == ["600", "0"]


RINGING = [CallState.RINGING]
FREESWITCH = "FreeSWITCH-mod_sofia/1.10.12-release~64bit"


@pytest.mark.parametrize(
    ("product", "body", "said"),
    [
        ("kamailio (5.6.3 (x86_64/linux))", document(0), "Kamailio 5.6.3 · dialogues par Call-ID"),
        (FREESWITCH, FreeSwitch().answer([]).body, "FreeSWITCH 1.10.12 · un dialogue par document"),
        ("Asterisk PBX 22.1.0", Asterisk().answer([]).body, "Asterisk 22.1.0 · un état par poste"),
        ("Visio PBX", Asterisk().answer([]).body, "Visio PBX · un état par poste"),
        ("", Asterisk().answer([]).body, "un état par poste"),
        ("Visio PBX", document(0), "Visio PBX"),
    ],
)
async def test_it_says_what_the_switchboard_is_and_how_it_tells(
    product: str, body: bytes, said: str
) -> None:
    async with serving(body, product=product) as server:
        told = feed(server.port)
        async with running([told]):
            await until(lambda: told.health().state is FeedState.CONNECTED)
            assert told.health().switchboard == said
        server.bodies = [body.replace(b"1501", b"visio15")]  # the doctor asks about its own account
        assert await feed(server.port).probe() == said


async def test_a_missed_end_at_a_freeswitch_is_seen_at_the_next_question() -> None:
    switchboard, call = FreeSwitch(), TrueCall("0612345678", 0, "talking", "confirmed")
    bodies = [switchboard.answer([call]).body, switchboard.answer([]).body]
    async with serving(*bodies, product=FREESWITCH) as server:
        told = feed(server.port, heartbeat=0.05)
        async with running([told]) as (runner, _):
            await until(lambda: len(runner.correlator.calls()) == 1)
            await until(lambda: not runner.correlator.live())
            assert [each.end_certain for each in runner.correlator.calls()] == [False]


async def test_a_freeswitch_is_asked_when_it_tells_of_one_call_of_several() -> None:
    switchboard = FreeSwitch()
    first, second = (TrueCall(f"061234567{n}", n) for n in range(2))
    bodies = [switchboard.answer([]).body]
    async with serving(*bodies, product=FREESWITCH) as server:
        told = feed(server.port)
        async with running([told]) as (runner, _):
            await until(lambda: told.health().state is FeedState.CONNECTED)
            server.notify(switchboard.event([], first).body)
            await until(lambda: len(runner.correlator.live()) == 1)
            assert len(server.asked) == 1
            event = switchboard.event([], second).body
            server.bodies = [switchboard.answer([second]).body]
            server.notify(event)
            await until(lambda: len(server.asked) == 2)
            await until(lambda: [each.state for each in runner.correlator.live()] == RINGING)
            assert len(runner.correlator.calls()) == 2


async def test_an_answer_that_leaves_a_doubt_is_not_asked_for_again() -> None:
    """A list that lacks a Call-ID does not say what has ended; asked again the server says the same."""
    switchboard, calls = FreeSwitch(), [TrueCall(f"061234567{n}", n) for n in range(2)]
    events = [switchboard.event([], each).body for each in calls]
    answers = [switchboard.answer(calls).body.replace(b'call-id="c1@gw"', b"") for _ in range(9)]
    async with serving(switchboard.answer([]).body, product=FREESWITCH) as server:
        told = feed(server.port)
        async with running([told]) as (runner, _):
            await until(lambda: told.health().state is FeedState.CONNECTED)
            server.bodies = answers
            for event in events:
                server.notify(event)
            await until(lambda: len(server.asked) == 2)
            server.babble()
            await until(lambda: "sip_start_line" in told.health().rejected)
            assert len(server.asked) == 2
            assert len(runner.correlator.live()) == 2


async def test_a_server_that_never_tells_its_whole_state_is_not_asked_without_end() -> None:
    bodies = [document(version, "c1", state="partial") for version in range(9)]
    async with serving(*bodies) as server:
        told = feed(server.port)
        async with running([told]):
            await until(lambda: told.health().rejected == {"version_gap": 1})
            server.babble()
            await until(lambda: "sip_start_line" in told.health().rejected)
            assert len(server.asked) == 1


async def test_documents_that_contradict_are_counted() -> None:
    turned = document(2, "c1").replace(b"recipient", b"initiator")
    async with serving(document(1, "c1")) as server:
        told = feed(server.port)
        async with running([told]) as (runner, _):
            await until(lambda: told.health().state is FeedState.CONNECTED)
            server.notify(turned)
            await until(lambda: told.health().rejected == {"contradiction": 1})
            assert [each.legs for each in runner.correlator.live()] == [("sip:c1",)]


async def test_a_document_about_another_station_is_counted() -> None:
    async with serving(document(1, "c1")) as server:
        told = DialogInfoFeed(
            "dialog",
            "127.0.0.1",
            server.port,
            Account("visio15", "s3cret", "x"),
            stations=["1501", "1601"],
        )
        async with running([told]) as (runner, _):
            await until(lambda: told.health().state is FeedState.CONNECTED)
            (other,) = {"1501", "1601"} - {server.asked[-1].to.user}
            entity = f'version="2" entity="sip:{other}@x"'.encode()
            server.notify(document(2, "c2").replace(b'version="2"', entity))
            await until(lambda: told.health().rejected == {"entity": 1})
            assert {each.legs for each in runner.correlator.calls()} == {("sip:c1",)}


async def test_documents_that_show_nothing_are_read_as_the_product_writes_them() -> None:
    """FreeSWITCH writes no ends where nobody is known: only its name tells that others go on."""
    switchboard = FreeSwitch()
    first, second = (TrueCall("", n) for n in range(2))
    async with serving(switchboard.answer([]).body, product=FREESWITCH) as server:
        told = feed(server.port)
        async with running([told]) as (runner, _):
            await until(lambda: told.health().state is FeedState.CONNECTED)
            server.notify(switchboard.event([], first).body)
            await until(lambda: len(runner.correlator.live()) == 1)
            event = switchboard.event([], second).body
            server.bodies = [switchboard.answer([first, second]).body]
            server.notify(event)
            await until(lambda: len(server.asked) == 2)
            await until(lambda: len(runner.correlator.live()) == 2)
            assert len(runner.correlator.calls()) == 2


async def test_what_the_kernel_lost_makes_calls_uncertain_until_their_station_told_again() -> None:
    """A flood of rubbish: a notification may have been in it."""
    told: list[tuple[bool, CallState]] = []

    async def on_tick(calls: Sequence[Call]) -> None:
        told.extend((call.certain, call.state) for call in calls)

    async with serving(document(0, "c1"), document(1, "c1")) as server:
        watched = feed(server.port)
        async with running([watched], on_tick=on_tick) as (runner, _):
            await until(lambda: watched.health().state is FeedState.CONNECTED)
            await runner.drained()
            assert [each.certain for each in runner.correlator.calls()] == [True]
            for _ in range(30_000):  # nothing is read meanwhile
                server.babble()
            await until(lambda: watched.health().dropped > 0)
            await until(lambda: bool(told))
            assert told == [(False, CallState.RINGING)]
            await until(lambda: len(server.asked) >= 2)
            await until(lambda: [each.certain for each in runner.correlator.calls()] == [True])


async def test_what_is_lost_while_nothing_can_be_stored_is_told_meanwhile() -> None:
    """The database is away, so nothing is read: the metric and the alert must not wait for it."""
    async with serving(document(0, "c1")) as server:
        watched, full = feed(server.port), Full()
        async with in_background(watched.run(full)):
            await until(lambda: full.waited_for)
            for _ in range(30_000):
                server.babble()
            await until(lambda: watched.health().dropped > 0)
            assert not full.free.is_set()
        assert watched.health().dropped > 0


async def test_a_wait_for_room_counts_as_no_silence_of_the_switchboard() -> None:
    """The answer came while nothing could be stored; it is read first thing after it."""
    now = asyncio.get_running_loop().time
    async with serving(document(0, "c1")) as server:
        server.busy = []
        watched, full = feed(server.port, patience=0.5), Full()
        async with in_background(watched.run(full)) as run:
            await until(lambda: full.waited_for)
            server.answer()
            begun = now()
            await until(lambda: now() > begun + 1.0)
            full.free.set()
            await until(lambda: run.done() or watched.health().state is FeedState.CONNECTED)
            assert not run.done()
            assert watched.health().rejected == {}
