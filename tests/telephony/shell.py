"""Helpers for tests of what runs: wait for conditions, never for a time."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from telephony.correlate.correlation import CallsChanged, Correlator
from telephony.runner import Runner
from telephony.sources.feed import FeedHealth, FeedState, HealthBook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from telephony import Fact
    from telephony.sources.feed import CallFeed


async def until(condition: Callable[[], bool], timeout: float = 60) -> None:
    async with asyncio.timeout(timeout):
        while not condition():  # noqa: ASYNC110 -- any condition, not only events
            await asyncio.sleep(0.005)


@asynccontextmanager
async def in_background(work: Awaitable[None]) -> AsyncIterator[asyncio.Future[None]]:
    task = asyncio.ensure_future(work)  # noqa: TID251 -- telephony stands alone, without server.core.tasks
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def fresh_correlator() -> Correlator:
    numbers = itertools.count(1)
    return Correlator({"1501", "1502", "1601"}, lambda: f"call-{next(numbers)}")


@asynccontextmanager
async def running(
    feeds: Sequence[CallFeed], **more: object
) -> AsyncIterator[tuple[Runner, list[Fact]]]:
    """A runner whose subscriber notes the facts it is given."""
    facts: list[Fact] = []

    async def on_changes(changes: Sequence[CallsChanged]) -> None:
        facts.extend(fact for change in changes for fact in change.facts)

    settings: dict[str, object] = {"restart": (0.01, 0.05), "retry": (0.005, 0.02), "tick": 0.02}
    runner = Runner(feeds, fresh_correlator(), on_changes, **(settings | more))  # type: ignore[arg-type]
    async with in_background(runner.run()):
        yield runner, facts


class Full:
    """Takes what a feed tells; when the feed is about to read a second time there is no room, until it is `free`."""

    def __init__(self) -> None:
        self.asked = 0
        self.free = asyncio.Event()

    def __call__(self, each: object) -> None:
        del each

    @property
    def waited_for(self) -> bool:
        return self.asked > 1 and not self.free.is_set()

    async def room(self) -> None:
        self.asked += 1
        if self.asked > 1:
            await self.free.wait()


class ListFeed:
    """A feed that reports what it is given, crashes when told, and starts again."""

    def __init__(self, name: str, facts: Sequence[Fact] = (), crashes: int = 0) -> None:
        self.name = name
        self.crashes = crashes
        self.starts = 0
        self._facts = facts
        self._book = HealthBook(name)

    async def run(self, emit: Callable[[Fact], None]) -> None:
        self.starts += 1
        self._book.state(FeedState.CONNECTED)
        for fact in self._facts:
            emit(fact)
        if self.starts <= self.crashes:
            self._book.state(FeedState.DOWN)
            raise ConnectionError("the switchboard left")
        await asyncio.Event().wait()

    def health(self) -> FeedHealth:
        return self._book.read()
