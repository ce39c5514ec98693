"""SQLite asked in one turn of its thread: rows, counts, refusals and streams are what the driver's own would be."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from server.storage.engine import make_engine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncConnection


@asynccontextmanager
async def _table(folder: Path) -> AsyncIterator[tuple[AsyncConnection, list[str]]]:
    """A table with three rows, and the turns of the driver's thread taken since."""
    engine = make_engine(f"sqlite+aiosqlite:///{folder}/one.db")
    turns: list[str] = []
    try:
        async with engine.connect() as connection:
            await connection.execute(
                text("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE)")
            )
            rows = [{"n": name} for name in ("a", "b", "c")]
            await connection.execute(text("INSERT INTO t (name) VALUES (:n)"), rows)
            raw = (await connection.get_raw_connection()).driver_connection
            assert raw is not None
            execute = raw._execute

            async def counted(work: Any, *args: Any) -> Any:
                turns.append(str(work))
                return await execute(work, *args)

            raw._execute = counted
            yield connection, turns
            del raw._execute
    finally:
        await engine.dispose()


async def test_a_statement_takes_one_turn(tmp_path: Path) -> None:
    async with _table(tmp_path) as (connection, turns):
        found = await connection.execute(text("SELECT name FROM t ORDER BY id"))
        assert [row.name for row in found] == ["a", "b", "c"]
        assert len(turns) == 1


async def test_an_empty_end_takes_none_and_a_full_one_keeps_or_takes_back(tmp_path: Path) -> None:
    async with _table(tmp_path) as (connection, turns):
        await connection.rollback()
        assert turns == []
        for end, left in ((connection.rollback, 3), (connection.commit, 2)):
            await connection.execute(text("BEGIN IMMEDIATE"))
            await connection.execute(text("DELETE FROM t WHERE name = 'a'"))
            await end()
            assert (await connection.execute(text("SELECT count(*) FROM t"))).scalar() == left


async def test_it_counts_the_rows_it_changed(tmp_path: Path) -> None:
    async with _table(tmp_path) as (connection, _):
        assert (await connection.execute(text("UPDATE t SET name = name || '!'"))).rowcount == 3
        gone = text("UPDATE t SET name = 'x' WHERE id = 99")
        assert (await connection.execute(gone)).rowcount == 0


async def test_refusals_keep_their_kind(tmp_path: Path) -> None:
    async with _table(tmp_path) as (connection, _):
        with pytest.raises(IntegrityError):
            await connection.execute(text("INSERT INTO t (name) VALUES ('a')"))
        with pytest.raises(OperationalError):
            await connection.execute(text("SELECT * FROM nowhere"))
        assert (await connection.execute(text("SELECT 1"))).scalar() == 1


async def test_a_stream_is_not_held_in_memory(tmp_path: Path) -> None:
    async with _table(tmp_path) as (connection, turns):
        streamed = await connection.stream(
            text("SELECT name FROM t ORDER BY id"), execution_options={"max_row_buffer": 1}
        )
        assert [row.name async for row in streamed] == ["a", "b", "c"]
        assert len(turns) > 2, "rows are fetched as they are read"
