"""The file of the database is replaced under connections at work: none writes on into it, none is left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, text

from server.core.errors import StorageUnavailable
from server.storage.engine import make_engine

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine


async def filled(file: Path, word: str) -> None:
    engine = make_engine(f"sqlite+aiosqlite:///{file}")
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE word (word TEXT)"))
        await connection.execute(text("INSERT INTO word VALUES (:word)"), {"word": word})
    await engine.dispose()


async def read(engine: AsyncEngine) -> str:
    async with engine.connect() as connection:
        return str(await connection.scalar(text("SELECT word FROM word")))


async def test_connections_follow_the_file(tmp_path: Path) -> None:
    file, other = tmp_path / "visio15.db", tmp_path / "other.db"
    await filled(file, "former")
    await filled(other, "restored")
    engine = make_engine(f"sqlite+aiosqlite:///{file}")
    made: list[object] = []
    closed: list[object] = []
    event.listen(engine.sync_engine, "connect", lambda made_, _: made.append(made_))
    event.listen(engine.sync_engine, "close", lambda gone, _: closed.append(gone))
    assert await read(engine) == "former"
    async with engine.connect() as working, engine.connect() as beside:
        for connection in (working, beside):
            assert await connection.scalar(text("SELECT word FROM word")) == "former"
        other.replace(file)
        assert await read(engine) == "restored"
    for _ in range(4):
        assert await read(engine) == "restored"
    file.unlink()
    with pytest.raises(StorageUnavailable):
        await read(engine)
    assert not file.exists()
    await engine.dispose()
    assert sorted(map(id, closed)) == sorted(map(id, made))
