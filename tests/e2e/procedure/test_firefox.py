"""The core of the reference procedure with Firefox at one end, and at both: lines 3 to 7, 10 and 11, then the audit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.e2e.house import CALLER, CALLER_SHOWN, House, house, until_text
from tests.e2e.seen import diary, keep_diary, more_frames, shown_within_a_second
from tests.lab.browsers.browser import PIXEL, moving_picture, no_audio, open_cameras
from tests.lab.browsers.firefox import PHONE, Firefox, firefox
from tests.lab.process import until
from tests.lab.switchboard import sipp

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.lab.browsers.firefox import FirefoxTab

pytestmark = pytest.mark.e2e

# Firefox's fake camera changes its colour slowly: it takes a second to be seen.
SLOW = 1.0

# Sends another picture than the camera's: one that can hang, which Firefox's fake camera never does.
OTHER = """async () => {
  const canvas = document.createElement('canvas');
  const pen = canvas.getContext('2d');
  let drawn = 0;
  const draw = () => {
    drawn += 1;
    pen.fillStyle = drawn % 2 ? '#c00' : '#00c';
    pen.fillRect(0, 0, canvas.width, canvas.height);
  };
  const filming = setInterval(draw, 50);
  window.__hang = () => clearInterval(filming);
  const [track] = canvas.captureStream(20).getVideoTracks();
  for (const peer of window.__visio15.peers) await peer.getSenders()[0].replaceTrack(track);
}"""
PREVIEWED = """() => {
  const own = document.querySelector('#self');
  window.__previewed = 0;
  const one = () => { window.__previewed += 1; own.requestVideoFrameCallback(one); };
  own.requestVideoFrameCallback(one);
}"""


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
            await until_text(desk, "#network-facts", "direct")
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


async def test_a_camera_that_hangs_in_firefox_is_told_and_opened_again() -> None:
    """Firefox sends a last frame again each second, and counts no frame of a camera in a video element."""
    async with house() as home, firefox() as fox:
        desk = await home.desk()
        phone = await fox.person("phone", PHONE)
        await phone.goto(await home.invite(desk))
        await phone.evaluate(PREVIEWED)
        # Nobody watches: a camera that works is left alone.
        url, context = desk.url, desk.context
        await desk.close()
        await phone.tap("#tap")
        await until_more(phone, "() => window.__previewed", 100)
        assert await phone.evaluate("() => window.__labAsked.length") == 1
        desk = await context.new_page()
        await desk.goto(url)
        await moving_picture(desk, "#patient", gap=SLOW)
        await phone.evaluate(OTHER)
        await moving_picture(desk, "#patient")
        await keep_diary(desk)
        await phone.evaluate("() => window.__hang()")
        await until_text(desk, "#overlay-text", "Caméra sans image")
        assert await shown_within_a_second(desk) == "frozen"
        told = len((await diary(desk))["states"])
        await until_more(phone, "() => window.__labAsked.length", 1)
        since = [each["state"] for each in (await diary(desk))["states"][told:]]
        assert since in ([], ["flowing"]), f"a frame sent again was taken for a picture: {since}"
        await desk.wait_for_selector("#stage[data-picture=flowing]")
        await moving_picture(desk, "#patient", gap=SLOW)


async def until_more(page: FirefoxTab, counter: str, count: int) -> None:
    """Wait until a counter in the page has gone on by so many."""
    begun = await page.evaluate(counter)

    async def gone() -> bool:
        return await page.evaluate(counter) >= begun + count

    await until(gone, f"{count} more of {counter}")


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
