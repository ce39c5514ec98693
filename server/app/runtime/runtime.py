"""Brings a built server up, and down again, however far it came."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from server.app.runtime import loops
from server.app.runtime.lifecycle import Event, LifeCycle, State
from server.app.runtime.listener import Listener
from server.core.loops import Loop
from telephony.supervisor import Supervisor

LANDING_SECONDS = 5.0  # how long loops that were asked to return may take
_log = structlog.get_logger("server")


class StartInterrupted(Exception):
    """Somebody asked for a stop while the server started."""


class Runtime:
    """Owns what runs: life cycle, loops, listener, and what is closed at the end.

    Every way out of a start or a stop leaves no loop, no socket and no connection to the database behind.
    """

    def __init__(
        self,
        *,
        life: LifeCycle,
        supervisor: Supervisor,
        engine: AsyncEngine,
        storage_works: Callable[[], Awaitable[bool]],
        listener: Listener,
        loops: Sequence[Loop],
        starting: Sequence[Callable[[], Awaitable[object]]],
        draining: Sequence[Callable[[], Awaitable[object]]],
        closing: Sequence[Callable[[], object]],
    ) -> None:
        """Take the parts.

        `storage_works`: what readiness says of the database; loops ask it. `starting`: done one after the other before
        loops and listener start; `draining`: awaited while loops still run and nobody is connected any more;
        `closing`: called at the very end.
        """
        self.life = life
        self.supervisor = supervisor
        self.listener = listener
        self.loops = (*loops, *listener.loops())
        self._engine = engine
        self._storage_works = storage_works
        self._starting = starting
        self._draining = draining
        self._closing = closing
        self._landing: list[asyncio.Task[None]] = []
        self._limit = asyncio.timeout_at(None)
        self._begun = asyncio.Event()  # `start` has ended, with or without success
        self._over = asyncio.Event()

    def add(self, loop: Loop) -> None:
        """Run one more loop from the start on."""
        self.loops = (*self.loops, loop)

    async def start(self) -> None:
        """Come up, then listen. A start that fails closes all again; a stop meanwhile raises StartInterrupted."""
        self.life.happen(Event.START)
        try:
            async with self._limit:
                await self._come_up()
        except BaseException as fault:
            if self.life.state is State.DRAINING:
                self._tell_fault(fault)
                raise StartInterrupted from fault
            self.life.happen(Event.FAIL)
            await self._go_down()
            raise
        finally:
            self._begun.set()
        if self.life.state is State.DRAINING:  # asked for in the turn in which the last step ended
            raise StartInterrupted
        self.life.happen(Event.STARTED)

    async def stop(self) -> None:
        """Go down; whoever asks again waits for the same end."""
        before = self.life.state
        if not self.life.happen(Event.STOP):
            await self._over.wait()
            return
        if before is State.STARTING:
            self._limit.reschedule(asyncio.get_running_loop().time())
            await self._begun.wait()
        await self._go_down()
        self.life.happen(Event.DRAINED)
        _log.info("server.stopped")

    def _tell_fault(self, fault: BaseException) -> None:
        """Log what a start met by itself when a stop was asked for; not the interruption."""
        expired = self._limit.expired() and isinstance(fault, TimeoutError)
        if not (expired or isinstance(fault, asyncio.CancelledError)):
            _log.error("server.start_failed", exc_info=fault)

    async def _come_up(self) -> None:
        self.listener.read_certificate()
        for step in self._starting:
            await step()
        for loop in self.loops:
            task = loops.start(self.supervisor, loop, self._storage_works)
            if loop.close is not None:
                self._landing.append(task)
        self.listener.open()

    async def _go_down(self) -> None:
        """Do every step, also when another one fails. They run in reverse order: the last one pushed runs first."""
        async with AsyncExitStack() as steps:
            steps.callback(self._over.set)
            steps.push_async_callback(self._engine.dispose)
            for close in reversed(self._closing):
                steps.callback(close)
            steps.push_async_callback(self.supervisor.stop)
            for drain in reversed(self._draining):
                steps.push_async_callback(drain)
            steps.push_async_callback(self._land)
            steps.push_async_callback(self.listener.close)

    async def _land(self) -> None:
        """Let loops that have something on its way return by themselves."""
        self.supervisor.close()
        for loop in self.loops:
            if loop.close is not None:
                loop.close()
        if self._landing:
            await asyncio.wait(self._landing, timeout=LANDING_SECONDS)
