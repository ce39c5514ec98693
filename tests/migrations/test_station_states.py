"""Stretches of stations stored by 0.1 do not say whether they rang: they read as "had the call"."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cryptography.fernet import Fernet
from sqlalchemy import insert

from server.app.all_tables import metadata
from server.core.seal import Seal
from server.line15.store.calls import CallStore
from server.storage import schema
from server.storage.engine import make_engine
from server.storage.transactions import Transactions
from telephony import Call, CallState, StationSpan, StationState

START = datetime(2026, 1, 1, 8, 0, tzinfo=UTC)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


async def test_what_was_stored_without_a_state_reads_as_before(database_url: str) -> None:
    await schema.upgrade(database_url, "0008")
    engine = make_engine(database_url)
    site, call, span = (metadata.tables[name] for name in ("site", "call", "call_span"))
    place = {"key": "s", "name": "x", "sms_sender": "x", "referent_email": "x", "policy": {}}
    told = {"end_certain": True, "certain": True, "evidence": [], "version": 1}
    async with engine.begin() as db:
        await db.execute(insert(site).values(id="s", created=START, **place))
        for id_, ended in (("old", at(60)), ("live", None)):
            row = {"state": "ended" if ended else "talking", "started": START, "answered": at(5)}
            made = insert(call).values(id=id_, site="s", ended=ended, **row, **told)
            await db.execute(made)
            stay = {"call": id_, "kind": "station", "value": "1501", "start": START}
            for end in (None, ended) if ended else (None,):
                await db.execute(insert(span).values(**stay, end=end))
    await engine.dispose()
    await schema.upgrade(database_url)
    engine = make_engine(database_url)
    transactions = Transactions(engine, Seal(Fernet.generate_key().decode()))
    async with transactions() as uow:
        record = await CallStore(uow).record("s", "old")
        assert [(s.value, s.state, s.start, s.end) for s in record.spans] == [
            ("1501", None, START, at(60))
        ]
        assert (record.call.stations, record.call.confirmed) == (("1501",), True)
        assert (await CallStore(uow).get("s", "live")).talks_at("1501")
        # What a feed tells of the call that goes on takes the place of the row without a state.
        ring = StationSpan("1501", START, at(5), StationState.RINGING)
        now = Call("live", None, CallState.TALKING, START, at(5), confirmed=False)
        for end in (None, at(90)):
            told_now = replace(now, stations=(ring, StationSpan("1501", at(5), end)))
            await CallStore(uow).save("s", told_now, at(90))
        record = await CallStore(uow).record("s", "live")
        assert [(s.state, s.start, s.end) for s in record.spans] == [
            ("ringing", START, at(5)),
            ("talking", at(5), at(90)),
        ]
        assert record.call.confirmed is False
    await engine.dispose()
