"""What systemd hears: ready, alive while the event loop turns, stopping."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from server.app.runtime.systemd import Notifier
from tests.lab.process import own_folder, until
from tests.lab.server import visio15
from tests.server.app.test_health import environment, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def systemd(address: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(address)
        listening.settimeout(0)
        yield listening


def heard(listening: socket.socket) -> list[str]:
    """Everything that was said since the last look."""
    said = []
    while True:
        try:
            said.append(listening.recv(4096).decode())
        except BlockingIOError:
            return said


@pytest.mark.parametrize("address", ["{folder}/notify", "@visio15-{pid}"])
async def test_it_tells_a_real_socket(tmp_path: Path, address: str) -> None:
    address = address.format(folder=tmp_path, pid=os.getpid())
    env = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000", "WATCHDOG_PID": "77", "PATH": "/bin"}
    with systemd(address.replace("@", "\0")) as listening:
        notifier = Notifier.take(env, 77)
        assert env == {"PATH": "/bin"}, "no child speaks in our name"
        assert notifier.watchdog == 0.03
        notifier.tell("READY=1", "STATUS=listening")
        assert heard(listening) == ["READY=1\nSTATUS=listening"]
        alive = asyncio.ensure_future(notifier.run())  # noqa: TID251 -- cancelled below
        said: list[str] = []
        await until(lambda: bool(said.extend(heard(listening)) or said), "it is alive")
        alive.cancel()
        await asyncio.gather(alive, return_exceptions=True)
        assert set(said) == {"WATCHDOG=1"}
        notifier.close()


@pytest.mark.parametrize(
    ("env", "watchdog"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "78"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"NOTIFY_SOCKET": "tcp://somewhere"}, None),
    ],
)
def test_without_systemd_it_tells_nobody(env: dict[str, str], watchdog: float | None) -> None:
    notifier = Notifier.take(env, 77)
    assert notifier.watchdog == watchdog
    notifier.tell("READY=1")
    notifier.close()


async def test_nobody_listens_any_more(tmp_path: Path) -> None:
    with systemd(f"{tmp_path}/notify") as listening:
        notifier = Notifier.take({"NOTIFY_SOCKET": f"{tmp_path}/notify"}, 1)
        for _ in range(5_000):  # a full queue holds up nobody
            notifier.tell("WATCHDOG=1")
        assert len(heard(listening)) < 5_000
    notifier.tell("WATCHDOG=1")
    notifier.close()


async def test_a_server_whose_loop_stands_still_is_silent(tmp_path: Path) -> None:
    """Ready once it listens, alive while its loop turns; stopped, it says nothing, and systemd would restart it."""
    async with own_folder("notify") as folder:
        env = environment(tmp_path, NOTIFY_SOCKET=f"{folder}/notify", WATCHDOG_USEC="300000")
        await visio15("migrate", env=env)
        with systemd(f"{folder}/notify") as listening:
            part = serve(tmp_path, env)
            said: list[str] = []

            def hears(word: str) -> bool:
                said.extend(heard(listening))
                return word in said

            try:
                await until(lambda: hears("READY=1"), "ready", explain=part.tail)
                assert "server.started" in part.output()
                said.clear()
                await until(lambda: hears("WATCHDOG=1"), "alive")
                os.kill(part.pid, signal.SIGSTOP)
                heard(listening)
                said.clear()
                begun = time.monotonic()
                await until(lambda: time.monotonic() - begun > 1, "three times the limit")
                assert not hears("WATCHDOG=1")
                os.kill(part.pid, signal.SIGCONT)
                await until(lambda: hears("WATCHDOG=1"), "alive again")
                part.popen.terminate()
                assert await part.wait(20) == 0
                assert hears("STOPPING=1")
            finally:
                part.kill()
