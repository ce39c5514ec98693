"""Every source of telephone facts looks the same to the runner, and tells how it fares."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from telephony.model.facts import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)


class FeedState(StrEnum):
    """A quiet feed is not a dead one, and the regulator is told which it is."""

    STARTING = "starting"
    CONNECTED = "connected"
    QUIET = "quiet"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """What the admin's page shows of a feed. `rejected` counts by stable reason slug.

    `sample` is the start line of the last packet refused for its content, without any identifier. `lag`
    is how long ago, in seconds by the sender's clock, the last message was dated: network, queue and the
    difference of the clocks together. `resynced` is when the switchboard last said all that it has, `recent`
    how many messages came within the last minute. `switchboard` is what the switchboard says it is, with its
    version: `Asterisk 22.10.0, AMI 11.0.0`; empty while it has not said. `dropped` counts what reached this machine
    and was lost before it was read, `overflow` the facts that were read and found no room in the queue.
    """

    name: str
    state: FeedState
    since: datetime
    last_message: datetime | None
    received: int
    rejected: Mapping[str, int]
    sample: str = ""
    lag: float | None = None
    resynced: datetime | None = None
    recent: int = 0
    switchboard: str = ""
    dropped: int = 0
    overflow: int = 0


class FeedRefusedError(ConnectionError):
    """The switchboard answers, and does not let us in: a person has to change something."""


class FeedCutError(ConnectionError):
    """The connection is over; another one may be made."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A feed tells, in the order of its facts, that something was lost: what it told before proves nothing any more."""

    source: str


Emit = Callable[[Fact | Gap], None]


@runtime_checkable
class Bounded(Protocol):
    """Who takes facts and has room for so many only."""

    async def room(self) -> None:
        """Wait until there is room again."""


async def room(emit: object) -> None:
    """Wait until who takes the facts can take more: for feeds whose sender waits too, and loses nothing by it."""
    if isinstance(emit, Bounded):  # what merely collects facts always has room
        await emit.room()


class CallFeed(Protocol):
    """The one shape of an adapter: run until cancelled, emit facts, tell its health."""

    @property
    def name(self) -> str:
        """Name the feed in facts, health and logs; unique in one runner."""

    async def run(self, emit: Emit) -> None:
        """Report facts until cancelled. Raising means the feed crashed: it is started again."""

    def health(self) -> FeedHealth:
        """Tell how the feed fares now."""


def utc_now() -> datetime:
    """Read the wall clock, aware: facts from the wire are dated by the wire, the rest by this."""
    return datetime.now(UTC)


class HealthBook:
    """Each feed keeps the same accounts: state since when, received, rejected by reason."""

    def __init__(
        self,
        name: str,
        *,
        quiet_after: float | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Begin as starting. `quiet_after` (seconds): a silence worth showing; None: never."""
        self._name = name
        self._clock = clock
        self._quiet = None if quiet_after is None else timedelta(seconds=quiet_after)
        self._state = FeedState.STARTING
        self._since = clock()
        self._last: datetime | None = None
        self._received = 0
        self._rejected: Counter[str] = Counter()
        self._sample = ""
        self._lag: float | None = None
        self._resynced: datetime | None = None
        self._minute: deque[tuple[datetime, int]] = deque()
        self._switchboard = ""
        #: What former lines lost, and who counts it for the one that is open.
        self._dropped = 0
        self._lost: Callable[[], int] = _nothing

    def state(self, state: FeedState) -> None:
        """Note a change of state; the same one again keeps its date, and so does an outage while it lasts."""
        retried = state is FeedState.STARTING and self._state is FeedState.DOWN
        if state is not self._state and not retried:
            self._state, self._since = state, self._clock()

    def message(self) -> None:
        """Count a message taken from the source, heartbeats included."""
        self.heard(1)
        self.state(FeedState.CONNECTED)

    def heard(self, messages: int) -> None:
        """Count several messages of one reading; the state is the connection's, not theirs."""
        self._received += messages
        now = self._last = self._clock()
        if self._minute and now - self._minute[-1][0] < _SECOND:
            now, counted = self._minute.pop()
            messages += counted
        self._minute.append((now, messages))
        self._forget(now)

    def _forget(self, now: datetime) -> None:
        """Keep one count a second, and a minute of them."""
        while self._minute and now - self._minute[0][0] >= _MINUTE:
            self._minute.popleft()

    def lag(self, seconds: float) -> None:
        """Note how late the last message came, by its own date."""
        self._lag = round(seconds, 3)

    def resynced(self) -> None:
        """Note that the switchboard has just told all that it has."""
        self._resynced = self._clock()

    def switchboard(self, description: str) -> None:
        """Note what the switchboard says it is; only printable characters of it, 80 at most."""
        self._switchboard = "".join(filter(str.isprintable, description))[:80]

    @contextmanager
    def losing(self, lost: Callable[[], int]) -> Iterator[None]:
        """While a line is open, ask `lost` how much of it was lost before it was read: also when nothing is read."""
        self._lost = lost
        try:
            yield
        finally:
            self._dropped += lost()
            self._lost = _nothing

    def reject(self, reason: str, sample: str = "") -> None:
        """Count a refusal under its slug; keep one redacted sample."""
        self._rejected[reason] += 1
        self._sample = sample or self._sample

    def drain(self, rejected: Counter[str]) -> None:
        """Count the refusals that a decoder or an observer has kept, and empty them."""
        self._rejected += rejected
        rejected.clear()

    def read(self) -> FeedHealth:
        """Tell the accounts now; a feed that listens and hears nothing for long is quiet."""
        state, since = self._state, self._since
        heard = self._last or self._since
        told = state in {FeedState.DOWN, FeedState.QUIET}
        if self._quiet and not told and self._clock() - heard >= self._quiet:
            state, since = FeedState.QUIET, heard + self._quiet
        rejected = MappingProxyType(dict(self._rejected))
        accounts = (self._last, self._received, rejected, self._sample, self._lag, self._resynced)
        self._forget(self._clock())
        recent = sum(count for _, count in self._minute)
        dropped = self._dropped + self._lost()
        return FeedHealth(self._name, state, since, *accounts, recent, self._switchboard, dropped)


def _nothing() -> int:
    return 0
