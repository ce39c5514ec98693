"""What still lives is never cut off by what is over: every list that is bounded, on both databases."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from server.core.seal import Seal
from server.core.site_policy import SitePolicy
from server.core.sites import Site, SiteStore
from server.identity.domain.access import Role
from server.identity.domain.users import User
from server.identity.store.users import UserStore
from server.line15.domain.call_links import CallLink, Certainty, Evidence
from server.line15.store.calls import CallStore
from server.storage import schema
from server.storage.engine import make_engine
from server.storage.transactions import Transactions
from server.video.domain.session import Session, SessionState
from server.video.store.sessions import SessionStore
from telephony import Alias, AliasType, Call, CallState, DatedAlias, Number, StationSpan

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from server.core.db.unit_of_work import UnitOfWork

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=2)
SITE = "s"
STATION = "1601"
NUMBER = "+33612345678"
LIVE = (CallState.TALKING, CallState.HELD, CallState.RINGING)


@asynccontextmanager
async def storage(url: str) -> AsyncIterator[Transactions]:
    """An empty database with one site and one regulator."""
    await schema.upgrade(url)
    engine = make_engine(url)
    transactions = Transactions(engine, Seal("k" * 32))
    try:
        async with transactions() as uow:
            await SiteStore(uow).add(
                Site(SITE, "rivage", "SAMU", "SAMU15", "r@x.example", SitePolicy()), NOW
            )
            await UserStore(uow).add(
                User("u", SITE, "u", "U", Role.REGULATOR, "-", None, None, None, 1), NOW
            )
            await uow.commit()
        yield transactions
    finally:
        await engine.dispose()


def a_call(id_: str, state: CallState, started: datetime, ended: datetime | None = None) -> Call:
    """One call of one caller at the station, named as the switchboard names every call."""
    return Call(
        id=id_,
        caller=Number(NUMBER),
        state=state,
        started=started,
        answered=started,
        ended=ended,
        aliases=(DatedAlias(Alias(AliasType.DIALOG_ID, "the-switchboard"), "hep", started),),
        stations=(StationSpan(STATION, started, ended),),
    )


def a_session(
    id_: str, created: datetime, state: SessionState = SessionState.ENDED, **more: str
) -> Session:
    ended = created if state is SessionState.ENDED else None
    return Session(id_, SITE, STATION, "u", id_, created, created, state, ended=ended, **more)


async def a_night_of_calls(uow: UnitOfWork) -> None:
    """Three calls that live on, and sixty younger ones that are over."""
    for number, state in enumerate(LIVE):
        started = EARLIER + timedelta(seconds=number)
        await CallStore(uow).save(SITE, a_call(f"live-{state.value}", state, started), NOW)
    for number in range(60):
        started = EARLIER + timedelta(minutes=number + 1)
        over = a_call(f"over-{number:02}", CallState.ENDED, started, started)
        await CallStore(uow).save(SITE, over, NOW)
    # Begun before them all, and the last that ended.
    await CallStore(uow).save(
        SITE, a_call("over-long", CallState.ENDED, EARLIER - timedelta(minutes=5), NOW), NOW
    )


async def test_every_live_call_of_a_station_then_the_newest_ended(database_url: str) -> None:
    since = NOW - timedelta(hours=12)
    async with storage(database_url) as transactions:
        async with transactions() as uow:
            await a_night_of_calls(uow)
            live = await CallStore(uow).at_station(SITE, STATION, since)
            some = await CallStore(uow).at_station(SITE, STATION, since, ended=3)
        assert [call.id for call in live] == ["live-ringing", "live-held", "live-talking"]
        assert [call.id for call in some] == [
            *("live-ringing", "live-held", "live-talking"),
            *("over-long", "over-59", "over-58"),
        ]
        assert all(call.stations == (STATION,) for call in some)


async def test_a_call_that_had_expired_and_goes_on_is_at_its_station_again(
    database_url: str,
) -> None:
    """Its feed was away for longer than an unconfirmed call is kept; then a message of it came."""
    talking = a_call("one", CallState.TALKING, EARLIER)
    expired = a_call("one", CallState.ENDED, EARLIER, EARLIER + timedelta(minutes=31))
    async with storage(database_url) as transactions, transactions() as uow:
        for _ in range(2):
            for told in (talking, talking, expired, expired):
                await CallStore(uow).save(SITE, told, NOW)
            [over] = await CallStore(uow).at_station(SITE, STATION, EARLIER, ended=1)
            assert not over.talks_at(STATION)
        await CallStore(uow).save(SITE, talking, NOW)
        [live] = await CallStore(uow).at_station(SITE, STATION, EARLIER)
        record = await CallStore(uow).record(SITE, "one")
    assert live.talks_at(STATION)
    assert [(span.start, span.end) for span in record.spans] == [(EARLIER, None)]


async def test_a_live_call_is_found_by_name_number_day_and_time(database_url: str) -> None:
    lookup = Seal("k" * 32).lookup("number", NUMBER)
    start, end = NOW - timedelta(hours=12), NOW + timedelta(hours=12)
    names = {f"live-{state.value}" for state in LIVE}
    async with storage(database_url) as transactions, transactions() as uow:
        await a_night_of_calls(uow)
        by_name = await CallStore(uow).find(SITE, "the-switchboard")
        assert names <= {call.id for call in by_name}
        assert by_name[0].id == "over-59", "the newest first, as before"
        assert names <= {call.id for call in await CallStore(uow).by_number(SITE, lookup)}
        assert names <= {call.id for call in await CallStore(uow).by_day(SITE, start, end)}
        around = await CallStore(uow).around(SITE, STATION, [lookup], start, end, 5)
        assert names <= {record.call.id for record in around}


async def test_as_many_calls_as_were_asked_for_by_their_ids(database_url: str) -> None:
    async with storage(database_url) as transactions, transactions() as uow:
        await a_night_of_calls(uow)
        ids = [f"over-{number:02}" for number in range(60)]
        assert set(await CallStore(uow).get_all(SITE, ids)) == set(ids)


async def test_a_session_that_waits_long_stays_at_its_station(database_url: str) -> None:
    """A live one, older than twelve that ended: listed, followed, offered, looked back at, swept."""
    async with storage(database_url) as transactions, transactions() as uow:
        await CallStore(uow).save(SITE, a_call("c", CallState.TALKING, EARLIER), NOW)
        offer = {"offered_to": "1602", "offered_by": "u"}
        for number in range(12):
            live = a_session(f"live-{number:02}", EARLIER, SessionState.LIVE, **offer)
            await SessionStore(uow).add(live)
        for number in range(210):
            await SessionStore(uow).add(
                a_session(f"over-{number:03}", EARLIER + timedelta(seconds=number + 1))
            )
        lived = {f"live-{number:02}" for number in range(12)}
        for id_ in sorted({*lived, *(f"over-{number:03}" for number in range(210))}):
            link = CallLink(id_, "c", Certainty.CERTAIN, Evidence.CHOSEN, "u", NOW)
            await SessionStore(uow).add_link(SITE, link)
        listed = await SessionStore(uow).at_station(SITE, STATION, 10)
        assert [one.id for one in listed[:10]] == [f"over-{n:03}" for n in range(209, 199, -1)]
        assert {one.id for one in listed[10:]} == lived
        followed = await SessionStore(uow).of_calls(SITE, ["c"])
        assert lived < {one.id for one in followed}
        assert len(followed) < 30, "what is over is bounded"
        assert lived < {one.id for one in await SessionStore(uow).of_call(SITE, "c")}
        assert {one.id for one in await SessionStore(uow).offered(SITE, "1602")} == lived
        recent = await SessionStore(uow).recent(SITE, STATION, "u", EARLIER, 100)
        assert lived < {one.id for one in recent}
        assert {one.id for one in await SessionStore(uow).running(SITE)} == lived
        assert await SessionStore(uow).linked_to(SITE, ["c", "none"]) == {"c": 222}


async def test_a_session_that_left_a_call_does_not_count_as_one_of_it(database_url: str) -> None:
    """The newest link decides before anything is cut off."""
    async with storage(database_url) as transactions, transactions() as uow:
        await CallStore(uow).save(SITE, a_call("c", CallState.TALKING, EARLIER), NOW)
        await SessionStore(uow).add(a_session("stayed", EARLIER))
        await SessionStore(uow).add_link(
            SITE, CallLink("stayed", "c", Certainty.CERTAIN, Evidence.CHOSEN, "u", NOW)
        )
        for number in range(12):
            id_ = f"left-{number}"
            await SessionStore(uow).add(a_session(id_, EARLIER + timedelta(seconds=1)))
            for call in ("c", None):
                link = CallLink(id_, call, Certainty.CERTAIN, Evidence.CHOSEN, "u", NOW)
                await SessionStore(uow).add_link(SITE, link)
        assert [one.id for one in await SessionStore(uow).of_calls(SITE, ["c"])] == ["stayed"]


async def test_videos_that_wait_for_a_call_are_not_hidden_by_settled_ones(
    database_url: str,
) -> None:
    """Five hundred were said to have no call since: the older one still waits to be matched."""
    async with storage(database_url) as transactions, transactions() as uow:
        await SessionStore(uow).add(a_session("waits", EARLIER))
        await SessionStore(uow).add_link(
            SITE, CallLink("waits", None, Certainty.UNLINKED, Evidence.NO_CALL, None, NOW)
        )
        for number in range(501):
            id_ = f"settled-{number:03}"
            await SessionStore(uow).add(a_session(id_, EARLIER + timedelta(seconds=1)))
            await SessionStore(uow).add_link(
                SITE, CallLink(id_, None, Certainty.UNLINKED, Evidence.DECLINED, "u", NOW)
            )
        found = await SessionStore(uow).unlinked(SITE, EARLIER, NOW)
        assert "waits" in {one.id for one in found}
