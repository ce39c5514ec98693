"""Tells systemd that the server is ready, alive and stopping (sd_notify(3)); without systemd it tells nobody.

The sign of life is sent from the event loop: a process whose loop stands still is silent, and systemd restarts it.
"""

import asyncio
import socket
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Final, Self

_PREFIXES: Final = ("/", "@")


class Notifier:
    """Keeps its socket from the start, so that it needs no descriptor later."""

    def __init__(self, address: str | None, watchdog: float | None) -> None:
        """`address`: of systemd's socket; `watchdog`: seconds of silence after which we are killed."""
        self.watchdog = watchdog
        self._socket: socket.socket | None = None
        if address and address.startswith(_PREFIXES):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.settimeout(0)
            self._address = "\0" + address[1:] if address[0] == "@" else address

    @classmethod
    def take(cls, environment: MutableMapping[str, str], pid: int) -> Self:
        """Read the variables and remove them: no child speaks in our name."""
        address = environment.pop("NOTIFY_SOCKET", None)
        microseconds = environment.pop("WATCHDOG_USEC", "")
        meant = environment.pop("WATCHDOG_PID", str(pid)) == str(pid)
        watched = meant and microseconds.isdecimal() and int(microseconds) > 0
        return cls(address, int(microseconds) / 1e6 if watched else None)

    def tell(self, *lines: str) -> None:
        """Send a state such as `READY=1`; one that cannot be sent is dropped, the next may arrive."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.sendto("\n".join(lines).encode(), self._address)

    async def run(self) -> None:
        """Give a sign of life three times in each `watchdog` time, for ever."""
        while self.watchdog is not None:
            self.tell("WATCHDOG=1")
            await asyncio.sleep(self.watchdog / 3)

    def close(self) -> None:
        """Let the socket go."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
