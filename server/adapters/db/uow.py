"""The unit of work: one connection, one transaction, every repository on it.

A write on SQLite begins IMMEDIATE: load, decide and save are then one step, and two writers queue
instead of failing half-way.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Self

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from server.adapters.db.audit import SqlAudit
from server.adapters.db.calls import SqlCalls
from server.adapters.db.erasure import SqlErasure
from server.adapters.db.feedback import SqlFeedback
from server.adapters.db.invitations import SqlInvitations
from server.adapters.db.launches import SqlLaunches
from server.adapters.db.login import SqlLogin
from server.adapters.db.messages import SqlMessages
from server.adapters.db.personal import SqlPersonal
from server.adapters.db.presence import Presence, write_and_take_back
from server.adapters.db.sessions import SqlSessions
from server.adapters.db.sites import SqlSites
from server.adapters.db.users import SqlUsers
from server.errors import StorageUnavailable
from server.ports import Seal


class SqlUnitOfWork:
    """Repositories over one open transaction."""

    def __init__(self, connection: AsyncConnection, seal: Seal, presence: Presence) -> None:
        """Build every repository on `connection`."""
        self._connection = connection
        self._presence = presence
        self.sites = SqlSites(connection)
        self.users = SqlUsers(connection)
        self.login = SqlLogin(connection)
        self.personal = SqlPersonal(connection, seal)
        self.calls = SqlCalls(connection, seal)
        self.sessions = SqlSessions(connection)
        self.invitations = SqlInvitations(connection)
        self.messages = SqlMessages(connection)
        self.launches = SqlLaunches(connection, seal)
        self.feedback = SqlFeedback(connection)
        self.audit = SqlAudit(connection, seal)
        self.erasure = SqlErasure(connection, seal)

    async def commit(self) -> None:
        """Make it durable; nothing is acknowledged before this returns (I3)."""
        await self._connection.commit()
        self._presence.wrote()

    async def __aenter__(self) -> Self:
        """Enter; the transaction is already open."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave; what was not committed is rolled back by `SqlTransactions`."""


class SqlTransactions:
    """Opens units of work on one engine; storage faults surface as StorageUnavailable."""

    def __init__(self, engine: AsyncEngine, seal: Seal) -> None:
        """Keep the engine and the seal for each unit of work."""
        self._engine = engine
        self._seal = seal
        self._presence = Presence(engine)
        self._sqlite = engine.url.get_backend_name() == "sqlite"

    def __call__(self, *, write: bool = True) -> AbstractAsyncContextManager[SqlUnitOfWork]:
        """Open one transaction; `write=False` never takes SQLite's write lock."""
        return self._open(write=write)

    async def writable(self) -> bool:
        """Tell whether a command would be durable now: proven by the last one, else by trying."""
        if self._presence.proven:
            await self._presence.check()
            return True
        try:
            async with self._connected(write=True) as connection:
                await write_and_take_back(connection)
                await connection.commit()
        except StorageUnavailable:
            return False
        self._presence.wrote()
        return True

    @asynccontextmanager
    async def _open(self, *, write: bool) -> AsyncIterator[SqlUnitOfWork]:
        async with self._connected(write=write) as connection:
            yield SqlUnitOfWork(connection, self._seal, self._presence)

    @asynccontextmanager
    async def _connected(self, *, write: bool) -> AsyncIterator[AsyncConnection]:
        await self._presence.check()
        try:
            async with self._engine.connect() as connection:
                if self._sqlite:
                    await connection.execute(text("BEGIN IMMEDIATE" if write else "BEGIN"))
                try:
                    yield connection
                finally:
                    await connection.rollback()
        except SQLAlchemyError as fault:
            if write:
                self._presence.failed()
            kind = fault.orig if isinstance(fault, DBAPIError) else fault
            raise StorageUnavailable(type(kind).__name__) from fault
