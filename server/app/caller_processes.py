"""Starts synthetic callers beside the server: media in a process of its own never slows signalling down."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from server.core.errors import TooMany

MOST: Final = 5
SECONDS: Final = 900  # a demonstration nobody ends must end itself
GRACE: Final = 2.0


class CallerProcesses:
    """At most five at once; the link is a secret, so it goes through stdin and never through argv."""

    def __init__(self, ca: Path | None = None) -> None:
        """`ca`: PEM file of authorities the callers trust beside the system's (the demonstration's own)."""
        self._ca = ca
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()

    def running(self, link: str) -> bool:
        """Tell whether a caller plays on this link."""
        self._reap()
        return link in self._running

    async def start(self, link: str) -> None:
        """Start one on `link`, unless one plays on it already; TooMany beyond five."""
        await asyncio.to_thread(self._start, link)

    def _start(self, link: str) -> None:
        with self._lock:
            if self.running(link):
                return
            if len(self._running) >= MOST:
                raise TooMany("synthetic_callers")
            self._running[link] = self._launch(link)

    def _argv(self) -> list[str]:
        argv = [sys.executable, "-m", "server.cli.main", "caller", "-", "--seconds", str(SECONDS)]
        return argv if self._ca is None else [*argv, "--ca", str(self._ca.absolute())]

    def _launch(self, link: str) -> subprocess.Popen[bytes]:
        kept = {name: value for name, value in os.environ.items() if not _setting(name)}
        process = subprocess.Popen(  # noqa: S603 - our own program, arguments of our own
            self._argv(),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=kept,
            start_new_session=True,
        )
        if process.stdin is not None:
            with suppress(BrokenPipeError), process.stdin as pipe:
                pipe.write(link.encode() + b"\n")
        return process

    def _reap(self) -> None:
        for link, process in list(self._running.items()):
            if process.poll() is not None:
                self._running.pop(link, None)

    def close(self) -> None:
        """Stop every caller by its process group, and wait until it is gone."""
        for process in self._running.values():
            _signal(process, signal.SIGTERM)
        for process in self._running.values():
            try:
                process.wait(GRACE)
            except subprocess.TimeoutExpired:
                _signal(process, signal.SIGKILL)
                process.wait()
        self._running.clear()


def _setting(name: str) -> bool:
    """Tell whether a variable configures the server: the caller needs none of its secrets."""
    return name.startswith("VISIO15_")


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
