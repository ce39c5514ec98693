"""Fills a furnished database with calls as years would, in bulk: the product's tables, its seal, its audit chain.

Each call has three names, two rows of a station, two facts and three links of the chain with payloads; one in ten has a
video with its link, its invitation and its message. What is sealed is sealed once and repeated.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
from sqlalchemy.engine import make_url

from server.app.all_tables import metadata
from server.core.audit_entries import AuditRow, canonical, commitment, digest
from server.core.seal import Seal
from tests.bench.house import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHUNK = 5_000  # calls written together
SPAN = timedelta(days=365)
VIDEO_EVERY = 10
STATIONS = ("1601", "1602", "1603", "1604")
Rows = dict[str, list[tuple[Any, ...]]]


def name_of(number: int, kind: str = "a") -> str:
    """Return one of the Call-IDs of a call."""
    return (
        f"{hashlib.md5(f'{kind}{number}'.encode(), usedforsecurity=False).hexdigest()}@pbx.example"
    )


def id_of(number: int) -> str:
    """Return a call's id."""
    return hashlib.md5(f"call{number}".encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Place:
    """Where the rows belong: whose, and after which link of the chain."""

    site: str
    user: str
    seq: int
    head: str


@dataclass
class Writer:
    """Makes the rows of call after call."""

    place: Place
    total: int
    now: datetime
    rows: Rows = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        """Seal once what is repeated."""
        self.seal = Seal(SECRET)
        self.number = self.seal.close("+33612345678")
        self.body = self.seal.close(json.dumps({"to": "+33612345678", "text": "x" * 150}))
        self.fact = self.seal.close(
            json.dumps({"leg": "sip:a", "source": "hep", "note": "x" * 120})
        )
        payload = canonical({"address": "192.0.2.77"})
        self.salt = os.urandom(16)
        self.payload = self.seal.close(payload)
        self.commitment = commitment(self.salt, payload)
        self.seq, self.head = self.place.seq, self.place.head

    def call(self, number: int) -> None:
        """Make everything about one call."""
        start = self.now - SPAN * ((self.total - number) / self.total)
        answered, ended = start + timedelta(seconds=8), start + timedelta(minutes=6)
        id_, site, station = id_of(number), self.place.site, STATIONS[number % len(STATIONS)]
        person = f"p{id_[1:]}"
        found = self.seal.lookup("number", f"+336{number:08d}")
        add = self.rows
        add["personal"].append((person, site, "number", self.number, found, start, None))
        add["call"].append(
            (
                id_,
                site,
                person,
                "ended",
                start,
                answered,
                ended,
                True,
                True,
                True,
                '["same X-Call"]',
                None,
                5,
            )
        )
        for kind, which in (("sip_call_id", "a"), ("sip_call_id", "b"), ("private_header", "c")):
            value = name_of(number, which)
            add["call_alias"].append((site, id_, kind, value, "hep", "Call-ID", start, None))
        for end in (None, ended):
            add["call_span"].append((id_, "station", station, start, end, "talking"))
        add["call_fact"] += [(site, id_, self.fact, start)] * 2
        for action, at in (("ringing", start), ("talking", answered), ("ended", ended)):
            data = {"certain": True, "started": start.isoformat()}
            self._link("feed", f"call.{action}", f"call:{id_}", None, id_, None, at, data)
        if number % VIDEO_EVERY == 0:
            self._video(number, id_, person, station, answered)

    def _video(self, number: int, call: str, person: str, station: str, at: datetime) -> None:
        id_, site, user = f"s{call[1:]}", self.place.site, self.place.user
        over, add = at + timedelta(minutes=4), self.rows
        add["session"].append(
            (
                *(id_, site, station, user, f"command-{number}", "ended", "{}", "back", "fr"),
                *(at, over, over, "desk", "quit", None, None, None, 6),
            )
        )
        add["session_link"].append((id_, call, "certain", "chosen", user, at))
        add["invitation"].append(
            (
                f"i{call[1:]}",
                id_,
                "sms",
                person,
                name_of(number, "token")[:64],
                at,
                over,
                at,
                at,
                name_of(number, "browser")[:64],
                True,
                None,
                4,
            )
        )
        add["message"].append(
            (
                f"m{call[1:]}",
                site,
                "invitation",
                "sms",
                f"i{call[1:]}",
                None,
                "delivered",
                1,
                None,
                name_of(number, "ref")[:64],
                None,
                None,
                at,
                at,
                at,
                over,
                4,
                "sms",
                "[]",
                None,
                None,
            )
        )
        for action in ("session.created", "session.linked", "invitation.created", "session.ended"):
            self._link("desk", action, f"session:{id_}", id_, call, user, at, {"station": station})

    def _link(
        self,
        source: str,
        action: str,
        subject: str,
        session: str | None,
        call: str | None,
        actor: str | None,
        at: datetime,
        data: dict[str, object],
    ) -> None:
        self.seq += 1
        site = self.place.site
        row = AuditRow(
            *(site, self.seq, at, source, action, subject, session, call, actor),
            *(data, self.commitment, self.head, ""),
        )
        self.head = digest(row)
        whole = replace(row, hash=self.head)
        values = tuple(getattr(whole, column.name) for column in metadata.tables["audit"].columns)
        self.rows["audit"].append(
            tuple(json.dumps(value) if isinstance(value, dict) else value for value in values)
        )
        self.rows["audit_payload"].append((site, self.seq, self.salt, self.payload))

    def chunks(self) -> Iterator[Rows]:
        """Give the rows of a few thousand calls at a time."""
        for first in range(0, self.total, CHUNK):
            for number in range(first, min(first + CHUNK, self.total)):
                self.call(number)
            yield self.rows
            self.rows = defaultdict(list)


def columns(table: str) -> list[str]:
    """Name the columns of a table in the order of the rows; the database numbers what it numbers itself."""
    own = {"call_alias", "call_span", "call_fact", "session_link"}
    names = [column.name for column in metadata.tables[table].columns]
    return [name for name in names if not (name == "id" and table in own)]


ORDER = tuple(table.name for table in metadata.sorted_tables)


async def fill(url: str, calls: int) -> None:
    """Write so many calls into the furnished database."""
    if url.startswith("sqlite"):
        _fill_sqlite(make_url(url).database or "", calls)
    else:
        await _fill_postgres(dsn(url), calls)


def dsn(url: str) -> str:
    """Return asyncpg's name of a database."""
    return url.replace("+asyncpg", "")


PLACE = (
    "SELECT s.id, (SELECT id FROM \"user\" WHERE identifier = 'regulateur'), a.seq, a.hash"
    " FROM site s JOIN audit a ON a.site = s.id ORDER BY a.seq DESC LIMIT 1"
)


def _fill_sqlite(file: str, calls: int) -> None:
    sqlite3.register_adapter(
        datetime, lambda at: at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    )
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA synchronous=OFF")
        database.execute("PRAGMA foreign_keys=OFF")
        writer = Writer(Place(*database.execute(PLACE).fetchone()), calls, datetime.now(UTC))
        for rows in writer.chunks():
            for table in (name for name in ORDER if name in rows):
                names = columns(table)
                quoted, marks = ", ".join(f'"{n}"' for n in names), ", ".join("?" * len(names))
                database.executemany(
                    f'INSERT INTO "{table}" ({quoted}) VALUES ({marks})',  # noqa: S608 - our own names
                    rows[table],
                )
            database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


async def _fill_postgres(name: str, calls: int) -> None:
    database = await asyncpg.connect(name)
    try:
        place = Place(*await database.fetchrow(PLACE))
        for rows in Writer(place, calls, datetime.now(UTC)).chunks():
            for table in (each for each in ORDER if each in rows):
                await database.copy_records_to_table(
                    table, records=rows[table], columns=columns(table)
                )
        await database.execute("ANALYZE")  # as the server's own autovacuum does
    finally:
        await database.close()


def names(calls: int, many: int) -> Sequence[int]:
    """Choose calls spread over the whole time."""
    return [(index * 7919) % calls for index in range(many)]
