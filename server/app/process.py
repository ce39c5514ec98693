"""A server as a process: signals, systemd, and its end."""

import asyncio
import gc
import signal

import structlog

from server.app.runtime.runtime import StartInterrupted
from server.app.runtime.systemd import Notifier
from server.app.server import Server
from server.core.loops import Loop
from server.core.tasks import cancel_and_wait, create_task

_log = structlog.get_logger("server")


class ServerProcess:
    """Starts a server, and stops it at SIGTERM or Ctrl-C; SIGHUP reads the certificate again."""

    def __init__(self, server: Server, notifier: Notifier, *, in_terminal: bool = False) -> None:
        """Take both; signals are heard from `start` on. `in_terminal`: SIGHUP keeps its meaning, its window is gone."""
        self._server = server
        self._notifier = notifier
        self._in_terminal = in_terminal
        self._asked = asyncio.Event()
        self._stopping: asyncio.Task[None] | None = None

    async def start(self) -> bool:
        """Return when the server is ready (True), or was told to stop meanwhile.

        What else Server.start raises comes through; everything is closed then.
        """
        self._hear_signals()
        if self._notifier.watchdog is not None:
            self._server.runtime.add(Loop(name="watchdog", work=self._notifier.run))
        self._stopping = create_task(self._stop_when_asked(), "server.stop")
        try:
            self._server.warm_up()
            await self._server.start()
        except StartInterrupted:
            return False
        except BaseException:
            if self._asked.is_set():  # that stop waits for the start, and closes everything
                await asyncio.wait([self._stopping])
            else:
                await cancel_and_wait(self._stopping)
            await self._server.stop()
            raise
        # What was made until here stays for good: the collector need not walk it again and again while people wait.
        gc.collect()
        gc.freeze()
        self._notifier.tell("READY=1")
        return True

    async def asked(self) -> None:
        """Wait until somebody asks for the end."""
        await self._asked.wait()

    async def stopped(self) -> None:
        """Wait for the end."""
        if self._stopping is not None:
            await self._stopping

    def _hear_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._asked.set)
        if not self._in_terminal:
            loop.add_signal_handler(signal.SIGHUP, self._read_certificate)

    def _read_certificate(self) -> None:
        if (certificate := self._server.certificate) is not None:
            certificate.ask()

    async def _stop_when_asked(self) -> None:
        await self._asked.wait()
        _log.info("server.stopping")
        self._notifier.tell("STOPPING=1")
        await self._server.stop()
