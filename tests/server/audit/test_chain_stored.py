"""The chain in a real database: it reads back equal, and tampering with any table is found (I4)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from server.audit.domain.chain import UNREADABLE, verify
from server.audit.service.chain import ChainVerification
from server.audit.store.audit import AuditStore
from server.core.audit_entries import Actor
from server.core.db.unit_of_work import UnitOfWork
from server.core.journal.append import Journal
from server.core.seal import Seal
from server.core.site_policy import SitePolicy
from server.core.sites import Site, SiteStore
from server.storage import schema
from server.storage.engine import make_engine
from server.storage.transactions import Transactions
from tests.server.stray import stray

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from tests.databases import Databases

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


class Stored:
    """A chain in a database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.seal = Seal("k" * 32)
        self.transactions = Transactions(engine, self.seal)

    async def fill(self, count: int, site: str = "s") -> None:
        async with self.transactions() as uow:
            for n in range(count):
                event = stray(
                    "invitation.created",
                    f"invitation:{n}",
                    session="v",
                    call="c",
                    data={"n": n, "at": NOW, "list": (1, 2), "é": "ü"},
                    personal={"to": "+33612345678", "n": n},
                )
                await Journal(uow).append(Actor("desk", site, "u", "192.0.2.9"), event, NOW)
            await uow.commit()

    async def do(self, statement: str) -> None:
        async with self.engine.begin() as connection:
            await connection.exec_driver_sql(statement)


async def stored(url: str) -> Stored:
    await schema.upgrade(url)
    engine = make_engine(url)
    async with engine.begin() as connection:
        for key in ("s", "t"):
            uow = UnitOfWork(connection, Seal("k" * 32), lambda: None)
            await SiteStore(uow).add(Site(key, key, key, "S", "r@x", SitePolicy()), NOW)
    return Stored(engine)


async def test_a_stored_chain_reads_back_equal(database_url: str) -> None:
    chain = await stored(database_url)
    await chain.fill(3)
    await chain.fill(2, "t")
    async with chain.transactions(write=False) as uow:
        rows = [row async for row in AuditStore(uow).chain("s")]
        assert await AuditStore(uow).of_call("s", "c") == rows
        assert await AuditStore(uow).of_session("s", "v") == rows
        assert [row.seq for row in rows] == [1, 2, 3]
        assert rows[0].data["list"] == [1, 2]
        salt, payload = await AuditStore(uow).payload("s", 2) or UNREADABLE
    assert len(salt) == 16
    assert json.loads(payload) == {"address": "192.0.2.9", "n": 1, "to": "+33612345678"}
    assert verify(rows).intact
    await chain.engine.dispose()


async def test_one_unit_of_work_goes_on_with_the_chain_of_each_site(database_url: str) -> None:
    chain = await stored(database_url)
    await chain.fill(2)
    async with chain.transactions() as uow:
        for site in ("s", "t", "s", "t"):
            event = stray("login.refused", "user:u")
            await Journal(uow).append(Actor("server", site), event, NOW)
        await uow.commit()
    for site, count in (("s", 4), ("t", 2)):
        verdict, _ = await ChainVerification(chain.transactions).verify(site)
        assert (verdict.count, verdict.intact) == (count, True)
    await chain.engine.dispose()


TAMPERINGS = [
    "UPDATE audit SET actor = 'x' WHERE seq = 3",
    "UPDATE audit SET at = '2020-01-01 00:00:00.000000' WHERE seq = 3",
    "UPDATE audit SET data = '{}' WHERE seq = 3",
    "DELETE FROM audit WHERE seq = 3",
    "UPDATE audit SET seq = 99 WHERE seq = 3",
    "UPDATE audit_payload SET sealed = salt WHERE seq = 3",
    "UPDATE audit_payload SET salt = NULL WHERE seq = 3",
    "UPDATE audit_payload SET sealed = NULL WHERE seq = 3",
    "DELETE FROM audit_payload WHERE seq = 3",
    "UPDATE audit_payload SET sealed = (SELECT sealed FROM audit_payload WHERE seq = 2) WHERE seq = 3",
]


@pytest.mark.parametrize("statement", TAMPERINGS)
async def test_tampering_with_the_database_is_found(database_url: str, statement: str) -> None:
    chain = await stored(database_url)
    await chain.fill(5)
    assert (await ChainVerification(chain.transactions).verify("s"))[0].intact
    await chain.do(statement)
    assert not (await ChainVerification(chain.transactions).verify("s"))[0].intact
    await chain.engine.dispose()


async def test_erasure_in_the_database_breaks_nothing(database_url: str) -> None:
    chain = await stored(database_url)
    await chain.fill(5)
    await chain.do("UPDATE audit_payload SET salt = NULL, sealed = NULL WHERE seq > 2")
    verdict, met = await ChainVerification(chain.transactions).verify("s")
    assert (verdict.count, verdict.broken_at, met) == (5, None, True)
    await chain.engine.dispose()


async def test_a_long_chain_is_read_on_from_where_it_was(database_url: str) -> None:
    chain = await stored(database_url)
    await chain.fill(5)
    glances = ChainVerification(chain.transactions, whole=3)
    assert (await glances.glance("s")).count == 5
    await chain.fill(2)
    assert await glances.glance("s") == (await ChainVerification(chain.transactions).verify("s"))[0]
    await chain.do("UPDATE audit SET actor = 'x' WHERE seq = 7")
    assert (await glances.glance("s")).intact  # already read: only a whole reading finds it
    assert (await glances.verify("s"))[0].broken_at == 7
    await chain.engine.dispose()


async def test_a_long_chain_cut_below_what_was_read_is_found(database_url: str) -> None:
    chain = await stored(database_url)
    await chain.fill(5)
    glances = ChainVerification(chain.transactions, whole=3)
    await glances.glance("s")
    await chain.do("DELETE FROM audit WHERE seq = 5")
    assert (await glances.glance("s")).broken_at == 5
    await chain.engine.dispose()


async def test_rolled_back_rows_leave_no_gap(database_url: str) -> None:
    chain = await stored(database_url)
    await chain.fill(1)
    async with chain.transactions() as uow:
        await Journal(uow).append(Actor("desk", "s"), stray("a.b", "x:1"), NOW)
    await chain.fill(1)
    assert (
        await ChainVerification(chain.transactions).glance("s")
        == (await ChainVerification(chain.transactions).verify("s"))[0]
    )
    assert (await ChainVerification(chain.transactions).glance("s")).count == 2
    await chain.engine.dispose()


async def test_no_personal_value_stands_in_the_chain(
    database_url: str, databases: Databases
) -> None:
    chain = await stored(database_url)
    await chain.fill(2)
    await chain.engine.dispose()
    content = databases.content(database_url)
    assert b"invitation.created" in content
    assert b"612345678" not in content
    assert b"192.0.2.9" not in content
