"""A browser that cannot: no script, an old one, a part lost, cookies blocked. No dead button, and the desk knows."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from server.desk.domain.sentences import SAYINGS
from tests.e2e.house import House, house, until_text
from tests.lab.browsers.browser import CHROMIUM, FLAGS, PIXEL, axe, moving_picture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Page, Route

pytestmark = pytest.mark.e2e

CREW = "+33698765432"
EYE = re.compile(r"https?://\S+/o/[A-Za-z0-9_-]+")
MODULE = "**/js/caller/sending/peers.js*"
SMALL = {"viewport": {"width": 320, "height": 640}, "screen": {"width": 320, "height": 640}}
WIDE = "() => document.scrollingElement.scrollWidth > innerWidth"
LANGUAGES = "ar de en es fr it nl pl pt ro ru tr uk zh"
EXPECTED = r"ERR_FAILED|SyntaxError|Unexpected|Invalid|40[349]|410|net::"


async def said(desk: Page, why: str) -> None:
    """The desk reads what to say, and why."""
    await until_text(desk, "#say", SAYINGS[why][0].say.text)
    await desk.wait_for_selector("#steps li[data-step=opened][data-state=done]")


async def sound(page: Page) -> None:
    """Readable by everybody, on the smallest phone."""
    assert not await axe(page)
    assert not await page.evaluate(WIDE)


async def unparsable(route: Route) -> None:
    await route.fulfill(status=200, content_type="text/javascript", body="class A { @@no }")


class Lost:
    """A part of the page that the network loses so many times."""

    def __init__(self, times: int) -> None:
        self.left = times

    async def __call__(self, route: Route) -> None:
        self.left -= 1
        if self.left >= 0:
            await route.abort()
        else:
            await route.continue_()


async def test_without_a_script_the_button_leads_out() -> None:
    """In the phone's language; nothing is told before a person touches it."""
    async with house() as home:
        desk = await home.desk()
        link = await home.invite(desk)
        client = await home.browser.caller(PIXEL, java_script_enabled=False, **SMALL)
        page = await client.open(link)
        assert "JavaScript" in await page.inner_text("noscript")
        await desk.wait_for_selector("#steps li[data-step=opened]:not([data-state=done])")
        await page.tap("#tap")
        await page.wait_for_selector("#cannot")
        assert await page.input_value("#cannot .address") == link
        await said(desk, "no_script")
        # With its script, elsewhere: the word goes.
        phone = await home.phone(link)
        await until_text(desk, "#say", SAYINGS["opened"][0].say.text)
        await phone.tap("#tap")
        await moving_picture(desk, "#patient")
        home.browser.assert_clean(home.url)


async def test_a_part_that_does_not_parse_says_so() -> None:
    """An old browser: before the tap, in every language, on a screen that needs no script."""
    async with house() as home:
        desk = await home.desk()
        link = await home.invite(desk)
        client = await home.browser.caller(PIXEL, **SMALL)
        client.allow(EXPECTED)
        page = await client.context.new_page()
        await page.route(MODULE, unparsable)
        for language in LANGUAGES.split():
            await page.goto(f"{link}?lang={language}")
            await page.wait_for_selector("body[data-phase=cannot] #cannot")
            await sound(page)
        await said(desk, "old_browser")


async def test_a_part_that_is_lost_is_asked_for_again() -> None:
    """Lost for good: words of the network. Lost once: the page is there all the same."""
    async with house() as home:
        desk = await home.desk()
        link = await home.invite(desk)
        client = await home.browser.caller()
        client.allow(EXPECTED)
        page = await client.context.new_page()
        await page.route(MODULE, Lost(99))
        await page.goto(link)
        await page.wait_for_selector("body[data-phase=cannot]")
        await until_text(page, "#cannot h1", "Pas de réseau")
        await sound(page)
        await said(desk, "lost_script")
        await page.unroute(MODULE)
        await page.route(MODULE, Lost(2))  # the preload, and the module itself
        await page.click("#cannot a[href^='/v/']")
        await page.wait_for_selector("body[data-ready=true]")
        assert page.url.rstrip("#") == link
        await until_text(desk, "#say", SAYINGS["opened"][0].say.text)
        # Its styles: without them it would show every screen at once, the end too.
        await page.route("**/css/caller/main.css*", Lost(1))
        await page.goto(link)
        await page.wait_for_selector("#ended", state="hidden")
        await page.wait_for_selector("body[data-ready=true]")
        assert page.url.rstrip("#") == link


async def test_a_tap_before_the_page_is_ready_is_kept() -> None:
    """On a slow network the button answers at once, and the page goes on by itself."""
    async with house() as home:
        desk = await home.desk()
        link = await home.invite(desk)
        client = await home.browser.caller()
        client.allow(EXPECTED)
        page = await client.context.new_page()
        arrive = asyncio.Event()

        async def slow(route: Route) -> None:
            await arrive.wait()
            await route.continue_()

        await page.route(MODULE, slow)
        await page.goto(link, wait_until="commit")
        await page.tap("#tap")
        await until_text(page, "#tap-text", "Chargement… Restez ici.")
        assert not await page.get_attribute("body", "data-ready")
        arrive.set()
        await moving_picture(desk, "#patient")
        assert page.url == link


async def test_a_trouble_has_its_words_without_its_module() -> None:
    """What comes later may be lost too: title, text and the button stay, and the guide comes when it can."""
    async with house() as home:
        desk = await home.desk()
        link = await home.invite(desk)
        client = await home.browser.caller(camera=False)
        client.allow(EXPECTED)
        await client.context.add_init_script(
            """navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("", "NotAllowedError"); };"""
        )
        page = await client.context.new_page()
        lost = Lost(1)
        await page.route("**/caller/camera/trouble.js", lost)
        await page.goto(link)
        await page.wait_for_selector("body[data-ready=true]")
        await page.tap("#tap")
        await page.wait_for_selector("body[data-phase=trouble]")
        await until_text(page, "#trouble-title", "La caméra n’est pas autorisée")
        assert await page.is_visible("#retry")
        await page.wait_for_selector("#guide li")
        assert lost.left < 0


@asynccontextmanager
async def without_cookies(home: House, folder: Path) -> AsyncIterator[Any]:
    """Chromium with "Block all cookies" in its settings; `navigator.cookieEnabled` is true there all the same."""
    (folder / "Default").mkdir(parents=True)
    settings = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (folder / "Default" / "Preferences").write_text(json.dumps(settings))
    shape = {**home.browser.playwright.devices[PIXEL]}
    shape.pop("default_browser_type", None)
    context = await home.browser.playwright.chromium.launch_persistent_context(
        folder,
        executable_path=CHROMIUM,
        args=list(FLAGS),
        locale="fr-FR",
        permissions=["camera"],
        **shape,
    )
    try:
        yield context
    finally:
        await context.close()


async def test_blocked_cookies_are_said_before_the_tap(tmp_path: Path) -> None:
    """The caller's page, the spoken code, an observer's page and the sign-in page: none says that a link is dead."""
    async with house() as home:
        desk = await home.desk()
        link = await home.invite(desk)
        async with without_cookies(home, tmp_path / "profile") as context:
            page = await context.new_page()
            await page.goto(link)
            await until_text(page, "#trouble-title", "Ce navigateur bloque les cookies")
            await page.wait_for_selector("#guide li[data-step=do_cookies]")
            assert await page.is_visible("#copy")
            # No photo either: the server takes one from the browser that it knows by its cookie.
            await page.wait_for_selector("#photo-instead", state="attached")
            assert not await page.is_visible("#photo-instead")
            await sound(page)
            await said(desk, "cookies")
            await page.goto(f"{home.url}/c")
            await page.fill("#code", "123456")
            await page.click("button[type=submit]")
            await until_text(page, "#code-error", "Ce navigateur bloque les cookies")
            await sound(page)
            await page.goto(f"{home.url}/login")
            await page.fill("input[name=identifier]", "regulateur")
            await page.fill("input[name=password]", "x")
            await page.click("button[type=submit]")
            await until_text(page, "[role=alert]", "Ce navigateur bloque les cookies")


async def test_an_observer_s_page_that_cannot_says_so(tmp_path: Path) -> None:
    """Without a script, with one that does not parse, without cookies, and touched too early."""
    async with house() as home:
        desk = await home.desk()
        await home.film(desk)
        await desk.keyboard.press("Alt+KeyO")
        await desk.fill("#observers-name", "SMUR")
        await desk.fill("#observers-to", CREW)
        await desk.press("#observers-to", "Enter")
        sms = await home.kannel.messages.next(to=CREW)
        found = EYE.search(sms.text)
        assert found
        link = found.group(0)
        plain = await home.browser.caller(java_script_enabled=False)
        page = await plain.open(link)
        assert "JavaScript" in await page.inner_text("noscript")
        old = await home.browser.caller()
        old.allow(EXPECTED)
        page = await old.context.new_page()
        await page.route("**/js/watching/people.js*", unparsable)
        await page.goto(link)
        await page.wait_for_selector("#cannot:not([hidden])")
        assert not await axe(page)
        async with without_cookies(home, tmp_path / "profile") as context:
            page = await context.new_page()
            await page.goto(link)
            await page.click("#join")
            await until_text(page, "#waiting-line", "bloque les cookies")
            assert await page.is_enabled("#join")
