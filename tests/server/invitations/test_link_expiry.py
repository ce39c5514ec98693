"""Fifteen minutes limit the first tap only: who has tapped comes back for as long as the video lives (I5)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.server.running import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.databases import Furnished


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def test_a_link_nobody_tapped_in_time_says_so(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    await house.invite(desk)
    [token] = await house.tokens()
    phone = house.browser()
    assert (await phone.get(f"/v/{token}")).code == 200
    house.clock.pass_(minutes=15)
    for language, sentence in (("fr", "Ce lien a expiré"), ("en", "This link has expired")):
        page = await phone.get(f"/v/{token}", headers={"Accept-Language": language})
        assert page.code == 410
        assert 'data-reason="expired"' in page.body.decode()
        assert sentence in page.body.decode()
        assert "SAMU rivage" in page.body.decode()
    for what in ("open", "tap"):
        answer = await phone.post_json(f"/v/{token}/{what}", {})
        assert answer.code == 409
        assert json.loads(answer.body)["error"]["code"] == "link_expired"


async def test_who_tapped_in_time_comes_back_after_it(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    await house.invite(desk)
    [token] = await house.tokens()
    house.clock.pass_(minutes=14)
    phone = await house.tapped(token)
    socket = await house.caller(token, phone)
    await socket.say("camera", state="granted")
    house.clock.pass_(minutes=40)
    page = await phone.get(f"/v/{token}")
    assert page.code == 200
    assert (await phone.post_json(f"/v/{token}/tap", {})).code == 200
    await house.caller(token, phone, "phone-page-2")
    stranger = house.browser()
    assert 'data-reason="elsewhere"' in (await stranger.get(f"/v/{token}")).body.decode()


async def test_a_link_sent_again_has_fresh_minutes(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    await house.invite(desk)
    [token] = await house.tokens()
    house.clock.pass_(minutes=14)
    [row] = await house.rows("SELECT id FROM invitation")
    await desk.say("invitation.resend", id="command-0002", invitation=row["id"])
    await desk.hear("done", id="command-0002")
    house.clock.pass_(minutes=14)
    assert (await house.browser().get(f"/v/{token}")).code == 200
    await house.tapped(token)


async def test_a_question_without_a_page_leaves_nothing(house: Running) -> None:
    """HEAD, as mail scanners ask: the status of a GET, no cookie, no trace; the link goes on."""
    desk = await house.desk(await house.signed_in("regulator"))
    session = await house.invite(desk)
    [token] = await house.tokens()
    scanner = house.browser()
    answer = await scanner.fetch(f"/v/{token}", method="HEAD")
    assert (answer.code, answer.body, scanner.cookies) == (200, b"", {})
    assert (await scanner.fetch("/v/" + "A" * 27, method="HEAD")).code == 404
    [row] = await house.rows("SELECT opened, tapped, browser_hash FROM invitation")
    assert set(row.values()) == {None}
    phone = await house.tapped(token)
    assert (await scanner.fetch(f"/v/{token}", method="HEAD")).code == 410
    assert (await phone.fetch(f"/v/{token}", method="HEAD")).code == 200
    await desk.say("session.end", id="command-0009", session=session)
    await desk.hear("done", id="command-0009")
    assert (await phone.fetch(f"/v/{token}", method="HEAD")).code == 410
