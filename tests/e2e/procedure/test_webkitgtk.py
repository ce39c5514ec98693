"""The pages in WebKit, as far as Debian's makes them: sign-in, page B, the code, the caller's page and its camera.

This WebKit makes no peer connections: the camera works, its picture cannot leave the phone, and both ends say so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.e2e.house import house, until_text
from tests.e2e.picture.test_ladder import photo_shown
from tests.lab.browsers.browser import axe, moving_picture
from tests.lab.browsers.webkitgtk import webkitgtk

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.e2e.house import House
    from tests.lab.browsers.webkitgtk import WebKitTab

pytestmark = pytest.mark.e2e

BUTTONS = """() => [...document.querySelectorAll('button')]
  .filter((button) => button.getClientRects().length).map((button) => button.id)"""

KEEP_ERRORS = """() => {
  window.__errors = [];
  addEventListener('error', (event) => window.__errors.push(event.message));
  addEventListener('unhandledrejection', (event) => window.__errors.push(String(event.reason)));
}"""

# The product's own camera, in a page that carries the product's policies.
OPEN_CAMERA = """async () => {
  const {Camera} = await import('/static/js/rtc/camera.js');
  const video = document.body.appendChild(document.createElement('video'));
  video.id = 'tried';
  video.muted = video.playsInline = true;
  window.__tracks = [];
  window.__camera = new Camera({
    onTrack: (track) => {
      window.__tracks.push(track);
      video.srcObject = window.__camera.stream;
      video.play();
    },
    onState: () => undefined,
  });
  await window.__camera.start();
}"""
# Without connections no camera is asked for: the words and the guide of a refusal, as the page would draw them.
REFUSED = """async () => {
  const [{refusal, where}, {guide}] = await Promise.all(
    ['phase', 'camera/guide'].map((name) => import(`/static/js/caller/${name}.js`)));
  const why = refusal('NotAllowedError', 'The request is not allowed by the user agent');
  return guide(why, where(navigator.userAgent), true).steps.map(({key}) => key);
}"""
# A picture file, as the phone's own camera leaves one.
CHOOSE_PHOTO = """async () => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 1600, height: 1200});
  canvas.getContext('2d').fillRect(200, 200, 900, 500);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.8));
  const chosen = new DataTransfer();
  chosen.items.add(new File([blob], 'IMG_0001.jpg', {type: 'image/jpeg'}));
  const field = document.querySelector('#photo-file');
  field.files = chosen.files;
  field.dispatchEvent(new Event('change', {bubbles: true}));
}"""
SIDE = "() => window.__camera.track.getSettings().facingMode"
KINDS = "() => window.__tracks.map((track) => `${track.kind} ${track.readyState}`)"


async def test_the_pages_and_the_camera() -> None:
    async with house() as home:
        async with webkitgtk() as desk:
            await home.open_desk(desk)
            assert await desk.evaluate("() => typeof RTCPeerConnection") == "undefined"
            await until_text(desk, "#desk-trouble", "Ce navigateur ne peut pas montrer la vidéo")
        desk = await home.desk()
        async with webkitgtk() as phone:
            await typed_in(home, desk, phone)
            await desk.wait_for_selector("#steps li[data-step=opened][data-state=done]")
            await phone.evaluate(KEEP_ERRORS)
            await in_arabic(phone)
            # Known without a touch: the link is bound to nobody, another browser may take it.
            await phone.wait_for_selector("body[data-phase=trouble]")
            await until_text(phone, "#trouble-title", "This browser cannot send the video")
            await phone.wait_for_selector("#photo-instead")
            assert await phone.evaluate(BUTTONS) == ["retry", "photo-instead", "copy"]
            await until_text(desk, "#say-cause", "Ce navigateur ne sait pas envoyer de vidéo")
            await the_camera_works(phone)
            await phone.evaluate(CHOOSE_PHOTO)
            await photo_shown(desk)
            await until_text(phone, "#instead-text", "The doctor has your photo")
            assert await phone.evaluate("() => window.__errors") == []
        home.browser.assert_clean(home.url)


async def typed_in(home: House, desk: Page, phone: WebKitTab) -> None:
    """The code the regulator reads aloud, typed wrong at first."""
    await desk.keyboard.press("Alt+KeyC")
    await until_text(desk, "#spoken-left", "Valable encore")
    digits = re.sub(r"\D", "", await desk.inner_text("#spoken-digits"))
    await phone.goto(f"{home.url}/c?lang=ar")
    await phone.wait_for_selector("html[lang=ar][dir=rtl]")
    for code in ("000000" if digits != "000000" else "000001", digits):
        assert not await axe(phone)
        await phone.fill("#code", code)
        await phone.click("#code-form button")
        await phone.wait_for_selector("#code-error" if code != digits else "body[data-ready=true]")


async def in_arabic(phone: WebKitTab) -> None:
    """From right to left, within the screen; what a refusal would show here; and another language at a touch."""
    await phone.wait_for_selector("html[lang=ar][dir=rtl]")
    assert await phone.evaluate(REFUSED) == ["do_click", "do_choose"]
    assert not await axe(phone)
    assert await phone.evaluate("() => document.scrollingElement.scrollWidth <= innerWidth")
    await phone.click("#languages summary")
    await phone.click("#languages a[data-language=en]")
    await phone.wait_for_selector("html[lang=en][dir=ltr]")


async def the_camera_works(page: WebKitTab) -> None:
    """The product's camera, asked for in this engine: the back one, the front one, and let go."""
    await page.evaluate(OPEN_CAMERA)
    await moving_picture(page, "#tried")
    assert await page.evaluate(SIDE) == "environment"
    assert await page.evaluate("() => window.__camera.turn()") == "user"
    await moving_picture(page, "#tried")
    assert await page.evaluate(SIDE) == "user"
    assert await page.evaluate(KINDS) == ["video ended", "video live"]
    await page.evaluate("() => window.__camera.stop()")
    assert await page.evaluate(KINDS) == ["video ended", "video ended"]
