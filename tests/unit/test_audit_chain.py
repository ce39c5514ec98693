"""The chain shows any change of any row or payload, and survives every erasure (I4)."""

from __future__ import annotations

import json
import os
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.adapters.db.audit import SqlAudit
from server.adapters.db.engine import make_engine
from server.adapters.db.sites import SqlSites
from server.adapters.db.tables import metadata
from server.adapters.db.uow import SqlTransactions
from server.adapters.seal import FernetSeal
from server.domain.audit import (
    GENESIS,
    UNREADABLE,
    AuditEvent,
    AuditRow,
    Verdict,
    Verifier,
    canonical,
    commitment,
    digest,
    verify,
)
from server.ports import Actor, Site
from server.services.chain import Chain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

    Linked = tuple[AuditRow, tuple[bytes, str] | None]

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
DATA = st.dictionaries(st.text(max_size=6), JSON, max_size=4)
CHAINS = st.lists(st.tuples(st.text("abc.", min_size=1, max_size=9), DATA), min_size=1, max_size=8)


def build(events: Sequence[tuple[str, dict[str, Any]]]) -> list[Linked]:
    chain: list[Linked] = []
    prev = GENESIS
    for seq, (action, data) in enumerate(events, 1):
        salt, payload = os.urandom(16), canonical({"address": f"192.0.2.{seq}"})
        row = AuditRow(
            "s",
            seq,
            NOW + timedelta(seconds=seq),
            "desk",
            action,
            "x:1",
            None,
            "c",
            "u",
            json.loads(canonical(data)),
            commitment(salt, payload),
            prev,
            "",
        )
        row = replace(row, hash=digest(row))
        prev = row.hash
        chain.append((row, (salt, payload)))
    return chain


def read(chain: Sequence[Linked]) -> Verdict:
    verifier = Verifier()
    for row, payload in chain:
        verifier.feed(row, payload)
    return verifier.verdict()


@given(CHAINS)
def test_an_honest_chain_is_whole(events: list[tuple[str, dict[str, Any]]]) -> None:
    chain = build(events)
    assert read(chain) == Verdict(len(chain), chain[-1][0].hash, None)
    assert verify(row for row, _ in chain).intact


def changed(row: AuditRow, name: str, data: st.DataObject) -> AuditRow:
    value = getattr(row, name)
    if isinstance(value, int):
        return replace(row, **{name: value + data.draw(st.sampled_from([-1, 1, 100]))})
    if isinstance(value, datetime):
        return replace(row, **{name: value + timedelta(microseconds=data.draw(st.integers(1, 9)))})
    if isinstance(value, dict):
        return replace(
            row, **{name: data.draw(DATA.filter(lambda d: canonical(d) != canonical(value)))}
        )
    return replace(row, **{name: data.draw(st.text(max_size=70).filter(lambda t: t != value))})


@given(CHAINS, st.data())
def test_any_change_of_any_field_is_found(
    events: list[tuple[str, dict[str, Any]]], data: st.DataObject
) -> None:
    chain = build(events)
    at = data.draw(st.integers(0, len(chain) - 1))
    name = data.draw(st.sampled_from([field.name for field in fields(AuditRow)]))
    row, payload = chain[at]
    chain[at] = (changed(row, name, data), payload)
    assert not read(chain).intact


@given(CHAINS, st.data())
def test_a_change_that_is_hashed_again_is_found_unless_it_is_the_last(
    events: list[tuple[str, dict[str, Any]]], data: st.DataObject
) -> None:
    chain = build([*events, ("last", {})])
    at = data.draw(st.integers(0, len(chain) - 2))
    row = replace(chain[at][0], actor="somebody-else")
    chain[at] = (replace(row, hash=digest(row)), chain[at][1])
    assert read(chain).broken_at == at + 2


@given(CHAINS, st.data())
def test_any_change_of_a_payload_is_found(
    events: list[tuple[str, dict[str, Any]]], data: st.DataObject
) -> None:
    chain = build(events)
    at = data.draw(st.integers(0, len(chain) - 1))
    row, (salt, text) = chain[at][0], chain[at][1] or UNREADABLE
    other = data.draw(
        st.sampled_from([(salt, text + " "), (bytes(16), text), UNREADABLE, (salt, "{}")])
    )
    chain[at] = (row, other)
    assert read(chain).broken_at == at + 1


@given(CHAINS, st.data())
def test_erasing_payloads_breaks_nothing(
    events: list[tuple[str, dict[str, Any]]], data: st.DataObject
) -> None:
    chain = build(events)
    erased = data.draw(st.sets(st.integers(0, len(chain) - 1)))
    whole = [(row, None if i in erased else payload) for i, (row, payload) in enumerate(chain)]
    assert read(whole).intact


@given(CHAINS, st.data())
def test_rows_removed_repeated_or_exchanged_are_found(
    events: list[tuple[str, dict[str, Any]]], data: st.DataObject
) -> None:
    chain = build([*events, ("a", {}), ("b", {})])
    at = data.draw(st.integers(0, len(chain) - 2))
    for broken in (
        [*chain[:at], *chain[at + 1 :]],
        [*chain[: at + 1], *chain[at:]],
        [*chain[:at], chain[at + 1], chain[at], *chain[at + 2 :]],
    ):
        assert not read(broken).intact


@given(CHAINS)
def test_a_cut_end_is_found_by_a_head_noted_elsewhere(
    events: list[tuple[str, dict[str, Any]]],
) -> None:
    chain = build([*events, ("last", {})])
    for rows, met in ((chain, True), (chain[:-1], False)):
        verifier = Verifier(chain[-1][0].hash)
        for row, payload in rows:
            verifier.feed(row, payload)
        assert verifier.verdict().intact
        assert verifier.met == met


def test_what_has_no_stable_form_is_our_mistake() -> None:
    for value in (object(), b"x", {1, 2}):
        with pytest.raises(TypeError):
            canonical({"value": value})
    with pytest.raises(ValueError, match="JSON"):
        canonical({"value": float("nan")})


# --- the same in a real database ---------------------------------------------------------------


class Stored:
    """A chain in SQLite."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.seal = FernetSeal("k" * 32)
        self.transactions = SqlTransactions(engine, self.seal)

    async def fill(self, count: int, site: str = "s") -> None:
        async with self.transactions() as uow:
            for n in range(count):
                event = AuditEvent(
                    "invitation.created",
                    f"invitation:{n}",
                    session="v",
                    call="c",
                    data={"n": n, "at": NOW, "list": (1, 2), "é": "ü"},
                    personal={"to": "+33612345678", "n": n},
                )
                await uow.audit.append(Actor("desk", site, "u", "192.0.2.9"), event, NOW)
            await uow.commit()

    async def do(self, statement: str) -> None:
        async with self.engine.begin() as connection:
            await connection.exec_driver_sql(statement)


async def stored(tmp_path: Path) -> Stored:
    engine = make_engine(f"sqlite+aiosqlite:///{tmp_path}/chain.db")
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        for key in ("s", "t"):
            await SqlSites(connection).add(Site(key, key, key, "S", "r@x", {}), NOW)
    return Stored(engine)


async def test_a_stored_chain_reads_back_equal(tmp_path: Path) -> None:
    chain = await stored(tmp_path)
    await chain.fill(3)
    await chain.fill(2, "t")
    async with chain.transactions(write=False) as uow:
        rows = [row async for row in uow.audit.chain("s")]
        assert await uow.audit.of_call("s", "c") == rows
        assert await uow.audit.of_session("s", "v") == rows
        assert [row.seq for row in rows] == [1, 2, 3]
        assert rows[0].data["list"] == [1, 2]
        salt, payload = await uow.audit.payload("s", 2) or UNREADABLE
    assert len(salt) == 16
    assert json.loads(payload) == {"address": "192.0.2.9", "n": 1, "to": "+33612345678"}
    assert verify(rows).intact
    await chain.engine.dispose()


TAMPERINGS = [
    "UPDATE audit SET actor = 'x' WHERE seq = 3",
    "UPDATE audit SET at = '2020-01-01 00:00:00.000000' WHERE seq = 3",
    "UPDATE audit SET data = '{}' WHERE seq = 3",
    "DELETE FROM audit WHERE seq = 3",
    "UPDATE audit SET seq = 99 WHERE seq = 3",
    "UPDATE audit_payload SET sealed = x'00' WHERE seq = 3",
    "UPDATE audit_payload SET salt = NULL WHERE seq = 3",
    "UPDATE audit_payload SET sealed = NULL WHERE seq = 3",
    "DELETE FROM audit_payload WHERE seq = 3",
    "UPDATE audit_payload SET sealed = (SELECT sealed FROM audit_payload WHERE seq = 2) WHERE seq = 3",
]


@pytest.mark.parametrize("statement", TAMPERINGS)
async def test_tampering_with_the_database_is_found(tmp_path: Path, statement: str) -> None:
    chain = await stored(tmp_path)
    await chain.fill(5)
    assert (await Chain(chain.transactions).verify("s"))[0].intact
    await chain.do(statement)
    assert not (await Chain(chain.transactions).verify("s"))[0].intact
    await chain.engine.dispose()


async def test_erasure_in_the_database_breaks_nothing(tmp_path: Path) -> None:
    chain = await stored(tmp_path)
    await chain.fill(5)
    await chain.do("UPDATE audit_payload SET salt = NULL, sealed = NULL WHERE seq > 2")
    verdict, met = await Chain(chain.transactions).verify("s")
    assert (verdict.count, verdict.broken_at, met) == (5, None, True)
    await chain.engine.dispose()


async def test_a_long_chain_is_read_on_from_where_it_was(tmp_path: Path) -> None:
    chain = await stored(tmp_path)
    await chain.fill(5)
    glances = Chain(chain.transactions, whole=3)
    assert (await glances.glance("s")).count == 5
    await chain.fill(2)
    assert await glances.glance("s") == (await Chain(chain.transactions).verify("s"))[0]
    await chain.do("UPDATE audit SET actor = 'x' WHERE seq = 7")
    assert (await glances.glance("s")).intact  # already read: only a whole reading finds it
    assert (await glances.verify("s"))[0].broken_at == 7
    await chain.engine.dispose()


async def test_a_long_chain_cut_below_what_was_read_is_found(tmp_path: Path) -> None:
    chain = await stored(tmp_path)
    await chain.fill(5)
    glances = Chain(chain.transactions, whole=3)
    await glances.glance("s")
    await chain.do("DELETE FROM audit WHERE seq = 5")
    assert (await glances.glance("s")).broken_at == 5
    await chain.engine.dispose()


async def test_rolled_back_rows_leave_no_gap(tmp_path: Path) -> None:
    chain = await stored(tmp_path)
    await chain.fill(1)
    async with chain.transactions() as uow:
        await uow.audit.append(Actor("desk", "s"), AuditEvent("a.b", "x:1"), NOW)
    await chain.fill(1)
    assert (
        await Chain(chain.transactions).glance("s")
        == (await Chain(chain.transactions).verify("s"))[0]
    )
    assert (await Chain(chain.transactions).glance("s")).count == 2
    await chain.engine.dispose()


async def test_no_personal_value_stands_in_the_chain(tmp_path: Path) -> None:
    chain = await stored(tmp_path)
    await chain.fill(2)
    await chain.engine.dispose()
    for file in tmp_path.iterdir():
        content = file.read_bytes()
        assert b"612345678" not in content
        assert b"192.0.2.9" not in content


def test_the_adapter_is_the_port() -> None:
    assert {"append", "of_session", "of_call", "chain", "opened_chain", "payload"} <= set(
        dir(SqlAudit)
    )
