"""Who holds a link, or nothing, writes rows at the pace of a person, however fast it asks (row 9 of the attacks)."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from tornado.websocket import WebSocketClosedError

from server.caller.web.page import GESTURES_BURST
from server.caller.web.socket import WORDS_BURST
from server.invitations.domain.spoken import MOST_TYPED
from server.invitations.errors import SpokenCodeWrong
from server.observers.web import COMES_BURST
from server.observers.web import WORDS_BURST as OBSERVER_WORDS
from server.video.service.photos import PHOTOS_AT_ONCE
from server.web.sockets import rate_limiter
from tests.lab.process import until
from tests.pictures import jpeg
from tests.server.running import Running, running
from tests.server.video.sdp_samples import CHROMIUM as OFFER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.databases import Furnished
    from tests.server.house import Browser
    from tests.server.running import Page

LANGUAGES = ("fr", "en")
OBSERVER_LINK = re.compile(r"/o/([A-Za-z0-9_-]{27})")


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def rows(house: Running, like: str = "%") -> int:
    """How many rows the audit has, of all sites; what becomes of our own messages aside unless they are asked for."""
    own = "" if like.startswith("message") else "AND action NOT LIKE 'message.%'"
    query = f"SELECT count(*) AS n FROM audit WHERE action LIKE '{like}' {own}"  # noqa: S608
    [found] = await house.rows(query)
    return int(found["n"])


async def invited(house: Running) -> tuple[Page, str, str]:
    """A desk, its session, and the link it sent."""
    desk = await house.desk(await house.signed_in("regulator"))
    session = await house.invite(desk)
    [token] = await house.tokens()
    return desk, session, token


async def heard_out(page: Page) -> None:
    """Wait until all that a page said is handled, or it was sent away for it."""
    with suppress(WebSocketClosedError):
        await page.say("are you there")
    while await page.read():
        if page.told and page.told[-1].get("code") == "message_unknown":
            page.socket.close()
            await page.closed()
            return


async def gesture(phone: Browser, token: str, which: str, turn: int = 0) -> int:
    body: dict[str, object] = {}
    if which == "open":
        trouble = ("in_app", "insecure")[turn % 2]
        body = {"language": LANGUAGES[turn % 2], "chosen": True, "camera": trouble}
    return (await phone.post_json(f"/v/{token}/{which}", body)).code


# --- a caller's link -------------------------------------------------------------------------------
async def test_the_page_s_own_repetitions_write_nothing(house: Running) -> None:
    _, _, token = await invited(house)
    phone = house.browser()
    await phone.get(f"/v/{token}")
    for which in ("open", "tap"):
        assert await gesture(phone, token, which) == 200
        before = await rows(house)
        assert [await gesture(phone, token, which) for _ in range(5)] == [200] * 5
        assert await rows(house) == before
    assert await gesture(phone, token, "release") == 200
    before = await rows(house)
    assert await gesture(phone, token, "release") == 200
    assert await rows(house) == before


async def test_one_link_s_gestures_have_a_pace(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Links made up in between make nobody forget how often the real one was used."""
    monkeypatch.setattr(rate_limiter, "MOST_KNOWN", 10)
    _, _, token = await invited(house)
    phone, before = house.browser(), await rows(house)
    await phone.get(f"/v/{token}")
    done = []
    for turn in range(2 * GESTURES_BURST):
        which = ("open", "tap", "release")[turn % 3]
        done.append(await gesture(phone, token, which, turn))
        if turn % 10 == 0:
            for number in range(15):
                await gesture(phone, f"{'A' * 25}{number:02}", "release")
    assert set(done) == {200, 429}
    assert done.count(200) == GESTURES_BURST
    written = await rows(house) - before
    assert written <= 2 * GESTURES_BURST
    house.clock.pass_(seconds=60)
    later = [await gesture(phone, token, "open", turn) for turn in range(60)]
    assert later.count(200) == 30, "one in two seconds"
    assert house.counted("message_flood") == done.count(429) + later.count(429)


async def test_who_is_refused_takes_nothing_from_who_is_not(house: Running) -> None:
    """A link that was forwarded: its second reader cannot spend what the first one's page needs."""
    _, _, token = await invited(house)
    phone = await house.tapped(token)
    other = house.browser()
    await other.get(f"/v/{token}")
    answers = {await gesture(other, token, "tap") for _ in range(2 * GESTURES_BURST)}
    assert answers == {409}
    assert await gesture(phone, token, "tap") == 200


async def test_what_a_phone_says_has_a_pace_over_all_its_connections(house: Running) -> None:
    """Nobody is in its room: each connection finds an empty one, which remembers nothing."""
    desk, _, token = await invited(house)
    phone = await house.tapped(token)
    desk.socket.close()
    before = await rows(house)
    for connection in range(12):
        caller = await house.caller(token, phone, page=f"phone-page-{connection}")
        for number in range(20):
            found = {"socket": connection, "stun": number, "udp": None, "tcp": None, "tls": None}
            await caller.say("network", **found)
        await heard_out(caller)
        await until(lambda: not list(house.server.sessions._rooms), "the room is forgotten")
    assert await rows(house) - before <= WORDS_BURST
    assert house.counted("message_flood") > 0


async def test_photos_have_a_pace(house: Running) -> None:
    _, _, token = await invited(house)
    phone, before = await house.tapped(token), await rows(house)
    picture = jpeg(64, 48)
    codes = []
    for number in range(3 * PHOTOS_AT_ONCE):
        headers = {
            "Content-Type": "application/octet-stream",
            "Accept": "application/json",
            "X-Xsrftoken": phone.cookies["_xsrf"],
            "X-Visio15-Photo": f"photo-{number:04}",
            "X-Visio15-Offset": "0",
            "X-Visio15-Total": str(len(picture)),
        }
        answer = await phone.fetch(
            f"/v/{token}/photo", method="POST", body=picture, headers=headers
        )
        codes.append(answer.code)
    assert codes.count(200) == PHOTOS_AT_ONCE
    assert await rows(house) - before == PHOTOS_AT_ONCE


# --- a code read aloud -----------------------------------------------------------------------------
async def test_a_code_typed_again_and_again_is_not_written_again_and_again(house: Running) -> None:
    """The browser that typed it may do so again when the answer was lost; not a hundred times a second."""
    desk = await house.desk(await house.signed_in("regulator"))
    await desk.say("code.make", id="command-code")
    code = (await desk.hear("done", id="command-code"))["result"]["code"]
    phone, before = house.browser(), await rows(house)
    await phone.get("/c")
    answers = [await phone.post("/c", {"code": code}) for _ in range(4 * MOST_TYPED)]
    assert [one.code for one in answers] == [303] * MOST_TYPED + [429] * 3 * MOST_TYPED
    assert await rows(house) - before == MOST_TYPED
    assert house.counted("code_throttled") == 3 * MOST_TYPED
    # The link of the last answer works, and another caller of this address is not kept waiting.
    link = answers[MOST_TYPED - 1].headers["Location"]
    assert (await phone.post_json(f"{link}/tap", {})).code == 200
    await desk.say("code.make", id="command-next")
    code = (await desk.hear("done", id="command-next"))["result"]["code"]
    assert (await house.browser().post("/c", {"code": code})).code == 303


async def test_networks_that_guessed_are_forgotten(house: Running) -> None:
    """One row each until then: who has many networks does not fill the table, though nobody signs in."""
    spoken = house.server.spoken
    for number in range(30):
        with pytest.raises(SpokenCodeWrong):
            await spoken.redeem("000000", f"2001:db8:0:{number:x}::1", "a-browser")
    assert len(await house.all_of("throttle")) == 31, "all together are counted, too"
    house.clock.pass_(hours=3)
    await spoken.sweep()
    assert len(await house.all_of("throttle")) <= 1


async def granted(house: Running) -> bool:
    return "camera.granted" in await house.actions()


# --- an observer's link ----------------------------------------------------------------------------
async def test_an_observer_s_link_has_a_pace(house: Running) -> None:
    desk, _caller, session = await house.connected()
    await until(lambda: granted(house), "what the phone said is written down")
    who = {"name": "Dr Ève", "mobile": "06 98 76 54 32"}
    await desk.say("observer.invite", id="observer-0001", session=session, **who)
    await desk.hear("done", id="observer-0001")
    sealed = await house.rows("SELECT sealed FROM message WHERE kind = 'observer'")
    text = json.loads(house.seal.open(sealed[0]["sealed"]))["text"]
    [token] = OBSERVER_LINK.findall(text)
    browser, before = house.browser(), await rows(house)
    await browser.get(f"/o/{token}")
    await browser.get("/login")
    for _ in range(50):
        assert (await browser.post_json(f"/o/{token}/join", {})).code == 200
    assert await rows(house) - before == 1, "bound once"
    for connection in range(3 * COMES_BURST):
        observer = await house.connect("/ws/observer", browser)
        await observer.say("hello", token=token, page=f"observer-page-{connection}")
        if connection >= COMES_BURST:
            assert await observer.closed() == (4429, "message_flood")
            continue
        await observer.hear("welcome")
        for _ in range(15):
            await observer.say("signal.answer", session=session, page="nobody-1", sdp=OFFER)
        await heard_out(observer)
    assert await rows(house) - before <= 1 + 2 * COMES_BURST + OBSERVER_WORDS


# --- nobody ----------------------------------------------------------------------------------------
async def test_receipts_said_again_in_any_order_write_a_few_rows(house: Running) -> None:
    """Whoever learns where a carrier reports tells six things at most."""
    _, _, _ = await invited(house)
    [message] = await house.rows("SELECT receipt_ref FROM message")
    browser, before = house.browser(), await rows(house, "message.%")
    for turn in range(120):
        status = (4, 8, 2, 16, 1, 32)[turn * 7 % 6]
        carrier = ("sms", "unknown")[turn % 2]
        await browser.get(f"/receipts/{carrier}/{message['receipt_ref']}?status={status}")
    assert await rows(house, "message.%") - before <= 6


async def test_signing_out_is_written_once(house: Running) -> None:
    browser = await house.signed_in("regulator")
    await browser.get("/kiosk")
    cookie, before = browser.cookies["v15_session"], await rows(house)
    for _ in range(20):
        browser.cookies["v15_session"] = cookie
        await browser.post("/logout", {})
    assert await rows(house) - before == 1
