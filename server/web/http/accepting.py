"""Accepts connections within limits; without a free descriptor it pauses instead of spinning.

Tornado's own loop, asked again and again for a connection that cannot be accepted, takes a whole core and logs a trace
each time.
"""

import asyncio
import socket
import ssl
import time
from asyncio import Future
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog
from tornado.iostream import IOStream, SSLIOStream
from tornado.netutil import ssl_wrap_socket

from server.web.http.connections import Connection, Connections

AT_ONCE: Final = 64  # connections accepted before others have their turn
PAUSE_SECONDS: Final = 0.5
TELL_SECONDS: Final = 60.0
_NO_ROOM: Final = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n"
_log = structlog.get_logger("connections")


class Acceptor:
    """Gives each accepted connection to `take`; `failed` is told of each pause."""

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        take: Callable[[socket.socket, Any], None],
        failed: Callable[[], None],
    ) -> None:
        """Begin at once."""
        self._loop = asyncio.get_running_loop()
        self._sockets, self._take, self._failed = tuple(sockets), take, failed
        self._resuming: asyncio.TimerHandle | None = None
        self._listen()

    def _listen(self) -> None:
        self._resuming = None
        for each in self._sockets:
            self._loop.add_reader(each, self._accept, each)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                accepted, address = listening.accept()
            except BlockingIOError:
                return
            except ConnectionAbortedError:  # the peer left before its turn
                continue
            except OSError:  # no descriptor, no memory: who waits is served after the pause
                self._pause()
                return
            self._take(accepted, address)

    def _pause(self) -> None:
        self._failed()
        for each in self._sockets:
            self._loop.remove_reader(each)
        if self._resuming is None:
            self._resuming = self._loop.call_later(PAUSE_SECONDS, self._listen)

    def close(self) -> None:
        """Accept nothing more; twice does no harm."""
        if self._resuming is not None:
            self._resuming.cancel()
        sockets, self._sockets = self._sockets, ()
        for each in sockets:
            self._loop.remove_reader(each)
            each.close()


class Summary:
    """Logs what happens often in one line a minute: the first at once, the others counted by reason."""

    def __init__(self) -> None:
        """Have nothing to tell."""
        self._counts: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def note(self, reason: str) -> None:
        """Count one."""
        self._counts[reason] += 1
        if self._timer is None:
            self._tell()

    def _tell(self) -> None:
        _log.warning("connections.refused", **self._counts)
        self._counts.clear()
        self._timer = asyncio.get_running_loop().call_later(TELL_SECONDS, self._later)

    def _later(self) -> None:
        self._timer = None
        if self._counts:
            self._tell()

    def close(self) -> None:
        """Tell no more."""
        if self._timer is not None:
            self._timer.cancel()


class Counted(IOStream):
    """A stream that says when its descriptor is closed, whoever closed it."""

    connection: Connection
    connections: Connections

    def close_fd(self) -> None:
        """Close, then make room."""
        super().close_fd()
        self.connections.leave(self.connection)

    def reads(self) -> None:
        """A whole request head came."""
        self.connections.reads(self.connection)

    def works(self) -> None:
        """A whole request came."""
        self.connections.works(self.connection)

    def write(self, data: bytes | memoryview) -> Future[None]:
        """Send, and note when the peer does not take it."""
        future = super().write(data)
        if self.writing():
            self.connections.sends(self.connection, time.monotonic(), moved=False)
        return future

    def write_to_fd(self, data: memoryview) -> int:
        """Hand over to the system, and note that the peer takes what waited."""
        size = len(data)
        written = super().write_to_fd(data)
        if written >= size:
            self.connections.sent(self.connection)
        elif written:
            self.connections.sends(self.connection, time.monotonic(), moved=True)
        return written

    def refuse(self) -> None:
        """Say that there is no room, and close."""
        self.connections.closed("full")
        self.write(_NO_ROOM)
        self.close()


class CountedTls(Counted, SSLIOStream):
    """The same over TLS."""


def stream(
    accepted: socket.socket,
    connection: Connection,
    connections: Connections,
    tls: ssl.SSLContext | None,
    max_buffer_size: int | None,
) -> IOStream:
    """Wrap an accepted socket. Raises OSError when its peer has left already."""
    made: Counted
    if tls is None:
        made = Counted(accepted, max_buffer_size=max_buffer_size)
    else:
        wrapped = ssl_wrap_socket(accepted, tls, server_side=True, do_handshake_on_connect=False)
        made = CountedTls(wrapped, max_buffer_size=max_buffer_size)
    made.connection, made.connections = connection, connections
    connection.close = made.close
    return made
