"""I3: nothing that was acknowledged is lost. The server is killed at each step, as by a power cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.house import CALLER, House, house, until_text
from tests.e2e.record import record_of_session, verified
from tests.e2e.seen import mark, more_frames, not_reloaded, session_id, unchanged
from tests.lab.browsers.browser import moving_picture
from tests.lab.process import until
from tests.lab.switchboard import sipp

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

CUT = "WebSocket|ERR_CONNECTION|Failed to (load|fetch)"
OPEN = "#server-state[data-state=open]"
AWAY = "#server-state:not([data-state=open])"


def step(key: str) -> str:
    return f"#steps li[data-step={key}][data-state=done]"


async def killed(home: House, desk: Page, *between: str) -> None:
    """Kill the server, see that the desk says so, start it again, see the desk come back by itself."""
    home.server.kill()
    await desk.wait_for_selector(AWAY)
    await home.server.start()
    await desk.wait_for_selector(OPEN)
    for selector in between:
        await desk.wait_for_selector(selector)


def texts_to(home: House, number: str) -> list[str]:
    return [sms.text for sms in home.kannel.messages.all() if sms.to == number]


async def invited_while_the_carrier_is_away(home: House, desk: Page) -> str:
    """Killed when the invitation is acknowledged, and when it was handed over; return the link."""
    assert home.gate
    await home.gate.down()
    await desk.click("#invite")
    await desk.wait_for_selector(step("accepted"))
    await killed(home, desk, step("accepted"))
    assert texts_to(home, CALLER) == []
    await home.gate.up()
    link = await home.sms_link()
    await desk.wait_for_selector(step("handed"))
    await killed(home, desk, step("handed"))
    return link


async def opened_and_tapped(home: House, desk: Page, link: str) -> Page:
    """Killed when the link was opened, and when it was tapped: the connection is being made then."""
    phone = await home.phone(link)
    home.browser.clients[-1].allow(CUT)
    await desk.wait_for_selector(step("opened"))
    await mark(phone)
    await killed(home, desk, step("opened"))
    await phone.tap("#tap")
    await desk.wait_for_selector(step("tapped"))
    await killed(home, desk, step("tapped"))
    await moving_picture(desk, "#patient")
    await not_reloaded(desk)
    await not_reloaded(phone)
    return phone


async def live_through_it(home: House, desk: Page, phone: Page) -> None:
    """Killed in mid-session: the picture does not even notice, and both ends are back behind it."""
    await mark(desk)
    await mark(phone)
    await desk.wait_for_selector(step("image"))
    home.server.kill()
    await desk.wait_for_selector(AWAY)
    await more_frames(desk, 15)
    await home.server.start()
    await desk.wait_for_selector(OPEN)
    await more_frames(desk)
    # The regulator's own picture needs both ends to talk through the server.
    await desk.click("#webcam")
    await moving_picture(phone, "#doctor")
    await unchanged(desk, peers=1)
    await unchanged(phone, peers=1)


async def test_a_kill_at_each_step_loses_nothing() -> None:
    """Acknowledged, handed, opened, tapped, live: after each kill everything goes on by itself."""
    async with house(gated=True) as home, sipp.phone(port=home.uas_port):
        desk = await home.desk()
        home.browser.clients[0].allow(CUT)
        async with sipp.call(home.kamailio.address, caller=CALLER) as line:
            await line.answered()
            await desk.wait_for_selector("#calls li[data-call][data-state=talking]")
            call = await desk.get_attribute("#calls li[data-call]", "data-call")
            await mark(desk)
            link = await invited_while_the_carrier_is_away(home, desk)
            session = await session_id(desk)
            phone = await opened_and_tapped(home, desk, link)
            await live_through_it(home, desk, phone)
            # The link and line 15 stand, under the same ids.
            assert await session_id(desk) == session
            await until_text(desk, "#link-label", "seul appel en cours")
            here = f"#calls li[data-call='{call}']"
            await desk.wait_for_selector(f"{here}[data-state=talking][data-linked=true]")
            # What the switchboard said meanwhile nobody heard.
            await until_text(desk, here, "à confirmer")
            await line.hang_up()
        await desk.wait_for_selector(f"{here}[data-state=ended]")
        await more_frames(desk)
        await desk.click("#end")
        await phone.wait_for_selector("body[data-phase=ended]")
        assert len(texts_to(home, CALLER)) == 1
        home.browser.assert_clean(home.url)
        record = await record_of_session(home, line.call_id, session)
        assert record["call"]["end_certain"] is True
        done = [event["action"] for event in record["events"]]
        for action in ("session.created", "invitation.created", "link.opened", "link.tapped"):
            assert done.count(action) == 1, (action, done)
        links = [link["evidence"] for link in record["sessions"][0]["links"]]
        assert links == ["sole_talking_call"]
        await verified(home)


async def test_what_was_on_its_way_to_the_carrier_is_one_sms() -> None:
    """Killed while the carrier hangs, and between its acceptance and our record: its receipts tell which was which."""
    async with house(gated=True) as home:
        assert home.gate
        desk = await home.desk()
        home.browser.clients[0].allow(CUT)
        # The gateway takes the connection and says nothing.
        await home.gate.up("stuck")
        await desk.fill("#mobile", "06 12 34 56 01")
        await desk.click("#invite")
        await desk.wait_for_selector(step("accepted"))
        await until(lambda: home.gate is not None and home.gate.tries > 0, "the carrier was asked")
        home.server.kill()
        await home.gate.up("open")
        await home.server.start()
        await desk.wait_for_selector(step("handed"))
        await desk.wait_for_selector(step("delivered"))
        assert len(texts_to(home, "+33612345601")) == 1
        # The gateway accepts, and we die before we hear of it.
        await home.gate.up("silent")
        await desk.fill("#mobile", "06 12 34 56 02")
        await desk.click("#invite")
        await until(home.gate.taken.is_set, "the carrier accepted")
        home.server.kill()
        await home.gate.up("open")
        await home.server.start()
        # Nothing asks it again: Kannel repeats its receipts until we are there to hear them.
        await desk.wait_for_selector("#sessions li:has-text('06 12 34 56 02')")
        await desk.wait_for_selector(step("delivered"))
        assert len(texts_to(home, "+33612345602")) == 1
        # Invited while the server is down: the desk keeps the command; a button pressed once is one SMS.
        home.server.kill()
        await desk.wait_for_selector(AWAY)
        await desk.fill("#mobile", "06 12 34 56 03")
        await desk.click("#invite")
        await until_text(desk, "#invite-text", "En attente du serveur")
        await home.server.start()
        await home.sms_link("+33612345603")
        # Killed in the very moment of the click: whatever was written before, one session and one SMS.
        await desk.wait_for_selector(step("delivered"))
        await desk.fill("#mobile", "06 12 34 56 04")
        await desk.click("#invite")
        home.server.kill()
        await home.server.start()
        await home.sms_link("+33612345604")
        await desk.wait_for_selector(step("delivered"))
        assert len(texts_to(home, "+33612345603")) == 1
        await desk.locator("#sessions li").nth(3).wait_for()
        numbers = await desk.locator("#sessions li [data-part=number]").all_text_contents()
        assert numbers == [f"06 12 34 56 0{n}" for n in (4, 3, 2, 1)]
        home.browser.assert_clean(home.url)
        await verified(home)


async def test_a_call_that_ended_unheard_is_not_taken_for_sure() -> None:
    """It hung up while the server was dead: it is said to be unconfirmed, and the next call is not guessed over it."""
    async with house() as home, sipp.phone(port=home.uas_port):
        desk = await home.desk()
        home.browser.clients[0].allow(CUT)
        async with sipp.call(home.kamailio.address, caller=CALLER) as line:
            await line.answered()
            await desk.wait_for_selector("#calls li[data-state=talking]")
            home.server.kill()
            await line.hang_up()
        await desk.wait_for_selector(AWAY)
        await home.server.start()
        await desk.wait_for_selector(OPEN)
        await until_text(desk, "#calls li", "à confirmer")
        async with sipp.call(home.kamailio.address, caller="+33711223344") as line:
            await line.answered()
            await desk.wait_for_selector("#calls li[data-state=talking] >> nth=1")
            await home.invite(desk, "+33711223344")
            await desk.wait_for_selector("#calls li[data-linked=true]:has-text('07 11 22 33 44')")
            await desk.click("#change-call")
            choices = await desk.locator("#pick-calls li").all_text_contents()
            assert [("à confirmer" in choice) for choice in choices] == [False, True], choices
            await line.hang_up()
        home.browser.assert_clean(home.url)


async def test_a_video_that_everybody_left_comes_to_its_end() -> None:
    """Server, phone and desk die together in mid-session: it does not stay "live" for whoever comes next."""
    async with house(extra={"grace_seconds": 5}) as home:
        desk = await home.desk()
        phone = await home.film(desk)
        await desk.wait_for_selector("#sessions li[data-state=live]")
        for client in home.browser.clients:
            client.allow(CUT)
        home.server.kill()
        await phone.context.close()
        again = await desk.context.new_page()
        await desk.close()
        await home.server.start()
        await again.goto(f"{home.url}/desk")
        await again.wait_for_selector("#sessions li[data-state=interrupted]")
        await until_text(again, "#say", "rouvrez le lien")
        await again.wait_for_selector("#sessions li[data-state=ended]")
        await until_text(again, "#sessions li", "sans nouvelles du téléphone")
        await verified(home)
