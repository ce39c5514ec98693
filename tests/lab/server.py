"""The server under test: the real program, with an environment of its own, to be killed and started again."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab.process import PATIENCE, Part, PartFailedError, launch, own_folder, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

import asyncio

ROOT = Path(__file__).resolve().parents[2]
VISIO15 = (sys.executable, "-m", "server.cli.main")


def _clean_environment(env: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VISIO15_")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **env}


def _get(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own server
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0


@dataclass
class Server:
    """A running server; its log goes on over restarts."""

    url: str
    env: dict[str, str]
    folder: Path
    argv: tuple[str, ...]
    part: Part

    def logs(self) -> str:
        return self.part.output()

    def kill(self) -> None:
        """SIGKILL, as by a power cut."""
        self.part.kill()

    async def stop(self) -> int:
        """SIGTERM; return the exit status of the graceful shutdown."""
        self.part.popen.terminate()
        status = await self.part.wait()
        self.part.kill()
        return status

    async def start(self, *, timeout: float = PATIENCE) -> None:
        """Start it again: same port, same database."""
        self.part = launch("server", self.argv, folder=self.folder, env=self.env, cwd=ROOT)
        await self.ready(timeout=timeout)

    async def restart(self) -> None:
        self.kill()
        await self.start()

    async def ready(self, *, timeout: float = PATIENCE) -> None:
        async def up() -> bool:
            if not self.part.running:
                raise PartFailedError(f"the server ended while starting\n{self.part.tail()}")
            return await asyncio.to_thread(_get, f"{self.url}/readyz") == 200

        await until(up, "GET /readyz answers 200", timeout=timeout, explain=self.part.tail)

    async def cli(self, *arguments: str, stdin: str | None = None) -> str:
        """Run `visio15 …` with the server's environment; return what it printed, fail if it fails."""
        return await visio15(*arguments, env=self.env, stdin=stdin)


async def visio15(
    *arguments: str, env: Mapping[str, str], stdin: str | None = None, timeout: float = PATIENCE
) -> str:
    """Run `visio15 …` to its end."""
    process = await asyncio.create_subprocess_exec(
        *VISIO15,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=_clean_environment(env),
        cwd=ROOT,
    )
    try:
        out, _ = await asyncio.wait_for(
            process.communicate(stdin.encode() if stdin is not None else b""), timeout
        )
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    text = out.decode(errors="replace")
    if process.returncode:
        shown = " ".join(arguments)
        raise PartFailedError(f"visio15 {shown} ended with status {process.returncode}\n{text}")
    return text


@asynccontextmanager
async def server(
    url: str,
    env: Mapping[str, str],
    *,
    prepare: Sequence[Sequence[str]] = (("migrate",),),
    arguments: Sequence[str] = ("serve",),
    program: Sequence[str] = VISIO15,
) -> AsyncIterator[Server]:
    """Run the server until GET {url}/readyz answers 200.

    Args:
        url: where it will listen, as told to it in `env`; no slash at its end.
        env: VISIO15_… settings. Nothing named so is taken over from the test's own environment.
        prepare: visio15 commands run to their end before it, such as ("migrate",) or ("site", "add", …).
        arguments: the command that serves.
        program: what runs the commands.
    """
    clean = _clean_environment(env)
    async with own_folder("server") as folder:
        for command in prepare:
            await visio15(*command, env=env)
        argv = (*program, *arguments)
        running = Server(
            url, clean, folder, argv, launch("server", argv, folder=folder, env=clean, cwd=ROOT)
        )
        try:
            await running.ready()
            yield running
        finally:
            await running.part.stop()
