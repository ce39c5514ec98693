"""After years a look-up reads what it shows, not everything of the site: the plans of the queries people wait for."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from server.audit.service.chain import ChainVerification
from server.audit.service.lookup import AuditLookup
from server.audit.store.audit import AuditStore
from server.core.audit_entries import Actor
from server.core.clock import SystemClock
from server.core.seal import Seal
from server.core.site_policy import SitePolicy
from server.core.sites import Site, SiteStore
from server.delivery.store import MessageStore
from server.invitations.store.invitations import InvitationStore
from server.line15.store.calls import CallStore
from server.line15.store.facts import FactStore
from server.storage import schema
from server.storage.engine import make_engine
from server.storage.transactions import Transactions
from server.video.store.sessions import SessionStore
from tests.databases import SqliteDatabases

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
SITE = Site("s", "rivage", "SAMU", "SAMU15", "r@rivage.example", SitePolicy())
GROWING = (
    "call|call_alias|call_span|call_fact|session|session_link|invitation|message|audit|personal"
)
# Reading a table whole, or all that one site ever had.
WHOLE = re.compile(rf"SCAN ({GROWING})\b|SEARCH ({GROWING}) .*\(site=\?\)")
END_OF_CHAIN = "audit.seq DESC"  # walks backwards, and stops at the first row


async def _ask(transactions: Transactions) -> None:
    """Ask what a desk's view, an auditor, the delivery, the housekeeping and a start ask."""
    lookup = AuditLookup(
        transactions, SystemClock(), Seal("k" * 32), ChainVerification(transactions)
    )
    actor, since = Actor("desk", SITE.id), NOW - timedelta(hours=12)
    await lookup.by_alias(actor, "a84b4c76e66710@pbx.example")
    await lookup.by_number(actor, "+33612345678")
    async with transactions(write=False) as uow:
        await CallStore(uow).at_station(SITE.id, "1501", since)
        await CallStore(uow).get_all(SITE.id, ["c"])
        await CallStore(uow).by_day(SITE.id, since, NOW)
        await FactStore(uow).of_live(SITE.id, since)
        await CallStore(uow).around(SITE.id, "1501", ["l"], since, NOW, 100)
        await CallStore(uow).around(SITE.id, None, [], since, NOW, 100)
        await SessionStore(uow).unlinked(SITE.id, since, NOW)
        await SessionStore(uow).reviewed(SITE.id, since, NOW)
        await InvitationStore(uow).sessions(SITE.id, ["l"])
        await SessionStore(uow).of_call(SITE.id, "c")
        await SessionStore(uow).of_calls(SITE.id, ["c"])
        await SessionStore(uow).at_station(SITE.id, "1501", 10)
        await SessionStore(uow).recent(SITE.id, "1501", "u", since, 100)
        await SessionStore(uow).newest_links(SITE.id, ["v"])
        await SessionStore(uow).links(SITE.id, "v")
        await SessionStore(uow).running(SITE.id)
        await InvitationStore(uow).of_sessions(SITE.id, ["v"])
        await MessageStore(uow).of_invitations(SITE.id, ["i"])
        await MessageStore(uow).due_everywhere(NOW, 16, "sms", ("m",))
        await MessageStore(uow).next_due_everywhere("sms", ("m",))
        await AuditStore(uow).of_call(SITE.id, "c")
        await AuditStore(uow).of_session(SITE.id, "v")


async def test_no_query_that_somebody_waits_for_reads_a_whole_table(tmp_path: Path) -> None:
    """On SQLite, whose planner has no statistics and so decides the same with ten rows as with ten million."""
    url = SqliteDatabases(tmp_path).empty()
    await schema.upgrade(url)
    engine = make_engine(url)
    asked: dict[str, object] = {}

    def note(_c: object, _cursor: object, statement: str, values: object, *_rest: object) -> None:
        asked.setdefault(statement, values)

    try:
        transactions = Transactions(engine, Seal("k" * 32))
        async with transactions() as uow:
            await SiteStore(uow).add(SITE, NOW)
            await uow.commit()
        event.listen(engine.sync_engine, "before_cursor_execute", note)
        await _ask(transactions)
        event.remove(engine.sync_engine, "before_cursor_execute", note)
        selects = {
            s: v for s, v in asked.items() if s.startswith("SELECT") and END_OF_CHAIN not in s
        }
        assert len(selects) > 15
        async with engine.connect() as connection:
            for statement, values in selects.items():
                plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)  # type: ignore[arg-type]
                steps = [row[3] for row in plan]
                assert not [step for step in steps if WHOLE.search(step)], (statement, steps)
    finally:
        await engine.dispose()


@pytest.mark.parametrize("step", ["SCAN call", "SEARCH call USING INDEX ix_call_day (site=?)"])
def test_a_plan_that_reads_everything_is_known(step: str) -> None:
    assert WHOLE.search(step)
    assert not WHOLE.search("SEARCH call USING INDEX ix_call_day (site=? AND started>?)")
