"""What a caller sees, in French and in Arabic, on a small phone: every state, for the eye of whoever changes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.e2e.house import House
from tests.lab.browsers.browser import PIXEL, moving_picture, screenshot

if TYPE_CHECKING:
    from playwright.async_api import Page

PHONE = {"viewport": {"width": 360, "height": 640}, "device_scale_factor": 1.5}
IPHONE = "iPhone 15"
NO_ANSWER = "() => { navigator.mediaDevices.getUserMedia = () => new Promise(() => {}); }"
TWO_CAMERAS = """
  const ask = navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
  navigator.mediaDevices.enumerateDevices = async () => { const found = await ask(); return [...found, ...found]; };
"""
DARK = """() => {
  CanvasRenderingContext2D.prototype.drawImage = function () {
    this.fillStyle = "#000";
    this.fillRect(0, 0, this.canvas.width, this.canvas.height);
  };
}"""
REFUSE = """([name, message]) => {
  navigator.mediaDevices.getUserMedia = async () => { throw new DOMException(message, name); };
}"""
IN_APP = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 7; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Version/4.0 Chrome/129.0.6668.70 Mobile Safari/537.36 Instagram 352.1.0.41.100 Android"
)
LOCALES = {"fr": "fr-FR", "ar": "ar-MA"}


async def callers(home: House) -> None:
    """Walk through the page twice."""
    desk = await home.desk()
    for index, (language, locale) in enumerate(LOCALES.items()):
        link = await home.invite(desk, f"+3361234560{index}")
        await one_video(home, desk, link, language, locale)
        await troubles(home, await home.invite(desk, f"+3361234570{index}"), language, locale)


async def opened(home: House, link: str, device: str, locale: str, **options: Any) -> Page:
    client = await home.browser.caller(device, locale=locale, **{**PHONE, **options})
    await client.context.add_init_script(TWO_CAMERAS)
    page = await client.open(link)
    await page.wait_for_selector("body[data-ready=true]")
    return page


async def one_video(home: House, desk: Page, link: str, language: str, locale: str) -> None:
    phone = await opened(home, link, PIXEL, locale)
    await screenshot(phone, f"caller-{language}-1-tap")
    await phone.click("#languages summary")
    await screenshot(phone, f"caller-{language}-1-languages")
    await phone.keyboard.press("Escape")
    await phone.evaluate(NO_ANSWER)
    await phone.tap("#tap")
    await phone.wait_for_selector("body[data-phase=asking]")
    await screenshot(phone, f"caller-{language}-2-asking")
    await desk.wait_for_selector("#steps li[data-step=tapped][data-state=done]")
    # It goes on by itself: the camera is allowed.
    await phone.reload()
    await moving_picture(desk, "#patient")
    await phone.wait_for_selector("#message[data-state=seen]")
    await screenshot(phone, f"caller-{language}-3-live")
    await phone.click("#languages summary")
    await screenshot(phone, f"caller-{language}-3-live-languages")
    await phone.keyboard.press("Escape")
    await desk.keyboard.press("Alt+KeyA")
    await desk.wait_for_selector("#stage[data-still=fresh]")
    await desk.wait_for_selector("#say-cause:has-text('Images fixes')")
    await screenshot(desk, f"desk-stills-{language}")
    await desk.keyboard.press("Alt+KeyA")
    await desk.wait_for_selector("#stage[data-picture=flowing][data-still=none]")
    await phone.evaluate(DARK)
    await phone.wait_for_selector("#hint[data-hint=dark]")
    await screenshot(phone, f"caller-{language}-3-live-dark")
    await screenshot(desk, f"desk-language-{language}")
    await desk.click("#end")
    await phone.wait_for_selector("body[data-phase=ended]")
    await screenshot(phone, f"caller-{language}-5-ended")
    await phone.reload()
    await screenshot(phone, f"caller-{language}-6-closed")


async def troubles(home: House, link: str, language: str, locale: str) -> None:
    app = await opened(home, link, PIXEL, locale, user_agent=IN_APP)
    await screenshot(app, f"caller-{language}-4-in-app", full_page=True)
    asked = await opened(home, link, IPHONE, locale, camera=False)
    await asked.evaluate(NO_ANSWER)
    await asked.tap("#tap")
    await asked.wait_for_selector("body[data-phase=asking]")
    await screenshot(asked, f"caller-{language}-2-asking-ios")
    for name, message, why in (
        ("NotAllowedError", "Permission denied", "denied-ios"),
        ("NotAllowedError", "Permission denied by system", "system"),
        ("NotReadableError", "", "busy"),
    ):
        await asked.reload()
        await asked.wait_for_selector("body[data-ready=true]")
        await asked.evaluate(REFUSE, [name, message])
        await asked.tap("#tap")
        await asked.wait_for_selector("body[data-phase=trouble]")
        await asked.wait_for_selector("#trouble-title:not(:empty)")
        await screenshot(asked, f"caller-{language}-4-{why}", full_page=True)
