"""Only a desk knows whether the picture is fresh: the phone is told who shows it, and nothing else makes it "seen"."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.process import until
from tests.server.everybody import everybody
from tests.server.running import Page, Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.databases import Furnished

ONE, TWO = "desk-peer-1", "desk-peer-2"


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def reports(desk: Page, session: str, state: str) -> None:
    await desk.say("media.report", session=session, state=state)


async def told_nothing(caller: Page) -> None:
    """Whatever was said before this: the phone has heard of nobody."""
    await caller.say("are you there")
    await caller.hear("error", code="message_unknown")
    assert not [each for each in caller.told if each["type"] == "shown"]


async def second(house: Running, session: str) -> Page:
    """Another desk that sees the same video."""
    desk = await house.desk(await house.signed_in("arm", "202"), TWO, watch=session)
    await until(lambda: TWO in house.server.sessions._rooms.get(session).desks, "it sits there")
    return desk


async def again(house: Running, page: str = "phone-page-1") -> tuple[Page, list[str] | None]:
    """The phone's next hello, and who it is told shows its picture."""
    [token] = await house.tokens()
    caller = await house.connect("/ws/caller", house.phones[0])
    await caller.say("hello", token=token, page=page)
    return caller, (await caller.hear("welcome"))["shown"]


async def state(house: Running) -> str:
    [row] = await house.rows("SELECT state FROM session")
    return str(row["state"])


async def test_the_phone_hears_each_change_of_who_shows_its_picture(house: Running) -> None:
    desk, caller, session = await house.connected()
    await told_nothing(caller)
    for fresh, stale in (("flowing", "frozen"), ("flowing", "hidden"), ("flowing", "lost")):
        await reports(desk, session, fresh)
        await caller.hear("shown", peer=ONE, on=True)
        await reports(desk, session, fresh)  # the same again is no news
        await reports(desk, session, stale)
        await caller.hear("shown", peer=ONE, on=False)
        await reports(desk, session, stale)
        await told_nothing(caller)


async def test_two_desks_each_show_it_or_not(house: Running) -> None:
    """And the video is interrupted when the last one lost it, not the first."""
    desk, caller, session = await house.connected()
    other = await second(house, session)
    await reports(desk, session, "flowing")
    await caller.hear("shown", peer=ONE, on=True)
    await reports(other, session, "flowing")
    await caller.hear("shown", peer=TWO, on=True)
    await reports(desk, session, "frozen")
    await caller.hear("shown", peer=ONE, on=False)
    await desk.answer("sessions.recent", "command-0099")  # what came before it is written down
    assert await state(house) == "live"
    await reports(other, session, "lost")
    await caller.hear("shown", peer=TWO, on=False)
    await other.answer("sessions.recent", "command-0099")
    assert await state(house) == "interrupted"


async def test_a_desk_that_was_cut_off_is_no_reason_to_call_a_lost_video_live(
    house: Running,
) -> None:
    desk, _caller, session = await house.connected()
    other = await second(house, session)
    await reports(desk, session, "flowing")
    await reports(other, session, "lost")
    desk.socket.close()
    await until(lambda: ONE not in house.server.sessions._rooms.get(session).desks, "it is gone")
    await reports(other, session, "lost")  # a desk says so again while the server thinks otherwise
    await other.answer("sessions.recent", "command-0099")
    assert await state(house) == "interrupted"


async def test_what_was_lost_to_one_desk_is_not_lost_to_the_one_that_shows_it_since(
    house: Running,
) -> None:
    """Each desk's words are written in their order, and no order stands between two desks."""
    desk, _caller, session = await house.connected()
    other = await second(house, session)
    await reports(desk, session, "flowing")
    await desk.answer("sessions.recent", "command-0099")
    async with house.server.transactions():  # another writer has its turn
        await desk.say("link.none", id="command-0007", session=session)
        await reports(desk, session, "lost")
        await desk.alive()
        await reports(other, session, "flowing")
        await other.alive()
    for page in (desk, other):
        await page.answer("sessions.recent", "command-0098")
    assert await state(house) == "live"
    assert "picture.lost" not in await house.actions()


@pytest.mark.parametrize("stays", ["observer", "a desk that shows nothing", "a desk that shows it"])
async def test_a_video_that_no_desk_shows_ends_though_somebody_sits_there(
    house: Running, stays: str
) -> None:
    """An observer, or a desk whose browser cannot show a video, says nothing of the picture."""
    all_ = await everybody(house)
    other = await second(house, all_.session)
    if stays == "a desk that shows it":
        await reports(other, all_.session, "flowing")
    await reports(all_.desk, all_.session, "flowing")
    await all_.desk.answer("sessions.recent", "command-0099")
    gone = [all_.caller, all_.desk, *([other] if stays == "observer" else [])]
    for page in gone:
        page.socket.close()
    left = {"observer": 1}.get(stays, 2)
    room = house.server.sessions._rooms.get(all_.session)
    await until(lambda: room.phone is None and len(room.desks) == left, "the others are gone")
    seen = []
    for _ in range(2):
        house.clock.pass_(seconds=31)
        await house.server.sessions.sweep(timedelta(seconds=30))
        seen.append(await state(house))
    flows = stays == "a desk that shows it"
    assert seen == (["live"] * 2 if flows else ["interrupted", "ended"])


async def test_a_desk_that_leaves_on_purpose_shows_nothing_any_more(house: Running) -> None:
    desk, caller, session = await house.connected()
    other = await house.invite(desk, "command-0003", mobile="06 98 76 54 32")
    await reports(desk, session, "flowing")
    await caller.hear("shown", peer=ONE, on=True)
    await desk.answer("session.watch", "command-0004", session=other)
    await caller.hear("shown", peer=ONE, on=False)
    await caller.hear("unwatch", peer=ONE)
    # It does not watch it: its word counts for nothing.
    await reports(desk, session, "flowing")
    await desk.refused("message_out_of_order")
    await told_nothing(caller)


async def test_a_desk_that_only_lost_its_socket_still_shows_it(house: Running) -> None:
    """Its picture goes on without it; back, it says its word again, and that is no news."""
    desk, caller, session = await house.connected()
    await reports(desk, session, "flowing")
    await caller.hear("shown", peer=ONE, on=True)
    desk.socket.close()
    await until(lambda: not house.server.sessions._rooms.get(session).desks, "its socket is gone")
    await told_nothing(caller)
    caller, shown = await again(house)
    assert shown == [ONE]
    back = await house.desk(await house.signed_in("regulator"), watch=session)
    await reports(back, session, "flowing")
    await back.answer("sessions.recent", "command-0099")
    await told_nothing(caller)
    await reports(back, session, "frozen")
    await caller.hear("shown", peer=ONE, on=False)


async def test_a_desk_that_comes_back_to_another_video_has_left_this_one(house: Running) -> None:
    desk, caller, session = await house.connected()
    other = await house.invite(desk, "command-0003", mobile="06 98 76 54 32")
    await reports(desk, session, "flowing")
    await caller.hear("shown", peer=ONE, on=True)
    desk.socket.close()
    await until(lambda: not house.server.sessions._rooms.get(session).desks, "its socket is gone")
    await house.desk(await house.signed_in("regulator"), watch=other)
    await caller.hear("shown", peer=ONE, on=False)


@pytest.mark.parametrize("page", ["phone-page-1", "phone-page-2"], ids=["the same", "loaded again"])
async def test_a_phone_that_says_hello_again_is_told_who_shows_it(
    house: Running, page: str
) -> None:
    desk, caller, session = await house.connected()
    await reports(desk, session, "flowing")
    await caller.hear("shown", peer=ONE, on=True)
    caller, shown = await again(house, page)
    assert shown == [ONE]
    await reports(desk, session, "lost")
    await caller.hear("shown", peer=ONE, on=False)
    _, shown = await again(house, page)
    assert shown == []


async def test_after_a_restart_both_ends_say_their_last_word_again(house: Running) -> None:
    """A room is in memory only: emptied, it is as after a restart of the server."""
    desk, caller, session = await house.connected()
    await caller.say("media.report", camera="busy")
    await desk.hear("caller.state", state="busy")
    await reports(desk, session, "flowing")
    await caller.hear("shown", peer=ONE, on=True)
    caller.socket.close()
    desk.socket.close()
    await until(lambda: session not in set(house.server.sessions._rooms), "nothing is left of it")
    caller, shown = await again(house)
    assert shown is None, "nobody has spoken yet: what the phone knew stays true"
    back = await house.desk(await house.signed_in("regulator"), watch=session)
    await reports(back, session, "flowing")
    await caller.hear("shown", peer=ONE, on=True)
    await caller.say("camera", state="granted")
    await caller.say("media.report", camera="busy")
    await back.hear("caller.state", state="busy")
    # What the phone went on believing is taken back, though this server never heard it.
    caller.socket.close()
    back.socket.close()
    await until(lambda: session not in set(house.server.sessions._rooms), "nothing is left of it")
    caller, shown = await again(house)
    assert shown is None
    back = await house.desk(await house.signed_in("regulator"), watch=session)
    await reports(back, session, "lost")
    await caller.hear("shown", peer=ONE, on=False)
    await caller.say("media.report", camera="busy")
    async with asyncio.timeout(60):
        while (await back.hear("view"))["sessions"][0]["caller"]["camera"] != "busy":
            pass


async def test_a_video_given_away_is_shown_by_whom_it_is_seen(house: Running) -> None:
    desk, caller, session = await house.connected()
    await reports(desk, session, "flowing")
    await caller.hear("shown", peer=ONE, on=True)
    await desk.answer("session.offer_to", "command-0003", session=session, station="202")
    arm = await house.desk(await house.signed_in("arm", "202"), TWO)
    await arm.answer("session.accept", "command-0004", session=session)
    await arm.answer("session.watch", "command-0005", session=session)
    await reports(arm, session, "flowing")
    await caller.hear("shown", peer=TWO, on=True)
    answer = await desk.answer("session.end", "command-0006", session=session)
    assert answer["result"] == {"ended": False}
    await caller.hear("shown", peer=ONE, on=False)
    await arm.answer("session.end", "command-0007", session=session)
    await caller.hear("ended")


async def test_nobody_else_can_say_that_the_picture_is_shown(house: Running) -> None:
    """Neither the phone itself, nor an observer, nor a desk of another video."""
    all_ = await everybody(house)
    other = await house.desk(await house.signed_in("arm", "202"), TWO)
    words = {"session": all_.session, "state": "flowing"}
    for page, code in (
        (all_.caller, "message_malformed"),
        (all_.observer, "message_unknown"),
        (other, "message_out_of_order"),
    ):
        await page.say("media.report", **words)
        await page.hear("error", code=code)
    await all_.caller.say("shown", peer=ONE, on=True)
    await all_.caller.hear("error", code="message_unknown")
    assert house.server.sessions._rooms.get(all_.session).showing == {}
    assert not [each for each in all_.caller.told if each["type"] == "shown"]


async def test_a_page_whose_place_was_taken_speaks_for_the_phone_no_more(house: Running) -> None:
    """Its last words may have been on their way when it was closed."""
    desk, _caller, session = await house.connected()
    room = house.server.sessions._rooms.get(session)
    former: Any = room.phone
    newer, _ = await again(house, "phone-page-2")
    await newer.say("media.report", camera="live")
    await desk.hear("caller.state", state="live")
    for words in (
        {"type": "media.report", "camera": "busy"},
        {"type": "visibility", "hidden": True},
        {"type": "camera", "state": "asking"},
    ):
        await former.take(json.dumps(words))
    assert (room.said.camera, room.said.hidden, room.said.asking) == ("live", False, False)
    assert not [each for each in desk.told if each.get("state") in {"busy", "hidden"}]


async def test_a_desk_whose_place_was_taken_says_no_more_what_is_shown(house: Running) -> None:
    """Another page of its window sits there under the same name."""
    desk, caller, session = await house.connected()
    room = house.server.sessions._rooms.get(session)
    former: Any = room.desks[ONE]
    newer = await house.desk(await house.signed_in("regulator"), watch=session)
    await until(lambda: room.desks[ONE] is not former, "the newer sits there")
    await reports(newer, session, "flowing")
    await caller.hear("shown", peer=ONE, on=True)
    await former.take(json.dumps({"type": "media.report", "session": session, "state": "lost"}))
    assert room.showing == {ONE: True}
    desk.socket.close()


async def test_what_a_page_said_of_its_camera_is_forgotten_by_the_next_page_and_by_a_question(
    house: Running,
) -> None:
    desk, caller, session = await house.connected()
    room = house.server.sessions._rooms.get(session)
    await caller.say("media.report", camera="busy")
    await caller.say("visibility", hidden=True)
    await desk.hear("caller.state", state="hidden")
    caller, _ = await again(house)
    assert (room.said.camera, room.said.hidden) == ("busy", False), "the same page, in front again"
    for state, camera in (("granted", "busy"), ("asking", None)):
        await caller.say("camera", state=state)
        await caller.alive()
        assert room.said.camera == camera
    await caller.say("media.report", camera="busy")
    await caller.alive()
    await again(house, "phone-page-2")
    assert room.said.camera is None


async def test_an_observer_is_told_what_is_wrong_with_the_camera(house: Running) -> None:
    all_ = await everybody(house)
    await all_.caller.say("media.report", camera="muted")
    await all_.observer.hear("caller.state", state="muted")
    await all_.observer.hear("participants", camera="muted")


@pytest.mark.parametrize("camera", ["muted", "ended", "busy", "refused", "gone", "still"])
async def test_the_desk_reads_what_is_wrong_with_the_camera_from_the_start(
    house: Running, camera: str
) -> None:
    """No picture ever came: the camera is named, and the network is not."""
    desk, caller, session = await house.connected()
    await caller.say("media.report", camera=camera)
    async with asyncio.timeout(60):
        while True:
            [one] = (await desk.hear("view"))["sessions"]
            if (one["caller"]["camera"], one["state"]) == (camera, "connecting"):
                break
    assert one["id"] == session
    sentences = [one["say"], *one["say_later"]]
    assert not [each for each in sentences if "éseau" in each["cause"] or "Wi-Fi" in each["text"]]
    assert "améra" in one["say"]["cause"]


async def test_a_try_that_fails_does_not_begin_the_wait_anew(house: Running) -> None:
    desk, caller, session = await house.connected()
    room = house.server.sessions._rooms.get(session)
    await caller.say("media.report", camera="still")
    await desk.hear("caller.state", state="still")
    began = room.blind
    for word, seconds in (("live", 9), ("still", 1), ("live", 1), ("busy", 30)):
        house.clock.pass_(seconds=seconds)
        await caller.say("media.report", camera=word)
        await desk.hear("caller.state", state=word)
        if word != "busy":
            assert room.blind == began
    # It filmed for half a minute in between: that is another failure.
    assert room.blind == house.clock.now()


async def test_an_unknown_word_of_the_camera_is_refused_and_counted(house: Running) -> None:
    _, caller, _ = await house.connected()
    before = house.counted("message_malformed")
    for words in (
        {"camera": "flowing"},
        {"camera": None},
        {},
        {"camera": "live", "state": "muted"},
    ):
        await caller.say("media.report", **words)
        await caller.refused("message_malformed")
    assert house.counted("message_malformed") == before + 4
    await caller.alive()
