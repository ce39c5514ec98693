"""Opens units of work: one connection, one transaction.

Writers take turns, one at a time for the whole database: load, decide, save and audit are then one step, and two
writers queue instead of failing half-way. SQLite has only this (BEGIN IMMEDIATE); on PostgreSQL an advisory lock held
until the end of the transaction gives the same, so that one behaviour is tested and known (docs/adr/0007). Writers of
this process queue before they take a connection: readers always find one. A reader sees one moment of the database.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import AppError, Conflict, Invalid, StorageUnavailable
from server.core.seal import Seal
from server.storage.database_guard import DatabaseGuard, write_and_take_back

WRITERS: Final = 0x5631_3500  # the advisory lock of whoever writes or migrates
TURN_SECONDS: Final = 5.0
PROBE_EVERY: Final = 1.0  # seconds, at most, while it fails
_DATA: Final = "22"  # SQLSTATE class: a value that the database cannot hold
_ROLLBACK: Final = "40"  # SQLSTATE class: this transaction gave way to another


class Transactions:
    """Opens units of work on one engine; storage faults surface as StorageUnavailable."""

    def __init__(self, engine: AsyncEngine, seal: Seal) -> None:
        """Keep the engine and the seal for each unit of work."""
        self._engine = engine
        self._seal = seal
        self._guard = DatabaseGuard(engine)
        self._sqlite = engine.url.get_backend_name() == "sqlite"
        self._turn = asyncio.Lock()
        self._strangers = asyncio.Lock()
        self._probe = asyncio.Lock()
        self._probed = -PROBE_EVERY

    def __call__(
        self, *, write: bool = True, stranger: bool = False
    ) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open one transaction; `write=False` never waits for writers, and sees one moment."""
        return self._writing(stranger=stranger) if write else self._open(write=False)

    @asynccontextmanager
    async def _writing(self, *, stranger: bool) -> AsyncIterator[UnitOfWork]:
        async with AsyncExitStack() as turns:
            try:
                async with asyncio.timeout(TURN_SECONDS):
                    if stranger:  # however many they are, one stands before a desk
                        await turns.enter_async_context(self._strangers)
                    await turns.enter_async_context(self._turn)
            except TimeoutError:
                raise StorageUnavailable("writers_queue") from None
            async with self._open(write=True) as uow:
                yield uow

    async def writable(self) -> bool:
        """Tell whether a command would be durable now: proven by the last one, else by trying."""
        async with self._probe:  # whoever asks: however many ask, one tries
            if self._guard.proven:
                self._guard.check()
                return True
            if time.monotonic() - self._probed < PROBE_EVERY:
                return False
            try:
                async with self._connected(write=True) as connection:
                    await write_and_take_back(connection)
                    await connection.commit()
            except StorageUnavailable:
                self._probed = time.monotonic()
                return False
            self._guard.wrote()
            return True

    @asynccontextmanager
    async def _open(self, *, write: bool) -> AsyncIterator[UnitOfWork]:
        async with self._connected(write=write) as connection:
            yield UnitOfWork(connection, self._seal, self._guard.wrote)

    @asynccontextmanager
    async def _connected(self, *, write: bool) -> AsyncIterator[AsyncConnection]:
        """A unit of work holds nothing but the database: an OSError in it is the database's."""
        self._guard.check()
        opened = False
        try:
            async with self._engine.connect() as connection:
                opened = True
                await self._begin(connection, write=write)
                try:
                    yield connection
                finally:
                    await connection.rollback()
        except DBAPIError as fault:
            self._failed(write=write)
            raise refusal(fault) from fault
        except (SQLAlchemyError, OSError) as fault:
            self._failed(write=write)
            raise StorageUnavailable(type(fault).__name__) from fault
        except RuntimeError as fault:
            if opened:
                raise
            self._failed(write=write)
            # SQLite's driver wants a thread for each connection.
            raise StorageUnavailable("no_thread") from fault

    def _failed(self, *, write: bool) -> None:
        if write:
            self._guard.failed()

    async def _begin(self, connection: AsyncConnection, *, write: bool) -> None:
        if self._sqlite:
            await connection.execute(text("BEGIN IMMEDIATE" if write else "BEGIN"))
        elif write:
            await connection.execute(select(func.pg_advisory_xact_lock(WRITERS)))
        else:
            await connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )


def refusal(fault: DBAPIError) -> AppError:
    """Say what a fault of the database means to whoever asked."""
    state = str(getattr(fault.orig, "sqlstate", None) or "")
    kind = type(fault.orig).__name__
    if state.startswith(_ROLLBACK):
        return Conflict("database")
    if state.startswith(_DATA):
        return Invalid("value")
    return StorageUnavailable(f"{kind} {state}".strip())
