"""Keeps the feeds running, gives every fact to the correlator, and every change to the product.

One consumer: changes are delivered in order, each until the subscriber takes it. A part that crashes (feed,
consumer, clock) is started again and goes on where it stopped. A feed that loses something, by a crash, in the kernel,
because too much waits here or because a fact cannot be folded in, leaves a *gap* in the order of its facts: what it
told before the gap confirms no call, its calls are uncertain at once, and only what it tells after the gap makes them
certain again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from telephony.correlate.correlation import CallsChanged, Correlator
from telephony.sources.feed import CallFeed, FeedHealth, Gap, utc_now
from telephony.supervisor import Backoff, RestartPolicy, Supervisor, asked_to_stop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from telephony.correlate.correlation import Call
    from telephony.model.facts import Fact

    OnChanges = Callable[[Sequence[CallsChanged]], Awaitable[None]]
    OnTick = Callable[[tuple[Call, ...]], Awaitable[None]]

log = logging.getLogger(__name__)

#: Facts of one feed that may wait: a flood of one takes no room from another. Half of it is hours of calls while the
#: database is away, and a minute's work once it is back; the other half is for feeds that read before they ask.
QUEUE: Final = 8_000
#: Facts handed on together, so that a storm of calls costs few transactions.
BATCH: Final = 64
#: Calls kept in memory: past them those that are over are forgotten before their time, the oldest first.
CALLS: Final = 20_000
#: A part that ran so long (seconds) starts again at the shortest delay.
_STEADY: Final = 60.0


@dataclass(slots=True)
class Stats:
    """Numbers for the metrics page; they only grow, `queued` excepted."""

    facts: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    restarts: Counter[str] = field(default_factory=Counter)
    #: Facts that found no room, by feed.
    lost: Counter[str] = field(default_factory=Counter)
    subscriber_failures: int = 0
    errors: int = 0
    queued: int = 0

    @property
    def overflow(self) -> int:
        """Count the facts of all feeds that found no room."""
        return self.lost.total()


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A fact in the queue, by its place in the order of all; `told` is for a sender that waits for an answer."""

    number: int
    fact: Fact
    told: asyncio.Future[str] | None


class _Inlet:
    """What one feed puts its facts into; a feed whose sender waits asks for room first."""

    def __init__(self, runner: Runner, source: str) -> None:
        self._runner, self._source = runner, source

    def __call__(self, each: Fact | Gap) -> None:
        self._runner.emit(each)

    async def room(self) -> None:
        """Wait until half of the feed's room is free: what one reading brings then finds its place."""
        await self._runner.room(self._source)


class Runner:
    """The one owner of feeds and correlator at run time.

    `on_changes(changes)` is awaited with what the waiting facts changed, in order, and again with the
    same until it does not raise. `on_tick(calls)` is awaited with the calls that changed without a fact: ended by
    silence, which is looked at every `tick` seconds, or become uncertain, at once. `queue_size` is of each feed.
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
        most_calls: int = CALLS,
    ) -> None:
        self.correlator = correlator
        self.stats = Stats()
        self._feeds = tuple(feeds)
        self._on_changes = on_changes
        self._on_tick = on_tick
        self._clock = clock
        self._tick = tick
        self._pace = RestartPolicy(*restart, steady=_STEADY)
        self._retry = retry
        self._forget_after = forget_after
        self._calls = most_calls
        self._room = queue_size
        #: None wakes the consumer, once for each feed that is unmarked.
        self._queue: asyncio.Queue[_Waiting | None] = asyncio.Queue()
        self._waiting: Counter[str] = Counter()
        self._roomier = asyncio.Condition()
        self._turn = asyncio.Lock()
        self._last = 0
        #: By feed: the last fact that its newest gap follows.
        self._gaps: dict[str, int] = {}
        #: Feeds in whose gap the consumer is, and since when those are whose calls do not know it yet.
        self._deaf: set[str] = set()
        self._unmarked: dict[str, datetime] = {}
        # What a crash must not lose: facts taken from the queue, what became of them, and calls not yet told.
        self._taken: deque[_Waiting] = deque()
        self._outcomes: list[CallsChanged | str] = []
        self._untold: dict[str, None] = {}

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
        told = (feed.health() for feed in self._feeds)
        return tuple(replace(each, overflow=self.stats.lost[each.name]) for each in told)

    def emit(self, each: Fact | Gap) -> None:
        """Take in what a feed tells; a fact that finds no room is lost, and leaves a gap."""
        if isinstance(each, Gap):
            self._lose(each.source)
        elif self._waiting[each.source] >= self._room:
            self.stats.lost[each.source] += 1
            self._lose(each.source)
        else:
            self._put(each, None)

    def submit(self, facts: Sequence[Fact]) -> asyncio.Future[list[str]]:
        """Take several facts of one feed in at once, from a sender that waits for an answer.

        The future comes when all were delivered, with why each was ignored (empty: it was not).
        Raises QueueFull, and then takes none: nothing is lost, the sender tells them again.
        """
        if facts and self._waiting[facts[0].source] + len(facts) > self._room:
            raise asyncio.QueueFull
        loop = asyncio.get_running_loop()
        told: list[asyncio.Future[str]] = [loop.create_future() for _ in facts]
        for fact, answer in zip(facts, told, strict=True):
            self._put(fact, answer)
        return asyncio.gather(*told)

    async def room(self, source: str) -> None:
        """Wait until no more than half of what a feed may keep waiting waits."""
        async with self._roomier:
            await self._roomier.wait_for(lambda: self._waiting[source] <= self._room // 2)

    async def drained(self) -> None:
        """Wait until every fact taken in has been delivered."""
        await self._queue.join()

    def _put(self, fact: Fact, told: asyncio.Future[str] | None) -> None:
        self._last += 1
        self._waiting[fact.source] += 1
        self._queue.put_nowait(_Waiting(self._last, fact, told))
        self.stats.queued = self._waiting.total()

    def _lose(self, source: str) -> None:
        """Open a gap behind all that waits, or move its end there; the calls are marked before more is folded in."""
        self._gaps[source] = self._last
        if source not in self._deaf:
            self._deaf.add(source)
            self._unmarked[source] = self._clock()
            self._queue.put_nowait(None)

    async def _consume(self) -> None:
        while True:
            await self._take()
            async with self._turn:
                await self._settle()
                await self._mark()
                self._fold()
                await self._settle()

    async def _take(self) -> None:
        """Wait for something to do, and take a batch of it."""
        if not self._taken and not self._unmarked:
            self._took(await self._queue.get())
        while len(self._taken) < BATCH and not self._queue.empty():
            self._took(self._queue.get_nowait())

    def _took(self, each: _Waiting | None) -> None:
        if each is not None:
            self._taken.append(each)

    async def _mark(self) -> None:
        """Make the calls of the feeds that lost something uncertain, and tell it."""
        marked = dict(self._unmarked)
        for source, since in marked.items():
            self._note(self.correlator.feed_lost(source, since))
        await self._tell()
        for source in marked:
            del self._unmarked[source]
            self._queue.task_done()

    def _fold(self) -> None:
        """Fold in what was taken."""
        for each in list(self._taken)[len(self._outcomes) :]:
            self._outcomes.append(self._receive(each.number, each.fact))

    async def _settle(self) -> None:
        """Deliver what folding changed, then let go of the facts.

        Changes are pictures of their moment: what a crash kept from its delivery goes before anything newer is told.
        """
        changes = [each for each in self._outcomes if isinstance(each, CallsChanged)]
        if changes:
            await self._deliver(partial(self._on_changes, changes))
        while self._outcomes:
            done, outcome = self._taken[0], self._outcomes[0]
            if done.told is not None and not done.told.done():
                done.told.set_result("" if isinstance(outcome, CallsChanged) else outcome)
            self._taken.popleft()
            self._outcomes.pop(0)
            self._waiting[done.fact.source] -= 1
            self._queue.task_done()
        self.stats.queued = self._waiting.total()
        async with self._roomier:
            self._roomier.notify_all()

    def _receive(self, number: int, fact: Fact) -> CallsChanged | str:
        """Fold one fact in; why it was ignored when there is nothing to tell."""
        self.stats.facts[type(fact).__name__] += 1
        try:
            confirms = number > self._gaps.get(fact.source, 0)
            if confirms:
                self._deaf.discard(fact.source)
            change = self.correlator.receive(fact, confirms=confirms)
        except Exception:
            self.stats.errors += 1
            log.exception("telephony.correlator_failed", extra={"fact": type(fact).__name__})
            self._lose(fact.source)
            return "failed"
        if not isinstance(change, CallsChanged):
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
                await self._settle()
                now = self._clock()
                self._note(self.correlator.expire(now))
                await self._tell()
                calls = self.correlator.calls()
                spare = len(calls) - self._calls
                for call in calls:
                    if call.ended and (spare > 0 or now - call.ended >= self._forget_after):
                        self.correlator.forget(call.id)
                        spare -= 1

    def _note(self, calls: Sequence[Call]) -> None:
        """Keep which calls changed without a fact until that was told."""
        self._untold |= dict.fromkeys([call.id for call in calls])

    async def _tell(self) -> None:
        """Tell the calls that changed without a fact, as they are by now; few at a time, so that others get a turn."""
        while self._untold:
            some = list(self._untold)[:BATCH]
            if self._on_tick is not None:
                known = [call for each in some if (call := self.correlator.get(each))]
                await self._deliver(partial(self._on_tick, tuple(known)))
            for each in some:
                del self._untold[each]

    async def _run_feed(self, feed: CallFeed) -> None:
        """Run a feed until it finishes; when it crashes, what it would have told is lost."""
        try:
            await feed.run(_Inlet(self, feed.name))
        except (Exception, asyncio.CancelledError):
            if asked_to_stop():
                raise
            self.stats.restarts[feed.name] += 1
            self._lose(feed.name)
            raise
