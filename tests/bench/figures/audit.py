"""Audit by a call's name in a database of years, against the bare SQL that finds the same rows.

The product's side is what an auditor waits for: the page over HTTP, signed in, the look-up itself written down.
"""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import asyncpg
from sqlalchemy.engine import make_url
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from tests.bench.fill import dsn, fill, id_of, name_of, names
from tests.bench.house import house
from tests.bench.results import Figures, Result, short
from tests.lab.postgres import postgres
from tests.lab.process import own_folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from tests.bench.house import House
    from tests.bench.results import Sizes

    Ask = Callable[[str], Coroutine[None, None, str]]

AIM = 100.0
WARM = 5
STATEMENTS = (
    (
        "SELECT c.*, p.sealed FROM call_alias a JOIN call c ON c.id = a.call AND c.site = a.site"
        " LEFT JOIN personal p ON p.id = c.caller WHERE a.site = {0} AND a.value = {1}"
    ),
    "SELECT * FROM call_alias WHERE call = {0} ORDER BY id",
    "SELECT * FROM call_span WHERE call = {0} ORDER BY id",
    "SELECT count(*) FROM session_link WHERE call = {0}",
)


@dataclass
class Taken:
    """What one database showed."""

    page: list[float] = field(default_factory=list)
    record: list[float] = field(default_factory=list)
    first: float = 0.0  # milliseconds of the first record, which reads the whole chain
    ready: float = 0.0
    bare: list[float] = field(default_factory=list)


async def _timed(ask: Ask, calls: int, many: int) -> list[float]:
    took = []
    for number in names(calls, many + WARM):
        begun = time.monotonic()
        found = await ask(name_of(number, "b"))
        took.append(round((time.monotonic() - begun) * 1000, 3))
        assert id_of(number) in found, "the call of this name is found"
    return took[WARM:]


@asynccontextmanager
async def _bare(url: str) -> AsyncIterator[Ask]:
    """Ask the database itself."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(make_url(url).database or "")) as database:
            [site] = database.execute("SELECT id FROM site").fetchone()

            async def ask(name: str) -> str:
                found = database.execute(STATEMENTS[0].format("?", "?"), (site, name)).fetchall()
                for statement in STATEMENTS[1:]:
                    database.execute(statement.format("?"), (found[0][0],)).fetchall()
                return str(found[0][0])

            yield ask
        return
    connection = await asyncpg.connect(dsn(url))
    try:
        site = await connection.fetchval("SELECT id FROM site")
        made = [await connection.prepare(each.format("$1", "$2")) for each in STATEMENTS]

        async def ask_postgres(name: str) -> str:
            found = await made[0].fetch(site, name)
            for statement in made[1:]:
                await statement.fetch(found[0]["id"])
            return str(found[0]["id"])

        yield ask_postgres
    finally:
        await connection.close()


@asynccontextmanager
async def _pages(home: House) -> AsyncIterator[Callable[[str], Ask]]:
    """Ask the server as an auditor's browser does."""
    client = SimpleAsyncHTTPClient(force_instance=True)
    headers = {"Cookie": home.signed_in("auditeur")}

    def at(path: str) -> Ask:
        async def ask(name: str) -> str:
            answer = await client.fetch(
                home.url + path + name, headers=headers, request_timeout=600
            )
            return answer.body.decode()

        return ask

    try:
        yield at
    finally:
        client.close()


async def _measure(url: str, sizes: Sizes) -> Taken:
    taken = Taken()

    async def filled(database: str) -> None:
        await fill(database, sizes.calls)
        taken.ready = time.monotonic()

    async with house(database=url, fill=filled) as home:
        taken.ready = round((time.monotonic() - taken.ready) * 1000)
        async with _bare(url) as ask, _pages(home) as at:
            taken.page = await _timed(at("/audit?q="), sizes.calls, sizes.lookups)
            taken.bare = await _timed(ask, sizes.calls, sizes.lookups)
            begun = time.monotonic()
            whole = json.loads(await at("/api/v1/calls?alias=")(name_of(0)))
            taken.first = round((time.monotonic() - begun) * 1000)
            assert whole["calls"][0]["chain"]["verified"], "the chain is whole"
            taken.record = await _timed(at("/api/v1/calls?alias="), sizes.calls, sizes.lookups // 3)
    return taken


def _result(kind: str, sizes: Sizes, taken: Taken) -> Result:
    page, bare, record = (Figures.of(each) for each in (taken.page, taken.bare, taken.record))
    return Result(
        f"audit_{kind}",
        f"page of an audit by a call's name, {sizes.calls} calls in {kind}",
        "ms",
        page,
        bare,
        short(page.p50 / max(bare.p50, 0.001)),
        f"p95 in ms, aim ≤ {AIM:g}",
        page.p95,
        page.p95 <= AIM,
        note=f"the whole record with its chain: p50 {record.p50:g} ms, p95 {record.p95:g} ms; the first one, which "
        f"reads the chain from its beginning, {taken.first / 1000:.1f} s; this server was ready in "
        f"{taken.ready / 1000:.1f} s",
        beside="bare SQL",
        samples=tuple(taken.page),
        floor_samples=tuple(taken.bare),
    )


async def run(sizes: Sizes) -> list[Result]:
    """Measure SQLite, then PostgreSQL."""
    results = []
    if "sqlite" in sizes.databases:
        async with own_folder("audit") as folder:
            taken = await _measure(f"sqlite+aiosqlite:///{folder}/visio15.db", sizes)
        results.append(_result("sqlite", sizes, taken))
    if "postgresql" in sizes.databases:
        async with postgres() as cluster:
            taken = await _measure(cluster.create("bench"), sizes)
        results.append(_result("postgresql", sizes, taken))
    return results
