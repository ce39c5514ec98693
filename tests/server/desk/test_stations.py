"""Who sits where: a station is taken on purpose, and never by a link on somebody else's page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from server.core.site_policy import LaunchPolicy
from tests.server.line15.signed import Cti, secrets
from tests.server.running import Page, Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server.house import Browser

BAIT = "/desk?call=forged%40evil.example&caller=0698765432&station=202"
FOREIGN = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}


@pytest.fixture
def house(io_loop: Any, furnished_database: Path, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def greeted(house: Running, browser: Browser, peer: str, **hello: Any) -> Page:
    """A page that said hello, whatever comes of it."""
    page = await house.connect("/ws/desk", browser)
    await page.say("hello", peer=peer, **hello)
    return page


# --- one station, two people


async def test_a_station_where_somebody_sits_is_taken_on_purpose_only(house: Running) -> None:
    doctor = await house.desk(await house.signed_in("regulator"), "doctor-page")
    house.clock.pass_(minutes=12)
    arm = await house.signed_in("arm")
    page = await greeted(house, arm, "arm-page")
    refusal = await page.refused("station_taken")
    assert refusal["station"] == "201"
    assert refusal["by"] == "Prénom regulator"
    assert refusal["since"] == "2026-03-01T08:00:00+00:00"
    assert refusal["own"] is False
    assert refusal["live"] is False
    await doctor.alive()
    assert house.counted("station_taken") == 1
    await page.say("invite", id="command-0001", mobile="0612345678")
    await page.refused("message_out_of_order")
    # It may say so on the same connection.
    taker = await page.say("hello", peer="arm-page", take=True)
    assert (await taker.hear("view"))["station"]["extension"] == "201"
    told = await doctor.hear("taken_over")
    assert (told["by"], told["own"]) == ("Prénom arm", False)
    assert told["at"] == "2026-03-01T08:12:00+00:00"
    assert await doctor.closed() == (4409, "taken_over")


async def test_it_is_said_that_a_video_is_on_there(house: Running) -> None:
    desk, _, session = await house.connected()
    await desk.say("media.report", session=session, state="flowing")
    while (await desk.hear("view"))["sessions"][0]["state"] != "live":
        pass
    page = await greeted(house, await house.signed_in("arm"), "arm-page")
    assert (await page.refused("station_taken"))["live"] is True


async def test_the_same_person_sits_down_without_a_word(house: Running) -> None:
    """A reload, and a second tab."""
    browser = await house.signed_in("regulator")
    first = await house.desk(browser, "page-one-1")
    again = await house.desk(browser, "page-one-1")
    await again.alive()
    second = await house.desk(browser, "page-two-2")
    told = await again.hear("taken_over")
    assert told["own"] is True
    assert await again.closed() == (4409, "taken_over")
    await second.alive()
    first.socket.close()


async def test_who_was_pushed_out_does_not_push_back(house: Running) -> None:
    """A page that did not hear of it, since its network blinked, comes back by itself: it is asked."""
    browser = await house.signed_in("regulator")
    await house.desk(browser, "page-one-1")
    second = await house.desk(browser, "page-two-2")
    back = await greeted(house, browser, "page-one-1")
    refusal = await back.refused("station_taken")
    assert (refusal["own"], refusal["by"]) == (True, "Prénom regulator")
    await second.alive()
    back = await greeted(house, browser, "page-one-1", take=True)
    await back.hear("view")
    await second.hear("taken_over")


async def test_an_empty_seat_is_free_for_all(house: Running) -> None:
    first = await house.desk(await house.signed_in("regulator"), "page-one-1")
    first.socket.close()
    arm = await house.signed_in("arm")
    while True:
        page = await greeted(house, arm, "arm-page")
        message = await page.hear_any("view", "error")
        if message["type"] == "view":
            break


async def test_the_chooser_says_who_sits_where(house: Running) -> None:
    await house.desk(await house.signed_in("regulator"), "doctor-page")
    arm = await house.signed_in("arm", None)
    for address in ("/desk", "/desk/station"):
        page = (await arm.get(address)).body.decode()
        [choice] = re.findall(r'<select id="station".*?</select>', page, re.DOTALL)
        offered = re.findall(r'<option value="([^"]*)">([^<]*)</option>', choice)
        # Not 301, which is of another site.
        assert offered == [
            ("201", "201 · Poste 201 — Prénom regulator"),
            ("202", "202 · Poste 202"),
        ]
    await arm.post("/desk/station", {"station": "202"})
    desk = await house.desk(arm, "arm-page")
    await desk.say("station.list", id="command-0001")
    [row] = (await desk.hear("done", id="command-0001"))["result"]["stations"]
    assert (row["extension"], row["who"], row["live"]) == ("201", "Prénom regulator", False)
    assert row["since"] == "2026-03-01T08:00:00+00:00"


async def test_a_launch_survives_the_choice_of_the_station(house: Running) -> None:
    cti = await Cti.of(house)
    arm = await house.signed_in("arm", None)
    await secrets(house).launches("rivage", LaunchPolicy.OPTIONAL)
    target = (await arm.get("/desk?caller=0612345678")).headers["Location"]
    launch = target.partition("=")[2]
    assert f'name="launch" value="{launch}"' in (await arm.get(target)).body.decode()
    answer = await arm.post("/desk/station", {"station": "202", "launch": launch})
    assert answer.headers["Location"] == target
    for odd in ("", "../audit", "x y", "//evil.example", "x" * 65):
        answer = await arm.post("/desk/station", {"station": "202", "launch": odd})
        assert answer.headers["Location"] == "/desk"
    assert cti.site == "rivage"


# --- a link on a foreign page


async def bitten(house: Running, browser: Browser, **headers: str) -> str:
    """Follow the link; return the launch's id."""
    answer = await browser.get(BAIT, headers={**FOREIGN, **headers})
    assert answer.code == 303
    target = answer.headers["Location"]
    assert (await browser.get(target, headers=FOREIGN)).code == 200
    return target.partition("=")[2]


async def test_new_sites_take_no_unsigned_launch(house: Running) -> None:
    victim = await house.signed_in("arm", None)
    launch = await bitten(house, victim)
    page = await greeted(house, victim, "arm-page", launch=launch)
    view = await page.hear("view")
    assert view["launch"]["code"] == "launch_unsigned"
    assert view["launch"]["proposed"] is None
    assert await house.all_of("call") == []


async def test_a_link_on_a_foreign_page_takes_nothing(house: Running) -> None:
    """Nobody's desk is cut, no call made, no number filled in, no cookie set: it is proposed, and said from where."""
    await secrets(house).launches("rivage", LaunchPolicy.OPTIONAL)
    doctor = await house.desk(await house.signed_in("regulator", "202"), "doctor-page")
    victim = await house.signed_in("arm", "201")
    launch = await bitten(house, victim)
    assert victim.cookies["v15_station"] == "201"
    page = await greeted(house, victim, "arm-page", launch=launch)
    view = await page.hear("view")
    assert view["station"]["extension"] == "201"
    assert view["calls"] == []
    assert (view["launch"]["call"], view["launch"]["mobile"]) == (None, None)
    assert view["launch"]["proposed"] == {
        "call": "forged@evil.example",
        "mobile": "06 98 76 54 32",
        "station": "202",
        "foreign": True,
    }
    assert await house.all_of("call") == []
    await doctor.alive()
    session = await house.invite(page, mobile="0612345678")
    links = await house.rows(f"SELECT * FROM session_link WHERE session = '{session}'")  # noqa: S608
    assert [row["call"] for row in links] == [None]
    assert await house.all_of("call") == []


async def test_what_is_accepted_is_in_force_but_for_the_seat(house: Running) -> None:
    await secrets(house).launches("rivage", LaunchPolicy.OPTIONAL)
    doctor = await house.desk(await house.signed_in("regulator", "202"), "doctor-page")
    victim = await house.signed_in("arm", "201")
    launch = await bitten(house, victim, **{"Sec-Fetch-Site": "none"})
    page = await greeted(house, victim, "arm-page", launch=launch, accept=True)
    view = await page.hear("view")
    assert view["station"]["extension"] == "201", "the page sits down elsewhere itself, and asks"
    assert view["launch"]["mobile"] == "06 98 76 54 32"
    assert view["launch"]["proposed"] is None
    assert [call["id"] for call in view["calls"]] == [view["launch"]["call"]]
    page = await greeted(house, victim, "arm-page", launch=launch, station="202")
    await page.refused("station_taken")
    await doctor.alive()
    # It stays accepted, for who accepted it: a colleague with the same address is asked.
    page = await greeted(house, victim, "arm-page", launch=launch)
    assert (await page.hear("view"))["launch"]["mobile"] == "06 98 76 54 32"
    colleague = await greeted(
        house, await house.signed_in("regulator", "202"), "doctor-page", launch=launch
    )
    view = await colleague.hear("view")
    assert view["launch"]["mobile"] is None
    assert view["launch"]["proposed"]["foreign"] is False
    assert victim.cookies["v15_station"] == "201"


async def test_what_was_accepted_is_written_down(house: Running) -> None:
    await secrets(house).launches("rivage", LaunchPolicy.OPTIONAL)
    victim = await house.signed_in("arm", "201")
    launch = await bitten(house, victim)
    for _ in range(2):
        page = await greeted(house, victim, "arm-page", launch=launch, accept=True)
        await page.hear("view")
    said = await house.rows("SELECT data FROM audit WHERE action = 'desk.launched' ORDER BY seq")
    first, second = (row["data"] for row in said)
    assert '"proposed": "other_site"' in first
    assert '"accepted": true' in second


async def test_a_refused_launch_cannot_be_accepted(house: Running) -> None:
    victim = await house.signed_in("arm", "201")
    launch = await bitten(house, victim)
    page = await greeted(house, victim, "arm-page", launch=launch, accept=True)
    assert (await page.hear("view"))["launch"]["code"] == "launch_unsigned"
    assert await house.all_of("call") == []


async def test_a_signed_launch_opens_in_one_step_from_wherever_it_comes(house: Running) -> None:
    cti = await Cti.of(house)
    browser = await house.signed_in("regulator", None)
    answer = await browser.get(cti.launch(), headers=FOREIGN)
    target = answer.headers["Location"]
    assert (await browser.get(target, headers=FOREIGN)).code == 200
    assert browser.cookies["v15_station"] == "202"
    page = await greeted(house, browser, "page-one-1", launch=target.partition("=")[2])
    view = await page.hear("view")
    assert view["station"]["extension"] == "202"
    assert view["launch"]["mobile"] == "06 12 34 56 78"
    assert view["launch"]["call"]


async def test_a_signed_launch_asks_before_it_pushes_anybody_out(house: Running) -> None:
    cti = await Cti.of(house)
    doctor = await house.desk(await house.signed_in("regulator", "202"), "doctor-page")
    arm = await house.signed_in("arm", "201")
    target = (await arm.get(cti.launch())).headers["Location"]
    await arm.get(target)
    page = await greeted(house, arm, "arm-page", launch=target.partition("=")[2])
    assert (await page.refused("station_taken"))["station"] == "202"
    await doctor.alive()


async def test_a_station_chosen_after_a_launch_goes_before_that_of_the_launch(
    house: Running,
) -> None:
    """Somebody sits where the launch leads to: the call stays, the seat is another one."""
    cti = await Cti.of(house)
    doctor = await house.desk(await house.signed_in("regulator", "202"), "doctor-page")
    arm = await house.signed_in("arm", "201")
    launch = (await arm.get(cti.launch())).headers["Location"].partition("=")[2]
    page = await greeted(house, arm, "arm-page", launch=launch, station="201")
    await page.refused("station_taken")
    await page.say("hello", peer="arm-page", launch=launch, station="201", chosen=True)
    view = await page.hear("view")
    assert view["station"]["extension"] == "201"
    assert view["launch"]["call"]
    await doctor.alive()


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_form_sent_by_another_page_is_refused_whatever_it_knows(
    house: Running, site: str
) -> None:
    """A neighbour of our domain may set the cookie that the token is compared with."""
    browser = await house.signed_in("regulator")
    await browser.get("/kiosk")
    headers = {"Sec-Fetch-Site": site}
    for path, form in (
        ("/desk/station", {"station": "202"}),
        ("/login", {"identifier": "x", "password": "y"}),
        ("/feedback", {"kind": "remark", "remark": "x"}),
        ("/logout", {}),
        ("/c", {"code": "123456"}),
    ):
        assert (await browser.post(path, form, headers=headers)).code == 403
    assert browser.cookies["v15_station"] == "201"
    assert (await browser.get("/kiosk")).code == 200
    ours = {"Sec-Fetch-Site": "same-origin"}
    assert (await browser.post("/desk/station", {"station": "202"}, headers=ours)).code == 303
