"""Runs loops: each under the supervisor, by turns if it has any."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from server.core.errors import StorageUnavailable
from server.core.loops import Loop
from telephony.supervisor import RestartPolicy, Supervisor

REFUSED_SECONDS = 60.0  # how long a working storage may refuse a loop's turns
Works = Callable[[], Awaitable[bool]]
_log = structlog.get_logger("server")


def start(supervisor: Supervisor, loop: Loop, storage_works: Works) -> "asyncio.Task[None]":
    """Start a loop and keep it running; `storage_works`: what readiness says of the database."""
    turns = _Turns(loop, storage_works)
    return supervisor.start(loop.name, turns.run, pace=pace(loop))


def pace(loop: Loop) -> RestartPolicy:
    """Return how the loop is restarted: a run counts as steady only once it has survived a turn."""
    survived = 2 * (loop.every or 0)
    return replace(loop.pace, steady=max(loop.pace.steady, survived))


@dataclass(slots=True)
class _Turns:
    """One loop at work."""

    loop: Loop
    storage_works: Works
    refused_since: float | None = None  # by the storage, turn after turn

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
        for long, the loop fails.
        """
        try:
            await self._work()
        except StorageUnavailable as away:
            _log.warning(self.loop.postponed, code=away.code)
            if self._refused_long() and await self.storage_works():
                raise
        else:
            self.refused_since = None

    def _refused_long(self) -> bool:
        now = asyncio.get_running_loop().time()
        if self.refused_since is None:
            self.refused_since = now
        return now - self.refused_since >= REFUSED_SECONDS

    async def _work(self) -> None:
        made = self.loop.work()
        if isinstance(made, Awaitable):
            await made
