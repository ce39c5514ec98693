"""The schema goes up from empty and down again, agrees with the tables, and a server refuses any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from server import resources
from server.adapters.db import schema
from server.adapters.db.engine import make_engine
from server.adapters.db.tables import metadata
from server.errors import SchemaMismatch, StorageUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection


def url_in(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder}/new/visio15.db"


async def tables(url: str) -> set[str]:
    engine = make_engine(url)
    async with engine.connect() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    await engine.dispose()
    return set(names) - {"alembic_version"}


async def test_up_down_and_up_again(tmp_path: Path) -> None:
    url = url_in(tmp_path)
    for _ in range(2):
        await schema.upgrade(url)
        assert await tables(url) == set(metadata.tables)
        await schema.downgrade(url, "base")
        assert await tables(url) == set()


async def test_up_twice_changes_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        await schema.upgrade(url_in(tmp_path))


async def test_the_migrations_agree_with_the_tables(tmp_path: Path) -> None:
    url = url_in(tmp_path)
    await schema.upgrade(url)
    engine = make_engine(url)

    def differences(sync: Connection) -> list[object]:
        return compare_metadata(MigrationContext.configure(sync), metadata)

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_foreign_keys_hold_after_a_migration(tmp_path: Path) -> None:
    url = url_in(tmp_path)
    await schema.upgrade(url)
    engine = make_engine(url)
    async with engine.connect() as connection:
        assert (await connection.exec_driver_sql("PRAGMA foreign_keys")).scalar_one() == 1
        assert (await connection.exec_driver_sql("PRAGMA foreign_key_check")).all() == []
    await engine.dispose()


@pytest.mark.parametrize(
    ("revision", "refusal"), [(None, "empty"), ("ffff", "newer"), (schema.head(), None)]
)
async def test_only_this_release_s_schema_is_accepted(
    tmp_path: Path, revision: str | None, refusal: str | None
) -> None:
    url = url_in(tmp_path)
    await schema.upgrade(url)
    if revision is None:
        await schema.downgrade(url, "base")
    engine = make_engine(url)
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


async def test_an_older_schema_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = url_in(tmp_path)
    await schema.upgrade(url)
    monkeypatch.setattr(schema, "head", lambda: "0002")
    engine = make_engine(url)
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
