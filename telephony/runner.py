"""Keeps the feeds running, gives every fact to the correlator, and every change to the product.

One consumer: changes are delivered in order, each until the subscriber takes it. A part that crashes (feed,
consumer, clock) is started again and goes on where it stopped; while a feed is down its calls are uncertain.
Nothing here decides about calls.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from telephony.correlation import Changed, Correlator
from telephony.feed import CallFeed, FeedHealth, utc_now
from telephony.supervisor import Backoff, Pace, Supervisor, asked_to_stop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from telephony.correlation import Call
    from telephony.facts import Fact

    OnChanges = Callable[[Sequence[Changed]], Awaitable[None]]
    OnTick = Callable[[tuple[Call, ...]], Awaitable[None]]

log = logging.getLogger(__name__)

QUEUE: Final = 10_000
#: Facts handed on together, so that a storm of calls costs few transactions.
BATCH: Final = 64
#: A part that ran so long (seconds) starts again at the shortest delay.
_STEADY: Final = 60.0


@dataclass(slots=True)
class Stats:
    """Numbers for the metrics page; they only grow, `queued` excepted."""

    facts: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    restarts: Counter[str] = field(default_factory=Counter)
    overflow: int = 0
    subscriber_failures: int = 0
    errors: int = 0
    queued: int = 0


class Runner:
    """The one owner of feeds and correlator at run time.

    `on_changes(changes)` is awaited with what the waiting facts changed, in order, and again with the
    same until it does not raise. `on_tick(calls)` is awaited every `tick` seconds, and when a feed is lost, with
    the calls that changed without a fact: ended by silence, or become uncertain.
    """

    def __init__(
        self,
        feeds: Sequence[CallFeed],
        correlator: Correlator,
        on_changes: OnChanges,
        clock: Callable[[], datetime] = utc_now,
        on_tick: OnTick | None = None,
        *,
        tick: float = 5.0,
        queue_size: int = QUEUE,
        restart: tuple[float, float] = (0.5, 30.0),
        retry: tuple[float, float] = (0.05, 5.0),
        forget_after: timedelta = timedelta(hours=1),
    ) -> None:
        self.correlator = correlator
        self.stats = Stats()
        self._feeds = tuple(feeds)
        self._on_changes = on_changes
        self._on_tick = on_tick
        self._clock = clock
        self._tick = tick
        self._pace = Pace(*restart, steady=_STEADY)
        self._retry = retry
        self._forget_after = forget_after
        self._queue: asyncio.Queue[tuple[Fact, asyncio.Future[str] | None]] = asyncio.Queue(
            queue_size
        )
        self._turn = asyncio.Lock()
        self._overflowed: set[str] = set()
        # What a crash must not lose: facts taken from the queue, what became of them, and calls not yet told.
        self._taken: deque[tuple[Fact, asyncio.Future[str] | None]] = deque()
        self._outcomes: list[Changed | str] = []
        self._untold: list[Call] = []

    async def run(self) -> None:
        """Run feeds, consumer and clock until cancelled."""
        supervisor = Supervisor()
        self.start(supervisor)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await supervisor.stop()

    def start(self, supervisor: Supervisor, prefix: str = "telephony") -> None:
        """Let `supervisor` run feeds, consumer and clock.

        Without consumer or clock no call is told: they are vital. A feed that is down is told by its health.
        """
        supervisor.start(f"{prefix}.consumer", self._consume, pace=self._pace)
        supervisor.start(f"{prefix}.clock", self._watch, pace=self._pace)
        for feed in self._feeds:
            supervisor.start(
                f"{prefix}.feed.{feed.name}",
                partial(self._run_feed, feed),
                pace=self._pace,
                vital=False,
                finite=True,
            )

    def health(self) -> tuple[FeedHealth, ...]:
        """Tell how each feed fares."""
        return tuple(feed.health() for feed in self._feeds)

    def emit(self, fact: Fact) -> None:
        """Take a fact in, from a feed or from the product itself (an asserted alias)."""
        try:
            self._queue.put_nowait((fact, None))
        except asyncio.QueueFull:
            self.stats.overflow += 1
            self._overflowed.add(fact.source)
        self.stats.queued = self._queue.qsize()

    def submit(self, facts: Sequence[Fact]) -> asyncio.Future[list[str]]:
        """Take several facts in at once, from a sender that waits for an answer.

        The future comes when all were delivered, with why each was ignored (empty: it was not).
        Raises QueueFull, and then takes none.
        """
        if self._queue.maxsize and self._queue.maxsize - self._queue.qsize() < len(facts):
            self.stats.overflow += len(facts)
            raise asyncio.QueueFull
        loop = asyncio.get_running_loop()
        told: list[asyncio.Future[str]] = [loop.create_future() for _ in facts]
        for taken in zip(facts, told, strict=True):
            self._queue.put_nowait(taken)
        self.stats.queued = self._queue.qsize()
        return asyncio.gather(*told)

    async def drained(self) -> None:
        """Wait until every fact taken in has been delivered."""
        await self._queue.join()

    async def _consume(self) -> None:
        while True:
            if not self._taken:
                self._taken.append(await self._queue.get())
            while len(self._taken) < BATCH and not self._queue.empty():
                self._taken.append(self._queue.get_nowait())
            async with self._turn:
                await self._fold()
            while self._taken:
                told, outcome = self._taken[0][1], self._outcomes[0]
                if told is not None and not told.done():
                    told.set_result("" if isinstance(outcome, Changed) else outcome)
                self._taken.popleft()
                self._outcomes.pop(0)
                self._queue.task_done()
            self.stats.queued = self._queue.qsize()

    async def _fold(self) -> None:
        """Fold in what was taken and was not yet folded, then deliver what changed."""
        for fact, _ in list(self._taken)[len(self._outcomes) :]:
            self._outcomes.append(self._receive(fact))
        changes = [each for each in self._outcomes if isinstance(each, Changed)]
        if changes:
            await self._deliver(partial(self._on_changes, changes))

    def _receive(self, fact: Fact) -> Changed | str:
        """Fold one fact in; why it was ignored when there is nothing to tell."""
        self.stats.facts[type(fact).__name__] += 1
        try:
            change = self.correlator.receive(fact)
        except Exception:
            self.stats.errors += 1
            log.exception("telephony.correlator_failed", extra={"fact": type(fact).__name__})
            return "failed"
        if not isinstance(change, Changed):
            self.stats.ignored[change.reason] += 1
            return change.reason
        return change

    async def _deliver(self, send: Callable[[], Awaitable[None]]) -> None:
        """Call the subscriber until it takes the change; the queue fills meanwhile. One trace tells enough."""
        backoff, trace = Backoff(*self._retry), True
        while True:
            try:
                await send()
            except Exception:
                self.stats.subscriber_failures += 1
                log.warning("telephony.subscriber_failed", exc_info=trace)
                trace = False
                await asyncio.sleep(backoff.delay())
            else:
                return

    async def _watch(self) -> None:
        """Let time end silent calls and forget old ones."""
        while True:
            await asyncio.sleep(self._tick)
            async with self._turn:
                now = self._clock()
                self._untold += self.correlator.expire(now)
                for source in tuple(self._overflowed):
                    self._untold += self.correlator.feed_lost(source, now)
                    self._overflowed.discard(source)
                await self._tell()
                for call in self.correlator.calls():
                    if call.ended and now - call.ended >= self._forget_after:
                        self.correlator.forget(call.id)

    async def _tell(self) -> None:
        """Tell the calls that changed without a fact; they stay untold until they were taken."""
        if self._on_tick is not None:
            await self._deliver(partial(self._on_tick, tuple(self._untold)))
        self._untold.clear()

    async def _run_feed(self, feed: CallFeed) -> None:
        """Run a feed until it finishes; when it crashes, its calls are uncertain from now on."""
        try:
            await feed.run(self.emit)
        except (Exception, asyncio.CancelledError):
            if asked_to_stop():
                raise
            self.stats.restarts[feed.name] += 1
            async with self._turn:
                self._untold += self.correlator.feed_lost(feed.name, self._clock())
                await self._tell()
            raise
