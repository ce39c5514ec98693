"""Incidents that were sent before they had numbers get them in their order, a row of numbers a site and year."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import insert, text

from server.app.all_tables import metadata
from server.storage import schema
from server.storage.engine import make_engine

SENT = [("b", "s1", 2026, 2), ("a", "s1", 2026, 1), ("c", "s1", 2025, 1), ("d", "s2", 2026, 1)]


async def test_those_there_are_numbered(database_url: str) -> None:
    await schema.upgrade(database_url, "0005")
    engine = make_engine(database_url)
    site, user, personal, feedback = (
        metadata.tables[name] for name in ("site", "user", "personal", "feedback")
    )
    async with engine.begin() as db:
        for id_ in ("s1", "s2"):
            named = {"id": id_, "name": "x", "created": datetime(2025, 1, 1, tzinfo=UTC)}
            place = {"key": id_, "sms_sender": "x", "referent_email": "x", "policy": {}}
            await db.execute(insert(site).values(**named, **place))
            who = {"site": id_, "identifier": id_, "role": "arm", "password_hash": "x"}
            await db.execute(insert(user).values(**named, **who, version=1))
        for id_, where, year, month in SENT:
            row = {"id": id_, "site": where, "created": datetime(year, month, 1, tzinfo=UTC)}
            await db.execute(insert(personal).values(**row, kind="remark"))
            said = {"user": where, "kind": "incident", "remark": id_, "context": {}}
            await db.execute(insert(feedback).values(**row, **said))
    await engine.dispose()
    await schema.upgrade(database_url)
    engine = make_engine(database_url)
    async with engine.connect() as db:
        rows = await db.execute(text("SELECT id, number, state, steps FROM feedback ORDER BY id"))
        assert [tuple(row) for row in rows] == [
            ("a", 2026_000001, "new", 0),
            ("b", 2026_000002, "new", 0),
            ("c", 2025_000001, "new", 0),
            ("d", 2026_000001, "new", 0),
        ]
    await engine.dispose()
