"""A PostgreSQL that is not there, refuses or dies: always StorageUnavailable, at once, never another error."""

from __future__ import annotations

import pytest

from server.app.settings.settings import Settings
from server.core.errors import StorageUnavailable
from server.core.seal import Seal
from server.core.sites import SiteStore
from server.doctor.checks import stored
from server.storage import schema
from server.storage.engine import make_engine
from server.storage.transactions import Transactions
from tests.databases import Databases
from tests.lab.ports import free_port
from tests.lab.postgres import postgres


def storage(url: str) -> Transactions:
    return Transactions(make_engine(url), Seal("k" * 32))


async def refuse(url: str) -> None:
    away = storage(url)
    for write in (True, False):
        with pytest.raises(StorageUnavailable):
            async with away(write=write) as uow:
                await SiteStore(uow).all()
    with pytest.raises(StorageUnavailable):
        await schema.check(away._engine)
    await away._engine.dispose()


async def test_nobody_listens() -> None:
    await refuse(f"postgresql+asyncpg://visio15@127.0.0.1:{free_port()}/visio15")


async def test_it_refuses_then_dies_while_used(databases: Databases) -> None:
    if databases.kind == "sqlite":
        pytest.skip("starts a cluster of its own: scripts/test storage")
    async with postgres() as cluster:
        await refuse(cluster.url("no_such_database"))
        url = cluster.create("visio15")
        await schema.upgrade(url)
        # The lab's own is quick and unsafe: the doctor says so.
        settings = Settings(secret_key="k" * 32, database=url)  # type: ignore[arg-type]
        unsafe = [f.text for f in await stored(settings) if "off" in f.text]
        assert [text.split()[2] for text in unsafe] == ["fsync", "synchronous_commit"]
        living = storage(url)
        async with living(write=False) as uow:
            assert await SiteStore(uow).all() == []
        with pytest.raises(StorageUnavailable):  # noqa: PT012 - it ends in the middle of one
            async with living() as uow:
                cluster.sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'visio15'"
                )
                await SiteStore(uow).all()
        async with living() as uow:  # it is back: dead connections of the pool are replaced
            assert await SiteStore(uow).all() == []
        await cluster.part.stop(grace=0)
        for write in (True, False):
            with pytest.raises(StorageUnavailable):
                async with living(write=write) as uow:
                    await SiteStore(uow).all()
        await living._engine.dispose()
