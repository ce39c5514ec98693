"""Keeps the feeds running, gives every fact to the correlator, and every change to the product.

One consumer: changes are delivered in order, each until the subscriber takes it. A feed that
crashes is started again; meanwhile its calls are uncertain. Nothing here decides about calls.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from telephony.correlation import Changed, Correlator
from telephony.feed import CallFeed, FeedHealth, utc_now

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
#: A feed that ran so long (seconds) starts again at the shortest delay.
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


class Backoff:
    """Delays in seconds that double up to a limit, with jitter so peers do not march."""

    def __init__(self, first: float, most: float) -> None:
        self._first, self._most, self._next = first, most, first

    def reset(self) -> None:
        """Begin again at the shortest delay."""
        self._next = self._first

    def delay(self) -> float:
        """Return the next delay."""
        delay, self._next = self._next, min(self._next * 2, self._most)
        return delay * random.uniform(0.5, 1.0)  # noqa: S311 -- jitter, not a secret


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
        self._restart = restart
        self._retry = retry
        self._forget_after = forget_after
        self._queue: asyncio.Queue[tuple[Fact, asyncio.Future[str] | None]] = asyncio.Queue(
            queue_size
        )
        self._turn = asyncio.Lock()
        self._overflowed: set[str] = set()

    async def run(self) -> None:
        """Run feeds, consumer and clock until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._consume(), name="telephony consumer")
            group.create_task(self._watch(), name="telephony clock")
            for feed in self._feeds:
                group.create_task(self._keep(feed), name=f"telephony feed {feed.name}")

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
            taken = [await self._queue.get()]
            while len(taken) < BATCH and not self._queue.empty():
                taken.append(self._queue.get_nowait())
            async with self._turn:
                outcomes = [self._receive(fact) for fact, _ in taken]
                changes = [each for each in outcomes if isinstance(each, Changed)]
                if changes:
                    await self._deliver(partial(self._on_changes, changes))
            for (_, told), outcome in zip(taken, outcomes, strict=True):
                if told is not None and not told.done():
                    told.set_result("" if isinstance(outcome, Changed) else outcome)
                self._queue.task_done()
            self.stats.queued = self._queue.qsize()

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
                calls = list(self.correlator.expire(now))
                for source in self._overflowed:
                    calls += self.correlator.feed_lost(source, now)
                self._overflowed.clear()
                await self._tell(tuple(calls))
                for call in self.correlator.calls():
                    if call.ended and now - call.ended >= self._forget_after:
                        self.correlator.forget(call.id)

    async def _tell(self, calls: tuple[Call, ...]) -> None:
        if self._on_tick is not None:
            await self._deliver(partial(self._on_tick, calls))

    async def _keep(self, feed: CallFeed) -> None:
        """Run a feed for ever; one that returns has finished, one that raises starts again."""
        backoff = Backoff(*self._restart)
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            try:
                await feed.run(self.emit)
            except Exception:
                log.warning("telephony.feed_crashed", extra={"feed": feed.name}, exc_info=True)
            else:
                return
            self.stats.restarts[feed.name] += 1
            async with self._turn:
                await self._tell(self.correlator.feed_lost(feed.name, self._clock()))
            if loop.time() - started >= _STEADY:
                backoff.reset()
            await asyncio.sleep(backoff.delay())
