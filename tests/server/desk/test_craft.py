"""What a desk keeps and looks back at: a station by window, the sessions of the shift, the theme; what it says."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.server.line15.signed import Cti
from tests.server.running import MOBILE, Running, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.server.running import Page


@pytest.fixture
def house(io_loop: Any, furnished_database: Path, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def shown(desk: Page, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first session of the first view that is wanted."""
    while True:
        view = await desk.hear("view")
        if view["sessions"] and wanted(view["sessions"][0]):
            session: dict[str, Any] = view["sessions"][0]
            return session


async def station_of(desk: Page, **hello: Any) -> str:
    await desk.say("hello", peer="desk-peer-1", **hello)
    view = await desk.hear("view")
    return str(view["station"]["extension"])


async def test_each_window_has_its_station(house: Running) -> None:
    browser = await house.signed_in("regulator", "201")
    connect = "/ws/desk"
    first = await house.connect(connect, browser)
    assert await station_of(first) == "201"
    second = await house.connect(connect, browser)
    await second.say("hello", peer="desk-peer-2", station="202")
    assert (await second.hear("view"))["station"]["extension"] == "202"
    await first.alive()  # nobody took its seat


async def test_a_launch_moves_the_window_that_it_opens_in(house: Running) -> None:
    """And no other: the cookie is only where a new window begins."""
    browser = await house.signed_in("regulator", "201")
    other = await house.desk(browser, "desk-peer-2")
    answer = await browser.get((await Cti.of(house)).launch())
    launch = answer.headers["Location"].partition("=")[2]
    await browser.get(f"/desk?launch={launch}")
    assert browser.cookies["v15_station"] == "202"
    desk = await house.connect("/ws/desk", browser)
    assert await station_of(desk, launch=launch, station="201") == "202"
    await other.alive()
    other.socket.close()
    again = await house.connect("/ws/desk", browser)
    await again.say("hello", peer="desk-peer-2", station="201")
    assert (await again.hear("view"))["station"]["extension"] == "201"


@pytest.mark.parametrize("station", ["301", "<b>", "201 "])
async def test_a_station_of_another_site_or_of_nowhere_is_refused(
    house: Running, station: str
) -> None:
    """The page greets again without; what is malformed is refused as such."""
    desk = await house.connect("/ws/desk", await house.signed_in("regulator", "201"))
    before = house.counted("station_unknown")
    await desk.say("hello", peer="desk-peer-1", station=station)
    await desk.refused("station_unknown")
    assert house.counted("station_unknown") == before + 1


async def test_a_station_as_long_as_a_book_is_malformed(house: Running) -> None:
    desk = await house.connect("/ws/desk", await house.signed_in("regulator", "201"))
    await desk.say("hello", peer="desk-peer-1", station="2" * 33)
    await desk.refused("message_malformed")


async def recent(desk: Page) -> list[dict[str, Any]]:
    await desk.say("sessions.recent", id="recent-0001")
    done = await desk.hear("done", id="recent-0001")
    sessions: list[dict[str, Any]] = done["result"]["sessions"]
    return sessions


async def test_the_sessions_of_the_shift(house: Running) -> None:
    """This station's and one's own, twelve hours of them; never another site's, and another person's are not mine."""
    doctor = await house.desk(await house.signed_in("regulator", "201"))
    own = await house.invite(doctor)
    house.clock.pass_(seconds=1)
    arm = await house.desk(await house.signed_in("arm", "202"), "desk-peer-2")
    other = await house.invite(arm, "command-0002", mobile="06 98 76 54 32")
    (mine,) = await recent(doctor)
    assert (mine["id"], mine["number"], mine["mine"]) == (own, MOBILE, True)
    assert (mine["state"], mine["seconds"]) == ("invited", None)
    assert [step["key"] for step in mine["steps"]][:2] == ["accepted", "handed"]
    assert mine["link"].startswith("Non lié")
    # The doctor sits down at the ARM's station: hers are shown too, and not as his.
    there = await house.desk(
        await house.signed_in("regulator", "201"), "desk-peer-3", station="202", take=True
    )
    assert [(each["id"], each["mine"]) for each in await recent(there)] == [
        (other, False),
        (own, True),
    ]
    house.clock.pass_(hours=12, seconds=1)
    anew = await house.signed_in("regulator", "201")  # nobody moved for so long
    later = await house.desk(anew, "desk-peer-4", station="202", take=True)
    assert await recent(later) == []


async def test_a_session_says_how_long_it_was_seen(house: Running) -> None:
    desk, _, session = await house.connected()
    await desk.say("media.report", session=session, state="flowing")
    await shown(desk, lambda one: one["state"] == "live")
    house.clock.pass_(seconds=90)
    await desk.say("session.end", id="command-0009", session=session)
    await desk.hear("done", id="command-0009")
    house.clock.pass_(seconds=90)
    (past,) = await recent(desk)
    assert (past["seconds"], past["end_reason"]) == (90, "quit")


async def test_the_sentence_follows_the_phone_and_the_clock(house: Running) -> None:
    """Sent with its times, so that the page needs no other view; and at once when the phone leaves its page."""
    desk, caller, session = await house.connected()
    now = house.clock.now()
    one = await shown(desk, lambda one: one["state"] == "connecting")
    assert one["say"]["text"].startswith("Très bien")
    assert one["say"]["stalled"] is False
    assert one["say_weak"] is None
    due = [later["at"] for later in one["say_later"]]
    assert due[0] == (now + timedelta(seconds=6)).isoformat()
    assert due == sorted(due)
    current = next(step for step in one["steps"] if step["key"] == "image")
    assert (current["state"], current["since"]) == ("current", now.isoformat())
    await caller.say("visibility", hidden=True)
    one = await shown(desk, lambda one: "Revenez" in one["say"]["text"])
    assert one["caller"]["hidden"] is True
    await caller.say("visibility", hidden=False)
    await shown(desk, lambda one: "Très bien" in one["say"]["text"])
    await desk.say("media.report", session=session, state="flowing")
    one = await shown(desk, lambda one: one["state"] == "live")
    assert one["say_later"] == []
    assert "passe mal" in one["say_weak"]["text"]
    await caller.say("media.report", camera="muted")
    await desk.say("media.report", session=session, state="frozen")
    await shown(desk, lambda one: "coupé la caméra" in one["say"]["text"])
    await caller.say("media.report", camera="live")
    await shown(desk, lambda one: "figée" in one["say"]["text"])
    caller.socket.close()
    one = await shown(desk, lambda one: "rouvrez le lien" in one["say"]["text"])
    assert one["caller"]["online"] is False
    # It is back, and has nothing to add: the desk knows all the same.
    [token] = await house.tokens()
    await house.caller(token, house.phones[0])
    one = await shown(desk, lambda one: bool(one["caller"]["online"]))
    assert "figée" in one["say"]["text"]


async def test_a_phone_that_only_says_hello_is_there(house: Running) -> None:
    """As after a restart of the server, of which the phone has nothing to tell."""
    desk = await house.desk(await house.signed_in("regulator"))
    await house.invite(desk)
    [token] = await house.tokens()
    phone = await house.tapped(token)
    await shown(desk, lambda one: one["state"] == "tapped")
    await house.caller(token, phone)
    await shown(desk, lambda one: bool(one["caller"]["online"]))


async def test_what_a_phone_says_of_itself_waits_for_its_picture_and_its_end_does_not(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Views are dear, and a phone says five things between the tap and the picture."""
    monkeypatch.setattr("server.desk.web.showing.SOON_SECONDS", 3600)
    desk, caller, _ = await house.connected()
    await caller.say("media.report", camera="muted")
    await desk.hear("caller.state", state="muted")
    async with asyncio.timeout(60):
        while [each["state"] for each in await recent(desk)] != ["connecting"]:
            pass
    for _ in range(3):  # time enough for a view, if one was due
        await recent(desk)
    states = {
        one["state"] for each in desk.told if each["type"] == "view" for one in each["sessions"]
    }
    assert states <= {"invited"}
    await caller.say("leave")
    await shown(desk, lambda one: one["state"] == "ended")


@pytest.mark.parametrize(
    ("cookie", "theme"),
    [("light", "light"), ("dark", "dark"), (None, "auto"), ("neon", "auto"), ('"><b>', "auto")],
)
async def test_the_theme_is_written_into_the_page(
    house: Running, cookie: str | None, theme: str
) -> None:
    """Nothing flashes, and nothing else than the two names gets in."""
    browser = await house.signed_in("regulator")
    if cookie:
        browser.cookies["v15_theme"] = cookie
    for path in ("/kiosk", "/desk"):
        page = (await browser.get(path)).body.decode()
        assert f'data-theme="{theme}"' in page
        assert "neon" not in page
