"""The caller's language: asked for by the phone, changed by either side, kept with the session, audited."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from server.core.audit_entries import Actor
from server.core.words.languages import BY_CODE
from server.identity.domain.access import Role
from tests.server.running import MOBILE, Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.databases import Furnished

ARABIC = {"Accept-Language": "pl;q=0,ar-MA,en;q=0.4"}


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


def language_of(html: bytes) -> str:
    found = re.search(r'<html lang="(\w+)" dir="(\w+)"', html.decode())
    assert found
    return " ".join(found.groups())


async def test_the_phone_is_answered_in_its_language(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    await house.invite(desk)
    [token] = await house.tokens()
    phone = house.browser()
    page = await phone.get(f"/v/{token}", headers=ARABIC)
    assert language_of(page.body) == "ar rtl"
    boot = json.loads(page.body.decode().partition('id="boot">')[2].partition("</script>")[0])
    assert set(boot["words"]) == set(BY_CODE)
    for language, url in boot["words"].items():
        words = await phone.get(url)
        assert "immutable" in words.headers["Cache-Control"], language
        assert set(json.loads(words.body)) == set(boot["strings"])
        stale = await phone.get(url[:-1] + "x")
        assert stale.headers["Cache-Control"] == "no-store"
    assert json.loads((await phone.get(boot["words"]["ar"])).body) == boot["strings"]
    wanted = await phone.get(f"/v/{token}?lang=en", headers=ARABIC)
    assert language_of(wanted.body) == "en ltr"
    closed = await house.browser().get(f"/v/{'x' * 27}", headers=ARABIC)
    assert language_of(closed.body) == "ar rtl"


async def test_it_is_shown_to_the_regulator_who_can_change_it(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    session = await house.invite(desk)
    [token] = await house.tokens()

    async def shown() -> Any:
        while True:
            view = await desk.hear("view")
            one = next(s for s in view["sessions"] if s["id"] == session)
            if one["caller"]["language"]:
                return one

    phone = house.browser()
    await phone.get(f"/v/{token}")
    opened = await phone.post_json(f"/v/{token}/open", {"language": "en"})
    assert opened.code == 200
    one = await shown()
    assert one["caller"]["language"] == {"code": "en", "name": "anglais"}
    translation = {"language": "en", "text": "Touch the big button with the camera."}
    assert one["say"]["translation"] == translation

    # Before the socket: kept, and said as soon as the phone says hello.
    await desk.say("caller.language", id="command-0002", session=session, language="ar")
    await desk.hear("done", id="command-0002")
    await phone.post_json(f"/v/{token}/tap", {})
    socket = await house.connect("/ws/caller", phone)
    await socket.say("hello", token=token, page="phone-page-1", language="en")
    assert (await socket.hear("welcome"))["language"] == "ar"

    # With it: at once. The caller has the last word, and it outlives the page.
    await desk.say("caller.language", id="command-0003", session=session, language="fr")
    assert (await socket.hear("language"))["language"] == "fr"
    while (one := await shown())["caller"]["language"]["code"] != "fr":
        pass
    assert one["say"]["translation"] is None
    await socket.say("language", language="ar")
    assert (await socket.hear("language"))["language"] == "ar"
    again = await phone.get(f"/v/{token}")
    assert language_of(again.body) == "ar rtl"

    rows = await house.rows(
        "SELECT source, data FROM audit WHERE action = 'session.language' ORDER BY seq"
    )
    # Which language it was may tell where somebody comes from: it can be erased.
    assert [(row["source"], row["data"]) for row in rows] == [
        (source, "{}") for source in ("phone", "desk", "desk", "phone")
    ]


async def test_a_language_nobody_offers_changes_nothing(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    session = await house.invite(desk)
    await desk.say("caller.language", id="command-0002", session=session, language="xx")
    assert (await desk.hear("error", id="command-0002"))["code"] == "not_found"
    await desk.say("caller.language", id="command-0003", session="unknown-session", language="fr")
    assert (await desk.hear("error", id="command-0003"))["code"] == "not_found"
    [token] = await house.tokens()
    phone = house.browser()
    await phone.get(f"/v/{token}")
    for body in ({"language": "xx"}, {"language": ["ar"]}, {"language": None, "camera": 3}):
        assert (await phone.post_json(f"/v/{token}/open", body)).code == 200
    await house.admin.set_role("ailleurs", Role.REGULATOR)
    other = await house.desk(await house.signed_in("ailleurs", None), peer="other-peer-1")
    await other.say("caller.language", id="command-0004", session=session, language="en")
    assert (await other.hear("error", id="command-0004"))["code"] == "not_found"


async def test_an_application_without_a_camera_is_told_before_the_tap(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    session = await house.invite(desk)
    [token] = await house.tokens()
    phone = house.browser()
    await phone.get(f"/v/{token}")
    await phone.post_json(f"/v/{token}/open", {"language": "fr", "camera": "in_app"})
    while True:
        view = await desk.hear("view")
        one = next(s for s in view["sessions"] if s["id"] == session)
        if one["state"] == "opened" and "navigateur" in one["say"]["text"]:
            break
    # The link is bound to nobody: it opens in the real browser.
    elsewhere = await house.tapped(token)
    assert (await elsewhere.get(f"/v/{token}")).code == 200


async def test_an_ended_video_keeps_its_language(house: Running) -> None:
    """Nothing is written into the record of a video after its end."""
    desk, caller, session = await house.connected()
    await desk.say("session.end", id="command-0008", session=session)
    await desk.hear("done", id="command-0008")
    await desk.say("caller.language", id="command-0009", session=session, language="en")
    await desk.refused("session_ended")
    await caller.say("language", language="ar")
    await caller.refused("session_ended")
    assert (await house.actions())[-1] == "session.left"


async def test_the_language_is_forgotten_with_the_number(house: Running) -> None:
    """It may tell where somebody comes from."""
    desk, caller, session = await house.connected()
    await caller.say("language", language="ar")
    while True:  # Two sockets: the phone's choice is written before the desk's is said.
        view = await desk.hear("view")
        [one] = [s for s in view["sessions"] if s["id"] == session]
        if (one["caller"]["language"] or {}).get("code") == "ar":
            break
    await desk.say("caller.language", id="command-0009", session=session, language="en")
    await desk.hear("done", id="command-0009")
    erasure = house.erasure
    await erasure.forget(Actor("cli", house.sites["rivage"].id), MOBILE)
    assert [row["language"] for row in await house.rows("SELECT language FROM session")] == [None]
    written = await house.rows(
        "SELECT p.sealed FROM audit a JOIN audit_payload p ON p.site = a.site AND p.seq = a.seq"
        " WHERE a.action = 'session.language'"
    )
    assert written
    assert all(row["sealed"] is None for row in written)
