"""What protects the machine and the tests from each other."""

from __future__ import annotations

import asyncio
import socket
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ForbiddenAddressError
from tests.lab import process
from tests.lab.ports import free_port, tcp_port_open, udp_port_taken
from tests.lab.process import PartFailedError, own_folder, started, until
from tests.lab.server import server

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.lab

OUTSIDE = "192.0.2.1"  # RFC 5737: nobody's

TINY = """
import asyncio, os, sys, tornado.web
class Ready(tornado.web.RequestHandler):
    def get(self): self.write("ok")
async def main():
    print("settings:", sorted(name for name in os.environ if name.startswith("VISIO15_")), flush=True)
    tornado.web.Application([("/readyz", Ready)]).listen(int(os.environ["VISIO15_PORT"]), "127.0.0.1")
    await asyncio.Event().wait()
asyncio.run(main())
"""


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_no_test_can_talk_to_the_outside(kind: int) -> None:
    with socket.socket(socket.AF_INET, kind) as sock:
        with pytest.raises(ForbiddenAddressError):
            sock.connect((OUTSIDE, 9))
        with pytest.raises(ForbiddenAddressError):
            sock.sendto(b"x", (OUTSIDE, 9))
        with pytest.raises(ForbiddenAddressError):
            sock.connect_ex(("www.example.org", 80))


async def test_nor_can_the_loop() -> None:
    with pytest.raises(ForbiddenAddressError):
        await asyncio.open_connection(OUTSIDE, 80)


def test_a_free_port_is_free_and_given_once() -> None:
    ports = [free_port() for _ in range(20)]
    assert len(set(ports)) == 20
    assert not tcp_port_open(ports[0])
    assert not udp_port_taken(ports[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as part:
        part.bind(("127.0.0.1", ports[0]))
        assert udp_port_taken(ports[0])
        assert not udp_port_taken(ports[0], "127.0.0.2")


async def test_a_part_that_dies_while_starting_shows_its_last_words() -> None:
    argv = [sys.executable, "-c", "raise SystemExit('out of coffee')"]
    async with own_folder("test") as folder:
        with pytest.raises(PartFailedError, match="out of coffee"):
            async with started("machine", argv, folder=folder, ready=lambda _part: False):
                raise AssertionError("not reached")


async def test_a_part_that_never_gets_ready_is_stopped() -> None:
    argv = [sys.executable, "-c", "import time; print('thinking', flush=True); time.sleep(60)"]
    async with own_folder("test") as folder:
        with pytest.raises(
            PartFailedError, match=r"waited 0\.5 s for: machine is ready\n(.|\n)*thinking"
        ):
            async with started(
                "machine", argv, folder=folder, ready=lambda _part: False, timeout=0.5
            ):
                raise AssertionError("not reached")


async def test_a_machine_that_stood_still_has_not_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter((0.0, 3600.0, 3600.1, 3600.2))
    monkeypatch.setattr(process, "time", SimpleNamespace(monotonic=lambda: next(now)))
    answers = iter((False, False, True))
    await until(lambda: next(answers), "what comes after the pause", timeout=2)


async def test_the_server_part_survives_a_kill_on_the_same_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISIO15_STRAY", "must not travel")
    program = tmp_path / "tiny.py"
    program.write_text(TINY)
    port = free_port()
    async with server(
        f"http://127.0.0.1:{port}",
        {"VISIO15_PORT": str(port)},
        prepare=(),
        arguments=(),
        program=(sys.executable, str(program)),
    ) as running:
        first = running.part.pid
        running.kill()
        assert not tcp_port_open(port)
        await running.start()
        assert running.part.pid != first
        assert running.logs().count("settings: ['VISIO15_PORT']") == 2
    assert not tcp_port_open(port)
