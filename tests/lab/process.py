"""One real program: start it, wait until it is ready, stop it by its process id."""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import subprocess
import tempfile
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

POLL_SECONDS = 0.02
#: Seconds for whatever must come: ends what hangs, and measures nothing. A program read from a cold disk took over 20.
PATIENCE = 60.0
#: A longer turn counts as this much waiting: a machine that stood still for a while is no fault of what is waited for.
TURN_SECONDS = 1.0
TAIL_CHARACTERS = 3000


class PartFailedError(AssertionError):
    """A part of the lab did not start, or died; the message ends with its log."""


async def until(
    condition: Callable[[], bool | Awaitable[bool]],
    what: str,
    *,
    timeout: float = PATIENCE,
    explain: Callable[[], str] = str,
) -> None:
    """Wait for a condition, never for a time; fail naming what was waited for."""
    waited, before = 0.0, time.monotonic()
    while True:
        answer = condition()
        if inspect.isawaitable(answer):
            answer = await answer
        if answer:
            return
        now = time.monotonic()
        waited, before = waited + min(now - before, TURN_SECONDS), now
        if waited > timeout:
            raise PartFailedError(f"waited {timeout:g} s for: {what}\n{explain()}")
        await asyncio.sleep(POLL_SECONDS)


@dataclass
class Part:
    """A started program and its log (standard output and error together)."""

    name: str
    log: Path
    popen: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def running(self) -> bool:
        return self.popen.poll() is None

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def tail(self) -> str:
        state = "running" if self.running else f"ended with status {self.popen.returncode}"
        text = self.output()[-TAIL_CHARACTERS:]
        return f"--- {self.name} ({state}), end of {self.log} ---\n{text}"

    async def wait(self, timeout: float = PATIENCE) -> int:
        """Wait for the end of the program and return its status."""
        await until(
            lambda: not self.running, f"{self.name} ends", timeout=timeout, explain=self.tail
        )
        assert self.popen.returncode is not None
        return int(self.popen.returncode)

    async def stop(self, *, grace: float = 5) -> None:
        """SIGTERM, then SIGKILL to its whole group after `grace` seconds; SIGKILL at once if it is 0."""
        if self.running and grace:
            self.popen.terminate()
            with suppress(PartFailedError):
                await self.wait(grace)
        self.kill()

    def kill(self) -> None:
        """SIGKILL to the program and the children it left in its group."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.popen.wait()


def launch(
    name: str,
    argv: Sequence[str | os.PathLike[str]],
    *,
    folder: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Part:
    """Start a program in a process group of its own, its output appended to `folder/name.log`."""
    log = folder / f"{name}.log"
    with log.open("ab") as out:
        popen = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=cwd or folder,
            env=dict(env) if env is not None else None,
            start_new_session=True,
        )
    return Part(name, log, popen)


@asynccontextmanager
async def started(
    name: str,
    argv: Sequence[str | os.PathLike[str]],
    *,
    folder: Path,
    ready: Callable[[Part], bool | Awaitable[bool]],
    timeout: float = PATIENCE,
    grace: float = 5,
    env: Mapping[str, str] | None = None,
) -> AsyncIterator[Part]:
    """Run a program from the moment it is ready to the end of the block."""
    part = launch(name, argv, folder=folder, env=env)

    async def up() -> bool:
        if not part.running:
            raise PartFailedError(f"{name} ended while starting\n{part.tail()}")
        answer = ready(part)
        return bool(await answer if inspect.isawaitable(answer) else answer)

    try:
        await until(up, f"{name} is ready", timeout=timeout, explain=part.tail)
        yield part
    finally:
        await part.stop(grace=grace)


@asynccontextmanager
async def own_folder(name: str) -> AsyncIterator[Path]:
    """Give a temporary folder with a short path (unix sockets allow 107 characters)."""
    with tempfile.TemporaryDirectory(
        prefix=f"v15-{name}-", dir="/tmp", ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)
