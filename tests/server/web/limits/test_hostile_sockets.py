"""Sockets fed what no page of ours sends: each frame is refused by its code and counted, and honest pages go on."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketClosedError

from server.identity.web.signed_in import SESSION_COOKIE
from server.web.sockets.page_socket import ERRORS_A_MINUTE, FRAMES_A_SECOND
from tests.lab.process import until
from tests.server.running import Page, Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.databases import Furnished


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def both(house: Running) -> tuple[Page, Page]:
    """A desk, and a phone that has tapped."""
    desk = await house.desk(await house.signed_in("regulator"))
    await house.invite(desk)
    [token] = await house.tokens()
    return desk, await house.caller(token, await house.tapped(token))


NESTED = "[" * 30_000
GARBAGE: list[tuple[str | bytes, str]] = [
    ("", "message_malformed"),
    ("garbage", "message_malformed"),
    ("{", "message_malformed"),
    ("null", "message_malformed"),
    ("[]", "message_malformed"),
    ('"hello"', "message_malformed"),
    ("1e999", "message_malformed"),
    ("1" * 10_000, "message_malformed"),
    ("{}", "message_malformed"),
    ('{"type": null}', "message_unknown"),
    ('{"type": ["hello"]}', "message_unknown"),
    ('{"type": {"a": 1}}', "message_unknown"),
    ('{"type": "no such type"}', "message_unknown"),
    ('{"type": "__class__"}', "message_unknown"),
    ('{"type": "tick", "now": "x"}', "message_unknown"),
    (NESTED, "message_malformed"),
    ('{"a":' * 10_000, "message_malformed"),
    (NESTED + "]" * 30_000, "message_malformed"),
    ("\x00\x00\x00", "message_malformed"),
    (b"\x00\xff\xfe", "message_malformed"),
    (b'{"type": "hello"}', "message_malformed"),
    (json.dumps({"type": "leave", "x": "a" * 70_000}), "message_too_large"),
    (b"x" * 70_000, "message_too_large"),
    ("é" * 40_000, "message_too_large"),
]


@pytest.mark.parametrize("which", [0, 1], ids=["desk", "caller"])
async def test_garbage_is_refused_by_its_code_and_the_socket_lives_on(
    house: Running, which: int
) -> None:
    for start in range(0, len(GARBAGE), 5):  # ten refusals in a minute would close it
        page = await house.desk(await house.signed_in("regulator"), f"desk-peer-{start}")
        if which:
            await house.invite(page, f"command-{start:04}", new_session=True)
            token = (await house.tokens())[-1]
            page = await house.caller(token, await house.tapped(token))
        for frame, code in GARBAGE[start : start + 5]:
            before = house.counted(code)
            await page.raw(frame)
            assert "id" not in await page.refused(code), frame[:40]
            assert house.counted(code) == before + 1
        await page.alive()
        page.socket.close()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"id": "short"}, "message_malformed"),
        ({"id": "x" * 65}, "message_malformed"),
        ({"id": 12345678}, "message_malformed"),
        ({"id": "\ud800" * 8}, "message_malformed"),
        ({"id": "command\n0001"}, "message_malformed"),
        ({"mobile": 612345678}, "message_malformed"),
        ({"mobile": "\ud83d"}, "message_malformed"),
        ({"mobile": "x" * 255}, "message_malformed"),
        ({"extra": 1}, "message_malformed"),
        ({"mobile": "15"}, "number_impossible"),
        ({"mobile": "0144492020"}, "number_landline"),
        ({"mobile": None}, "contact_missing"),
        ({"mobile": "   "}, "contact_missing"),
        ({"mobile": None, "email": "nobody"}, "email_impossible"),
        ({"call": "nosuchcall"}, "call_unknown"),
    ],
)
async def test_a_wrong_command_is_answered_with_its_id_and_does_nothing(
    house: Running, changes: dict[str, Any], code: str
) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    message = {"type": "invite", "id": "command-0001", "mobile": "0612345678", **changes}
    await desk.raw(json.dumps(message))
    error = await desk.refused(code)
    assert error.get("id") in {None, message["id"]}
    assert error["message"]
    assert await house.rows("SELECT * FROM session") == []
    await desk.alive()


async def test_a_frame_of_ten_megabytes_closes_the_socket_and_nothing_else(house: Running) -> None:
    desk, caller = await both(house)
    with suppress(WebSocketClosedError):  # the server may close before all of it is written
        await desk.raw("x" * 10_000_000)
    await desk.closed()
    await caller.alive()
    again = await house.desk(await house.signed_in("regulator"), "desk-peer-2")
    await again.alive()


@pytest.mark.parametrize("which", [0, 1], ids=["desk", "caller"])
async def test_a_flood_closes_the_socket_and_nothing_else(house: Running, which: int) -> None:
    pages = await both(house)
    flooding, other = pages[which], pages[1 - which]
    with suppress(WebSocketClosedError):
        for number in range(10_000):
            await flooding.raw(json.dumps({"type": "flood", "number": number}))
    code, reason = await flooding.closed()
    assert (code, reason) == (4429, "message_flood")
    await other.alive()
    errors = [message for message in flooding.told if message["type"] == "error"]
    assert len(errors) <= FRAMES_A_SECOND


async def test_ten_wrong_frames_in_a_minute_are_enough(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    for _ in range(ERRORS_A_MINUTE):
        await desk.say("nonsense")
        await desk.refused("message_unknown")
    assert await desk.closed() == (4429, "message_flood")


# --- out of order ----------------------------------------------------------------------------------
async def test_nothing_is_done_before_hello(house: Running) -> None:
    browser = await house.signed_in("regulator")
    desk = await house.connect("/ws/desk", browser)
    await desk.say("invite", id="command-0001", mobile="0612345678")
    assert (await desk.refused("message_out_of_order"))["id"] == "command-0001"
    await desk.say("session.end", id="command-0002", session="a" * 32)
    await desk.refused("message_out_of_order")
    phone = await house.connect("/ws/caller", house.browser())
    for type_, fields in (
        ("leave", {}),
        ("camera", {"state": "granted"}),
        ("visibility", {"hidden": True}),
    ):
        await phone.say(type_, **fields)
        await phone.refused("message_out_of_order")
    assert await house.rows("SELECT * FROM session") == []


async def test_hello_is_said_once(house: Running) -> None:
    desk, caller = await both(house)
    await desk.say("hello", peer="another-peer")
    await desk.refused("message_out_of_order")
    [token] = await house.tokens()
    await caller.say("hello", token=token, page="another-page")
    await caller.refused("message_out_of_order")
    await caller.alive()


async def test_a_page_that_greets_and_goes_leaves_nothing_behind(house: Running) -> None:
    """Its last frame may be handled after the close: nothing of it may run on."""
    browser = await house.signed_in("regulator")
    for number in range(20):
        page = await house.connect("/ws/desk", browser)
        await page.say("hello", peer=f"passing-peer-{number}")
        page.socket.close()
    honest = await house.desk(browser, "honest-peer")
    await until(lambda: _tasks("desk.read") == 1, "the passing pages are handled to their end")
    await until(lambda: _tasks("desk.show") == 1, "only the honest desk is shown its view")
    await honest.alive()


def _tasks(name: str) -> int:
    return sum(task.get_name() == name for task in asyncio.all_tasks())


# --- who may open a socket -------------------------------------------------------------------------
async def refused_at_the_door(house: Running, path: str, *args: Any, **kwargs: Any) -> int:
    with pytest.raises(HTTPClientError) as refused:
        await house.connect(path, *args, **kwargs)
    return refused.value.code


@pytest.mark.parametrize("path", ["/ws/desk", "/ws/caller"])
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://127.0.0.1",
        "http://127.0.0.1.evil.example",
        "https://localhost:8015",
        "null",
        "file://",
        "http://[",
        "http://\u00e9",
        "javascript:alert(1)",
        "x" * 5_000,
    ],
)
async def test_another_origin_has_no_socket(house: Running, path: str, origin: str) -> None:
    browser = await house.signed_in("regulator")
    before = house.counted("origin_foreign")
    assert await refused_at_the_door(house, path, browser, origin=origin) == 403
    assert house.counted("origin_foreign") == before + 1


async def test_only_same_origin_vouches_for_an_origin_that_is_not_ours(house: Running) -> None:
    """A proxy may have changed the host under which the page was asked for; the browser knows it."""
    browser, origin = await house.signed_in("regulator"), "https://other.example"
    for site in ("cross-site", "same-site", "none", ""):
        told = {"Sec-Fetch-Site": site}
        assert await refused_at_the_door(house, "/ws/desk", browser, origin=origin, **told) == 403
    ours = {"Sec-Fetch-Site": "same-origin"}
    await (await house.connect("/ws/desk", browser, origin=origin, **ours)).alive()


@pytest.mark.parametrize("origin", ["http://localhost:8015", None])
async def test_our_public_address_and_programs_have_one(house: Running, origin: str | None) -> None:
    page = await house.connect("/ws/desk", await house.signed_in("regulator"), origin=origin)
    await page.alive()


@pytest.mark.parametrize("identifier", ["auditor", "referent", "admin", "ailleurs"])
async def test_a_role_without_the_desk_has_no_desk_socket(house: Running, identifier: str) -> None:
    assert await refused_at_the_door(house, "/ws/desk", await house.signed_in(identifier)) == 403


@pytest.mark.parametrize("cookie", ["", "forged", "x" * 27, "é", '"\\', "a; b", "0" * 4_000])
async def test_no_or_a_forged_cookie_has_no_desk_socket(house: Running, cookie: str) -> None:
    browser = house.browser()
    browser.cookies[SESSION_COOKIE] = cookie
    assert await refused_at_the_door(house, "/ws/desk", browser) == 401
    assert await refused_at_the_door(house, "/ws/desk") == 401


async def test_an_expired_or_revoked_session_has_no_desk_socket(house: Running) -> None:
    revoked, expired = [await house.signed_in("regulator") for _ in range(2)]
    await house.login.logout(revoked.cookies[SESSION_COOKIE])
    assert await refused_at_the_door(house, "/ws/desk", revoked) == 401
    house.clock.pass_(hours=15)
    assert await refused_at_the_door(house, "/ws/desk", expired) == 401


async def test_a_desk_whose_session_is_revoked_is_closed(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.web.sockets.page_socket.TICK", 0.05)
    browser = await house.signed_in("regulator")
    desk = await house.desk(browser)
    await house.login.logout(browser.cookies[SESSION_COOKIE])
    assert await desk.closed() == (4401, "not_signed_in")


@pytest.mark.parametrize("path", ["/ws/desk", "/ws/caller", "/ws/observer", "/ws/selftest"])
async def test_a_page_that_never_says_hello_takes_no_place_for_ever(
    house: Running, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr("server.web.sockets.page_socket.TICK", 0.05)
    monkeypatch.setattr("server.web.sockets.page_socket.HELLO_SECONDS", 0.2)
    greeted = await house.desk(await house.signed_in("regulator"))
    silent = await house.connect(path, await house.signed_in("regulator"))
    assert await silent.closed() == (4400, "message_out_of_order")
    await greeted.alive()
