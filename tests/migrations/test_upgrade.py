"""The database of every earlier release comes up to this one, whole: releases/ keeps one of each."""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from server import __version__
from server.app.all_tables import metadata
from server.audit.service.chain import ChainVerification
from server.core.seal import Seal
from server.core.sites import SiteStore
from server.line15.store.calls import CallStore
from server.storage import schema
from server.storage.engine import make_engine
from server.storage.transactions import Transactions
from server.video.store.sessions import SessionStore
from tests.databases import PostgresDatabases
from tests.server.house import CALL_ID, NUMBER, SECRET

if TYPE_CHECKING:
    from tests.databases import Databases

FOLDER = Path(__file__).with_name("releases")
POSTGRES = ".postgres.sql.gz"
KEPT = {file.name.removesuffix(POSTGRES).removesuffix(".sql.gz") for file in FOLDER.iterdir()}
FILLED = sorted(name for name in KEPT if name.endswith("-filled"))  # test_filled_release.py
RELEASES = sorted(KEPT - set(FILLED))
HOLDS = {"site": 2, "user": 6, "call": 2, "session": 3, "session_link": 3, "invitation": 3}


def load(databases: Databases, url: str, release: str) -> None:
    """Put a kept release into an empty database."""
    if isinstance(databases, PostgresDatabases):
        sql = gzip.decompress((FOLDER / f"{release}{POSTGRES}").read_bytes()).decode()
        databases.cluster.load(make_url(url).database or "", sql)
        return
    file = Path(make_url(url).database or "")
    file.parent.mkdir()
    sql = gzip.decompress((FOLDER / f"{release}.sql.gz").read_bytes()).decode()
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(sql)


def test_this_release_s_first_database_is_kept() -> None:
    assert RELEASES[0] == "0.1.0"
    assert __version__ >= RELEASES[-1]


@pytest.mark.parametrize("release", RELEASES)
async def test_it_comes_up_whole(databases: Databases, database_url: str, release: str) -> None:
    load(databases, database_url, release)
    await schema.upgrade(database_url)
    engine = make_engine(database_url)
    await schema.check(engine)
    seal = Seal(SECRET)
    storage = Transactions(engine, seal)
    async with storage(write=False) as uow:
        sites = {site.key: site.id for site in await SiteStore(uow).all()}
        assert {call.id for call in await CallStore(uow).find(sites["rivage"], CALL_ID)} == {
            "call1"
        }
        found = await CallStore(uow).by_number(sites["rivage"], seal.lookup("number", NUMBER))
        assert [call.number for call in found] == [NUMBER]
        assert (await SessionStore(uow).newest_links(sites["rivage"], ["video1"]))[
            "video1"
        ].call == "call1"
    for site in sites.values():
        verdict, _ = await ChainVerification(storage).verify(site)
        assert verdict.intact
        assert verdict.count > 1
    async with engine.connect() as connection:
        for table, count in HOLDS.items():
            query = select(func.count()).select_from(metadata.tables[table])
            assert (await connection.execute(query)).scalar_one() == count, table
    await engine.dispose()
