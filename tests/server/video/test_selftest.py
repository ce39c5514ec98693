"""The self-test's socket sends back what it is asked, within limits, to one test a person; whatever else is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tornado.httpclient import HTTPClientError

from server.identity.domain.access import PERMISSIONS, Permission, Role
from server.selftest import web as selftest
from tests.server.running import Page, Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.databases import Furnished

PATH = "/ws/selftest"
ICE = {"stun": ["stun:192.0.2.1"], "turn": ["turn:192.0.2.1"], "turn_secret": "s" * 20}


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path, ice=ICE) as house:
        yield house


async def a_test(house: Running, identifier: str = "arm") -> Page:
    page = await house.connect(PATH, await house.signed_in(identifier))
    await page.say("hello")
    return page


async def test_it_answers_and_sends_back(house: Running) -> None:
    page = await a_test(house)
    ready = await page.hear("ready")
    stun, turn = ready["ice"]["iceServers"]
    assert stun["urls"] == ICE["stun"]
    assert turn["username"].partition(":")[2].startswith("st-")
    assert "s" * 20 not in json.dumps(ready)
    await page.say("ping", n=3)
    assert (await page.hear("pong", n=3))["now"]
    await page.say("up", n=4, data="0" * 1000)
    assert (await page.hear("got", n=4))["bytes"] == 1000
    await page.say("down", n=5, size=49_152)
    assert len((await page.hear("fill", n=5))["data"]) == 49_152


async def test_a_second_test_of_a_person_ends_the_first(house: Running) -> None:
    first = await a_test(house)
    await first.hear("ready")
    other = await a_test(house, "admin")
    await other.hear("ready")
    second = await a_test(house)
    await second.hear("ready")
    assert await first.closed() == (4409, "selftest_running")
    for page in (second, other):
        await page.say("ping", n=1)
        await page.hear("pong", n=1)


async def test_what_weighs_too_much_is_refused(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selftest, "MOST_A_TEST", 1000)
    monkeypatch.setattr(selftest, "MOST_A_PERSON", 1500)
    monkeypatch.setattr(selftest, "LEAST", 100)
    page = await a_test(house)
    await page.hear("ready")
    await page.say("down", n=1, size=600)
    await page.hear("fill")
    await page.say("down", n=2, size=600)
    await page.refused("selftest_spent")
    await page.say("up", n=3, data="0" * 400)
    await page.hear("got")
    # A new test of the same person has what the former left, and no more.
    again = await a_test(house)
    await again.hear("ready")
    await again.say("down", n=1, size=600)
    await again.refused("selftest_spent")
    await again.say("down", n=2, size=500)
    await again.hear("fill")
    other = await a_test(house, "regulator")
    await other.hear("ready")
    await other.say("down", n=1, size=600)
    await other.hear("fill")
    assert house.counted("selftest_spent") == 2


async def test_what_weighs_nothing_weighs_something(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a test could go on without end, and what is counted of it grow."""
    monkeypatch.setattr(selftest, "MOST_A_TEST", 2 * selftest.LEAST)
    page = await a_test(house)
    await page.hear("ready")
    for n in range(2):
        await page.say("up", n=n, data="")
        assert (await page.hear("got"))["bytes"] == 0
    await page.say("up", n=2, data="")
    await page.refused("selftest_spent")


async def test_pings_end(house: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "PINGS", 2)
    page = await a_test(house)
    await page.hear("ready")
    for n in range(2):
        await page.say("ping", n=n)
        await page.hear("pong", n=n)
    await page.say("ping", n=2)
    await page.refused("selftest_spent")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ('{"type": "ping", "n": -1}', "message_malformed"),
        ('{"type": "ping", "n": "1"}', "message_malformed"),
        ('{"type": "ping", "n": 1, "more": 1}', "message_malformed"),
        ('{"type": "up", "n": 1, "data": "<script>"}', "message_malformed"),
        ('{"type": "up", "n": 1, "data": "%s"}' % ("0" * 49_153), "message_malformed"),
        ('{"type": "up", "n": 1, "data": "%s"}' % ("0" * 70_000), "message_too_large"),
        ('{"type": "down", "n": 1, "size": 1000000000}', "message_malformed"),
        ('{"type": "down", "n": 1, "size": 0}', "message_malformed"),
        ('{"type": "invite", "id": "x"}', "message_unknown"),
        ("not json", "message_malformed"),
        (b"\x00", "message_malformed"),
        ("[]", "message_malformed"),
        ('{"type": "hello"}', "message_out_of_order"),
    ],
)
async def test_what_it_does_not_know_is_refused(
    house: Running, frame: str | bytes, code: str
) -> None:
    page = await a_test(house)
    await page.hear("ready")
    await page.raw(frame)
    await page.refused(code)
    await page.say("ping", n=1)
    await page.hear("pong", n=1)


async def test_hello_comes_first(house: Running) -> None:
    page = await house.connect(PATH, await house.signed_in("arm"))
    await page.say("ping", n=1)
    await page.refused("message_out_of_order")


@pytest.mark.parametrize("role", [*Role, None], ids=lambda role: role or "nobody")
async def test_only_who_may(house: Running, role: Role | None) -> None:
    browser = await house.signed_in(role) if role else house.browser()
    if role and Permission.SELFTEST_USE in PERMISSIONS[role]:
        page = await house.connect(PATH, browser)
        await page.say("hello")
        await page.hear("ready")
        return
    with pytest.raises(HTTPClientError) as refused:
        await house.connect(PATH, browser)
    assert refused.value.code == (403 if role else 401)


async def test_the_page_tells_no_secret_and_no_name(house: Running) -> None:
    browser = await house.signed_in("regulator")
    page = (await browser.get("/selftest")).body.decode()
    boot = json.loads(page.split('id="boot">')[1].split("</script>")[0])
    assert set(boot) == {"socket", "version", "site", "station"}
    assert "turn" not in page
