"""Everybody taps at once: one browser has the video, whatever the order in which the database hears of it (I5)."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from server.invitations.service.links import InvitationLinks
from tests.server.running import MOBILE, Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def house(io_loop: Any, furnished_database: Path, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def test_of_all_browsers_that_tap_at_once_one_has_the_video(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    await house.invite(desk, mobile=MOBILE, email="temoin@example.org")
    tokens = await house.tokens()
    assert len(tokens) == 2
    phones = [house.browser() for _ in range(8)]
    links = [tokens[n % 2] for n in range(8)]
    await asyncio.gather(*(p.get(f"/v/{t}") for p, t in zip(phones, links, strict=True)))
    answers = await asyncio.gather(
        *(p.post_json(f"/v/{t}/tap", {}) for p, t in zip(phones, links, strict=True))
    )
    assert sorted(answer.code for answer in answers) == [200, *[409] * 7]
    refusals = [json.loads(a.body)["error"]["code"] for a in answers if a.code == 409]
    assert refusals == ["open_elsewhere"] * 7
    bound = await house.rows("SELECT count(*) AS n FROM invitation WHERE browser_hash IS NOT NULL")
    assert bound == [{"n": 1}]
    assert (await house.actions()).count("invitation.bound") == 1


@pytest.mark.parametrize("gesture", ["open", "tap", "release", "cannot"])
async def test_whoever_was_let_through_before_another_tapped_is_judged_again(
    house: Running, gesture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    await house.invite(desk)
    [token] = await house.tokens()
    late = house.browser()
    await late.get(f"/v/{token}")
    look = InvitationLinks.look

    async def look_then_tapped(links: InvitationLinks, token: str, browser: str | None) -> Any:
        monkeypatch.undo()
        found = await look(links, token, browser)
        await house.tapped(token)
        return found

    monkeypatch.setattr(InvitationLinks, "look", look_then_tapped)
    answer = await late.post_json(f"/v/{token}/{gesture}", {"language": "fr", "why": "cookies"})
    assert (answer.code, json.loads(answer.body)["error"]["code"]) == (409, "open_elsewhere")
    assert not {"invitation.released", "camera.refused"} & {*await house.actions()}


async def test_a_phone_let_in_just_before_the_end_is_told_of_it(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    session = await house.invite(desk)
    [token] = await house.tokens()
    phone = await house.tapped(token)
    enter = InvitationLinks.enter

    async def enter_then_ended(links: InvitationLinks, token: str, browser: str | None) -> Any:
        monkeypatch.undo()
        admitted = await enter(links, token, browser)
        await desk.answer("session.end", "command-0009", session=session)
        return admitted

    monkeypatch.setattr(InvitationLinks, "enter", enter_then_ended)
    caller = await house.connect("/ws/caller", phone)
    await caller.say("hello", token=token, page="phone-page-1")
    await caller.refused("session_ended")
    assert not list(house.server.sessions._rooms)


async def test_what_a_tap_allows_is_for_its_browser_and_ends_with_the_link(house: Running) -> None:
    """The tap's answer spares its hello the database: for nobody else, and not once it is given back."""
    desk = await house.desk(await house.signed_in("regulator"))
    await house.invite(desk)
    [token] = await house.tokens()
    phone, thief = await house.tapped(token), house.browser()
    await thief.get(f"/v/{token}")
    for browser, code in ((thief, "open_elsewhere"), (phone, "message_out_of_order")):
        caller = await house.connect("/ws/caller", browser)
        await caller.say("hello", token=token, page="phone-page-1")
        await caller.refused(code)
        await phone.post_json(f"/v/{token}/release", {})


async def test_one_browser_that_taps_many_times_is_one_tap(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    await house.invite(desk)
    [token] = await house.tokens()
    phone = house.browser()
    await phone.get(f"/v/{token}")
    answers = await asyncio.gather(*(phone.post_json(f"/v/{token}/tap", {}) for _ in range(5)))
    assert [answer.code for answer in answers] == [200] * 5
    assert (await house.actions()).count("invitation.bound") == 1
    assert (await house.actions()).count("link.tapped") == 1
