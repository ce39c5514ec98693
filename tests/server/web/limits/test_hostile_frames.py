"""Sockets of nobody known, and frames that no page of ours sends: each kind is counted, and desks do not notice."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import pytest

from server.protocol.message import MAX_FRAME
from server.web.sockets import page_socket as sockets
from tests.lab.process import until
from tests.server.running import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.databases import Furnished
    from tests.server.house import Browser

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FIN, MASKED = 0x80, 0x80
MASK = b"\x00\x00\x00\x00"  # leaves the payload as it is
A_SECOND = sockets.FRAMES_A_SECOND


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    with running(
        io_loop, furnished_database, tmp_path, trusted_proxies=["127.0.0.1"], connections=128
    ) as house:
        yield house


def frame(opcode: int, payload: bytes = b"", *, last: bool = True) -> bytes:
    """A frame as a client sends it."""
    length = (
        struct.pack("!B", MASKED | len(payload))
        if len(payload) < 126
        else struct.pack("!BH", MASKED | 126, len(payload))
    )
    return bytes([(FIN if last else 0) | opcode]) + length + MASK + payload


@dataclass
class Wire:
    """A socket spoken by hand."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    heard: list[tuple[int, bytes]] = field(default_factory=list)

    @classmethod
    async def open(
        cls, house: Running, path: str = "/ws/caller", *, says: bytes = b"", **headers: str
    ) -> Self:
        """Upgrade; `says` is sent in one breath with it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", house.server.port)
        head = {
            "Host": f"127.0.0.1:{house.server.port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        writer.write(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode() + says)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101"), answer
        return cls(reader, writer)

    async def say(self, *frames: bytes) -> None:
        """Send; a server that has closed is no mistake of ours."""
        with suppress(ConnectionError):
            self.writer.write(b"".join(frames))
            await self.writer.drain()

    async def hear(self) -> tuple[int, bytes] | None:
        """Read one frame; None at the end."""
        async with asyncio.timeout(60):
            try:
                first, length = await self.reader.readexactly(2)
                if length == 126:
                    [length] = struct.unpack("!H", await self.reader.readexactly(2))
                payload = await self.reader.readexactly(length)
            except (asyncio.IncompleteReadError, ConnectionError):
                return None
        self.heard.append((first & 0x0F, payload))
        return self.heard[-1]

    async def closed(self) -> tuple[int, str] | None:
        """Read to the end; code and reason, None without a word."""
        while await self.hear() is not None:
            pass
        last = [payload for opcode, payload in self.heard if opcode == CLOSE]
        return (int.from_bytes(last[0][:2], "big"), last[0][2:].decode()) if last else None

    def leave(self) -> None:
        self.writer.transport.abort()


def flood(kind: str, count: int) -> bytes:
    """So many frames of a kind, none of which is a message that anybody handles."""
    if kind == "fragments":
        return frame(TEXT, b"{", last=False) + frame(CONTINUATION, last=False) * (count - 1)
    if kind == "pings among fragments":
        pair = frame(CONTINUATION, last=False) + frame(PING)
        return frame(TEXT, last=False) + pair * (count // 2)
    one = {"pings": frame(PING, b"x" * 125), "pongs": frame(PONG), "empty": frame(BINARY)}[kind]
    return one * count


KINDS = ["pings", "pongs", "empty", "fragments", "pings among fragments"]


# --- frames of all kinds are counted ---------------------------------------------------------------
@pytest.mark.parametrize("kind", KINDS)
async def test_a_flood_of_any_kind_closes_a_page_that_is_known(house: Running, kind: str) -> None:
    browser = await house.signed_in("regulator")
    honest = await house.desk(browser)
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    wire = await Wire.open(house, "/ws/desk", Cookie=cookies)
    before = house.counted("message_flood")
    await wire.say(flood(kind, 20 * A_SECOND))
    assert await wire.closed() == (4429, "message_flood")
    assert house.counted("message_flood") == before + 1
    if kind == "pings":
        assert sum(opcode == PONG for opcode, _ in wire.heard) <= A_SECOND + 1
    await honest.alive()
    wire.leave()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_flood_of_any_kind_cuts_a_stranger_at_once(house: Running, kind: str) -> None:
    wire = await Wire.open(house, says=flood(kind, 20 * A_SECOND))
    await wire.closed()
    assert house.counted("message_flood") == 1
    await until(lambda: len(web(house).strangers) == 0, "its place is free")
    wire.leave()


async def test_a_flood_costs_no_processor_after_it_was_noticed(house: Running) -> None:
    """A hundred thousand frames more are on their way: they are not read at the speed of the machine."""
    browser = await house.signed_in("regulator")
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    wire = await Wire.open(house, "/ws/desk", Cookie=cookies)
    [page] = [
        page for page in web(house).open_sockets._pages if isinstance(page, sockets.PageSocket)
    ]
    counted: list[None] = []
    count = page._frames._count  # type: ignore[union-attr]

    def noted() -> bool:
        counted.append(None)
        return count()

    page._frames._count = noted  # type: ignore[union-attr]
    await wire.say(frame(PONG) * 100_000)
    assert await wire.closed() == (4429, "message_flood")
    assert len(counted) <= 2 * A_SECOND
    wire.leave()


async def test_what_pages_and_browsers_send_is_no_flood(house: Running) -> None:
    """Pings are answered, fragments put together, below the pace."""
    wire = await Wire.open(house)
    await wire.say(frame(PING, b"there?"), frame(TEXT, b'{"type":', last=False))
    await wire.say(*[frame(CONTINUATION, last=False)] * 30, frame(CONTINUATION, b'"nonsense"}'))
    heard = [await wire.hear() for _ in range(3)]
    assert (PONG, b"there?") in heard
    assert any(one and b"message_unknown" in one[1] for one in heard)
    wire.leave()


# --- a hello in time -------------------------------------------------------------------------------
def web(house: Running) -> Any:
    return house.server.web


def test_a_hello_is_waited_for_ten_seconds() -> None:
    assert sockets.HELLO_SECONDS == 10


async def test_nothing_but_a_hello_prolongs_the_time_for_it(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither frames of the protocol nor messages; and the time does not wait for a tick."""
    monkeypatch.setattr(sockets, "HELLO_SECONDS", 0.3)
    wires = {says: await Wire.open(house) for says in (b"", frame(PING), frame(PONG), b"half")}
    wires[b"half"].writer.write(frame(TEXT, b'{"type":', last=False))

    async def all_cut() -> bool:
        for says, wire in wires.items():
            await wire.say(says if says != b"half" else frame(CONTINUATION, last=False))
        return len(web(house).strangers) == 0

    await until(all_cut, "each is cut")
    for wire in wires.values():
        assert await wire.closed() in {(4400, "message_out_of_order"), None}
        wire.leave()
    assert house.counted("message_out_of_order") == len(wires)


async def test_a_hello_that_is_refused_is_none(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link that nobody tapped lets nobody in: the socket that says so is not kept for it."""
    monkeypatch.setattr(sockets, "HELLO_SECONDS", 0.5)
    await house.invite(await house.desk(await house.signed_in("regulator")))
    [token] = await house.tokens()
    page = await house.connect("/ws/caller", house.browser())
    await page.say("hello", token=token, page="phone-page-1")
    await page.refused("message_out_of_order")
    assert await page.closed() == (4400, "message_out_of_order")


async def test_a_stranger_s_message_is_small(house: Running) -> None:
    """What is held for somebody unknown is little, in fragments too."""
    wire = await Wire.open(house)
    part = b"x" * 30_000
    await wire.say(frame(TEXT, part, last=False), frame(CONTINUATION, part, last=False))
    await wire.say(frame(CONTINUATION, part, last=False))
    assert await wire.closed() == (1009, "message too big")
    wire.leave()


# --- how many there may be -------------------------------------------------------------------------
async def crowd(house: Running, count: int, address: str = "2001:db8:{:x}::1") -> list[Wire]:
    return [
        await Wire.open(house, X_Forwarded_For=address.format(number)) for number in range(count)
    ]


async def caller_and_desk(house: Running) -> tuple[Any, Browser, str]:
    desk = await house.desk(await house.signed_in("regulator"))
    await house.invite(desk)
    [token] = await house.tokens()
    return desk, await house.tapped(token), token


async def test_strangers_of_everywhere_leave_room_for_the_known(house: Running) -> None:
    """128 connections: a quarter for those who have not said who they are."""
    desk, phone, token = await caller_and_desk(house)
    many = await crowd(house, 200)
    kept = web(house).strangers
    assert len(kept) == kept.most == 32
    connections = house.server.http.connections  # type: ignore[union-attr]
    await until(lambda: len(connections) < 60, "who gave way is gone")
    assert await many[0].closed() == (4503, "unavailable")
    assert house.counted("unavailable") == 200 - 32
    # A caller's page, in the middle of it, and a desk that comes now.
    caller = await house.caller(token, phone)
    await caller.alive()
    other = await house.desk(await house.signed_in("regulator", "202"), "desk-peer-2")
    assert await house.invite(other, "command-0002", mobile="06 12 34 56 79")
    await desk.alive()
    assert len(kept) == kept.most - 1, "the caller is known, and it took the place of one"
    for wire in many:
        wire.leave()
    await until(lambda: len(kept) == 0, "nobody is left")


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::{:x}", "::ffff:192.0.2.7"])
async def test_strangers_of_one_network_take_no_place_from_another(
    house: Running, address: str
) -> None:
    apart = await Wire.open(house, X_Forwarded_For="198.51.100.1")
    many = await crowd(house, 100, address)
    kept = web(house).strangers
    assert len(kept) == kept.most_of_one + 1 == 9
    await apart.say(frame(PING, b"still here"))
    while (heard := await apart.hear()) != (PONG, b"still here"):
        assert heard is not None
        assert heard[0] == TEXT, "nothing but ticks"
    for wire in [apart, *many]:
        wire.leave()


async def test_who_is_known_is_no_stranger(house: Running) -> None:
    desk, phone, token = await caller_and_desk(house)
    caller = await house.caller(token, phone)
    assert len(web(house).strangers) == 0
    many = await crowd(house, 100)
    await caller.alive()
    await desk.alive()
    for wire in many:
        wire.leave()


# --- a hello that lets nobody in -------------------------------------------------------------------
MADE_UP = json.dumps({"type": "hello", "token": "A" * 27, "page": "made-up-page-1"}).encode()


@pytest.mark.parametrize("path", ["/ws/caller", "/ws/observer"])
async def test_a_made_up_link_makes_nobody_known(house: Running, path: str) -> None:
    """Who is refused and does not answer the goodbye stays a stranger, and gives way like one."""
    wires = []
    for _ in range(20):
        wire = await Wire.open(house, path, says=frame(TEXT, MADE_UP), X_Forwarded_For="192.0.2.7")
        while (heard := await wire.hear()) is not None and heard[0] != CLOSE:
            pass
        assert heard is not None
        assert heard[1][2:] == b"link_unknown"
        wires.append(wire)
    kept = web(house).strangers
    assert len(kept) == kept.most_of_one == 8
    connections = house.server.http.connections  # type: ignore[union-attr]
    # Tornado cuts who does not answer after five seconds: here they are cut by the newer ones.
    await until(lambda: len(connections) <= kept.most_of_one, "the others are cut", timeout=2)
    for wire in wires:
        wire.leave()
    await until(lambda: len(kept) == 0, "nobody is left")


async def test_a_refused_hello_lets_no_large_message_in(house: Running) -> None:
    wire = await Wire.open(house, says=frame(TEXT, MADE_UP))
    [page] = [
        page for page in web(house).open_sockets._pages if isinstance(page, sockets.PageSocket)
    ]
    while (heard := await wire.hear()) is not None and heard[0] != CLOSE:
        pass
    assert page._frames is not None
    assert page._frames.params.max_message_size == MAX_FRAME
    wire.leave()
