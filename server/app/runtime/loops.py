"""Runs loops: each under the supervisor, by turns if it has any."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from server.core.errors import StorageUnavailable
from server.core.loops import Loop
from telephony.supervisor import RestartPolicy, Supervisor

Works = Callable[[], Awaitable[bool]]
_log = structlog.get_logger("server")


def start(supervisor: Supervisor, loop: Loop, storage_works: Works) -> "asyncio.Task[None]":
    """Start a loop and keep it running; `storage_works`: what readiness says of the database."""
    turns = _Turns(loop, storage_works)
    return supervisor.start(loop.name, turns.run, pace=pace(loop), vital=loop.vital)


def pace(loop: Loop) -> RestartPolicy:
    """Return how the loop is restarted: a run has proved itself only once it has survived a turn."""
    survived = 2 * (loop.every or 0)
    return replace(loop.pace, steady=max(loop.pace.steady, survived))


@dataclass(slots=True)
class _Turns:
    """One loop at work."""

    loop: Loop
    storage_works: Works
    postponed: int = 0  # turns in a row that the storage refused

    async def run(self) -> None:
        """Do turn after turn, or the whole work of a loop that has none."""
        if self.loop.every is None:
            await self._work()
            return
        if self.loop.at_once:
            await self._turn()
        while True:
            await asyncio.sleep(self.loop.every)
            await self._turn()

    async def _turn(self) -> None:
        """Do one turn; leave it for the next while the storage is away.

        Readiness says by itself that it is away. Where it says otherwise and turn after turn is refused all the same,
        the loop fails.
        """
        try:
            await self._work()
        except StorageUnavailable as away:
            _log.warning(self.loop.postponed, code=away.code)
            self.postponed += 1
            if self.postponed >= self.loop.pace.patience and await self.storage_works():
                raise
        else:
            self.postponed = 0

    async def _work(self) -> None:
        made = self.loop.work()
        if isinstance(made, Awaitable):
            await made
