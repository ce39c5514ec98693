"""A phone whose network lets no WebSocket through speaks by requests, under the same rules; hostile ones too."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from server.caller.web.page import BROWSER_COOKIE
from server.caller.web.polling import MAX_UP
from server.core.tasks import create_task
from server.protocol.message import MAX_FRAME
from server.video.domain.preflight import BY_REQUESTS
from server.video.service.signalling import EXPLORED
from server.web.sockets import page_socket as sockets
from server.web.sockets import polling
from tests.lab.process import until
from tests.pictures import jpeg, still
from tests.server.polled import Polled
from tests.server.running import Page, Running, running
from tests.server.video.sdp_samples import OFFERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.databases import Furnished
    from tests.server.house import Browser


OFFER = OFFERS["chromium"]
SOUND = OFFER.replace("m=video", "m=audio")


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def watched(house: Running) -> tuple[Page, str, str, Browser]:
    """A desk that watches a video whose link was tapped: desk, session, token, phone."""
    desk = await house.desk(await house.signed_in("regulator"))
    session = await house.invite(desk)
    await desk.say("session.watch", id="command-0002", session=session)
    await desk.hear("done", id="command-0002")
    [token] = await house.tokens()
    return desk, session, token, await house.tapped(token)


async def greeted(house: Running) -> tuple[Page, str, Polled]:
    desk, session, token, phone = await watched(house)
    line = await Polled.opened(phone, token)
    await line.hello()
    return desk, session, line


async def shown(desk: Page, session: str, **wanted: Any) -> dict[str, Any]:
    """The session, once what the desk knows of its phone is this."""
    while True:
        view = await desk.hear("view")
        for one in view["sessions"]:
            if one["id"] == session and wanted.items() <= one["caller"].items():
                return dict(one)


def polled(house: Running) -> float:
    registry = house.server.web.metrics.registry
    return float(registry.get_sample_value("visio15_polled_pages", {"kind": "caller"}) or 0.0)


async def test_the_whole_talk_goes_by_requests(house: Running) -> None:
    desk, session, token, phone = await watched(house)
    line = await Polled.opened(phone, token)
    welcome = await line.hello()
    assert welcome["watchers"] == ["desk-peer-1"]
    assert polled(house) == 1
    await line.say("camera", state="granted")
    await desk.hear("caller.state", state="online")
    await line.say("signal.offer", peer="desk-peer-1", sdp=OFFER)
    offer = await desk.hear("signal.offer")
    assert offer["page"] == "phone-page-1"
    await desk.say("signal.answer", session=session, page=offer["page"], sdp=OFFER)
    assert (await line.hear("signal.answer"))["peer"] == "desk-peer-1"
    await line.say("leave")
    assert (await line.hear("ended"))["by"] == "phone"
    assert "camera.granted" in await house.actions()


async def test_the_desk_reads_that_the_network_bars_the_direct_way(house: Running) -> None:
    desk, session, line = await greeted(house)
    await shown(desk, session, transport="requests")
    await line.say("camera", state="granted")
    while True:
        one = await shown(desk, session, transport="requests")
        if one["say"]["cause"] == BY_REQUESTS:
            break
    assert one["state"] == "connecting"
    assert "network.transport" in await house.actions()


async def test_a_socket_that_comes_up_later_takes_over(house: Running) -> None:
    desk, session, line = await greeted(house)
    await shown(desk, session, transport="requests")
    await house.caller(line.token, line.phone)
    assert await line.closed() == (4503, "unavailable")
    late = await line.up(line.sent, json.dumps({"type": "facing", "facing": "user"}))
    assert json.loads(late.body) == {"taken": line.sent}, "what nobody hears was not taken"
    await shown(desk, session, transport="socket")
    await until(lambda: polled(house) == 0, "the line by requests is over")
    rows = [action for action in await house.actions() if action == "network.transport"]
    assert len(rows) == 2


async def test_ways_that_change_for_ever_are_written_a_few_times(house: Running) -> None:
    _, _, line = await greeted(house)
    for _ in range(EXPLORED):
        await house.caller(line.token, line.phone)
        line = await Polled.opened(line.phone, line.token)
        await line.hello()
    await line.say("leave")
    await line.hear("ended")
    assert (await house.actions()).count("network.transport") == EXPLORED


async def test_an_open_line_asks_the_database_nothing(house: Running) -> None:
    """A doctor tries the link in the browser of his desk, where he is signed in."""
    desk, _, line = await greeted(house)
    line.phone.cookies |= (await house.signed_in("arm", "202")).cookies
    line = await Polled.opened(line.phone, line.token)
    await line.hello()
    await line.hear("viewers")
    desk.socket.close()  # its tick looks at its own sign-in
    await line.hear("viewers", count=0)
    with house.statements() as asked:
        await line.say("are you there")
        await line.hear("error", code="message_unknown")
    assert [one for one in asked if "web_session" in one] == []


async def test_a_socket_that_the_page_gave_up_does_not_send_the_page_away(house: Running) -> None:
    """A proxy held its hello back until the page spoke by requests: "open elsewhere" would be false, and the end."""
    desk, session, line = await greeted(house)
    late = await house.caller(line.token, line.phone)
    code, _ = await line.closed()
    assert code == 4503, "the page comes back after it"
    back = await Polled.opened(line.phone, line.token)
    await back.hello()
    assert await late.closed() == (4503, "unavailable")
    await shown(desk, session, online=True, transport="requests")
    # Another page of the same browser is another matter: one of them films.
    await house.caller(line.token, line.phone, "phone-page-2")
    assert await back.closed() == (4409, "open_elsewhere")


async def test_what_is_refused_is_answered_and_counted_as_on_a_socket(house: Running) -> None:
    _, _, token, phone = await watched(house)
    line = await Polled.opened(phone, token)
    await line.say("camera", state="granted")
    assert (await line.hear("error"))["code"] == "message_out_of_order"
    await line.hello()
    for frame, code in (
        ("{", "message_malformed"),
        ('{"type": "no such"}', "message_unknown"),
        ("\ud83d", "message_malformed"),
        (json.dumps({"type": "leave", "x": "a" * MAX_FRAME}), "message_too_large"),
        (json.dumps({"type": "signal.offer", "peer": "desk-peer-1", "sdp": SOUND}), "sdp_audio"),
    ):
        before = house.counted(code)
        await line.raw(frame)
        assert (await line.hear("error"))["code"] == code
        assert house.counted(code) == before + 1


async def test_frames_said_twice_count_once_and_none_is_missed(house: Running) -> None:
    desk, _, line = await greeted(house)
    frame = json.dumps({"type": "facing", "facing": "user"})
    first = line.sent
    for _ in range(2):  # the answer to the first was lost
        answer = await line.up(first, frame)
        assert json.loads(answer.body) == {"taken": first + 1}
    await line.up(first, frame, json.dumps({"type": "facing", "facing": "environment"}))
    heard = [await desk.hear("caller.state", state=one) for one in ("user", "environment")]
    assert len(heard) == 2
    assert [one for one in desk.told if one.get("state") == "user"] == []
    gap = await line.up(first + 5, frame)
    assert (gap.code, json.loads(gap.body)["error"]["code"]) == (409, "wire_gap")
    # An answer that was lost is given again.
    found = await line.down()
    assert (await line.down())["frames"][: len(found["frames"])] == found["frames"]


async def test_nobody_else_speaks_on_a_line(house: Running) -> None:
    _, _, line = await greeted(house)
    stranger = house.browser()
    await stranger.get("/login")
    for browser in (None, "x" * 32):
        stranger.cookies.pop(BROWSER_COOKIE, None)
        if browser:
            stranger.cookies[BROWSER_COOKIE] = browser
        for path, body in (("up", {"first": line.sent, "frames": []}), ("down", {"seen": 0})):
            answer = await stranger.post_json(f"{line.path}/{path}", body)
            assert (answer.code, json.loads(answer.body)["error"]["code"]) == (404, "wire_unknown")
    opened = await stranger.post_json(f"/v/{line.token}/wire", {})
    assert json.loads(opened.body)["error"]["code"] == "open_elsewhere"
    # The name of a line is good for its own link only, in one browser too.
    desk = house.pages[0]
    await house.invite(desk, "command-0003", mobile="06 12 34 56 79")
    other = (await house.tokens())[-1]
    assert (await line.phone.post_json(f"/v/{other}/tap", {})).code == 200
    answer = await line.phone.post_json(f"/v/{other}/wire/{line.name}/down", {"seen": 0})
    assert json.loads(answer.body)["error"]["code"] == "wire_unknown"
    without = await line.phone.fetch(
        f"{line.path}/down", method="POST", body="{}", headers={"Accept": "application/json"}
    )
    assert json.loads(without.body)["error"]["code"] == "xsrf_refused"
    without = await line.phone.fetch(
        f"/v/{line.token}/wire", method="POST", body="{}", headers={"Accept": "application/json"}
    )
    assert json.loads(without.body)["error"]["code"] == "xsrf_refused"
    assert (await line.up(line.sent)).code == 200


async def test_a_link_that_was_not_tapped_opens_no_line(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    await house.invite(desk)
    [token] = await house.tokens()
    phone = house.browser()
    await phone.get(f"/v/{token}")
    answer = await phone.post_json(f"/v/{token}/wire", {})
    assert json.loads(answer.body)["error"]["code"] == "message_out_of_order"


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"first": -1, "frames": []},
        {"first": "0x", "frames": []},
        {"first": 1.5, "frames": []},
        {"first": None, "frames": []},
        {"first": 10**12, "frames": []},
        {"first": 0},
        {"first": 0, "frames": "frames"},
        {"first": 0, "frames": [1]},
        {"first": 0, "frames": ["{}"] * 65},
        {"first": 0, "frames": ["x" * MAX_UP]},
    ],
)
async def test_bodies_no_page_of_ours_sends_are_refused(house: Running, body: Any) -> None:
    _, _, line = await greeted(house)
    answer = await line.phone.post_json(f"{line.path}/up", body)
    assert (answer.code, json.loads(answer.body)["error"]["code"]) == (400, "invalid")
    if isinstance(body, dict) and body.get("first") != 0:
        answer = await line.phone.post_json(f"{line.path}/down", {"seen": body["first"]})
        assert (answer.code, json.loads(answer.body)["error"]["code"]) == (400, "invalid")
    await line.say("are you there")
    await line.hear("error", code="message_unknown")


async def test_nobody_has_frames_that_were_not_sent_or_gives_them_back(house: Running) -> None:
    _, _, line = await greeted(house)
    await line.say("are you there")
    await line.hear("error")  # by now it has said that it has the first
    for seen in (line.seen + 1_000, 0):
        answer = await line.phone.post_json(f"{line.path}/down", {"seen": seen})
        assert (answer.code, json.loads(answer.body)["error"]["code"]) == (400, "invalid")


async def test_of_two_requests_that_wait_the_newer_has_the_frames(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older one's page has given it up: what it is told is lost."""
    monkeypatch.setattr(sockets, "TICK", 60.0)
    _, _, line = await greeted(house)
    await line.hear("viewers")
    [place] = _sockets(house)._places.values()
    older = create_task(line.down(), "down")
    await until(lambda: place.line._waiting is not None, "a request waits")
    newer = create_task(line.down(), "down")
    async with asyncio.timeout(polling.HOLD / 2):
        assert (await older)["frames"] == []
        place.line.send({"type": "webcam", "on": True})
        assert len((await newer)["frames"]) == 1


async def test_a_still_goes_up_as_a_body(house: Running) -> None:
    desk, _, line = await greeted(house)
    await line.say("ladder", rung="stills", why="lost")
    millis = int(house.clock.now().timestamp() * 1000)
    assert (await line.still(still(1, millis, jpeg()))).code == 200
    assert await line.hear("still.ack") == {"type": "still.ack", "seq": 1, "desks": 1}
    assert (await desk.hear("still"))["bytes"]
    assert (await line.still(b"no picture")).code == 200
    assert (await line.hear("error"))["code"] == "message_malformed"
    assert (await line.still(b"x" * (MAX_FRAME + 1))).code == 200
    assert (await line.hear("error"))["code"] == "message_too_large"


async def test_a_flood_ends_the_line_with_its_code(house: Running) -> None:
    desk, _, line = await greeted(house)
    for _ in range(4):
        await line.up(line.sent, *['{"type": "flood"}'] * 60)
        line.sent += 60
        if (await line.down(line.seen)).get("closed"):
            break
    code, reason = await line.closed()
    assert (code, reason) == (4429, "message_flood")
    assert house.counted("message_flood")
    await desk.alive()


@pytest.mark.parametrize("what", ["frames", "requests up", "requests down"])
async def test_everything_that_comes_counts_as_a_flood(house: Running, what: str) -> None:
    _, _, line = await greeted(house)
    [place] = _sockets(house)._places.values()
    many = sockets.FRAMES_A_SECOND + 1
    if what == "frames":
        place.line.take_up(line.sent, ['{"type": "facing", "facing": "user"}'] * many)
    elif what == "requests up":
        for _ in range(many):
            place.line.take_up(line.sent, [])
    else:
        await asyncio.gather(*(place.line.hand_down(line.seen) for _ in range(many)))
    assert await line.closed() == (4429, "message_flood")


async def test_a_page_that_reads_and_never_says_so_is_cut(house: Running) -> None:
    desk, session, line = await greeted(house)
    await desk.say("webcam", session=session, on=True)
    for _ in range(polling.AGAIN + 2):
        found = await line.down(0)
        if "closed" in found:
            break
    code, reason = await line.closed()
    assert (code, reason) == (4503, "unavailable")


async def test_what_waits_for_a_page_is_bounded(house: Running) -> None:
    """It never asks again, and the desk says more than can be kept."""
    _, _, line = await greeted(house)
    [place] = _sockets(house)._places.values()
    for number in range(polling.WINDOW + sockets.QUEUE + 10):
        place.line.send({"type": "webcam", "number": number})
        if number % 100 == 0:
            await asyncio.sleep(0)
    assert await line.closed() == (4503, "unavailable")


async def test_lines_are_few(house: Running) -> None:
    _, _, line = await greeted(house)
    second = await Polled.opened(line.phone, line.token)
    await Polled.opened(line.phone, line.token)
    answer = await line.phone.post_json(f"{line.path}/down", {"seen": 0})
    assert answer.code == 404  # the oldest gave way to the third
    assert (await second.up(0)).code == 200
    for _ in range(60):
        answer = await line.phone.post_json(f"/v/{line.token}/wire", {})
        if answer.code != 200:
            break
    assert (answer.code, json.loads(answer.body)["error"]["code"]) == (429, "message_flood")


@pytest.mark.parametrize("bound", ["_most_of_source", "_most"])
async def test_the_lines_of_a_source_and_all_lines_are_bounded(house: Running, bound: str) -> None:
    desk, _, line = await greeted(house)
    lines = _sockets(house)
    setattr(lines, bound, len(lines))
    await house.invite(desk, "command-0003", mobile="06 12 34 56 79")
    token = (await house.tokens())[-1]
    phone = await house.tapped(token)
    answer = await phone.post_json(f"/v/{token}/wire", {})
    assert (answer.code, json.loads(answer.body)["error"]["code"]) == (503, "wires_full")
    assert (await line.up(line.sent)).code == 200


def _sockets(house: Running) -> polling.PolledSockets:
    for rule in house.server.app.wildcard_router.rules:
        if "sockets" in rule.target_kwargs:
            found: polling.PolledSockets = rule.target_kwargs["sockets"]
            return found
    raise AssertionError


async def test_a_page_that_asks_no_more_has_gone(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "IDLE", 0.3)
    monkeypatch.setattr(polling, "LINGER", 0.3)
    desk, session, line = await greeted(house)
    await shown(desk, session, online=True)
    await shown(desk, session, online=False)
    await until(lambda: not len(_sockets(house)), "nothing is kept of it")
    answer = await line.phone.post_json(f"{line.path}/down", {"seen": 0})
    assert answer.code == 404
    assert polled(house) == 0


async def test_a_page_that_says_goodbye_has_gone_at_once(house: Running) -> None:
    desk, session, line = await greeted(house)
    await shown(desk, session, online=True)
    await line.up(line.sent, json.dumps({"type": "facing", "facing": "user"}), close=True)
    await desk.hear("caller.state", state="user")
    await shown(desk, session, online=False, transport=None)


async def test_a_line_without_a_hello_is_closed(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "HELLO_SECONDS", 0.2)
    _, _, token, phone = await watched(house)
    line = await Polled.opened(phone, token)
    assert await line.closed() == (4400, "message_out_of_order")


async def test_a_server_that_stops_tells_the_page_that_waits(house: Running) -> None:
    desk, _, line = await greeted(house)
    await line.hear("viewers")
    [place] = _sockets(house)._places.values()

    async def stop() -> None:
        await until(lambda: place.line._waiting is not None, "a request waits")
        await house.server.stop()

    _, of_desk, of_line = await asyncio.gather(stop(), desk.closed(), line.closed())
    assert of_desk == of_line == (4503, "unavailable")
