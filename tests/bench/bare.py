"""The process of the floors, started."""

from __future__ import annotations

import os
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.lab.ports import free_port, tcp_port_open
from tests.lab.process import own_folder, started
from tests.lab.server import ROOT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def with_path() -> dict[str, str]:
    """Return the environment in which our own programs find their modules."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@dataclass(frozen=True)
class Bare:
    """A running floor.py."""

    url: str
    udp: int
    pid: int


@asynccontextmanager
async def bare() -> AsyncIterator[Bare]:
    """Run it in a process of its own, like the product."""
    port, udp = free_port(), free_port()
    argv = [sys.executable, "-m", "tests.bench.floor", str(port), str(udp)]
    async with (
        own_folder("floor") as folder,
        started(
            "floor", argv, folder=folder, ready=lambda _: tcp_port_open(port), env=with_path()
        ) as part,
    ):
        yield Bare(f"http://localhost:{port}", udp, part.pid)
