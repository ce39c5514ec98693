"""The database locked, full, read-only, gone or replaced: the person is told, nothing is sent, nothing is lost (I3)."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import NotFound, StorageUnavailable
from server.core.site_policy import LaunchPolicy
from server.video.service.ice import IceServers
from tests.fakes import Gateway
from tests.lab.process import until
from tests.server.desk.test_hand_over import shown
from tests.server.everybody import everybody
from tests.server.line15.signed import secrets
from tests.server.running import MOBILE, Page, Running, running, written_logs
from tests.server.video.sdp_samples import OFFERS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager

    from server.delivery.domain.messages import Message

    Outage = Callable[[Running], AbstractAsyncContextManager[None]]


pytestmark = pytest.mark.sqlite


@pytest.fixture
def gateway(io_loop: Any) -> Iterator[Gateway]:
    made = Gateway()

    async def start() -> None:
        made.start()

    io_loop.run_sync(start)
    yield made
    made.answering.set()
    io_loop.run_sync(made.stop)


@pytest.fixture
def house(
    io_loop: Any,
    furnished_database: Path,
    tmp_path: Path,
    gateway: Gateway,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Running]:
    monkeypatch.setattr("server.storage.engine.BUSY_MS", 200)
    with running(io_loop, furnished_database, tmp_path, sms=gateway.settings) as house:
        yield house


def database(house: Running) -> Path:
    return Path(house.server.engine.url.database or "")


# --- ways to lose a database -----------------------------------------------------------------------
@asynccontextmanager
async def locked(house: Running) -> AsyncIterator[None]:
    """Another program holds the write lock."""
    other = sqlite3.connect(database(house), isolation_level=None, check_same_thread=False)
    await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


@asynccontextmanager
async def gone(house: Running) -> AsyncIterator[None]:
    """The file was moved away."""
    file = database(house)
    away = file.with_name("away.db")
    file.rename(away)
    try:
        yield
    finally:
        away.rename(file)


def by_pragma(on: str, off: str) -> Outage:
    """A state of the connections the server has and will make."""

    @asynccontextmanager
    async def outage(house: Running) -> AsyncIterator[None]:
        pragma = [on]

        def put(connection: Any, *_: object) -> None:
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA {pragma[0]}")
            cursor.close()

        event.listen(house.server.engine.sync_engine, "checkout", put)
        try:
            yield
        finally:
            pragma[0] = off

    return outage


#: The pages it has, and none more.
full = by_pragma("max_page_count=1", "max_page_count=1073741823")
read_only = by_pragma("query_only=ON", "query_only=OFF")
OUTAGES = {"locked": locked, "gone": gone, "full": full, "read_only": read_only}


async def ready(house: Running) -> dict[str, Any]:
    answer = await house.browser().get("/readyz")
    body: dict[str, Any] = json.loads(answer.body)
    assert answer.code == (200 if body["status"] == "ready" else 503)
    return body


# --- inviting --------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", OUTAGES)
async def test_an_invitation_is_refused_whole_and_works_when_the_database_is_back(
    house: Running, gateway: Gateway, name: str
) -> None:
    outage: Outage = OUTAGES[name]
    desk = await house.desk(await house.signed_in("regulator"))
    await house.invite(desk)
    await until(lambda: handed(house), "the first left")
    # So much that it cannot fit into the pages there are.
    mobiles = (
        [f"06123456{number:02}" for number in range(10, 90)] if name == "full" else ["0612345679"]
    )
    async with outage(house):
        number, answer = await invite_until_refused(desk, mobiles)
        assert answer["code"] == "storage_unavailable"
        assert answer["id"] == f"outage-{number:04}"
        assert "rien n'a été envoyé" in answer["message"]
        assert house.counted("storage_unavailable") >= 1

        async def told() -> bool:
            """A last small write of the delivery may have fitted in meanwhile: ask again for what does not fit."""
            if (await ready(house))["status"] == "not_ready":
                return True
            await desk.say("invite", id=f"outage-{number:04}", mobile=mobiles[number])
            await desk.hear("error", id=f"outage-{number:04}")
            return False

        await until(told, "readiness says so")
        await desk.alive()
    before = len(gateway.accepted)
    await desk.say("invite", id=f"outage-{number:04}", mobile=mobiles[number])
    await desk.hear("done", id=f"outage-{number:04}")
    await until(lambda: len(gateway.accepted) > before, "it leaves now")
    await until_ready(house)
    sessions = await house.rows("SELECT command FROM session")
    assert len(sessions) == len({row["command"] for row in sessions}) == 1 + number + 1
    assert len({a["to"] for a in gateway.accepted}) == len(gateway.accepted)


async def invite_until_refused(desk: Page, mobiles: list[str]) -> tuple[int, dict[str, Any]]:
    for number, mobile in enumerate(mobiles):
        answer = await desk.answer("invite", f"outage-{number:04}", mobile=mobile)
        if answer["type"] == "error":
            return number, answer
    raise AssertionError("every invitation was accepted")


async def until_ready(house: Running) -> None:
    async def is_ready() -> bool:
        house.server.delivery.wake()
        return bool((await ready(house))["status"] == "ready")

    await until(is_ready, "the server is ready again")


@pytest.mark.parametrize("name", ["locked", "gone", "read_only"])
async def test_pages_say_so_and_go_on(house: Running, name: str) -> None:
    outage: Outage = OUTAGES[name]
    desk = await house.desk(await house.signed_in("regulator"))
    session = await house.invite(desk)
    [token] = await house.tokens()
    phone, stranger, auditor = house.browser(), house.browser(), await house.signed_in("auditor")
    await phone.get(f"/v/{token}")
    await stranger.get("/login")
    [message] = await house.rows("SELECT receipt_ref FROM message")
    async with outage(house):
        tap = await phone.post_json(f"/v/{token}/tap", {})
        assert (tap.code, json.loads(tap.body)["error"]["code"]) == (503, "storage_unavailable")
        code = await stranger.ask_code("regulator")
        assert (code.code, "momentanément" in code.body.decode()) == (503, True)
        search = await auditor.get("/audit?q=anything")
        assert search.code == 503
        receipt = await stranger.get(f"/receipts/sms/{message['receipt_ref']}?status=1")
        assert receipt.code == 503
        await desk.say("link.none", id="outage-0001", session=session)
        # By its id: a view that was on its way may be refused before it, and names no command.
        assert (await desk.hear("error", id="outage-0001"))["code"] == "storage_unavailable"
        await desk.say("session.end", id="outage-0002", session=session)
        await desk.refused("storage_unavailable")
        assert (await stranger.get("/healthz")).code == 200
    assert (await phone.post_json(f"/v/{token}/tap", {})).code == 200
    assert (await stranger.ask_code("regulator")).code == 303
    assert (await auditor.get("/audit?q=anything")).code == 200
    assert (await stranger.get(f"/receipts/sms/{message['receipt_ref']}?status=1")).code == 200
    await desk.say("session.end", id="outage-0002", session=session)
    await desk.hear("done", id="outage-0002")
    [row] = await house.rows("SELECT state FROM message WHERE kind = 'invitation'")
    assert row["state"] == "delivered"


async def test_a_commit_whose_answer_is_lost_is_one_invitation(
    house: Running, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is stored and refused: asked for again under its id, it is the same session and the same SMS."""
    desk = await house.desk(await house.signed_in("regulator"))
    real = UnitOfWork.commit

    async def stored_and_lost(self: UnitOfWork) -> None:
        await real(self)
        raise StorageUnavailable("test")

    monkeypatch.setattr(UnitOfWork, "commit", stored_and_lost)
    await desk.say("invite", id="command-0001", mobile="0612345678")
    await desk.refused("storage_unavailable")
    monkeypatch.setattr(UnitOfWork, "commit", real)
    session = await house.invite(desk)
    assert [row["id"] for row in await house.all_of("session")] == [session]
    house.server.delivery.wake()
    await until(lambda: handed(house), "it left")
    assert len(gateway.asked) == 1


async def test_a_desk_that_keeps_trying_stays(house: Running) -> None:
    """Ten refusals in a minute close a page that misbehaves, not one that meets our outage."""
    desk = await house.desk(await house.signed_in("regulator"))
    async with gone(house):
        for number in range(12):
            await desk.say("invite", id=f"outage-{number:04}", mobile="0612345678")
            await desk.refused("storage_unavailable")
    await house.invite(desk)


@pytest.mark.parametrize("name", ["locked", "gone"])
async def test_a_picture_connects_without_the_database(house: Running, name: str) -> None:
    """Signalling does not wait for storage: what it held is written down when it can be."""
    desk = await house.desk(await house.signed_in("regulator"))
    session = await house.invite(desk)
    await desk.say("session.watch", id="command-0002", session=session)
    await desk.hear("done", id="command-0002")
    [token] = await house.tokens()
    caller = await house.caller(token, await house.tapped(token))
    async with OUTAGES[name](house):
        await caller.say("signal.offer", peer="desk-peer-1", sdp=OFFERS["safari"])
        await desk.hear("signal.offer", session=session)
        await desk.say(
            "signal.answer", session=session, page="phone-page-1", sdp=OFFERS["chromium"]
        )
        await caller.hear("signal.answer")
    for page in (desk, caller):
        await page.say("are you there")
        await page.hear("error", code="message_unknown")


@pytest.mark.parametrize("kind", ["desk", "caller", "observer"])
async def test_a_hello_that_meets_an_outage_is_done_when_the_database_is_back(
    house: Running, kind: str
) -> None:
    """The page asked once, and keeps its session and its launch; what it said behind its hello is done after it."""
    all_ = await everybody(house)
    session, hello = all_.session, all_.hellos[kind]
    if kind == "desk":
        await secrets(house).launches("rivage", LaunchPolicy.OPTIONAL)
        hello |= {"launch": await launched(all_.browsers["desk"]), "accept": True}
    page = await house.connect(f"/ws/{kind}", all_.browsers[kind])
    async with gone(house):
        await page.say("hello", **hello)
        await page.refused("storage_unavailable")
        if kind == "desk":
            await page.say("session.watch", id="command-0003", session=session)
        elif kind == "caller":
            await page.say("visibility", hidden=True)
    if kind == "desk":
        view = await page.hear("view")
        assert (view["watching"], view["launch"]["mobile"]) == (session, MOBILE)
        await page.hear("done", id="command-0003")
    else:
        assert (await page.hear("welcome"))["session"] == session
    if kind == "caller":
        await all_.caller.closed()  # the newer socket of the same phone has its place
        await all_.desk.say("session.watch", id="command-0004", session=session)
        await page.hear("watch", peer="desk-peer-1")
        await shown(all_.desk, lambda view: view["sessions"][0]["caller"]["hidden"])
    if kind == "observer":
        await page.hear("participants")
    assert "error" not in [message["type"] for message in page.told]


async def launched(browser: Any) -> str:
    answer = await browser.get("/desk?caller=%2B33612345678&station=201")
    return str(answer.headers["Location"].partition("launch=")[2])


@pytest.mark.parametrize("kind", ["desk", "caller", "observer", "selftest"])
async def test_after_a_hello_that_failed_a_second_one_is_the_first(
    house: Running, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A hello that is refused leaves the page as it was."""
    all_ = await everybody(house)
    hello = all_.hellos[kind]
    page = await house.connect(f"/ws/{kind}", all_.browsers[kind])
    real = IceServers.for_session

    def refused(_self: IceServers, _session: str) -> Any:
        monkeypatch.setattr(IceServers, "for_session", real)
        raise NotFound("test")

    if kind == "desk":
        await page.say("hello", peer="desk-peer-1", watch="f" * 32)
    else:
        monkeypatch.setattr(IceServers, "for_session", refused)
        await page.say("hello", **hello)
    await page.refused("not_found")
    await page.say("hello", **hello)
    first = {"desk": "view", "selftest": "ready"}.get(kind, "welcome")
    told = await page.hear(first)
    assert told.get("watching", told.get("session", all_.session)) == all_.session
    assert "error" not in [message["type"] for message in page.told]


# --- sending ---------------------------------------------------------------------------------------
async def handed(house: Running) -> bool:
    return await house.rows("SELECT state FROM message") == [{"state": "handed"}]


async def test_what_the_carrier_took_while_the_database_was_away_is_not_sent_twice(
    house: Running, gateway: Gateway
) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    gateway.answering.clear()
    await house.invite(desk)
    await until(lambda: len(gateway.asked) == 1, "the gateway was asked")
    async with locked(house):
        gateway.answering.set()
        await until(lambda: len(gateway.accepted) == 1, "it took the message")
        await until(lambda: house.messages_counted("sms", "handed") == 1, "and said so")
    await until(lambda: handed(house), "it is recorded once the database is back")
    house.server.delivery.wake()
    await desk.alive()
    assert len(gateway.asked) == 1


async def test_the_delivery_waits_for_the_database_and_goes_on(
    house: Running, gateway: Gateway
) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    async with gone(house):
        house.server.delivery.wake()
        await until(lambda: not house.server.delivery.ready, "the delivery sees it")
        assert (await ready(house))["parts"] == {
            "database": False,
            "delivery": False,
            "loops": True,
        }
    await until_ready(house)
    await house.invite(desk)
    await until(lambda: len(gateway.accepted) == 1, "it delivers")


async def test_a_database_lost_between_the_queue_and_the_message_costs_no_try(
    house: Running, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing has left: that is no failure of ours, and the message is as due as before."""
    looked: list[str] = []
    needless = house.server.delivery._needless

    async def lost_once(uow: UnitOfWork, message: Message) -> bool:
        looked.append(message.id)
        if len(looked) == 1:
            raise StorageUnavailable("gone")
        return await needless(uow, message)

    monkeypatch.setattr(house.server.delivery, "_needless", lost_once)
    desk = await house.desk(await house.signed_in("regulator"))
    with written_logs() as log:
        await house.invite(desk)
        await until(lambda: len(gateway.accepted) == 1, "it leaves")
        await until(lambda: handed(house), "and is recorded")
    assert len(looked) == 2
    assert await house.rows("SELECT attempts, error FROM message") == [
        {"attempts": 1, "error": None}
    ]
    assert "delivery.storage_unavailable" in log.getvalue()
    assert "delivery.failed" not in log.getvalue()


async def test_a_database_that_was_replaced_is_the_one_that_is_written(
    house: Running, gateway: Gateway
) -> None:
    """A restored backup: what is accepted after it must be in it, not in the file that was deleted."""
    desk = await house.desk(await house.signed_in("regulator"))
    file = database(house)
    with sqlite3.connect(file) as source, sqlite3.connect(file.with_name("copy.db")) as copy:
        source.backup(copy)
    source.close()
    copy.close()
    for part in ("", "-wal", "-shm"):
        file.with_name(file.name + part).unlink(missing_ok=True)
    file.with_name("copy.db").rename(file)
    await house.invite(desk)
    await until(lambda: len(gateway.accepted) == 1, "it leaves")
    fresh = sqlite3.connect(file)
    assert fresh.execute("SELECT count(*) FROM session").fetchone() == (1,)
    fresh.close()


# --- what the log may say --------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["full", "read_only", "gone"])
async def test_an_outage_puts_nothing_personal_into_the_log(house: Running, name: str) -> None:
    with written_logs() as log:
        browser = await house.signed_in("regulator")
        desk = await house.desk(browser)
        async with OUTAGES[name](house):
            await invite_until_refused(desk, ["0612345678"] * 80)
            await browser.get("/kiosk")
    text = log.getvalue()
    assert "storage_unavailable" in text
    personal = ["612345678", "INSERT", "parameters", "Prénom", browser.cookies["v15_session"]]
    assert [word for word in personal if word in text] == []
