"""A sign-in ends, is told before, is renewed in place, and never cuts a video (docs/adr/0027-sign-ins-end.md)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from server.audit.store.audit import AuditStore
from server.identity.web.signed_in import SESSION_COOKIE
from server.web.sockets import page_socket as sockets
from tests.lab.process import until
from tests.server.house import PASSWORD, Browser, wrong
from tests.server.running import running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tornado.httpclient import HTTPResponse

    from tests.databases import Furnished
    from tests.server.running import Page, Running

JSON = {"Accept": "application/json"}


@pytest.fixture
def slow(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    """A house whose sockets tick as they really do: long after a page has asked."""
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


@pytest.fixture
def home(
    io_loop: Any,
    furnished_database: Furnished,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Running]:
    monkeypatch.setattr(sockets, "TICK", 0.1)
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


def said(answer: HTTPResponse) -> Any:
    return json.loads(answer.body)


async def token(browser: Browser) -> None:
    """What its page has had from the beginning; this one is no activity of anybody who signed in."""
    if "_xsrf" not in browser.cookies:
        await browser.get("/c")


async def seen(browser: Browser) -> HTTPResponse:
    """What the page says when its person moves."""
    await token(browser)
    return await browser.post_json("/login/seen", {})


async def stage(browser: Browser) -> str:
    """Where the page reads that it stands; 401: nowhere."""
    answer = await browser.get("/login/standing")
    return said(answer)["stage"] if answer.code == 200 else str(answer.code)


async def ended(house: Running) -> list[Mapping[str, object]]:
    """What the audit says of the ends of sign-ins."""
    await house.server.sign_ins.sweep()
    async with house.server.transactions(write=False) as uow:
        chain = [row async for row in AuditStore(uow).chain(house.sites["rivage"].id)]
    return [row.data for row in chain if row.action == "login.ended"]


async def of_sign_ins(house: Running) -> list[str]:
    """What was written down of them; the code's message has lines of its own, whenever it leaves."""
    return [action for action in await house.actions() if action.startswith("login.")]


async def renew(house: Running, browser: Browser, identifier: str = "regulator") -> HTTPResponse:
    """Password and code, as the page's sheet asks for them."""
    await token(browser)
    form = {"identifier": identifier, "password": PASSWORD}
    asked = await browser.post("/login", form, headers=JSON)
    assert (asked.code, said(asked)) == (200, {})
    return await browser.post("/login/code", {"code": await house.code()}, headers=JSON)


# --- two lives ---------------------------------------------------------------------------------------
async def test_an_open_desk_that_nobody_touches_does_not_prolong_its_sign_in(home: Running) -> None:
    browser = await home.signed_in("regulator")
    desk = await home.desk(browser)
    home.clock.pass_(hours=3, minutes=59)
    again = await home.desk(browser, peer="desk-peer-1")  # it comes back by itself
    await again.alive()
    assert await stage(browser) == "idle_soon"
    home.clock.pass_(minutes=1)
    assert await desk.closed() is not None
    assert (await again.closed())[0] == 4401
    assert (await browser.get("/kiosk")).code == 302


async def test_no_activity_prolongs_it_beyond_its_absolute_life(home: Running) -> None:
    browser = await home.signed_in("regulator")
    for _ in range(13):
        home.clock.pass_(hours=1)
        assert said(await seen(browser))["stage"] == "active"
    home.clock.pass_(minutes=30)
    told = said(await seen(browser))
    assert (told["stage"], told["why"], told["ends_in"]) == ("absolute_soon", "absolute", 1800)
    home.clock.pass_(minutes=30)
    assert (await seen(browser)).code == 401
    assert (await browser.get("/kiosk")).code == 302
    home.clock.pass_(seconds=31)
    assert [row["reason"] for row in await ended(home)] == ["absolute"]


@pytest.mark.parametrize(
    ("role", "idle", "page", "quiet"),
    [
        ("regulator", 240, "/desk", "/desk/photos/aaaaaaaaaaaaaaaaaaaaa"),
        ("auditor", 30, "/audit", "/audit/snapshots/nothing"),
        ("admin", 15, "/admin/telephony", "/api/v1/telephony/health"),
    ],
)
async def test_what_a_person_does_prolongs_it_and_what_a_page_does_not(
    home: Running, role: str, idle: int, page: str, quiet: str
) -> None:
    browser = await home.signed_in(role)
    for _ in range(2):
        home.clock.pass_(minutes=idle - 1)
        assert (await browser.get(page)).code == 200
    home.clock.pass_(minutes=idle - 1)
    for path in (quiet, "/login/standing"):
        await browser.get(path)
    assert await stage(browser) == "idle_soon"
    home.clock.pass_(minutes=1)
    assert await stage(browser) == "401"
    home.clock.pass_(seconds=31)
    [row] = await ended(home)
    assert row["reason"] == "idle"


async def test_a_click_in_time_keeps_it(home: Running) -> None:
    browser = await home.signed_in("auditor")
    home.clock.pass_(minutes=25)
    assert await stage(browser) == "idle_soon"
    assert said(await seen(browser))["stage"] == "active"
    home.clock.pass_(minutes=10)
    assert (await browser.get("/audit")).code == 200
    assert await ended(home) == []


async def test_ends_are_swept_once_and_signing_out_is_no_second_end(home: Running) -> None:
    left, out = await home.signed_in("auditor"), await home.signed_in("referent")
    await out.get("/audit")
    await out.post("/logout", {})
    home.clock.pass_(minutes=31)
    assert [row["reason"] for row in await ended(home)] == ["logout", "idle"]
    assert [row["reason"] for row in await ended(home)] == ["logout", "idle"]
    assert (await left.get("/audit")).headers["Location"] == "/login?next=%2Faudit"


async def test_a_page_opened_after_the_end_asks_and_comes_back(home: Running) -> None:
    browser = await home.signed_in("regulator")
    home.clock.pass_(hours=15)
    asked = (await browser.get("/desk")).headers["Location"]
    assert asked == "/login?next=%2Fdesk"
    await browser.get(asked)
    assert (await browser.sign_in(home, "regulator")).headers["Location"] == "/desk"


# --- renewed in place --------------------------------------------------------------------------------
async def test_it_is_renewed_in_place_under_another_cookie(home: Running) -> None:
    browser = await home.signed_in("regulator")
    home.clock.pass_(hours=13, minutes=59)
    await seen(browser)
    former = browser.cookies[SESSION_COOKIE]
    told = said(await renew(home, browser))
    assert (told["stage"], told["user"]) == ("active", home.users["regulator"].id)
    assert browser.cookies[SESSION_COOKIE] != former
    home.clock.pass_(hours=1)
    assert (await browser.get("/kiosk")).code == 200
    thief = home.browser()
    thief.cookies[SESSION_COOKIE] = former
    assert await stage(thief) == "401"
    assert (await of_sign_ins(home))[-1] == "login.renewed"


async def test_a_wrong_code_renews_nothing(home: Running) -> None:
    browser = await home.signed_in("regulator")
    kept = browser.cookies[SESSION_COOKIE]
    await token(browser)
    form = {"identifier": "regulator", "password": PASSWORD}
    await browser.post("/login", form, headers=JSON)
    guess = {"code": wrong(await home.code())}
    refused = await browser.post("/login/code", guess, headers=JSON)
    assert (refused.code, said(refused)["error"]["code"]) == (401, "bad_credentials")
    assert browser.cookies[SESSION_COOKIE] == kept
    assert await stage(browser) == "active"


async def test_another_person_is_signed_in_anew(home: Running) -> None:
    browser = await home.signed_in("regulator")
    desk = await home.desk(browser)
    told = said(await renew(home, browser, "auditor"))
    assert told["user"] == home.users["auditor"].id
    assert (await desk.closed())[0] == 4401
    assert (await of_sign_ins(home))[-2:] == ["login.ended", "login.succeeded"]


# --- never cutting a video ---------------------------------------------------------------------------
async def watched(house: Running, identifier: str = "regulator") -> tuple[Browser, Page, str]:
    """A desk whose video has a phone: it runs until somebody ends it."""
    browser = await house.signed_in(identifier)
    desk = await house.desk(browser)
    session = await house.invite(desk)
    await desk.answer("session.watch", "command-0002", session=session)
    [link] = await house.tokens()
    await house.caller(link, await house.tapped(link))
    return browser, desk, session


async def test_a_live_video_goes_on_after_the_end_and_nothing_else_is_begun(home: Running) -> None:
    desk, caller, session = await home.connected()
    await desk.say("media.report", session=session, state="flowing")
    home.clock.pass_(hours=15)
    refused = await desk.answer("invite", "command-0003", mobile="06 12 34 56 79")
    assert refused["code"] == "sign_in_over"
    refused = await desk.answer("session.watch", "command-0004", session="another-session")
    assert refused["code"] == "sign_in_over"
    # The picture's own words pass, and its end is in the doctor's hand.
    await desk.say("signal.restart", session=session)
    await caller.hear("signal.restart")
    assert (await desk.answer("help.torch", "command-0005", session=session, on=True))["type"] == (
        "done"
    )
    assert (await desk.answer("session.end", "command-0006", session=session))["type"] == "done"
    assert (await desk.closed())[0] == 4401
    assert home.counted("sign_in_over") == 2


async def test_a_desk_cut_off_after_the_end_comes_back_to_its_video_only(home: Running) -> None:
    browser, desk, session = await watched(home)
    desk.socket.close()
    home.clock.pass_(hours=15)
    assert await stage(browser) == "over"
    assert (await browser.get("/kiosk")).code == 302
    back = await home.desk(browser, watch=session)
    assert (await back.answer("code.make", "command-0009"))["code"] == "sign_in_over"
    assert (await back.answer("session.end", "command-0010", session=session))["type"] == "done"
    assert (await back.closed())[0] == 4401
    assert await stage(browser) == "401"
    home.clock.pass_(seconds=31)
    assert [row["reason"] for row in await ended(home)] == ["idle"]


async def test_who_holds_nothing_is_not_let_in_by_another_s_video(home: Running) -> None:
    await watched(home, "arm")
    browser = await home.signed_in("regulator")
    home.clock.pass_(hours=15)
    assert await stage(browser) == "401"
    with pytest.raises(Exception, match="401"):
        await home.connect("/ws/desk", browser)


async def test_another_sign_in_of_the_same_person_lends_it_nothing(home: Running) -> None:
    """A forgotten cookie does not live on the videos that its owner makes after it."""
    old = await home.signed_in("regulator")
    home.clock.pass_(hours=15)
    await watched(home)
    assert await stage(old) == "401"
    assert [row["reason"] for row in await ended(home)] == ["idle"]


async def test_after_the_end_a_desk_sits_where_its_video_is_and_nowhere_else(home: Running) -> None:
    browser, desk, session = await watched(home)
    desk.socket.close()
    home.clock.pass_(hours=15)
    elsewhere = await home.connect("/ws/desk", browser)
    await elsewhere.say("hello", peer="desk-peer-1", watch=session, station="202")
    view = await elsewhere.hear("view")
    assert view["station"] is None
    assert [one["id"] for one in view["sessions"]] == [session]  # its video is there all the same
    elsewhere.socket.close()
    back = await home.desk(browser, watch=session, station="201")
    back.socket.close()
    back = await home.connect("/ws/desk", browser)
    await back.say("hello", peer="desk-peer-1", watch=session)
    assert (await back.hear("view"))["station"]["extension"] == "201"
    blind = await home.connect("/ws/desk", browser)
    await blind.say("hello", peer="desk-peer-3", station="202")
    assert (await blind.hear("view"))["station"] is None


async def test_revoking_cuts_at_once_whatever_is_held(home: Running) -> None:
    _, desk, _ = await watched(home)
    home.clock.pass_(hours=15)
    assert (await desk.answer("code.make", "command-0012"))["code"] == "sign_in_over"
    await home.admin.revoke_sessions("regulator")
    assert (await desk.closed())[0] == 4401


async def test_after_the_end_renewing_brings_everything_back(home: Running) -> None:
    browser, _, session = await watched(home)
    home.clock.pass_(hours=15)
    assert said(await renew(home, browser))["stage"] == "active"
    back = await home.desk(browser, watch=session)
    assert (await back.answer("sessions.recent", "command-0011"))["type"] == "done"


async def test_a_video_taken_over_from_a_colleague_is_held_as_one_s_own(home: Running) -> None:
    _, giver, session = await watched(home, "arm")
    browser = await home.signed_in("regulator", station="202")
    taker = await home.desk(browser, peer="desk-peer-2")
    await giver.answer("session.offer_to", "command-0003", session=session, station="202")
    await taker.answer("session.accept", "command-0004", session=session)
    await taker.answer("session.watch", "command-0005", session=session)
    home.clock.pass_(hours=15)
    assert (await taker.answer("code.make", "command-0006"))["code"] == "sign_in_over"
    taker.socket.close()
    back = await home.desk(browser, peer="desk-peer-2", watch=session)
    assert (await back.answer("session.end", "command-0007", session=session))["type"] == "done"


async def watching(house: Running, how: str) -> tuple[Browser, Page, str]:
    """A doctor at 202 who watches what the ARM at 201 made: handed over to him, or seen beside the ARM."""
    _, giver, session = await watched(house, "arm")
    browser = await house.signed_in("regulator", station="202")
    doctor = await house.desk(browser, peer="desk-peer-2")
    if how == "handed":
        await giver.answer("session.offer_to", "command-0003", session=session, station="202")
        await doctor.answer("session.accept", "command-0004", session=session)
    await doctor.answer("session.watch", "command-0005", session=session)
    return browser, doctor, session


async def away(house: Running, desk: Page, session: str) -> None:
    """Lose the socket of a desk, and wait until the server knows it."""
    rooms = house.server.sessions._rooms
    before = rooms.viewer_count(session)
    desk.socket.close()
    await until(lambda: rooms.viewer_count(session) < before, "the desk is gone")


@pytest.mark.parametrize("how", ["handed", "followed"])
async def test_the_page_that_asks_right_after_the_end_keeps_a_colleague_s_video(
    slow: Running, how: str
) -> None:
    browser, doctor, session = await watching(slow, how)
    slow.clock.pass_(hours=3, minutes=59)
    told = said(await browser.get("/login/standing"))
    slow.clock.pass_(seconds=told["changes_in"] + 0.5)  # static/js/identity/words.js: wait()
    assert await stage(browser) == "over"
    slow.clock.pass_(seconds=31)
    assert await ended(slow) == []
    assert (await doctor.answer("code.make", "command-0006"))["code"] == "sign_in_over"
    assert (await doctor.answer("session.end", "command-0007", session=session))["type"] == "done"


async def test_a_desk_that_is_away_at_the_very_end_comes_back_to_what_it_watched(
    home: Running,
) -> None:
    browser, doctor, session = await watching(home, "followed")
    home.clock.pass_(hours=3, minutes=59, seconds=30)
    await away(home, doctor, session)
    home.clock.pass_(minutes=1)
    assert await stage(browser) == "over"
    home.clock.pass_(minutes=10)
    back = await home.desk(browser, peer="desk-peer-2", watch=session)
    assert (await back.answer("code.make", "command-0006"))["code"] == "sign_in_over"
    assert (await back.answer("help.torch", "command-0007", session=session, on=True))["type"] == (
        "done"
    )


async def test_what_was_left_before_the_end_is_not_held(home: Running) -> None:
    browser, doctor, session = await watching(home, "followed")
    await away(home, doctor, session)
    home.clock.pass_(hours=4)  # nobody watched when it ended
    assert await stage(browser) == "401"


async def test_what_a_colleague_took_is_no_longer_held_by_who_made_it(home: Running) -> None:
    browser, giver, session = await watched(home, "arm")
    taker = await home.desk(await home.signed_in("regulator", station="202"), peer="desk-peer-2")
    await giver.answer("session.offer_to", "command-0003", session=session, station="202")
    await taker.answer("session.accept", "command-0004", session=session)
    await away(home, giver, session)
    home.clock.pass_(hours=4)
    assert await stage(browser) == "401"


async def test_what_a_desk_turned_away_from_is_not_held(home: Running) -> None:
    browser, doctor, session = await watching(home, "followed")
    released = await doctor.answer("session.watch", "command-0008", session=await other(home))
    assert released["type"] == "done"
    home.clock.pass_(hours=4)
    refused = await doctor.answer("session.watch", "command-0009", session=session)
    assert refused["code"] == "sign_in_over"
    assert await stage(browser) == "over"


async def other(house: Running) -> str:
    """Another running video of the ARM's."""
    desk = await house.desk(await house.signed_in("arm"), peer="desk-peer-7")
    return await house.invite(desk, "command-0900", mobile="06 12 34 56 71")


async def test_nothing_is_remembered_of_ended_videos_and_of_renewed_sign_ins(home: Running) -> None:
    browser, doctor, _ = await watching(home, "followed")
    watches = home.server.sign_ins.watches
    assert len(watches) == 2  # the ARM's, the doctor's
    home.clock.pass_(hours=1)
    await seen(browser)
    await renew(home, browser)
    assert (await doctor.closed())[0] == 4401
    assert len(watches) == 1
    [session] = [str(row["id"]) for row in await home.rows("SELECT id FROM session")]
    back = await home.desk(browser, peer="desk-peer-2", watch=session)
    assert len(watches) == 2
    assert (await back.answer("session.end", "command-0010", session=session))["type"] == "done"
    await home.server.sign_ins.sweep()
    assert len(watches) == 0


# --- seats after the end -----------------------------------------------------------------------------
async def test_after_the_end_nobody_loses_a_seat_to_it(home: Running) -> None:
    """The ARM gave its video to the doctor at 202, and its sign-in is over: 202 is the doctor's, there or not."""
    arm, giver, session = await watched(home, "arm")
    home.clock.pass_(hours=3, minutes=50)
    browser = await home.signed_in("regulator", station="202")
    doctor = await home.desk(browser, peer="desk-peer-2")
    await giver.answer("session.offer_to", "command-0003", session=session, station="202")
    await doctor.answer("session.accept", "command-0004", session=session)
    await doctor.answer("session.watch", "command-0005", session=session)
    home.clock.pass_(minutes=15)
    assert (await stage(arm), await stage(browser)) == ("over", "active")
    for gone in (giver, doctor):
        await away(home, gone, session)
    back = await home.connect("/ws/desk", arm)
    await back.say("hello", peer="desk-peer-1", watch=session, station="201")
    assert (await back.hear_any("view", "error"))["station"]["extension"] == "201"
    again = await home.connect("/ws/desk", browser)
    await again.say("hello", peer="desk-peer-2", watch=session, station="202")
    assert (await again.hear_any("view", "error"))["station"]["extension"] == "202"


async def test_after_the_end_a_colleague_in_its_seat_keeps_no_desk_from_its_video(
    home: Running,
) -> None:
    browser, desk, session = await watched(home)
    await away(home, desk, session)
    home.clock.pass_(hours=3)
    arm = await home.signed_in("arm")
    colleague = await home.desk(arm, peer="desk-peer-2")
    home.clock.pass_(hours=1)
    assert (await stage(browser), await stage(arm)) == ("over", "active")
    back = await home.connect("/ws/desk", browser)
    await back.say("hello", peer="desk-peer-1", watch=session, station="201", take=True)
    view = await back.hear_any("view", "error")
    assert (view["type"], view["station"]) == ("view", None)
    assert [one["id"] for one in view["sessions"]] == [session]
    await colleague.alive()
    assert (await back.answer("session.end", "command-0010", session=session))["result"] == {
        "ended": True
    }


async def test_after_the_end_a_follower_comes_back_to_the_seat_it_had(home: Running) -> None:
    browser, doctor, session = await watching(home, "followed")
    home.clock.pass_(hours=4)
    assert (await doctor.answer("code.make", "command-0006"))["code"] == "sign_in_over"
    await away(home, doctor, session)
    back = await home.connect("/ws/desk", browser)
    await back.say("hello", peer="desk-peer-2", watch=session, station="202")
    assert (await back.hear("view"))["station"]["extension"] == "202"


# --- taking back after the end -----------------------------------------------------------------------
async def test_after_the_end_an_observer_is_put_out_of_the_video_that_is_held(
    home: Running,
) -> None:
    _, desk, session = await watched(home)
    _, busy, elsewhere = await watched_beside(home)
    invited = [
        (await one.answer("observer.invite", "command-0101", session=of, **person))["result"]
        for one, of, person in (
            (desk, session, {"name": "Dr Un", "mobile": "06 12 34 56 70"}),
            (busy, elsewhere, {"name": "Dr Deux", "mobile": "06 12 34 56 72"}),
        )
    ]
    mine, theirs = (str(one["observer"]) for one in invited)
    home.clock.pass_(hours=15)
    refused = await desk.answer("observer.remove", "command-0102", observer=theirs)
    assert refused["code"] == "sign_in_over"
    refused = await desk.answer("observer.remove", "command-0103", observer="nobody-at-all")
    assert refused["code"] == "not_found"
    assert (await desk.answer("observer.remove", "command-0104", observer=mine))["type"] == "done"
    rows = await home.rows("SELECT id, removed FROM observer")
    assert {row["id"]: row["removed"] is not None for row in rows} == {mine: True, theirs: False}


async def test_after_the_end_a_link_of_the_video_that_is_held_is_withdrawn(home: Running) -> None:
    _, desk, _ = await watched(home)
    _, _, elsewhere = await watched_beside(home)
    rows = await home.rows("SELECT id, session FROM invitation")
    links = {row["session"] == elsewhere: str(row["id"]) for row in rows}
    home.clock.pass_(hours=15)
    refused = await desk.answer("invitation.revoke", "command-0102", invitation=links[True])
    assert refused["code"] == "sign_in_over"
    done = await desk.answer("invitation.revoke", "command-0103", invitation=links[False])
    assert done["type"] == "done"
    rows = await home.rows("SELECT id, revoked FROM invitation")
    assert [row["id"] for row in rows if row["revoked"] is not None] == [links[False]]


async def watched_beside(house: Running) -> tuple[Browser, Page, str]:
    """A second video, a colleague's at 202."""
    browser = await house.signed_in("arm", station="202")
    desk = await house.desk(browser, peer="desk-peer-5")
    session = await house.invite(desk, "command-0901", mobile="06 12 34 56 71")
    await desk.answer("session.watch", "command-0902", session=session)
    return browser, desk, session


async def test_of_the_pictures_only_those_of_the_video_that_is_held(home: Running) -> None:
    browser, desk, session = await watched(home)
    home.clock.pass_(hours=15)
    await token(browser)
    for asked, code in ((session, 403), ("another-session", 401)):
        answer = await browser.fetch(
            f"/desk/snapshots?session={asked}&age=0",
            method="POST",
            body=b"no picture",
            headers={"X-Xsrftoken": browser.xsrf, "Content-Type": "image/jpeg"},
        )
        assert answer.code == code, answer.body  # 403: this site stores none
    assert (await desk.answer("session.end", "command-0006", session=session))["type"] == "done"
