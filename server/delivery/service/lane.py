"""One channel's messages leave beside each other.

A carrier that hangs on one message holds up no other, and never the other channel; a message that cannot even be
tried waits, and the lane goes on.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import structlog

from server.core.clock import Clock
from server.core.errors import Unavailable
from server.core.tasks import cancel_and_wait, create_task
from server.delivery.domain.messages import LONGEST_RETRY, Message
from server.delivery.store import MessageStore
from server.storage.transactions import Transactions

MOST: Final = 16  # messages of one channel on their way at once
IDLE: Final = timedelta(seconds=5)
_log = structlog.get_logger("delivery")


class Lane:
    """Takes what is due from the database and lets `deliver` send and record it."""

    def __init__(
        self,
        channel: str,
        transactions: Transactions,
        clock: Clock,
        deliver: Callable[[Message], Coroutine[Any, Any, None]],
    ) -> None:
        """Start empty; `ready` tells whether the queue could be read."""
        self.channel = channel
        self.ready = False
        self._transactions = transactions
        self._clock = clock
        self._deliver = deliver
        self._awake = asyncio.Event()
        self._closing = False
        self._flying: dict[str, asyncio.Task[None]] = {}

    def wake(self) -> None:
        """Something was queued: look now."""
        self._awake.set()

    def close(self) -> None:
        """Start nothing more; `run` returns when the last message has landed."""
        self._closing = True
        self.wake()

    async def run(self) -> None:
        """Deliver until closed; a database that is away is waited for, never skipped.

        Run again after a fault, it goes on: what is on its way stays so, and is not sent twice.
        """
        try:
            while not self._closing:
                self._awake.clear()
                await self._rest(await self._start_due())
            if self._flying:
                await asyncio.wait(self._flying.values())
        except asyncio.CancelledError:
            await cancel_and_wait(*self._flying.values())
            raise

    async def _start_due(self) -> datetime | None:
        """Start what is due; return when the next one wants to leave."""
        free = MOST - len(self._flying)
        if free <= 0:
            return None
        try:
            async with self._transactions(write=False) as uow:
                now, flying = self._clock.now(), tuple(self._flying)
                due = await MessageStore(uow).due_everywhere(now, free, self.channel, flying)
                others = (*flying, *(message.id for message in due))
                next_due = await MessageStore(uow).next_due_everywhere(self.channel, others)
        except Unavailable as away:
            self.ready = False
            _log.warning("delivery.storage_unavailable", channel=self.channel, detail=away.detail)
            return None
        except Exception:
            self.ready = False
            raise
        self.ready = True
        for message in due:
            task = create_task(self._deliver(message), f"delivery.{self.channel}")
            self._flying[message.id] = task
            task.add_done_callback(partial(self._landed, message.id))
        return next_due

    def _landed(self, id_: str, task: "asyncio.Task[None]") -> None:
        """Make room; what failed by our own mistake keeps its place for a while: no circles."""
        if task.cancelled() or task.exception() is None:
            self._leave(id_)
        else:
            pause = LONGEST_RETRY.total_seconds()
            asyncio.get_running_loop().call_later(pause, self._leave, id_)

    def _leave(self, id_: str) -> None:
        self._flying.pop(id_, None)
        self.wake()

    async def _rest(self, next_due: datetime | None) -> None:
        wait = IDLE if next_due is None else min(IDLE, next_due - self._clock.now())
        try:
            async with asyncio.timeout(max(wait.total_seconds(), 0.05)):
                await self._awake.wait()
        except TimeoutError:
            return
