"""How many connections there may be, and which one gives way: decided here, without a socket.

Limits stay below the limit of open files, so that the database, the telephony and those already connected always find
a descriptor. A connection that waits for its peer (for the first request, for the next one, or for the rest of a body)
gives way to a new one; one that is at work never does, unless its peer reads nothing of the answer. When all are at
work, a few more are let in for /healthz, /readyz and /metrics only.
"""

import resource
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

SPARE: Final = 16
HEAD_SECONDS: Final = 10.0
STALL_SECONDS: Final = 30.0  # without one byte taken of what waits to be sent
_LEAST_RESERVE: Final = 64
_MOST_RESERVE: Final = 512
_LEAST: Final = 16
_MOST_FILES: Final = 65_536
#: Why a connection was not let in, or was closed by us.
REASONS: Final = ("full", "address", "idle", "late", "stalled", "files")


def raise_file_limit() -> None:
    """Let this process open as many files as it may: the limit that a shell hands down is often 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def file_limit() -> int:
    """Return how many files this process may open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST_FILES if soft == resource.RLIM_INFINITY else soft


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How many connections at once, how many of one address, and how many more for operations."""

    total: int
    address: int
    spare: int = SPARE


def limits(files: int, total: int | None = None, address: int | None = None) -> ConnectionLimits:
    """Return what fits below `files` open files; what is asked for beyond that is cut.

    One address may hold half of all unless told otherwise: a hospital's desks share one, and none may take all.
    """
    reserve = min(_MOST_RESERVE, max(_LEAST_RESERVE, files // 4))
    fits = max(_LEAST, files - reserve)
    most = min(total or fits, fits)
    return ConnectionLimits(most, min(address or max(1, most // 2), most))


@dataclass(eq=False, slots=True)
class Connection:
    """One connection. `address` None: of a trusted proxy, not counted by address."""

    address: str | None
    close: Callable[[], object] = lambda: None
    spare: bool = False  # is answered for operations only


@dataclass(slots=True)
class Connections:
    """All connections of one server. `closed(reason)` is told of each that is refused or made to give way."""

    limits: ConnectionLimits
    closed: Callable[[str], None]
    _open: dict[Connection, None] = field(default_factory=dict)  # oldest first
    _quiet: dict[Connection, None] = field(default_factory=dict)
    _quiet_spare: dict[Connection, None] = field(default_factory=dict)
    _reading: dict[Connection, None] = field(default_factory=dict)  # its body is on the way
    _fresh: dict[Connection, float] = field(default_factory=dict)  # no whole head yet; since when
    _unsent: dict[Connection, float] = field(default_factory=dict)  # since when nothing was taken
    _by_address: Counter[str] = field(default_factory=Counter)
    _spares: int = 0

    def __len__(self) -> int:
        """Count those that are open."""
        return len(self._open)

    def enter(self, new: Connection, now: float) -> bool:
        """Let one in, at the cost of a quiet one if need be; False: it must be closed."""
        if new.address and self._by_address[new.address] >= self.limits.address:
            mine = next((old for old in self._waiting() if old.address == new.address), None)
            if mine is None:
                self.closed("address")
                return False
            self._give_way(mine, "address")
        if len(self._open) - self._spares >= self.limits.total:
            if (oldest := next(self._waiting(), None)) is not None:
                self._give_way(oldest, "idle")
            elif not self._enter_spare(new):
                self.closed("full")
                return False
        self._open[new] = None
        self._fresh[new] = now
        if new.address:
            self._by_address[new.address] += 1
        self.rests(new)
        return True

    def _waiting(self) -> Iterator[Connection]:
        """Iterate over those that wait for their peer, as they give way."""
        return chain(self._quiet, self._reading)

    def _enter_spare(self, new: Connection) -> bool:
        if self._spares >= self.limits.spare:
            if not self._quiet_spare:
                return False
            self._give_way(next(iter(self._quiet_spare)), "full")
        new.spare = True
        self._spares += 1
        return True

    def _give_way(self, old: Connection, reason: str) -> None:
        self.closed(reason)
        old.close()
        self.leave(old)

    def rests(self, connection: Connection) -> None:
        """Note that it waits for a request; one let in for operations becomes a full one if there is room."""
        if connection not in self._open:
            return
        if connection.spare and len(self._open) - self._spares < self.limits.total:
            connection.spare = False
            self._spares -= 1
        self._reading.pop(connection, None)
        (self._quiet_spare if connection.spare else self._quiet)[connection] = None

    def reads(self, connection: Connection) -> None:
        """Note that a whole request head came, and that its body is waited for."""
        self._fresh.pop(connection, None)
        if connection in self._quiet:
            del self._quiet[connection]
            self._reading[connection] = None

    def works(self, connection: Connection) -> None:
        """Note that a whole request came."""
        self._fresh.pop(connection, None)
        self._quiet.pop(connection, None)
        self._quiet_spare.pop(connection, None)
        self._reading.pop(connection, None)

    def sends(self, connection: Connection, now: float, *, moved: bool) -> None:
        """Note that something waits to be sent, and whether some of it was taken just now."""
        if connection in self._open and (moved or connection not in self._unsent):
            self._unsent[connection] = now

    def sent(self, connection: Connection) -> None:
        """Note that nothing waits to be sent."""
        self._unsent.pop(connection, None)

    def close_late(self, now: float) -> None:
        """Close those that sent no whole request head in time, and those that take nothing of what they asked for."""
        for each in _since(self._fresh, now - HEAD_SECONDS):
            self._give_way(each, "late")
        for each in _since(self._unsent, now - STALL_SECONDS):
            self._give_way(each, "stalled")

    def leave(self, connection: Connection) -> None:
        """Forget one that is closed; twice does no harm."""
        if connection not in self._open:
            return
        del self._open[connection]
        self._fresh.pop(connection, None)
        self._quiet.pop(connection, None)
        self._quiet_spare.pop(connection, None)
        self._reading.pop(connection, None)
        self._unsent.pop(connection, None)
        self._spares -= connection.spare
        if connection.address:
            self._by_address[connection.address] -= 1
            if not self._by_address[connection.address]:
                del self._by_address[connection.address]


def _since(begun: dict[Connection, float], moment: float) -> list[Connection]:
    """Return those that began at this moment or before."""
    return [each for each, since in begun.items() if since <= moment]
