"""A real server without file descriptors, or flooded with connections: it stays calm and comes back."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import socket
import sys
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from telephony.sources.hep import codec as hep
from telephony.sources.hep.codec import HepPacket
from tests.lab.ports import free_port
from tests.lab.process import Part, launch, until
from tests.lab.server import ROOT, VISIO15, visio15
from tests.server.house import SECRET
from tests.server.running import Running, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.databases import Furnished

KEY = "capture-key"
TICKS = os.sysconf("SC_CLK_TCK")
#: One number of each of many countries; none of them is France.
ABROAD = ("+493012345678", "+390612345678", "+34911234567", "+3225012345", "+442071234567")


@dataclass
class Process:
    """A server process of its own, and ways to make it hard for it."""

    part: Part
    port: int
    hep: int

    def files(self) -> set[int]:
        return {int(each.name) for each in Path(f"/proc/{self.part.pid}/fd").iterdir()}

    def allow(self, files: int) -> None:
        """Let it open so many descriptors and no more."""
        _, hard = resource.prlimit(self.part.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.part.pid, resource.RLIMIT_NOFILE, (files, hard))

    def exhaust(self) -> None:
        """Leave it not one descriptor: the lowest free number is not below the limit."""
        taken = self.files()
        self.allow(next(number for number in range(10_000) if number not in taken))

    def processor(self) -> float:
        """Seconds of processor that it has used."""
        fields = Path(f"/proc/{self.part.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    async def get(self, path: str, seconds: float = 5) -> tuple[int, str]:
        return await get(self.port, path, seconds)

    async def ready(self) -> bool:
        return await self.alive() and (await self.get("/readyz", 5))[0] == 200

    async def alive(self) -> bool:
        with suppress(TimeoutError, ConnectionError):
            return (await self.get("/healthz"))[0] == 200
        return False

    async def metric(self, name: str) -> float:
        _, text = await self.get("/metrics")
        [line] = [each for each in text.splitlines() if each.startswith(name + " ")]
        return float(line.rpartition(" ")[2])

    def rings(self, number: str) -> None:
        """A call from `number` comes in, seen by the capture."""
        invite = (
            f"INVITE sip:15@samu37.example SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK-{number}\r\n"
            f"From: <sip:{number}@operateur.example>;tag=a\r\nTo: <sip:15@samu37.example>\r\n"
            f"Call-ID: {number}\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
        )
        ends = (("192.0.2.10", 5060), ("192.0.2.20", 5060))
        packet = HepPacket(*ends, datetime.now(UTC), invite.encode(), auth_key=KEY.encode())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
            agent.sendto(hep.encode(packet), ("127.0.0.1", self.hep))


async def get(port: int, path: str, seconds: float = 5) -> tuple[int, str]:
    """Ask once on a connection of its own; 0 when it is closed without an answer."""
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            writer.write(head.encode())
            answer = (await reader.read()).decode()
        except ConnectionError:
            return 0, ""
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
    return int(answer.split(" ", 2)[1]) if answer else 0, answer


@asynccontextmanager
async def process(folder: Path, files: int = 1_024, **settings: str) -> AsyncIterator[Process]:
    port, capture = free_port(), free_port()
    feed = {"kind": "hep", "site": "rivage", "port": capture, "auth_key": KEY}
    env = {
        "VISIO15_SECRET_KEY": SECRET,
        "VISIO15_DATABASE": f"sqlite+aiosqlite:///{folder}/visio15.db",
        "VISIO15_PORT": str(port),
        "VISIO15_FEEDS": json.dumps([feed]),
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": ".",
        **settings,
    }
    await visio15("migrate", env=env)
    site = ("site", "add", "rivage", "SAMU", "--referent", "r@s.example", "--sms-sender", "SAMU")
    await visio15(*site, env=env)
    limited = ("/bin/sh", "-c", f'ulimit -n {files}; exec "$0" "$@"', *VISIO15, "serve")
    part = launch("server", limited, folder=folder, env=env, cwd=ROOT)
    try:
        await until(lambda: "server.started" in part.output(), "it listens", explain=part.tail)
        yield Process(part, port, capture)
    finally:
        await part.stop()


class Crowd:
    """Many connections that one peer makes; all are closed at the end of the test, or when they leave."""

    def __init__(self) -> None:
        self.sockets: list[socket.socket] = []

    async def come(self, port: int, count: int, says: bytes = b"") -> list[socket.socket]:
        """Connect `count` times, and say the same on each."""
        loop, come = asyncio.get_running_loop(), []
        for _ in range(count):
            one = socket.socket()
            self.sockets.append(one)
            come.append(one)
            one.settimeout(0)
            await loop.sock_connect(one, ("127.0.0.1", port))
            if says:
                with suppress(ConnectionError):
                    await loop.sock_sendall(one, says)
        return come

    def leave(self) -> None:
        for one in self.sockets:
            one.close()


async def asked(connected: socket.socket) -> bytes:
    """Ask for /healthz on this connection; return the answer's beginning."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(connected, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return (await asyncio.wait_for(loop.sock_recv(connected, 65_536), 60))[:12]


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    made = Crowd()
    yield made
    made.leave()


async def test_the_first_number_of_a_region_while_no_descriptor_is_left(
    tmp_path: Path, crowd: Crowd
) -> None:
    """The library would load the region's plan now, fail, keep its lock, and hang the process at the next number."""
    async with process(tmp_path) as server:
        await until(server.alive, "it answers")
        server.exhaust()
        for number in ABROAD:
            server.rings(number)
        server.rings("+33612345678")
        await crowd.come(server.port, 3)
        await until(lambda: "connections.refused" in server.part.output(), "it cannot accept")
        server.allow(1_024)
        for number in ABROAD:
            server.rings(number)

        async def heard() -> bool:
            feed = '{feed="hep",site="rivage"}'
            return await server.metric(f"visio15_feed_received{feed}") >= 2 * len(ABROAD) + 1

        await until(heard, "all packets are read", explain=server.part.tail)
        assert await server.alive()
        server.part.popen.send_signal(signal.SIGTERM)
        assert await server.part.wait(20) == 0


async def test_without_descriptors_it_neither_spins_nor_floods_its_log(
    tmp_path: Path, crowd: Crowd
) -> None:
    async with process(tmp_path) as server:
        await until(server.alive, "it answers")
        [kept] = await crowd.come(server.port, 1)  # a connection from before
        assert await asked(kept) == b"HTTP/1.1 200"
        server.exhaust()
        await crowd.come(server.port, 50)
        await until(lambda: "connections.refused" in server.part.output(), "it cannot accept")
        begun, used, said = time.monotonic(), server.processor(), len(server.part.output())
        await until(lambda: time.monotonic() - begun >= 3, "three seconds of it")
        assert len(server.part.output()) - said < 2_000
        assert server.processor() - used < 0.6, "a fifth of a core at most, its own loops included"
        assert await asked(kept) == b"HTTP/1.1 200", "who is connected goes on"
        server.allow(1_024)
        await until(server.alive, "it accepts again")


@pytest.mark.parametrize("trusted", ["[]", '["127.0.0.1"]'], ids=["one address", "any address"])
async def test_a_crowd_that_says_nothing_keeps_nobody_out(
    tmp_path: Path, crowd: Crowd, trusted: str
) -> None:
    """256 files: 192 connections, half of them for one address that is no proxy."""
    async with process(tmp_path, 256, VISIO15_TRUSTED_PROXIES=trusted) as server:
        await until(server.ready, "its parts work")
        await crowd.come(server.port, 600)
        for path, status in (("/healthz", 200), ("/readyz", 200), ("/kiosk", 302)):
            assert (await server.get(path, 2))[0] == status
        open_ = await server.metric("visio15_connections")
        assert open_ == (192 if trusted != "[]" else 96)
        assert len(server.files()) < 256 - 16
        told = [line for line in server.part.output().splitlines() if "connections.refused" in line]
        assert len(told) == 1, "one line a minute"


@pytest.mark.parametrize("body", [b"", b"x"], ids=["nothing of it", "some of it"])
async def test_a_crowd_that_sends_no_whole_body_keeps_nobody_out(
    tmp_path: Path, crowd: Crowd, body: bytes
) -> None:
    """Each claims a hundred bytes, and has thirty seconds for them: longer than anybody waits for a page."""
    async with process(tmp_path, 256, VISIO15_TRUSTED_PROXIES='["127.0.0.1"]') as server:
        await until(server.ready, "its parts work")
        slow = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n" + body
        for _ in range(3):
            await crowd.come(server.port, 192, slow)
            for path, status in (("/kiosk", 302), ("/readyz", 200)):
                assert (await server.get(path, 5))[0] == status
        assert await server.metric("visio15_connections") <= 192


# --- within one process ----------------------------------------------------------------------------
@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path, connections=24) as house:
        yield house


async def test_desks_that_are_connected_go_on_in_a_crowd(house: Running, crowd: Crowd) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    await crowd.come(house.server.port, 200)
    assert await house.invite(desk)
    other = await house.desk(await house.signed_in("regulator", "202"), "desk-peer-2")
    assert await house.invite(other, "command-0002", mobile="06 12 34 56 79")


async def test_who_sends_no_whole_request_is_cut_within_seconds(
    house: Running, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.web.http.connections.HEAD_SECONDS", 0.3)
    silent, slow, asks = await crowd.come(house.server.port, 3)
    loop = asyncio.get_running_loop()
    assert await asked(asks) == b"HTTP/1.1 200"

    async def dripped() -> bool:
        """One byte of a head after the other."""
        try:
            await loop.sock_sendall(slow, b"G")
            return await asyncio.wait_for(loop.sock_recv(slow, 10), 0.05) == b""
        except TimeoutError:
            return False
        except ConnectionError:
            return True

    await until(dripped, "the slow one is cut")
    assert await asyncio.wait_for(loop.sock_recv(silent, 10), 60) == b""
    assert await asked(asks) == b"HTTP/1.1 200", "keep-alive goes on"


@pytest.fixture
def small(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    proxies = ["127.0.0.1"]
    with running(
        io_loop, furnished_database, tmp_path, connections=16, trusted_proxies=proxies
    ) as house:
        yield house


async def test_while_all_connections_are_at_work_operations_are_answered(
    small: Running, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.web.sockets.page_socket.HELLO_SECONDS", 600)
    port, connections = small.server.port, small.server.http.connections  # type: ignore[union-attr]
    browser = await small.signed_in("regulator")
    desks = [await small.connect("/ws/desk", browser) for _ in range(16)]
    await until(lambda: not list(connections._waiting()), "every place is taken")
    assert (await get(port, "/kiosk"))[0] == 503
    for path in ("/healthz", "/readyz", "/metrics"):
        assert (await get(port, path, 2))[0] == 200
    await crowd.come(port, 100)
    assert (await get(port, "/healthz", 2))[0] == 200, "silent ones give way here, too"
    await desks[0].alive()
    for desk in desks:
        desk.socket.close()
    crowd.leave()

    async def room() -> bool:
        return (await get(port, "/kiosk"))[0] == 302

    await until(room, "there is room again")


async def test_who_reads_nothing_of_the_answer_is_cut(
    house: Running, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks for more than the system keeps for it, and takes none: it would be at work for ever."""
    monkeypatch.setattr("server.web.http.connections.STALL_SECONDS", 0.3)
    refused = "visio15_connections_refused_total"
    asks = b"GET /static/js/desk/main.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
    deaf, hears = await crowd.come(house.server.port, 2)
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(deaf, asks * 1_000)
    await until(lambda: house._sample(refused, reason="stalled") == 1, "it is cut")
    assert await asked(hears) == b"HTTP/1.1 200"


async def test_every_way_to_leave_makes_room(house: Running, crowd: Crowd) -> None:
    assert sys.platform == "linux"
    connections = house.server.http.connections  # type: ignore[union-attr]
    desk = await house.desk(await house.signed_in("regulator"))
    await crowd.come(house.server.port, 10)
    await until(lambda: len(connections) >= 11, "all are counted")
    crowd.leave()
    desk.socket.close()
    for client in house.clients:
        client.close()
    await until(lambda: len(connections) == 0, "nobody is left")
