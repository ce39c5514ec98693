"""The reference procedure, lines 3 to 12, with every part real, step by step."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.e2e.house import CALLER, CALLER_SHOWN, STATION, House, house, until_text
from tests.lab.browsers.browser import (
    IPAD,
    PIXEL,
    moving_picture,
    no_audio,
    open_cameras,
    screenshot,
)
from tests.lab.process import until
from tests.lab.switchboard import sipp

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.e2e


async def test_a_call_is_seen_and_found_again() -> None:
    """SIPp calls through Kamailio, HEP3, desk, SMS through Kannel, caller, moving silent picture, end, audit."""
    async with (
        house() as home,
        sipp.phone(ring=0.3, port=home.uas_port),
    ):
        client = await home.browser.desk()
        desk = await client.context.new_page()
        # Lines 3 to 5: sign in, kiosk, page B.
        await home.open_desk(desk)
        await screenshot(desk, "desk-waiting")
        async with sipp.call(home.kamailio.address, caller=CALLER) as line:
            await line.answered()
            call = desk.locator("#calls li[data-call][data-state=talking]")
            await call.wait_for()
            assert CALLER_SHOWN in (await call.text_content() or "")
            # Line 6: the number of the sole talking call is already there; launch the invitation.
            assert await desk.input_value("#mobile") == CALLER_SHOWN
            await desk.click("#invite")
            link = await home.sms_link()
            await desk.wait_for_selector("#steps li[data-step=delivered][data-state=done]")
            # Lines 7 to 9: the caller taps, allows the camera, switches it.
            phone_client = await home.browser.caller(PIXEL)
            phone = await phone_client.open(link)
            await desk.wait_for_selector("#steps li[data-step=opened][data-state=done]")
            await screenshot(phone, "caller-tap")
            await phone.tap("#tap")
            await phone.wait_for_selector("body[data-phase=live]")
            # Line 10: only the patient is visible, and moves; there is no sound anywhere.
            await moving_picture(desk, "#patient")
            await desk.wait_for_selector("#steps li[data-step=image][data-state=done]")
            await no_audio(desk, peers=1)
            await no_audio(phone, peers=1)
            await until_text(desk, "#link-label", "seul appel en cours")
            await screenshot(desk, "desk-live")
            await screenshot(phone, "caller-live")
            before = await camera_of(phone)
            await phone.tap("#switch")

            async def switched() -> bool:
                return await camera_of(phone) != before

            await until(switched, "another camera is on")
            await moving_picture(desk, "#patient")
            # Line 11: quit the video; line 15 goes on.
            await desk.click("#end")
            await phone.wait_for_selector("body[data-phase=ended]")
            await desk.wait_for_selector("#stage[data-picture=none]")
            assert await open_cameras(phone) == 0
            assert await open_cameras(desk) == 0
            await line.hang_up()
        await desk.wait_for_selector("#calls li[data-call][data-state=ended]")
        home.browser.assert_clean(home.url)
        await audit_finds(home, line.call_id)


async def camera_of(phone: Page) -> str:
    """Which camera the phone sends."""
    device: str = await phone.evaluate(
        "() => document.querySelector('#self').srcObject?.getVideoTracks()[0]?.getSettings().deviceId ?? ''"
    )
    return device


async def audit_finds(home: House, sip_call_id: str) -> None:
    """The auditor types the SIP Call-ID and gets everything, chain verified."""
    client = await home.browser.desk("auditor")
    page = await client.context.new_page()
    await home.sign_in(page, "auditeur")
    await page.goto(f"{home.url}/audit")
    await page.fill("input[name=q]", sip_call_id)
    await page.press("input[name=q]", "Enter")
    await page.click('main a[href^="/audit/calls/"]')
    await page.wait_for_url(re.compile("/audit/calls/"))
    text = await page.inner_text("main")
    assert CALLER in text
    assert sip_call_id in text
    assert STATION in text
    for event in ("session.created", "invitation.created", "picture.flowing", "session.left"):
        assert event in text, event
    await screenshot(page, "audit-call", full_page=True)
    answer = await page.request.get(f"{home.url}/api/v1/calls", params={"alias": sip_call_id})
    assert answer.ok
    body = await answer.json()
    assert body["calls"][0]["chain"]["verified"] is True
    client.assert_clean(home.url)


async def test_by_mail_on_a_tablet() -> None:
    """An e-mail invitation, an iPad, no call at all: the video works and says that it is not linked."""
    async with house() as home:
        client = await home.browser.desk()
        desk = await client.context.new_page()
        await home.open_desk(desk)
        await desk.fill("#email", "temoin@example.org")
        await desk.press("#email", "Enter")
        link = await home.mail_link("temoin@example.org")
        phone = await (await home.browser.caller(IPAD)).open(link)
        await phone.tap("#tap")
        await moving_picture(desk, "#patient")
        await until_text(desk, "#link-label", "Non lié")
        # The caller ends.
        await phone.tap("#leave")
        await phone.wait_for_selector("body[data-phase=ended]")
        await desk.wait_for_selector("#stage[data-picture=none]")
        assert await open_cameras(phone) == 0
        home.browser.assert_clean(home.url)


async def test_the_regulators_webcam_is_off_until_asked() -> None:
    """Line 10: the camera icon switches the regulator's own picture on and off."""
    async with house() as home:
        client = await home.browser.desk()
        desk = await client.context.new_page()
        await home.open_desk(desk)
        await desk.fill("#mobile", CALLER)
        await desk.click("#invite")
        phone = await (await home.browser.caller()).open(await home.sms_link())
        await phone.tap("#tap")
        await moving_picture(desk, "#patient")
        assert await open_cameras(desk) == 0
        assert await phone.locator("#doctor").is_hidden()
        await desk.click("#webcam")
        await moving_picture(phone, "#doctor")
        assert await open_cameras(desk) == 1
        await desk.click("#webcam")

        async def off() -> bool:
            return await open_cameras(desk) == 0 and await phone.locator("#doctor").is_hidden()

        await until(off, "the webcam is off on both sides")
        home.browser.assert_clean(home.url)
