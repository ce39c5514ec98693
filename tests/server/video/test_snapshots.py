"""Stored pictures: only where the site says so, bare, sealed, erasable; each look written down; nobody else's."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from server.core.audit_entries import Actor
from server.core.site_policy import SnapshotPolicy
from server.identity.domain.access import Role
from server.video.domain.jpeg import clean
from server.video.domain.snapshots import LARGEST
from server.video.service.snapshots import MOST
from tests.jpeg import COMMENT, EXIF, jpeg, with_metadata
from tests.server.running import MOBILE, Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tornado.httpclient import HTTPResponse

    from tests.databases import Furnished
    from tests.server.house import Browser

PICTURE = jpeg()


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def allow(house: Running, policy: SnapshotPolicy = SnapshotPolicy.STORE) -> None:
    secrets = house.commands.secrets
    await secrets.snapshots("rivage", policy)


async def store(
    browser: Browser, session: str, body: bytes = PICTURE, age: str = "0"
) -> HTTPResponse:
    if "_xsrf" not in browser.cookies:
        await browser.get("/kiosk")
    headers = {"Content-Type": "image/jpeg", "X-Xsrftoken": browser.cookies["_xsrf"]}
    path = f"/desk/snapshots?session={session}&age={age}"
    return await browser.fetch(path, method="POST", body=body, headers=headers)


def code(answer: HTTPResponse) -> str:
    return str(json.loads(answer.body)["error"]["code"])


async def test_a_site_that_has_decided_nothing_stores_nothing(house: Running) -> None:
    _desk, _phone, session = await house.connected()
    answer = await store(await house.signed_in("regulator"), session)
    assert (answer.code, code(answer)) == (403, "snapshot_not_allowed")
    await allow(house)
    await allow(house, SnapshotPolicy.NONE)
    answer = await store(await house.signed_in("regulator"), session)
    assert code(answer) == "snapshot_not_allowed"
    assert await house.all_of("snapshot") == []


async def test_the_caller_is_told_before_that_a_photo_may_be_kept(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    await house.invite(desk)
    [token] = await house.tokens()
    page = house.browser()
    french = {"Accept-Language": "fr"}
    words = house.server.web.pages.words("fr")
    for policy, said, other in (
        (SnapshotPolicy.NONE, "consent_kept", "consent_stills"),
        (SnapshotPolicy.STORE, "consent_stills", "consent_kept"),
    ):
        await allow(house, policy)
        text = (await page.get(f"/v/{token}", headers=french)).body.decode()
        assert f'data-say="{said}">{words[said]}<' in text
        assert f'data-say="{other}"' not in text


async def test_a_desk_learns_of_the_decision_while_it_is_open(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.web.sockets.page_socket.TICK", 0.05)
    desk = await house.desk(await house.signed_in("regulator"))
    await allow(house)
    while (await desk.hear("view"))["site"]["snapshots"] != "store":
        pass


async def test_a_picture_is_stored_bare_and_sealed_and_the_caller_is_told(house: Running) -> None:
    await allow(house)
    _desk, phone, session = await house.connected()
    browser = await house.signed_in("regulator")
    answer = await store(browser, session, with_metadata(PICTURE), age="2500")
    assert answer.code == 201, answer.body
    taken = json.loads(answer.body)
    await phone.hear("snapshot")
    [row] = await house.all_of("snapshot")
    kept = base64.b64decode(house.seal.open(row["sealed"]))
    assert kept == clean(PICTURE, LARGEST).data
    for secret in (EXIF, COMMENT, kept):
        assert secret not in row["sealed"]
    assert row["sha256"] == hashlib.sha256(kept).hexdigest()
    # The auditor sees that there is one, and looks at it: that is a row of its own.
    auditor = await house.signed_in("auditor")
    page = (await auditor.get(f"/audit/sessions/{session}")).body.decode()
    assert f"/audit/snapshots/{taken['id']}" in page
    assert base64.b64encode(kept[:30]).decode() not in page
    seen = await auditor.get(f"/audit/snapshots/{taken['id']}")
    assert seen.body == kept
    assert seen.headers["Content-Type"] == "image/jpeg"
    assert seen.headers["Cache-Control"] == "no-store"
    assert seen.headers["Content-Disposition"].startswith("inline;")
    actions = await house.actions()
    assert actions.count("snapshot.taken") == actions.count("snapshot.viewed") == 1
    [noted] = await house.rows("SELECT data FROM audit WHERE action = 'snapshot.taken'")
    assert json.loads(noted["data"])["sha256"] == row["sha256"]
    assert kept[:8].hex() not in noted["data"]


async def test_it_is_erased_with_the_callers_number(house: Running) -> None:
    await allow(house)
    _desk, _phone, session = await house.connected()
    taken = json.loads((await store(await house.signed_in("regulator"), session)).body)
    site = house.sites["rivage"].id
    counts = await house.erasure.forget(Actor("cli", site), MOBILE)
    assert counts["snapshots"] == 1
    [row] = await house.all_of("snapshot")
    assert row["sealed"] is None
    auditor = await house.signed_in("auditor")
    answer = await auditor.get(
        f"/audit/snapshots/{taken['id']}", headers={"Accept": "application/json"}
    )
    assert (answer.code, code(answer)) == (404, "snapshot_erased")
    assert "effacée" in (await auditor.get(f"/audit/sessions/{session}")).body.decode()
    verdict, _ = await house.chain.verify(site)
    assert verdict.intact


async def test_hostile_pictures_are_refused_by_their_code(house: Running) -> None:
    await allow(house)
    _desk, phone, session = await house.connected()
    browser = await house.signed_in("regulator")
    huge = jpeg()
    at = huge.index(b"\xff\xc0")
    wide = huge[: at + 5] + (5000).to_bytes(2) + huge[at + 7 :]
    none = huge[: at + 5] + bytes(4) + huge[at + 9 :]
    for body, expected in (
        (b"", "picture_malformed"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "picture_malformed"),
        (b"<svg onload=alert(1)>", "picture_malformed"),
        (b"\xff\xd8\xff\xd9", "picture_malformed"),
        (b"\xff\xd8" + b"\xff\xe0\xff\xff" + bytes(50), "picture_malformed"),
        (PICTURE[:-40], "picture_malformed"),
        (none, "picture_too_large"),
        (PICTURE + b"<script>alert(1)</script>", "picture_malformed"),
        (wide, "picture_too_large"),
        (PICTURE + bytes(LARGEST), "picture_too_large"),
    ):
        before = house.counted(expected)
        answer = await store(browser, session, body)
        assert (answer.code, code(answer)) == (400, expected), body[:20]
        assert house.counted(expected) == before + 1
    for age in ("-1", "1.5", "x", "9" * 30, "%C2%B2"):
        assert (await store(browser, session, age=age)).code == 400
    assert await house.all_of("snapshot") == []
    await phone.alive()


async def test_it_takes_the_role_the_site_and_a_video_that_goes_on(house: Running) -> None:
    """I7, and the limits: another role, another site, another video, one that is over, the forty-first."""
    await allow(house)
    desk, _phone, session = await house.connected()
    regulator = await house.signed_in("regulator")
    await house.admin.add_user(
        "voisin",
        "une phrase assez longue 15",
        site_key="montagne",
        name="Voisin",
        role=Role.REGULATOR,
        email="voisin@example.org",
        mobile=None,
    )
    await house.look_around()
    foreign = await house.signed_in("voisin", "301")
    assert code(await store(foreign, session)) == "snapshot_not_allowed"
    secrets = house.commands.secrets
    await secrets.snapshots("montagne", SnapshotPolicy.STORE)
    assert code(await store(foreign, session)) == "not_found"
    assert code(await store(regulator, "unknown-session")) == "not_found"
    assert code(await store(await house.signed_in("auditor"), session)) == "forbidden"
    taken = json.loads((await store(regulator, session)).body)
    as_json = {"Accept": "application/json"}
    for identifier, expected in (("ailleurs", "snapshot_unknown"), ("regulator", "forbidden")):
        browser = await house.signed_in(identifier)
        answer = await browser.get(f"/audit/snapshots/{taken['id']}", headers=as_json)
        assert code(answer) == expected
    for _ in range(MOST - 1):
        assert (await store(regulator, session)).code == 201
    assert code(await store(regulator, session)) == "snapshot_too_many"
    await desk.say("session.end", id="command-0009", session=session)
    await desk.hear("done", id="command-0009")
    assert code(await store(regulator, session)) == "session_ended"
    assert "audit.missed" in await house.actions("montagne")
