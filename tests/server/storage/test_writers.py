"""Many writers at once: one at a time, none lost, and a wait that is too long is told (I3, I4)."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, text

from server.audit.service.chain import ChainVerification
from server.audit.store.audit import AuditStore
from server.core.audit_entries import Actor
from server.core.errors import Invalid, StorageUnavailable
from server.core.journal.append import Journal
from server.core.seal import Seal
from server.core.site_policy import SitePolicy
from server.core.sites import Site, SiteStore
from server.core.tasks import create_task
from server.identity.store.users import UserStore
from server.storage import engine, schema
from server.storage import transactions as uow
from server.storage.engine import make_engine
from server.storage.transactions import Transactions
from tests.server.stray import stray

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
WRITERS = 20
EACH = 5


async def processes(url: str, count: int) -> list[Transactions]:
    """Storage as several processes have it: an engine and a queue of their own."""
    await schema.upgrade(url)
    made = [Transactions(make_engine(url), Seal("k" * 32)) for _ in range(count)]
    async with made[0]() as work:
        await SiteStore(work).add(Site("s", "s", "0", "S", "r@x", SitePolicy()), NOW)
        await work.commit()
    return made


async def close(several: list[Transactions]) -> None:
    for one in several:
        await one._engine.dispose()


async def test_twenty_writers_of_two_processes_make_one_chain(database_url: str) -> None:
    several = await processes(database_url, 2)

    async def write(name: int) -> None:
        for n in range(EACH):
            async with several[name % 2]() as work:
                event = stray("a.b", f"writer:{name}", data={"n": n})
                await Journal(work).append(Actor("desk", "s", None, "192.0.2.9"), event, NOW)
                await work.commit()

    await asyncio.gather(*(write(name) for name in range(WRITERS)))
    verdict, _ = await ChainVerification(several[0]).verify("s")
    assert (verdict.count, verdict.broken_at) == (WRITERS * EACH, None)
    async with several[0](write=False) as work:
        rows = [row async for row in AuditStore(work).chain("s")]
    for name in range(WRITERS):
        mine = [row.data["n"] for row in rows if row.subject == f"writer:{name}"]
        assert mine == list(range(EACH))
    await close(several)


async def test_a_command_that_was_durable_is_proof_and_nothing_is_tried(database_url: str) -> None:
    [transactions] = await processes(database_url, 1)  # and one commit
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(transactions._engine.sync_engine, "before_cursor_execute", note)
    assert await transactions.writable()
    assert asked == []
    await close([transactions])


async def test_load_decide_save_is_one_step(database_url: str) -> None:
    """Forty read-modify-writes without a version: none is overwritten."""
    several = await processes(database_url, 2)

    async def add_one(name: int) -> None:
        async with several[name % 2]() as work:
            before = int((await SiteStore(work).get("s")).name)
            await asyncio.sleep(0)
            await work.connection.execute(
                text("UPDATE site SET name = :name"),
                {"name": str(before + 1)},
            )
            await work.commit()

    await asyncio.gather(*(add_one(name) for name in range(40)))
    async with several[0](write=False) as work:
        assert (await SiteStore(work).get("s")).name == "40"
    await close(several)


async def test_readers_go_on_while_somebody_writes_and_see_one_moment(database_url: str) -> None:
    (one, other) = several = await processes(database_url, 2)
    async with other(write=False) as reader, one() as writer:
        assert len(await SiteStore(reader).all()) == 1
        await SiteStore(writer).add(Site("t", "t", "t", "S", "r@x", SitePolicy()), NOW)
        await writer.commit()
        assert len(await SiteStore(reader).all()) == 1
    async with other(write=False) as reader:
        assert len(await SiteStore(reader).all()) == 2
    await close(several)


async def test_who_waits_too_long_for_the_turn_is_told(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uow, "TURN_SECONDS", 0.1)
    (one,) = several = await processes(database_url, 1)
    async with one():
        with pytest.raises(StorageUnavailable, match="writers_queue"):
            async with one():
                pass
    async with one() as work:  # the turn is free again
        await SiteStore(work).all()
    await close(several)


async def test_who_waits_too_long_for_another_process_is_told(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_MS", 100)
    monkeypatch.setitem(engine.LIMITS, "lock_timeout", "100")
    (one, other) = several = await processes(database_url, 2)
    async with one():
        with pytest.raises(StorageUnavailable):
            async with other():
                pass
    async with other() as work:
        await SiteStore(work).all()
    await close(several)


async def test_a_value_no_database_holds_is_the_asker_s_mistake(database_url: str) -> None:
    (one,) = several = await processes(database_url, 1)
    postgres = one._engine.dialect.name == "postgresql"  # has no NUL
    with pytest.raises(Invalid, match="value") if postgres else nullcontext():
        async with one(write=False) as work:
            assert await UserStore(work).by_identifier("a\x00b") is None
    await close(several)


async def test_a_desk_waits_for_one_stranger_at_most(database_url: str) -> None:
    """However many who have not signed in came before it."""
    (one,) = several = await processes(database_url, 1)
    order: list[str] = []

    async def write(who: str) -> None:
        async with one(stranger=who == "stranger"):
            order.append(who)

    async with one():
        strangers = [create_task(write("stranger"), "stranger") for _ in range(20)]
        await asyncio.sleep(0)
        desks = [create_task(write("desk"), "desk") for _ in range(5)]
        await asyncio.sleep(0)
    await asyncio.gather(*strangers, *desks)
    assert order[:6].count("desk") == 5
    assert order.count("stranger") == 20
    await close(several)


async def test_many_who_ask_whether_one_can_write_try_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readiness is asked by anybody: while it fails, it is tried once a second."""
    tried = []

    async def failing(_: object) -> None:
        tried.append(1)
        raise OSError

    (one,) = several = await processes(database_url, 1)
    one._guard.failed()
    monkeypatch.setattr(uow, "write_and_take_back", failing)
    assert not any(await asyncio.gather(*(one.writable() for _ in range(50))))
    assert len(tried) == 1
    monkeypatch.undo()
    monkeypatch.setattr(uow, "PROBE_EVERY", 0.0)
    assert await one.writable()
    await close(several)
