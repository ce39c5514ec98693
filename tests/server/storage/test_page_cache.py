"""SQLite's own memory: each connection may keep so many pages, and no more, however long the file grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from server.storage.engine import CACHE_KB, make_engine

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.sqlite


async def test_a_connection_keeps_a_megabyte_of_pages(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite+aiosqlite:///{tmp_path}/visio15.db")
    async with engine.connect() as connection:
        found = (await connection.execute(text("PRAGMA cache_size"))).scalar()
    await engine.dispose()
    assert found == -CACHE_KB
