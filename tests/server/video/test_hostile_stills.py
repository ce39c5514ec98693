"""Stills and photos as no page of ours sends them: refused by their code, counted; honest ones reach their room."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from server.caller.web.socket import WORDS_BURST
from server.video.service.photos import MAX_PART, MAX_PHOTO, PHOTOS_AT_ONCE
from tests.lab.process import until
from tests.pictures import EOI, SOI, jpeg, segment, still, with_place
from tests.server.running import Page, Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tornado.httpclient import HTTPResponse

    from tests.databases import Furnished
    from tests.server.house import Browser

PICTURE = jpeg()
SIZE = (64, 48)


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


def millis(house: Running, ago: float = 0) -> int:
    return int((house.clock.now().timestamp() - ago) * 1000)


async def picture(desk: Page) -> tuple[dict[str, Any], bytes]:
    """The next still a desk is shown: head and picture."""
    message = await desk.hear("still")
    data = message.pop("bytes")
    return message, data


async def sent(caller: Page, frame: bytes) -> dict[str, Any]:
    await caller.raw(frame)
    return await caller.hear_any("still.ack", "error")


async def audited(house: Running, action: str) -> list[dict[str, Any]]:
    rows = await house.rows(f"SELECT data FROM audit WHERE action = '{action}' ORDER BY seq")  # noqa: S608
    return [json.loads(row["data"]) for row in rows]


# --- stills ----------------------------------------------------------------------------------------
async def test_a_still_reaches_the_desks_of_its_room_cleaned_and_with_its_time(
    house: Running,
) -> None:
    desk, caller, session = await house.connected()
    other = await house.desk(await house.signed_in("arm", "202"), "desk-peer-2")
    await caller.say("ladder", rung="stills", why="lost")
    await desk.hear("view")
    house.clock.pass_(seconds=2)
    ack = await sent(caller, still(1, millis(house, 1.5), with_place(PICTURE)))
    assert ack == {"type": "still.ack", "seq": 1, "desks": 1}
    head, data = await picture(desk)
    assert (head["session"], head["seq"]) == (session, 1)
    assert head["taken"] == "2026-03-01T08:00:00.500000+00:00"
    assert data.startswith(SOI)
    assert b"GPS" not in data
    # A clock that runs ahead is brought back to now: no still is younger than its arrival.
    await sent(caller, still(2, millis(house, -3600), PICTURE))
    assert (await picture(desk))[0]["taken"] == house.clock.now().isoformat()
    await other.alive()
    assert not any(message["type"] == "still" for message in other.told)
    # Each step is written, and what it led to.
    await caller.say("ladder", rung="stills", why="lost")
    await caller.say("ladder", rung="video", why="recovered")
    await until_actions(house, "picture.rung", 2)
    down, up = await audited(house, "picture.rung")
    assert down == {"rung": "stills", "from": "video", "why": "lost", "stills": 0}
    assert up == {"rung": "video", "from": "stills", "why": "recovered", "stills": 2}
    assert [row["to"] for row in await audited(house, "picture.still")] == ["interrupted"]


async def until_actions(house: Running, action: str, count: int) -> None:
    async def there() -> bool:
        return (await house.actions()).count(action) >= count

    await until(there, f"{count} × {action}")


async def test_the_view_says_the_rung_and_why(house: Running) -> None:
    desk, caller, _session = await house.connected()
    await caller.say("ladder", rung="stills", why="slow")
    view = await desk.hear("view")
    while "faible : images fixes" not in view["sessions"][0]["say"]["cause"]:
        view = await desk.hear("view")
    assert view["sessions"][0]["rung"] == "stills"
    # What a desk wanted is not blamed on the network.
    await caller.say("ladder", rung="video", why="recovered")
    await caller.say("ladder", rung="stills", why="asked")
    while "demande d'un poste" not in view["sessions"][0]["say"]["cause"]:
        view = await desk.hear("view")


async def test_a_desk_asks_and_a_stranger_may_not(house: Running) -> None:
    desk, caller, session = await house.connected()
    await desk.say("ladder", session=session, rung="photo")
    assert (await caller.hear("ladder"))["rung"] == "photo"
    await until_actions(house, "picture.asked", 1)
    other = await house.desk(await house.signed_in("arm", "202"), "desk-peer-2")
    await other.say("ladder", session=session, rung="photo")
    await other.refused("message_out_of_order")
    await desk.say("ladder", session=session, rung="video")
    await desk.refused("message_malformed")
    await caller.say("ladder", rung="stills", why="because")
    await caller.refused("message_malformed")


HOSTILE: list[tuple[bytes, str]] = [
    (b"", "message_malformed"),
    (b"\x01", "message_malformed"),
    (b"\x02" + still(1, 0, PICTURE)[1:], "message_malformed"),
    (still(1, 0, PICTURE), "message_malformed"),  # in 1970
    (b"GIF89a" * 10, "message_malformed"),
    (SOI + EOI, "picture_malformed"),
    (PICTURE[: len(PICTURE) // 2], "picture_malformed"),
    (PICTURE + b"<html>", "picture_malformed"),
    (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "picture_malformed"),
    (SOI + segment(0xC0, b"\x08\xff\xff\xff\xff\x03" + b"\0" * 9), "picture_too_large"),
    (jpeg(640, 480, noise=5)[:62_000], "picture_too_large"),
    (b"\0" * 65_537, "message_too_large"),
    (b"\xff" * 900_000, "message_too_large"),
]


async def test_what_is_no_still_is_refused_by_its_code_and_the_socket_lives_on(
    house: Running,
) -> None:
    desk, caller, _session = await house.connected()
    for number, (body, code) in enumerate(HOSTILE):
        if number % 8 == 7:  # ten refusals in a minute would close it
            [token] = await house.tokens()
            caller = await house.caller(token, house.phones[0])
        house.clock.pass_(seconds=1)
        framed = code.startswith("picture")
        before = house.counted(code)
        answer = await sent(caller, still(1, millis(house), body) if framed else body)
        assert answer["code"] == code, (number, answer)
        assert house.counted(code) == before + 1
    assert (await sent(caller, still(9, millis(house), PICTURE)))["type"] == "still.ack"
    assert (await picture(desk))[0]["seq"] == 9, "nothing else had reached the desk"


async def test_a_flood_of_stills_is_cut_down_then_off(house: Running) -> None:
    desk, caller, _session = await house.connected()
    answers = [await sent(caller, still(n, millis(house), PICTURE)) for n in range(12)]
    assert [a["type"] for a in answers].count("still.ack") == 8
    assert {a.get("code") for a in answers[8:]} == {"picture_too_many"}
    house.clock.pass_(seconds=1)
    assert (await sent(caller, still(20, millis(house), PICTURE)))["type"] == "still.ack"
    for number in range(30, 45):
        await caller.raw(still(number, millis(house), PICTURE))
    assert await caller.closed() == (4429, "message_flood")
    await desk.alive()


async def test_only_the_phone_that_sits_in_the_room_is_heard(house: Running) -> None:
    desk, caller, session = await house.connected()
    stranger = await house.connect("/ws/caller", house.browser())
    assert (await sent(stranger, still(1, millis(house), PICTURE)))[
        "code"
    ] == "message_out_of_order"
    await desk.raw(still(1, millis(house), PICTURE))
    await desk.refused("message_malformed")
    # The desk left: the phone learns that nobody looks.
    away = await house.desk(await house.signed_in("regulator"), "desk-peer-1", watch=session)
    away.socket.close()
    await desk.say("session.end", id="command-0009", session=session)
    await caller.hear("ended")
    assert (await sent(caller, still(2, millis(house), PICTURE)))["code"] == "session_ended"
    await caller.say("ladder", rung="stills", why="lost")
    await caller.refused("session_ended")


async def test_nobody_looks_and_the_acknowledgement_says_so(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    await house.invite(desk)
    [token] = await house.tokens()
    caller = await house.caller(token, await house.tapped(token))
    assert (await sent(caller, still(1, millis(house), PICTURE)))["desks"] == 0
    assert "picture.still" not in await house.actions()


def seqs(frames: list[bytes]) -> list[int]:
    """The numbers of the stills in these frames."""
    return [json.loads(f[2 : 2 + int.from_bytes(f[:2], "big")])["seq"] for f in frames]


async def test_a_desk_that_does_not_read_gets_the_newest_only(house: Running) -> None:
    """What waits for it is one still, whatever was sent meanwhile."""
    desk, caller, session = await house.connected()
    [line] = house.server.sessions._rooms.get(session).desks.values()
    frames: list[bytes] = []

    async def never(message: str | bytes, *, binary: bool = False) -> None:
        await gate
        if binary:
            frames.append(bytes(message))  # type: ignore[arg-type]

    gate = asyncio.get_running_loop().create_future()
    line.write_message = never  # type: ignore[attr-defined]
    for number in range(1, 8):
        await sent(caller, still(number, millis(house), PICTURE))
    gate.set_result(None)
    await until(lambda: seqs(frames)[-1:] == [7], "the newest is the last")
    assert len(seqs(frames)) <= 2
    del desk


# --- photos ----------------------------------------------------------------------------------------
async def send_part(
    browser: Browser, token: str, data: bytes, *, key: str = "photo-0001", **changes: Any
) -> HTTPResponse:
    headers = {
        "X-Visio15-Photo": key,
        "X-Visio15-Offset": str(changes.get("offset", 0)),
        "X-Visio15-Total": str(changes.get("total", len(data))),
        "X-Xsrftoken": browser.cookies.get("_xsrf", ""),
        "Accept": "application/json",
    }
    if "taken" in changes:
        headers["X-Visio15-Taken"] = str(changes["taken"])
    return await browser.fetch(f"/v/{token}/photo", method="POST", body=data, headers=headers)


def answered(response: HTTPResponse) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(response.body)
    return found


def refused(response: HTTPResponse) -> str:
    return str(answered(response)["error"]["code"])


async def test_a_photo_comes_in_parts_once_and_is_gone_with_its_session(house: Running) -> None:
    desk, _caller, session = await house.connected()
    [token], [phone] = await house.tokens(), house.phones
    whole = with_place(jpeg(320, 240, noise=3))
    half = len(whole) // 2
    total = {"total": len(whole), "taken": millis(house, 20)}
    assert answered(await send_part(phone, token, whole[:half], **total)) == {
        "received": half,
        "done": False,
    }
    # Its acknowledgement was lost: said again, nothing changes. A hole is not filled by what comes after it.
    again = answered(await send_part(phone, token, whole[:half], **total))
    assert again == {"received": half, "done": False}
    hole = await send_part(phone, token, whole[-10:], offset=len(whole) - 10, **total)
    assert answered(hole) == {"received": half, "done": False}
    last = {**total, "offset": half}
    assert answered(await send_part(phone, token, whole[half:], **last))["done"]
    assert answered(await send_part(phone, token, whole[half:], **last))["done"]
    told = await desk.hear("photo")
    assert told["session"] == session
    assert told["taken"] == "2026-03-01T07:59:40+00:00"
    [row] = await audited(house, "photo.received")
    doctor = await house.signed_in("regulator")
    shown = await doctor.get(f"/desk/photos/{told['id']}")
    assert shown.code == 200
    assert (shown.headers["Content-Type"], shown.headers["Cache-Control"]) == (
        "image/jpeg",
        "no-store",
    )
    assert b"GPS" not in shown.body
    assert row == {
        "bytes": len(shown.body),
        "width": 320,
        "height": 240,
        "sha256": hashlib.sha256(shown.body).hexdigest(),
    }
    # A desk that comes later is told; another site, and nobody, is not served.
    later = await house.desk(await house.signed_in("arm", "202"), "desk-peer-3", watch=session)
    assert (await later.hear("photo"))["id"] == told["id"]
    await house.admin.add_user(
        "loin",
        "correct horse battery staple",
        site_key="montagne",
        name="Loin",
        role=house.users["regulator"].role,
        email="loin@example.org",
        mobile=None,
    )
    await house.look_around()
    json_only = {"headers": {"Accept": "application/json"}}
    far = await (await house.signed_in("loin", "301")).get(
        f"/desk/photos/{told['id']}", **json_only
    )
    assert (far.code, refused(far)) == (404, "photo_unknown")
    assert (await house.browser().get(f"/desk/photos/{told['id']}", **json_only)).code == 401
    await desk.say("session.end", id="command-0009", session=session)
    await desk.hear("done", id="command-0009")
    assert (await doctor.get(f"/desk/photos/{told['id']}", **json_only)).code == 404
    ended = await send_part(phone, token, PICTURE, key="photo-0002")
    assert (ended.code, refused(ended)) == (409, "session_ended")


async def test_a_hostile_photo_is_refused_and_nothing_is_kept(house: Running) -> None:
    desk, _caller, session = await house.connected()
    [token], [phone] = await house.tokens(), house.phones

    async def code(data: bytes, **changes: Any) -> str:
        return refused(await send_part(phone, token, data, **changes))

    assert await code(PICTURE, key="short") == "invalid"
    assert await code(PICTURE, key="<script>alert(1)</script>") == "invalid"
    assert await code(PICTURE, offset="-1") == "invalid"
    assert await code(PICTURE, offset="1e3") == "invalid"
    assert await code(PICTURE, total="") == "invalid"
    assert await code(PICTURE, total=0) == "picture_too_large"
    assert await code(PICTURE, total=MAX_PHOTO + 1) == "picture_too_large"
    assert await code(b"x" * (MAX_PART + 1)) == "picture_too_large"
    assert await code(PICTURE, total=len(PICTURE) - 1) == "invalid"
    assert await code(b"", total=10) == "invalid"
    assert await code(b"<svg onload=alert(1)>" * 9, key="photo-0002") == "picture_malformed"
    assert await code(PICTURE, key="photo-0003", taken=1) == "message_malformed"
    for number in range(PHOTOS_AT_ONCE):
        flood = await send_part(phone, token, b"x", key=f"photo-1{number:03}", total=9)
    assert refused(flood) == "picture_too_many"
    assert flood.code == 429
    assert "photo.received" not in await house.actions()
    # Without the token of our page; from a browser that did not tap; with a link that was never touched.
    house.clock.pass_(seconds=60)
    forged = await phone.fetch(f"/v/{token}/photo", method="POST", body=PICTURE)
    assert forged.code == 403
    other = house.browser()
    await other.get(f"/v/{token}")
    elsewhere = await send_part(other, token, PICTURE)
    assert (elsewhere.code, refused(elsewhere)) == (409, "open_elsewhere")
    await house.invite(desk, "command-0004", new_session=True)
    fresh = next(t for t in await house.tokens() if t != token)
    assert refused(await send_part(other, fresh, PICTURE)) == "message_out_of_order"
    assert answered(await send_part(phone, token, PICTURE, key="photo-9999"))["done"]
    assert (await desk.hear("photo"))["session"] == session


async def test_what_all_photos_take_together_is_bounded(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest photo goes first, never the one that just came."""
    monkeypatch.setattr("server.video.service.photos.MAX_TOTAL", len(PICTURE) * 3 // 2)
    desk, _caller, first = await house.connected()
    second = await house.invite(desk, "command-0004", new_session=True)
    await desk.say("session.watch", id="command-0005", session=second)
    await desk.hear("done", id="command-0005")
    former, newer = await house.tokens()
    other = await house.tapped(newer)
    assert answered(await send_part(house.phones[0], former, PICTURE))["done"]
    assert answered(await send_part(other, newer, PICTURE))["done"]
    assert (await desk.hear("photo"))["session"] == second
    await desk.say("session.watch", id="command-0006", session=first)
    await desk.hear("done", id="command-0006")
    await desk.alive()
    assert not any(message["type"] == "photo" for message in desk.told)


async def test_a_phone_that_goes_up_and_down_without_end_fills_no_audit(house: Running) -> None:
    """Nor draws the desks anew; coming again refills nothing."""
    _desk, caller, _session = await house.connected()
    written = WORDS_BURST - 1  # its camera was one
    for number in range(written):
        await caller.say("ladder", rung=("stills", "video")[number % 2], why="lost")
    await caller.say("hello", token="x" * 27, page="phone-page-1")
    await caller.refused("message_out_of_order")  # all that was said before is heard by then
    [token] = await house.tokens()
    again = await house.caller(token, house.phones[0], "phone-page-2")
    await again.say("ladder", rung="video", why="recovered")
    await again.refused("message_flood")
    await until_actions(house, "picture.rung", written)
    house.clock.pass_(seconds=1)
    await again.say("ladder", rung="photo", why="lost")
    await until_actions(house, "picture.rung", written + 1)
