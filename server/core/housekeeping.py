"""Housekeeping, item by item: one that fails is logged and counted, and keeps none of the others waiting."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import structlog

from server.core.errors import AppError, StorageUnavailable

Item = TypeVar("Item")
Failed = Callable[[str], None]  # is given the job's name
#: So many in a row, and it is the storage that is away, not one item that cannot be stored.
STORAGE_AWAY: Final = 3
_log = structlog.get_logger("rounds")


@dataclass(frozen=True, slots=True)
class Done:
    """What a round came to: how much changed, and how many items met a refusal and may fare better next time."""

    changed: int
    postponed: int


class Rounds:
    """Does the rounds of one job; an item that fails in round after round leaves one trace in the log."""

    def __init__(self, job: str, failed: Failed = lambda _job: None) -> None:
        """Take the job's name, and whom to tell of each failure."""
        self._job = job
        self._failed = failed
        self._failing: set[str] = set()
        self._stopped = ""  # where the last round ended early: the next one begins behind it

    async def each(self, items: Mapping[str, Item], work: Callable[[Item], Awaitable[int]]) -> Done:
        """Do `work`, which says how much it changed, for each item by its name; names may be logged.

        Raises StorageUnavailable when the storage is away for all of them.
        """
        changed = postponed = away = 0
        names = list(items)
        begin = names.index(self._stopped) + 1 if self._stopped in items else 0
        for name in (*names[begin:], *names[:begin]):
            try:
                changed += await work(items[name])
            except Exception as fault:
                self._tell(name, fault)
                postponed += isinstance(fault, AppError)
                away = away + 1 if isinstance(fault, StorageUnavailable) else 0
                if away == STORAGE_AWAY:
                    self._stopped = name
                    raise
            else:
                away = 0
                self._failing.discard(name)
        return Done(changed, postponed)

    async def batches(
        self,
        items: Mapping[str, Item],
        size: int,
        work: Callable[[Sequence[Item]], Awaitable[object]],
    ) -> None:
        """Do `work` for so many items at once; a batch that fails is done item by item."""

        async def alone(item: Item) -> int:
            await work([item])
            return 1

        names = list(items)
        for first in range(0, len(names), size):
            batch = {name: items[name] for name in names[first : first + size]}
            try:
                await work(list(batch.values()))
            except Exception:  # noqa: BLE001 - which of them it was is told when each has its own turn
                await self.each(batch, alone)

    def _tell(self, name: str, fault: Exception) -> None:
        self._failed(self._job)
        if isinstance(fault, AppError):
            _log.warning("rounds.postponed", job=self._job, item=name, code=fault.code)
        elif name not in self._failing:
            self._failing.add(name)
            _log.error("rounds.failed", job=self._job, item=name, exc_info=fault)
