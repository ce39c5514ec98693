"""A statement on SQLite costs one turn of the driver's thread instead of four, and an empty end of a transaction none.

aiosqlite makes the cursor, executes, fetches and closes one after the other, each handed to its thread and waited for;
under load these hand-overs cost more than the statements. Streams (server-side cursors) stay as they were.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, Self

import aiosqlite
from sqlalchemy import event
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
)
from sqlalchemy.ext.asyncio import AsyncEngine


class _Statement:
    """Has the methods of aiosqlite's cursor that SQLAlchemy calls; everything happens in `execute`."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> "_Statement":
        await self._in_thread(sqlite3.Connection.execute, sql, parameters)
        return self

    async def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> "_Statement":
        await self._in_thread(sqlite3.Connection.executemany, sql, parameters)
        return self

    async def _in_thread(self, run: Any, sql: str, parameters: Any) -> None:
        def work() -> None:
            cursor = run(self._connection._conn, sql, parameters)  # noqa: SLF001 - it has no other name
            try:
                self.description = cursor.description
                self._rows = cursor.fetchall() if cursor.description else []
                self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
            finally:
                cursor.close()

        await self._connection._execute(work)  # type: ignore[no-untyped-call] # noqa: SLF001 - same

    async def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """It was closed where it ran."""


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    __slots__ = ()

    def _make_new_cursor(self, connection: Any) -> Any:
        return _Statement(connection)


class _Connection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ()
    _cursor_cls = _Cursor

    def rollback(self) -> None:
        if self._open():
            super().rollback()

    def commit(self) -> None:
        if self._open():
            super().commit()

    def _open(self) -> bool:
        """Whether there is anything to end."""
        raw = self._connection._connection  # noqa: SLF001 - what SQLAlchemy's own asks too
        return raw is not None and bool(raw.in_transaction)


def use_one_hop(engine: AsyncEngine) -> None:
    """Let every new connection of an engine work so."""

    def connect(dialect: Any, _record: object, args: Any, options: Any) -> _Connection:
        made = dialect.loaded_dbapi.connect(*args, **options)
        return _Connection(made.dbapi, made._connection)  # noqa: SLF001 - SQLAlchemy's own wrapping, ours instead

    event.listen(engine.sync_engine, "do_connect", connect)
