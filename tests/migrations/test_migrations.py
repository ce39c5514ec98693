"""The schema goes up from empty and down again, agrees with the tables, and a server refuses any other."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, inspect, text
from sqlalchemy.exc import IntegrityError

from server.app.all_tables import metadata
from server.core import resources
from server.core.errors import StorageUnavailable
from server.storage import schema
from server.storage.engine import make_engine
from server.storage.errors import SchemaMismatch

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection


NOBODYS = {"site": "none", "call": "c", "received": datetime(2026, 3, 1, tzinfo=UTC)}


async def tables(url: str) -> set[str]:
    engine = make_engine(url)
    async with engine.connect() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    await engine.dispose()
    return set(names) - {"alembic_version"}


async def test_up_down_and_up_again(database_url: str) -> None:
    for _ in range(2):
        await schema.upgrade(database_url)
        assert await tables(database_url) == set(metadata.tables)
        await schema.downgrade(database_url, "base")
        assert await tables(database_url) == set()


async def test_up_twice_changes_nothing(database_url: str) -> None:
    for _ in range(2):
        await schema.upgrade(database_url)


async def test_the_migrations_agree_with_the_tables(database_url: str) -> None:
    await schema.upgrade(database_url)
    engine = make_engine(database_url)

    def differences(sync: Connection) -> list[object]:
        return compare_metadata(MigrationContext.configure(sync), metadata)

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_foreign_keys_hold_after_a_migration(database_url: str) -> None:
    await schema.upgrade(database_url)
    engine = make_engine(database_url)
    async with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            assert (await connection.exec_driver_sql("PRAGMA foreign_keys")).scalar_one() == 1
            assert (await connection.exec_driver_sql("PRAGMA foreign_key_check")).all() == []
        with pytest.raises(IntegrityError):
            await connection.execute(insert(metadata.tables["call_fact"]).values(NOBODYS))
    await engine.dispose()


@pytest.mark.parametrize(
    ("revision", "refusal"),
    [(None, "empty"), ("ffff", "newer"), (schema.head(), None), ("0001", "older")],
)
async def test_only_this_release_s_schema_is_accepted(
    database_url: str, revision: str | None, refusal: str | None
) -> None:
    await schema.upgrade(database_url)
    if revision is None:
        await schema.downgrade(database_url, "base")
    engine = make_engine(database_url)
    if revision:
        async with engine.begin() as connection:
            statement = text("UPDATE alembic_version SET version_num = :revision")
            await connection.execute(statement, {"revision": revision})
    if refusal is None:
        await schema.check(engine)
    else:
        with pytest.raises(SchemaMismatch, match=refusal):
            await schema.check(engine)
    await engine.dispose()


async def test_an_older_schema_is_refused(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await schema.upgrade(database_url)
    monkeypatch.setattr(schema, "head", lambda: "9999")
    engine = make_engine(database_url)
    with pytest.raises(SchemaMismatch, match="older"):
        await schema.check(engine)
    await engine.dispose()


async def test_looking_for_a_database_does_not_make_one(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        engine = make_engine(f"sqlite+aiosqlite:///{folder}/visio15.db")
        with pytest.raises(SchemaMismatch, match="empty"):
            await schema.check(engine)
        await engine.dispose()
    assert list(tmp_path.iterdir()) == []


async def test_a_file_that_is_no_database_is_said_so(tmp_path: Path) -> None:
    file = tmp_path / "visio15.db"
    file.write_bytes(b"not a database " * 100)
    engine = make_engine(f"sqlite+aiosqlite:///{file}")
    with pytest.raises(StorageUnavailable):
        await schema.check(engine)
    await engine.dispose()
    assert file.read_bytes() == b"not a database " * 100


def test_the_alembic_folder_is_no_package() -> None:
    """An __init__.py there would shadow the library."""
    assert list((resources.root() / "alembic").rglob("__init__.py")) == []
