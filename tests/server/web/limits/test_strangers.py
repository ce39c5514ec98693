"""Who has not signed in never fills the database and never stands in the desks' way."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from server.core.site_policy import LaunchPolicy
from server.identity.errors import LoginThrottled
from server.identity.service.login import ASKED_AT_ONCE
from tests.server.house import PASSWORD, wrong
from tests.server.line15.signed import code, secrets
from tests.server.running import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "A" * 27
CONTEXT = "/desk?call=a-call-id%40pbx.example&caller=0612345678&station=201"
AT_ONCE = 2.0  # seconds: far less than a writer waits for its turn


@pytest.fixture
def house(io_loop: Any, furnished_database: Path, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def test_a_stranger_s_launch_leaves_nothing_in_the_database(house: Running) -> None:
    stranger = house.browser()
    with house.statements() as sent:
        answer = await stranger.get(CONTEXT)
    assert answer.code == 303
    assert answer.headers["Location"].startswith("/desk?launch=")
    about_launches = [statement for statement in sent if "launch" in statement]
    assert about_launches == [], "the delivery's look at its queue aside, nobody asked the database"
    [cookie] = [
        line for line in answer.headers.get_list("Set-Cookie") if line.startswith("v15_launch=")
    ]
    for attribute in ("HttpOnly", "SameSite=Lax", "Path=/"):
        assert attribute in cookie
    assert "612345678" not in cookie
    assert "a-call-id" not in cookie


async def test_it_opens_the_desk_once_signed_in(house: Running) -> None:
    await secrets(house).launches("rivage", LaunchPolicy.OPTIONAL)
    browser = house.browser()
    target = (await browser.get(CONTEXT)).headers["Location"]
    login = (await browser.get(target)).headers["Location"]
    await browser.get(login)
    answer = await browser.sign_in(house, "regulator")
    assert answer.headers["Location"] == target
    browser.cookies["v15_station"] = "201"
    assert (await browser.get(target)).code == 200
    assert "v15_launch" not in browser.cookies, "it has served"
    desk = await house.connect("/ws/desk", browser)
    await desk.say("hello", peer="desk-peer-1", launch=target.partition("=")[2])
    view = await desk.hear("view")
    assert view["launch"]["proposed"]["mobile"] == "06 12 34 56 78"
    # A reload finds it where desks find launches, and nobody else's browser does.
    assert (await browser.get(target)).code == 200
    assert len(await house.all_of("launch")) == 1


async def test_a_launch_of_another_browser_is_nothing(house: Running) -> None:
    """A stranger who hands out the address he was led to hands out nothing."""
    target = (await house.browser().get(CONTEXT)).headers["Location"]
    browser = await house.signed_in("regulator")
    await browser.get(target)
    desk = await house.connect("/ws/desk", browser)
    await desk.say("hello", peer="desk-peer-1", launch=target.partition("=")[2])
    assert "expiré" in (await desk.hear("view"))["launch"]["notice"]


async def test_a_launch_waits_half_an_hour_for_the_sign_in(house: Running) -> None:
    stranger = house.browser()
    target = (await stranger.get(CONTEXT)).headers["Location"]
    house.clock.pass_(minutes=30)
    browser = await house.signed_in("regulator")
    browser.cookies["v15_launch"] = stranger.cookies["v15_launch"]
    await browser.get(target)
    assert await house.all_of("launch") == []


@pytest.mark.parametrize("junk", ["", "x", "gAAAAA", "a" * 4000])
async def test_a_forged_cookie_is_nothing(house: Running, junk: str) -> None:
    browser = await house.signed_in("regulator")
    browser.cookies["v15_launch"] = junk
    assert (await browser.get("/desk?launch=some-launch")).code == 200
    assert await house.all_of("launch") == []


@pytest.mark.parametrize("who", ["", "regulator"])
@pytest.mark.parametrize(
    "query",
    [
        {"call": "x" * 2_100},
        {"call": "é" * 400},
        dict.fromkeys(("call", "caller", "station", "kid", "nonce"), "x" * 450),
        {"call": "x", "other": "y" * 2_100},
    ],
)
async def test_a_launch_past_two_kilobytes_is_refused(
    house: Running, who: str, query: dict[str, str]
) -> None:
    browser = await house.signed_in(who) if who else house.browser()
    address = "/desk?" + urlencode(query)
    answer = await browser.get(address, headers={"Accept": "application/json"})
    assert code(answer) == (400, "launch_too_large")
    page = await browser.get(address)
    assert page.code == 400
    assert "2 ko" in page.body.decode()
    assert house.counted("launch_too_large") == 2
    assert await house.all_of("launch") == []
    assert "v15_launch" not in browser.cookies


async def test_a_launch_as_large_as_may_be_fits_into_its_cookie(house: Running) -> None:
    """Browsers drop a cookie past 4,096 bytes without a word."""
    stranger = house.browser()
    answer = await stranger.get("/desk?" + urlencode({"call": '"' * 670, "caller": "1"}))
    assert answer.code == 303
    assert len("v15_launch=" + stranger.cookies["v15_launch"]) < 4_000


async def test_one_person_s_launches_are_bounded(house: Running) -> None:
    """A page that opens one after the other in a colleague's browser fills nothing either."""
    browser = await house.signed_in("regulator")
    answers = [(await browser.get(CONTEXT)).code for _ in range(40)]
    assert answers[:20] == [303] * 20
    assert answers[20:] == [429] * 20
    assert len(await house.all_of("launch")) == 20


class Nobody:
    """Passwords that are all wrong, at once."""

    async def verify(self, stored: str | None, password: str) -> bool:
        del stored, password
        return False


async def quick(work: Any) -> int:
    async with asyncio.timeout(AT_ONCE):
        answer = await work
    return int(answer.code)


async def test_a_stranger_who_knows_nothing_waits_for_no_writer(house: Running) -> None:
    """While somebody writes, guesses are answered at once: they never queue for the database's one writer."""
    browser = house.browser()
    await browser.get("/login")
    form = {"code": "123456"}
    async with house.server.transactions():
        asked: list[tuple[Any, int]] = [
            (browser.get(CONTEXT), 303),
            (browser.post_json(f"/v/{TOKEN}/open", {}), 404),
            (browser.post_json(f"/v/{TOKEN}/tap", {}), 404),
            (browser.post_json(f"/v/{TOKEN}/release", {}), 404),
            (browser.post_json(f"/o/{TOKEN}/join", {}), 404),
            (browser.post("/login/code", form), 401),
            (browser.post("/logout", {}), 303),
            (browser.get(f"/receipts/sms/{TOKEN}?status=1"), 404),
        ]
        browser.cookies |= {"v15_session": "nobody", "v15_challenge": "nothing"}
        for work, status in asked:
            assert await quick(work) == status


async def test_a_link_that_lives_is_said_so_often_and_no_more(house: Running) -> None:
    """Whoever holds a link fills no audit with it."""
    desk = await house.desk(await house.signed_in("regulator"))
    await house.invite(desk)
    [token] = await house.tokens()
    phone = house.browser()
    await phone.get(f"/v/{token}")
    said = [
        (await phone.post_json(f"/v/{token}/open", {"language": lang, "chosen": True})).code
        for lang in ("fr", "en") * 40
    ]
    assert said[0] == 200
    assert said[-1] == 429
    rows = [action for action in await house.actions() if action == "session.language"]
    assert len(rows) <= 60


async def test_sign_ins_are_bounded_in_all(house: Running) -> None:
    """From whatever addresses: each asks for a row of the audit that stays for ever."""
    one = await house.signed_in("regulator")
    passwords = house.login._passwords
    house.login._passwords = Nobody()  # type: ignore[assignment] # quicker
    for number in range(ASKED_AT_ONCE):
        await house.login.request_code(f"nobody-{number}", "x", "email", f"10.0.{number}.1", None)
    before = len(await house.all_of("message"))
    answer = await house.browser().ask_code("somebody")
    assert answer.code == 429
    assert len(await house.all_of("message")) == before
    assert (await one.get("/kiosk")).code == 200, "who is signed in goes on"
    house.clock.pass_(seconds=1)
    house.login._passwords = passwords
    assert (await house.browser().ask_code("regulator")).code == 303


async def test_one_machine_that_never_rests_keeps_nobody_out(house: Running) -> None:
    """Who is refused for his own failures takes nothing of what everybody has."""
    passwords = house.login._passwords
    house.login._passwords = Nobody()  # type: ignore[assignment] # quicker
    for number in range(3 * ASKED_AT_ONCE):
        with suppress(LoginThrottled):
            await house.login.request_code(f"nobody-{number}", "x", "email", "10.0.0.1", None)
    house.login._passwords = passwords
    assert await house.login.request_code("regulator", PASSWORD, "email", "10.0.0.2", None)


async def test_a_whole_network_of_ipv6_counts_as_one(house: Running) -> None:
    """One machine has 18 billion billion addresses of its own."""
    house.login._passwords = Nobody()  # type: ignore[assignment] # quicker
    answers = []
    for number in range(55):
        try:
            await house.login.request_code(
                f"nobody-{number}", "x", "email", f"2001:db8::{number:x}", None
            )
        except Exception as refusal:  # noqa: BLE001 - which one is asked below
            answers.append(getattr(refusal, "code", "?"))
    assert answers
    assert set(answers) == {"login_throttled"}


async def test_a_wrong_code_is_counted_still(house: Running) -> None:
    """The look before the write changes nothing for who has a challenge."""
    browser = house.browser()
    await browser.ask_code("regulator")
    right = await house.code()
    assert (await browser.post("/login/code", {"code": wrong(right)})).code == 401
    assert (await house.all_of("login_challenge"))[0]["tries"] == 1
