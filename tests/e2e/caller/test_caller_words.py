"""The caller's page speaks his language, and leads him out of every trouble with his camera."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.house import House, house, until_text
from tests.e2e.seen import hide
from tests.lab.browsers.browser import PIXEL, axe, moving_picture, open_cameras

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

pytestmark = pytest.mark.e2e

IPHONE = "iPhone 15"
SMALL = {"viewport": {"width": 360, "height": 640}, "screen": {"width": 360, "height": 640}}
INSTAGRAM = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 7; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Version/4.0 Chrome/129.0.6668.70 Mobile Safari/537.36 Instagram 352.1.0.41.100 Android"
)
FACEBOOK = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/485.0.0.40.111;FBLC/fr_FR]"
)
REFUSE = """([name, message]) => {
  navigator.mediaDevices.getUserMedia = async () => { throw new DOMException(message, name); };
}"""
COUNT = """() => {
  window.asked = 0;
  navigator.mediaDevices.getUserMedia = async () => { window.asked += 1; throw new Error(); };
}"""
NEVER = "() => { navigator.mediaDevices.getUserMedia = () => new Promise(() => {}); }"
KEPT = """async () => ({
  local: localStorage.length, session: sessionStorage.length, caches: (await caches.keys()).length,
  databases: (await indexedDB.databases()).length, workers: (await navigator.serviceWorker.getRegistrations()).length,
  cookie: document.cookie.replace(/_xsrf=[^;]*/, ''),
})"""
ROOMY = "() => document.scrollingElement.scrollWidth <= innerWidth"
FITS = f"() => ({ROOMY})() && document.scrollingElement.scrollHeight <= innerHeight"


async def sound(page: Page) -> None:
    assert not await axe(page)
    assert await page.evaluate(ROOMY)


async def speaks(page: Page, language: str, direction: str = "ltr") -> None:
    await page.wait_for_selector(f"html[lang={language}][dir={direction}]", state="attached")


async def choose(page: Page, language: str) -> None:
    """By the keyboard alone: open the list, walk to the language, take it."""
    await page.focus("#languages summary")
    await page.keyboard.press("Enter")
    for _ in range(20):
        await page.keyboard.press("Tab")
        if await page.evaluate("() => document.activeElement.dataset.language") == language:
            break
    await page.keyboard.press("Enter")


async def stuck(page: Page, why: str, first: str) -> None:
    """The screen of this trouble, with its guide's first step."""
    await page.wait_for_selector("body[data-phase=trouble]")
    await page.wait_for_selector(f"#guide li[data-step={first}]")
    assert await page.text_content("#trouble-title"), why
    await sound(page)


async def test_the_page_speaks_the_callers_language() -> None:
    """Arabic from the phone, French by hand, English by the regulator; the picture never stops for it."""
    async with house() as home:
        desk = await home.desk()
        link = await home.invite(desk)
        # Without script, and on the smallest phone.
        plain = await home.browser.caller(PIXEL, locale="ar-MA", java_script_enabled=False, **SMALL)
        page = await plain.open(link)
        await speaks(page, "ar", "rtl")
        await page.click("#languages summary")
        await page.click("#languages a[data-language=en]")
        await speaks(page, "en")
        phone = await home.phone(link, locale="ar-MA", **SMALL)
        await speaks(phone, "ar", "rtl")
        await sound(phone)
        assert await phone.evaluate(FITS)
        await desk.wait_for_function(
            "() => document.getElementById('caller-language').value === 'ar'"
        )
        await phone.tap("#tap")
        await moving_picture(desk, "#patient")
        await sound(phone)
        before = await phone.evaluate("() => document.getElementById('self').srcObject.id")
        await choose(phone, "fr")
        await speaks(phone, "fr")
        await until_text(phone, "#message", "Le médecin vous voit")
        await desk.wait_for_function(
            "() => document.getElementById('caller-language').value === 'fr'"
        )
        await desk.keyboard.press("Alt+e")
        await desk.keyboard.press("ArrowDown")
        await speaks(phone, "en")
        await until_text(phone, "#leave", "Stop the video")
        assert await phone.evaluate("() => document.getElementById('self').srcObject.id") == before
        await moving_picture(desk, "#patient")
        assert not await axe(desk)
        # Kept: a page that is loaded again speaks it at once, and goes on by itself.
        await phone.reload()
        await speaks(phone, "en")
        await moving_picture(desk, "#patient")
        await desk.click("#end")
        await phone.wait_for_selector("#ended[data-how=over_doctor]")
        await sound(phone)
        await nothing_kept(phone)
        home.browser.assert_clean(home.url)


async def nothing_kept(page: Page) -> None:
    assert await open_cameras(page) == 0
    nothing = {"local": 0, "session": 0, "caches": 0, "databases": 0, "workers": 0, "cookie": ""}
    assert await page.evaluate(KEPT) == nothing


async def test_every_trouble_has_its_way_out() -> None:
    async with house() as home:
        desk = await home.desk()
        number = iter(range(10, 99))

        async def called(device: str = PIXEL, **options: Any) -> Page:
            mobile = f"+336123456{next(number)}"
            return await home.phone(await home.invite(desk, mobile), device, **options)

        await refused_then_allowed(home, await called(camera=False))
        phone = await called(IPHONE, camera=False, locale="ar")
        await phone.tap("#tap")
        await stuck(phone, "denied", "do_page_menu")
        await speaks(phone, "ar", "rtl")
        for name, message, why, first in (
            ("NotAllowedError", "Permission denied by system", "system", "do_settings"),
            ("NotAllowedError", "Permission dismissed", "dismissed", "do_retry"),
            ("NotFoundError", "Requested device not found", "none", "do_other_phone"),
            ("NotReadableError", "Could not start video source", "busy", "do_close"),
        ):
            await phone.reload()
            await phone.wait_for_selector("body[data-ready=true]")
            await phone.evaluate(REFUSE, [name, message])
            await phone.tap("#tap")
            await stuck(phone, why, first)
        await never_answered(await called())
        await in_an_application(home, desk, await called(user_agent=INSTAGRAM))
        await given_back(home, await called(IPHONE, user_agent=FACEBOOK))
        home.browser.assert_clean(home.url)


async def refused_then_allowed(home: House, phone: Page) -> None:
    """A real refusal; what is allowed in the settings afterwards needs no touch of the page."""
    await phone.tap("#tap")
    await stuck(phone, "denied", "do_sign")
    await phone.context.grant_permissions(["camera"], origin=home.url)
    await phone.wait_for_selector("body[data-phase=live]")
    await phone.tap("#leave")
    await phone.wait_for_selector("#ended[data-how=over_you]")
    await nothing_kept(phone)


async def never_answered(phone: Page) -> None:
    await phone.clock.install()
    await phone.reload()
    await phone.wait_for_selector("body[data-ready=true]")
    await phone.evaluate(NEVER)
    await phone.tap("#tap")
    await phone.wait_for_selector("body[data-phase=asking]")
    await sound(phone)
    await phone.clock.run_for(5_500)
    await phone.wait_for_selector("#asking-text[data-say=slow]")
    await phone.clock.run_for(20_000)
    await stuck(phone, "timeout", "do_look")


async def in_an_application(home: House, desk: Page, phone: Page) -> None:
    """Told before the tap, to the regulator too; the link opens in Chrome, or here anyway."""
    await stuck(phone, "in_app", "do_open")
    await desk.locator(
        "#sessions li button"
    ).first.click()  # the desk stays with a phone that is there
    await until_text(desk, "#say", "navigateur")
    host = home.url.partition("://")[2]
    href = await phone.get_attribute("#outside", "href")
    assert href
    assert href.startswith(f"intent://{host}/v/")
    assert "package=com.android.chrome;" in href
    assert await phone.is_hidden("#retry")
    await phone.tap("#anyway")
    await phone.wait_for_selector("body[data-phase=live]")


async def test_a_link_is_given_back_though_its_tap_is_still_on_its_way() -> None:
    """A slow network: the caller wants the real browser before the server has heard of the tap in the application."""
    async with house() as home:
        client = await home.browser.caller(IPHONE, user_agent=FACEBOOK)
        link = await home.invite(await home.desk())
        phone = await client.open(link)
        await phone.wait_for_selector("body[data-ready=true]")
        heard = asyncio.Event()

        async def hold(route: Route) -> None:
            await heard.wait()
            await route.continue_()

        await phone.route("**/tap", hold)
        await phone.evaluate(REFUSE, ["NotAllowedError", "Permission denied"])
        await phone.tap("#anyway")
        await stuck(phone, "denied", "do_open")
        async with phone.expect_response("**/release") as answer:
            await phone.tap("#copy")
            heard.set()
        assert (await answer.value).ok
        other = await (await home.browser.caller(IPHONE)).open(link)
        await other.wait_for_selector("body[data-ready=true]")
        await other.tap("#tap")
        await other.wait_for_selector("body[data-phase=live]")
        home.browser.assert_clean(home.url)


async def given_back(home: House, phone: Page) -> None:
    """A link that an application has bound is free again for the real browser, when its caller wants that."""
    await phone.clock.install()
    await phone.reload()
    await stuck(phone, "in_app", "do_open")
    href = await phone.get_attribute("#outside", "href")
    assert href == f"x-safari-{phone.url}"
    await phone.evaluate(REFUSE, ["NotAllowedError", "Permission denied"])
    await phone.tap("#anyway")
    await until_text(phone, "#trouble-title", "La caméra n’est pas autorisée")
    await stuck(phone, "denied", "do_open")
    link = phone.url
    client = await home.browser.caller(IPHONE)
    client.allow("410")
    other = await client.open(link)
    await other.wait_for_selector("#closed[data-reason=elsewhere]")
    async with phone.expect_response("**/release") as answer:
        await phone.tap("#copy")
    assert (await answer.value).ok
    await until_text(phone, "#copy-text", "Copié. Ouvrez Safari")
    await other.reload()
    await other.wait_for_selector("body[data-ready=true]")
    await other.tap("#tap")
    await other.wait_for_selector("body[data-phase=live]")
    # The page that gave it back leaves the camera to the other one, also when its caller looks in again.
    await phone.evaluate(COUNT)
    await hide(phone)
    await hide(phone, hidden=False)
    await phone.clock.run_for(60_000)
    assert await phone.evaluate("() => window.asked") == 0
