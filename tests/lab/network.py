"""The phone in a network of its own, on Wi-Fi or on 4G, each as bad as a test wants it.

The phone's Chromium runs in a namespace whose only ways out are two cables (`tests.lab.wire`) to the namespace of the
test, where server, relay and desk are. Namespace and devices belong to processes started here: they are gone with them.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import stat
import subprocess
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.lab.browsers.browser import CHROMIUM, Browser, browser
from tests.lab.process import Part, PartFailedError, own_folder, started
from tests.lab.server import ROOT
from tests.lab.wire import TUN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

#: Where server, relay and desk are (scripts/netns).
HERE = "10.99.0.1"
PYTHON = str(ROOT / ".venv/bin/python")


@dataclass(frozen=True)
class Wire:
    """One cable: its name on the phone, the phone's address on it, and how to talk to it."""

    name: str
    address: str
    gateway: str
    control: Path

    async def ask(self, **conditions: float | bool) -> dict[str, Any]:
        """Change the conditions (`tests.lab.wire.Conditions`); return them with what passed so far."""
        reader, writer = await asyncio.open_unix_connection(str(self.control))
        try:
            writer.write(json.dumps(conditions).encode() + b"\n")
            await writer.drain()
            answer: dict[str, Any] = json.loads(await reader.readline())
            return answer
        finally:
            writer.close()

    async def bytes_from_phone(self) -> int:
        """How many bytes the phone got through so far."""
        return int((await self.ask())["from_phone"][2])


@dataclass(frozen=True)
class PhoneNetwork:
    """The phone's two ways to the world."""

    pid: int
    wifi: Wire
    mobile: Wire
    folder: Path

    @asynccontextmanager
    async def path(
        self,
        *,
        loss: float = 0.0,
        delay: float = 0.0,
        rate: float = 0.0,
        udp: bool = True,
        up: bool = True,
    ) -> AsyncIterator[None]:
        """Make both ways this bad for a while.

        Args:
            loss: share of packets lost, each way.
            delay: seconds, each way.
            rate: bits a second, each way; 0: no limit.
            udp: UDP passes.
            up: anything passes.
        """
        for wire in (self.wifi, self.mobile):
            await wire.ask(loss=loss, delay=delay, rate=rate, udp=udp, up=up)
        try:
            yield
        finally:
            for wire in (self.wifi, self.mobile):
                await wire.ask(loss=0.0, delay=0.0, rate=0.0, udp=True, up=True)

    async def move(self, to: Wire) -> None:
        """Leave the other network, as a phone that goes out of the house does: its address there is gone."""
        other = self.mobile if to is self.wifi else self.wifi
        self.inside("ip", "addr", "flush", "dev", other.name)
        self.inside("ip", "addr", "add", to.address, "peer", to.gateway, "dev", to.name)
        self.inside("ip", "route", "replace", "default", "dev", to.name, "src", to.address)

    def leave(self) -> None:
        """Be on no network at all."""
        for wire in (self.wifi, self.mobile):
            self.inside("ip", "addr", "flush", "dev", wire.name)

    def inside(self, *argv: str) -> str:
        """Run a command in the phone's network; return what it says."""
        return run("nsenter", f"--net=/proc/{self.pid}/ns/net", "--", *argv)

    @asynccontextmanager
    async def browser(self, *flags: str) -> AsyncIterator[Browser]:
        """Run the phone's Chromium in the phone's network."""
        program = self.folder / "chromium-of-the-phone"
        program.write_text(
            f'#!/bin/sh\nexec nsenter --net=/proc/{self.pid}/ns/net -- {CHROMIUM} "$@"\n'
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        async with browser(*flags, executable=program) as chromium:
            yield chromium


def run(*argv: str) -> str:
    """Run a command of the system; a refusal fails with its own words."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PartFailedError(f"{' '.join(argv)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def _able() -> None:
    """Fail with a sentence when this machine cannot hold a second network."""
    if os.environ.get("LAB_NETNS") != HERE:
        raise PartFailedError("start this by scripts/netns: it needs a network of its own")
    for tool in ("ip", "unshare", "nsenter"):
        if not shutil.which(tool, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"):
            raise PartFailedError(f"the command {tool} is missing (iproute2, util-linux)")
    try:
        os.close(os.open(TUN, os.O_RDWR))
    except OSError as missing:
        raise PartFailedError(
            f"{TUN} cannot be opened ({missing.strerror}): the kernel's TUN module or the right to it is missing"
        ) from missing


@asynccontextmanager
async def phone_network() -> AsyncIterator[PhoneNetwork]:
    """Give the phone its network, on Wi-Fi and good; take everything away afterwards."""
    _able()
    async with AsyncExitStack() as stack:
        folder = await stack.enter_async_context(own_folder("network"))
        argv = ["unshare", "-n", "sleep", "infinity"]
        holder = await stack.enter_async_context(
            started("phone-network", argv, folder=folder, ready=_apart)
        )
        wires = []
        for number, name in ((1, "wlan0"), (2, "wwan0")):
            wires.append(await stack.enter_async_context(_wire(folder, holder.pid, number, name)))
        network = PhoneNetwork(holder.pid, wires[0], wires[1], folder)
        for name in ("lo", *(wire.name for wire in wires)):
            network.inside("ip", "link", "set", name, "up")
        await network.move(network.wifi)
        yield network


def _apart(holder: Part) -> bool:
    """Tell whether the holder is in a network that is not ours yet."""
    theirs, ours = Path(f"/proc/{holder.pid}/ns/net"), Path("/proc/self/ns/net")
    return theirs.stat().st_ino != ours.stat().st_ino


@asynccontextmanager
async def _wire(folder: Path, pid: int, number: int, name: str) -> AsyncIterator[Wire]:
    near, control = f"to-{name}", folder / f"{name}.sock"
    argv = [PYTHON, "-m", "tests.lab.wire", str(control), near, name, str(pid)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    async with started(
        f"wire-{name}", argv, folder=folder, ready=lambda _: control.exists(), env=env
    ):
        wire = Wire(name, f"10.98.{number}.2", f"10.98.{number}.1", control)
        run("ip", "addr", "add", wire.gateway, "peer", wire.address, "dev", near)
        run("ip", "link", "set", near, "up")
        yield wire
