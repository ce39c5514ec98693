"""A filled database of every earlier release comes up to this one with all it holds, and can be used.

What is read here is read by SQL, by the repositories and by the running program: little else survives a rebuilding.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from server.audit.service.chain import ChainVerification
from server.audit.service.lookup import AuditLookup
from server.audit.store.audit import AuditStore
from server.core.audit_entries import Actor, canonical
from server.core.clock import SystemClock
from server.core.journal.payloads import Address, Nothing
from server.core.journal.verbs import VERBS, facts
from server.core.seal import Seal
from server.core.sites import SiteStore
from server.delivery.store import MessageStore
from server.incidents.store import IncidentStore
from server.invitations.store.invitations import InvitationStore
from server.line15.store.calls import CallStore
from server.observers.store import ObserverStore
from server.recordings.store import RecordingStore
from server.storage import schema
from server.storage.engine import make_engine
from server.storage.transactions import Transactions
from server.video.store.sessions import SessionStore
from server.video.store.snapshots import SnapshotStore
from server.web.json_types import plain
from tests.migrations import kinds
from tests.migrations.hospital import SECRET, Hospital, mobile, running
from tests.migrations.shift import FOUND, REFERENCE
from tests.migrations.test_upgrade import FILLED, RELEASES, load

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

    from tests.databases import Databases

filled = pytest.mark.parametrize("release", FILLED)


@pytest.fixture
def upgraded(databases: Databases, database_url: str, io_loop: Any, release: str) -> str:
    """The URL of a kept database, upgraded."""
    load(databases, database_url, release)
    io_loop.run_sync(lambda: schema.upgrade(database_url))
    return database_url


def opened(url: str) -> tuple[AsyncEngine, Transactions]:
    engine = make_engine(url)
    return engine, Transactions(engine, Seal(SECRET))


def test_every_release_is_kept_filled() -> None:
    assert [f"{release}-filled" for release in RELEASES] == FILLED


@filled
async def test_every_kind_of_row_is_kept(
    databases: Databases, database_url: str, release: str
) -> None:
    """Before any upgrade: a filled database with an empty table, or without one kind of row, proves too little."""
    load(databases, database_url, release)
    assert await kinds.missing(database_url) == []


@filled
async def test_what_is_not_kept_would_be_seen(
    databases: Databases, database_url: str, release: str
) -> None:
    load(databases, database_url, release)
    engine = make_engine(database_url)
    async with engine.begin() as db:
        await db.execute(text("DELETE FROM snapshot"))
        await db.execute(text("UPDATE session SET state = 'ended' WHERE state = 'live'"))
    await engine.dispose()
    assert await kinds.missing(database_url) == [
        "snapshot: no row",
        "session.state: live",
        "snapshot: sealed IS NULL",
        "snapshot: sealed IS NOT NULL",
    ]


@filled
async def test_no_row_is_lost_and_every_chain_is_whole(
    databases: Databases, database_url: str, release: str
) -> None:
    load(databases, database_url, release)
    engine, storage = opened(database_url)
    before = await kinds.counts(engine)
    await schema.upgrade(database_url)
    await schema.check(engine)
    after = await kinds.counts(engine)
    assert {
        table: after.get(table) for table in before if after.get(table, 0) < before[table]
    } == {}
    async with storage(write=False) as uow:
        sites = await SiteStore(uow).all()
    for site in sites:
        verdict, _ = await ChainVerification(storage).verify(site.id)
        assert verdict.intact, (site.key, verdict)
    rows = await kinds.ids(engine, "site, seq", "audit")
    assert len(rows) == before["audit"]
    await engine.dispose()


@filled
async def test_every_row_can_be_read(upgraded: str) -> None:
    engine, storage = opened(upgraded)
    of = dict(await kinds.ids(engine, "id, site", "session"))
    async with storage(write=False) as uow:
        for id_, site, into in await kinds.ids(engine, "id, site, merged_into", "call"):
            record = await CallStore(uow).record(site, id_)
            assert record.call.id != id_ if into else record.call.id == id_
        for id_, site in of.items():
            assert (await SessionStore(uow).get(site, id_)).id == id_
            assert await SessionStore(uow).links(site, id_)
            await SnapshotStore(uow).of_session(site, id_)
        for id_, session in await kinds.ids(engine, "id, session", "invitation"):
            assert (await InvitationStore(uow).get(of[session], id_)).session == session
            known = await InvitationStore(uow).of_session(of[session], session)
            assert id_ in {each.id for each in known}
        for id_, site in await kinds.ids(engine, "id, site", "observer"):
            assert (await ObserverStore(uow).get(site, id_)).session in of
        for id_, site in await kinds.ids(engine, "id, site", "message"):
            assert (await MessageStore(uow).get(site, id_)).id == id_
        for id_, site in await kinds.ids(engine, "id, site", "recording"):
            assert (await RecordingStore(uow).get(site, id_)).id == id_
        for id_, site in await kinds.ids(engine, "id, site", "feedback"):
            incident = await IncidentStore(uow).get(site, id_)
            assert len(await IncidentStore(uow).steps(site, [id_])) == incident.steps
        for site, seq in await kinds.ids(engine, "site, seq", "audit_payload"):
            await AuditStore(uow).payload(site, int(seq))
    await engine.dispose()


@filled
async def test_every_row_of_the_audit_is_of_a_verb_and_read_through_its_type(upgraded: str) -> None:
    """What a release wrote is in the list, and its type gives it back as it stands in the chain."""
    engine, storage = opened(upgraded)
    seen, sealed_halves = set(), set()
    async with storage(write=False) as uow:
        for site in await SiteStore(uow).all():
            async for row, payload in AuditStore(uow).opened_chain(site.id):
                verb = VERBS[row.action]
                kept = verb.payload.read(row.data)
                assert canonical(kept.data()) == canonical(row.data), row.action
                assert canonical(dict(facts(row.action, row.data))) == canonical(row.data)
                if payload is not None:
                    stored = json.loads(payload[1])
                    half = verb.sealed if len(stored) > 1 else Nothing
                    sealed = {**half.read(stored).data(), **Address.read(stored).data()}
                    assert canonical(sealed) == payload[1], row.action
                    sealed_halves.add(half)
                assert row.subject.partition(":")[0] in verb.subjects
                assert verb.of_video or row.session is None
                seen.add(row.action)
    assert Nothing in sealed_halves
    assert len(sealed_halves) > 3
    assert seen == set(kinds.WORDS["audit", "action"].split())
    await engine.dispose()


@filled
async def test_the_record_of_every_call_and_video_is_whole(upgraded: str) -> None:
    """As the audit's page and its export read it: each event with its sentence, each state with its time."""
    engine, storage = opened(upgraded)
    lookup = AuditLookup(storage, SystemClock(), Seal(SECRET), ChainVerification(storage))
    told: set[str] = set()
    phases: set[str] = set()
    for site, id_ in await kinds.ids(engine, "site, id", "call"):
        record = await lookup.record(Actor("desk", site), id_)
        told |= {event.said for event in record.events}
        phases |= {phase.state for video in record.sessions for phase in video.phases}
        assert json.dumps(plain(record))
    for site, id_ in await kinds.ids(engine, "site, id", "session"):
        record = await lookup.record_of_session(Actor("desk", site), id_)
        told |= {event.said for event in record.events}
        phases |= {phase.state for video in record.sessions for phase in video.phases}
        assert record.events
    of_video = {verb.said for verb in VERBS.values() if verb.of_video}
    written = {VERBS[one].said for one in kinds.WORDS["audit", "action"].split()}
    assert of_video & written <= told <= {verb.said for verb in VERBS.values()}
    assert phases == {"invited", "opened", "tapped", "connecting", "live", "interrupted"}
    await engine.dispose()


def day_of(stored: datetime | str) -> str:
    """The site's own day of a time as the database gives it: SQLite's is a text, in UTC."""
    at = stored if isinstance(stored, datetime) else datetime.fromisoformat(stored)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return f"{at.astimezone(ZoneInfo('Europe/Paris')):%Y-%m-%d}"


@filled
async def test_a_server_over_it_shows_everything(upgraded: str, tmp_path: Path) -> None:
    """The auditor finds a call by each of its names, and opens every call and every video of each site."""
    engine, _ = opened(upgraded)
    keys = dict(await kinds.ids(engine, "id, key", "site"))
    pages = [
        (keys[site], f"/audit/{table}s/{id_}")
        for table in ("call", "session")
        for id_, site in await kinds.ids(engine, "id, site", table)
    ]
    started = dict(await kinds.ids(engine, "id, started", "call"))
    await engine.dispose()
    env = {
        "VISIO15_DATA_DIR": str(tmp_path),
        "VISIO15_DATABASE": upgraded,
        "VISIO15_SECRET_KEY": SECRET,
        "VISIO15_LISTEN": "127.0.0.1",
    }
    async with running(tmp_path, env, demo=False) as hospital:
        await hospital.cli("user", "role", "demo45", "auditor")
        auditors = {"samu37": "auditor", "samu45": "demo45"}
        for key, identifier in auditors.items():
            await hospital.sign_in(identifier, f"{identifier}@{key}.example")
        call = await _found(hospital)
        day = day_of(started[call])
        listed = (await hospital.read("auditor", f"/audit?day={day}")).body.decode()
        assert f"/audit/calls/{call}" in listed
        answers = {path: (await hospital.of(auditors[site]).get(path)).code for site, path in pages}
    assert {path: code for path, code in answers.items() if code != 200} == {}


async def _found(hospital: Hospital) -> str:
    """Find the reference call by its names and by its number; return its id."""
    answers = [await hospital.read("auditor", f"/audit?q={quote(name)}") for name in FOUND.values()]
    form = {"number": mobile(REFERENCE)}
    answers.append(await hospital.send("auditor", "/audit", form, 200))
    found: list[set[str]] = [
        set(re.findall(r"/audit/calls/([0-9a-f]{32})", a.body.decode())) for a in answers
    ]
    [call] = found[0].intersection(*found)
    told = await hospital.read("auditor", f"/api/v1/calls?alias={quote(FOUND['call'])}")
    assert json.loads(told.body)["calls"][0]["call"]["id"] == call
    return call
