"""The core of the reference procedure with Firefox at one end, and at both: lines 3 to 7, 10 and 11, then the audit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.e2e.house import CALLER, CALLER_SHOWN, House, house, until_text
from tests.e2e.seen import more_frames
from tests.lab import sipp
from tests.lab.browser import PIXEL, moving_picture, no_audio, open_cameras
from tests.lab.firefox import PHONE, Firefox, firefox

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.lab.firefox import FirefoxTab

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

# Firefox's fake camera changes its colour slowly: it takes a second to be seen.
SLOW = 1.0


@pytest.mark.parametrize(
    ("desk_in", "caller_in"),
    [("firefox", "chromium"), ("chromium", "firefox"), ("firefox", "firefox")],
)
async def test_a_call_is_seen_and_found_again(desk_in: str, caller_in: str) -> None:
    async with (
        house() as home,
        sipp.phone(ring=1, port=home.uas_port),
        firefox() as fox,
    ):
        desk = await page_for(home, fox, "desk", desk_in)
        await home.open_desk(desk)
        async with sipp.call(home.kamailio.address, caller=CALLER) as line:
            await desk.wait_for_selector("#calls li[data-call][data-state=ringing]")
            await desk.wait_for_selector("#calls li[data-call][data-state=talking]")
            assert CALLER_SHOWN in (await desk.text_content("#calls li[data-call]") or "")
            assert await desk.input_value("#mobile") == CALLER_SHOWN
            await desk.click("#invite")
            phone = await page_for(home, fox, "phone", caller_in)
            await phone.goto(await home.sms_link())
            await desk.wait_for_selector("#steps li[data-step=opened][data-state=done]")
            assert not await phone.evaluate("() => window.__labAsked.length")
            await phone.tap("#tap")
            await phone.wait_for_selector("body[data-phase=live]")
            await moving_picture(desk, "#patient", gap=SLOW)
            await desk.wait_for_selector("#stage[data-picture=flowing]")
            await desk.wait_for_selector("#steps li[data-step=image][data-state=done]")
            await until_text(desk, "#link-label", "seul appel en cours")
            await until_text(phone, "#message", "Le médecin vous voit")
            await more_frames(desk, 60)
            assert await open_cameras(phone) == 1
            await no_audio(desk, peers=1)
            await no_audio(phone, peers=1)
            # The camera was asked for once, and is still the same: nothing took it for hanging.
            assert await phone.evaluate("() => window.__labAsked") == [
                {"audio": False, "video": True}
            ]
            await desk.click("#end")
            await phone.wait_for_selector("body[data-phase=ended]")
            await desk.wait_for_selector("#stage[data-picture=none]")
            assert await open_cameras(phone) == 0
            await line.hang_up()
        await desk.wait_for_selector("#calls li[data-call][data-state=ended]")
        await audit_finds(home, await fox.person("auditor"), line.call_id)
        home.browser.assert_clean(home.url)
        fox.assert_clean(home.url)


async def page_for(home: House, fox: Firefox, role: str, engine: str) -> Page | FirefoxTab:
    """Open a page for somebody in this browser."""
    if engine == "firefox":
        return await fox.person(role, PHONE) if role == "phone" else await fox.person(role)
    client = await (home.browser.caller(PIXEL) if role == "phone" else home.browser.desk(role))
    return await client.context.new_page()


async def audit_finds(home: House, page: FirefoxTab, sip_call_id: str) -> None:
    """The auditor types the SIP Call-ID and gets everything, chain verified."""
    await home.sign_in(page, "auditeur")
    await page.goto(f"{home.url}/audit")
    await page.fill("input[name=q]", sip_call_id)
    await page.press("input[name=q]", "Enter")
    await page.click('main a[href^="/audit/calls/"]')
    await page.wait_for_url(lambda url: re.search("/audit/calls/", url) is not None)
    assert await page.get_attribute("#chain", "data-verified") == "true"
    text = await page.text_content("main")
    for known in (CALLER, sip_call_id, "session.created", "picture.flowing", "session.left"):
        assert known in text, known
