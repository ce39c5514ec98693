"""Keeps long loops running: one that ends for any reason is started again, later and later.

`SupervisedLoop` decides and knows no event loop; `Supervisor` acts. A loop that fails again and again is *away*, and
the server is then not ready.
"""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Work = Callable[[], Awaitable[None]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """How a loop is started again; times in seconds.

    The delay doubles from `first` to `most`. A run of `steady` seconds forgets earlier failures. After
    `patience` failures in a row the loop is away.
    """

    first: float = 0.5
    most: float = 30.0
    steady: float = 30.0
    patience: int = 3


PACE: Final = RestartPolicy()


class LoopState(StrEnum):
    """Where a loop stands."""

    RUNNING = "running"
    WAITING = "waiting"  # for its next start
    ENDED = "ended"  # on purpose: its work was done, or everything stops


@dataclass(slots=True)
class SupervisedLoop:
    """One loop's life. Times are seconds of any clock that only goes forward."""

    pace: RestartPolicy = PACE
    vital: bool = True
    state: LoopState = LoopState.WAITING
    since: float = 0.0
    failures: int = 0
    restarts: int = 0

    def started(self, now: float) -> None:
        """Note that the loop runs."""
        self.state, self.since = LoopState.RUNNING, now

    def failed(self, now: float) -> float:
        """Note that it ended without having been told to; return the delay until its next start."""
        self.failures = self._failures(now) + 1
        self.restarts += 1
        self.state, self.since = LoopState.WAITING, now
        doubled = self.pace.first * 2.0 ** min(self.failures - 1, 32)
        return min(doubled, self.pace.most)

    def ended(self, now: float) -> None:
        """Note that it ended on purpose."""
        self.state, self.since, self.failures = LoopState.ENDED, now, 0

    def away(self, now: float) -> bool:
        """Tell whether the loop fails again and again."""
        return self._failures(now) >= self.pace.patience

    def _failures(self, now: float) -> int:
        """Count the failures in a row; a long run ends the row."""
        steady = self.state is LoopState.RUNNING and now - self.since >= self.pace.steady
        return 0 if steady else self.failures


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
        return jittered(delay)


def jittered(delay: float) -> float:
    """Shorten a delay by up to half, so that what failed together does not come back together."""
    return delay * random.uniform(0.5, 1.0)  # noqa: S311 -- jitter, not a secret


def asked_to_stop() -> bool:
    """Tell whether somebody cancelled this task, or only something that it awaited was cancelled."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _count_nothing(_name: str) -> None:
    """Stand in where nobody counts restarts."""


@dataclass(slots=True)
class Supervisor:
    """Starts loops and keeps them. `count(name)` is called at each restart."""

    count: Callable[[str], None] = _count_nothing
    standings: dict[str, SupervisedLoop] = field(default_factory=dict)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _closing: bool = False

    def start(
        self,
        name: str,
        work: Work,
        *,
        pace: RestartPolicy = PACE,
        vital: bool = True,
        finite: bool = False,
    ) -> asyncio.Task[None]:
        """Run `work` until cancelled.

        A loop that is not `vital` is restarted and counted but does not make the process unready. Work that is
        `finite` may return: it is then done, and not started again.
        """
        if name in self._tasks:
            raise ValueError(f"two loops of the name {name}")
        standing = self.standings[name] = SupervisedLoop(pace, vital)
        keeping = self._keep(name, work, standing, finite=finite)
        task = self._tasks[name] = asyncio.create_task(keeping, name=name)  # noqa: TID251 -- telephony stands alone
        return task

    def away(self) -> tuple[str, ...]:
        """Name the vital loops that fail again and again."""
        return tuple(
            name for name, up in self.up().items() if not up and self.standings[name].vital
        )

    def up(self) -> Mapping[str, bool]:
        """Tell of every loop whether it works."""
        now = asyncio.get_running_loop().time()
        return {name: not standing.away(now) for name, standing in self.standings.items()}

    def close(self) -> None:
        """Start nothing again: what ends from now on has ended on purpose."""
        self._closing = True

    async def stop(self) -> None:
        """Cancel every loop and wait until all are gone."""
        self.close()
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()

    async def _keep(self, name: str, work: Work, standing: SupervisedLoop, *, finite: bool) -> None:
        loop = asyncio.get_running_loop()
        while True:
            fault: BaseException | None = None
            standing.started(loop.time())
            try:
                await work()
            except asyncio.CancelledError as cancelled:
                if asked_to_stop():
                    raise
                fault = cancelled  # not ours: something that the loop awaited was cancelled
            except Exception as failed:  # noqa: BLE001 -- whatever it is, the loop must come back
                fault = failed
            if self._closing or (finite and fault is None):
                standing.ended(loop.time())
                return
            delay = jittered(standing.failed(loop.time()))
            self._tell(name, fault, standing, delay)
            await asyncio.sleep(delay)

    def _tell(
        self, name: str, fault: BaseException | None, standing: SupervisedLoop, delay: float
    ) -> None:
        """Count and log; the first failure in a row has its trace. Telling must not end the loop for good."""
        with suppress(Exception):  # no memory, no descriptor: the next failure is told
            self.count(name)
            log.log(
                logging.ERROR if standing.vital else logging.WARNING,
                "loop.failed",
                extra={
                    "loop": name,
                    "error": type(fault).__name__ if fault else "returned",
                    "failures": standing.failures,
                    "delay": round(delay, 2),
                },
                exc_info=fault if standing.failures == 1 else None,
            )
