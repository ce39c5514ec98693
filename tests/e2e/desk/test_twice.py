"""A tired person presses Enter twice, and the phone that is ready is shown at once, whichever tab is open."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.e2e.house import CALLER, House, house, until_text
from tests.e2e.layout import PASSWORD
from tests.e2e.record import verified
from tests.e2e.seen import session_id
from tests.lab.browsers.browser import axe, moving_picture
from tests.lab.process import until

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

OTHER = "+33698765432"
FOCUS = "() => document.activeElement?.id ?? ''"

pytestmark = pytest.mark.e2e


def sent(home: House, to: str = CALLER) -> list[str]:
    """The texts that left for this number."""
    return [sms.text for sms in home.kannel.messages.all() if sms.to == to]


async def sessions(desk: Page) -> int:
    return await desk.locator("#sessions li").count()


async def looked_at(desk: Page) -> str:
    """The session whose tab is open."""
    found = await desk.get_attribute("#tabs button[aria-pressed=true]", "data-key")
    assert found
    return found


async def resent_by_key(home: House, desk: Page, link: str) -> None:
    """The same link again, by its key and once a gesture."""
    await until(lambda: handed(desk), "the first SMS has left")
    await desk.keyboard.press("Alt+KeyY")
    await until_text(desk, "#resend-text", "Lien renvoyé")
    await desk.dblclick("#resend", force=True)
    await desk.keyboard.press("Alt+KeyY")
    assert await home.sms_link() == link
    assert len(sent(home)) == 2


async def handed(desk: Page) -> bool:
    """Whether the carrier has the message: the desk says so."""
    state = await desk.get_attribute("#invitations li:first-child", "data-state")
    return state in {"handed", "buffered", "delivered"}


async def test_enter_twice_is_one_session_and_the_phone_that_is_ready_is_shown() -> None:
    async with house() as home:
        desk = await home.desk()
        keys = desk.keyboard
        await desk.fill("#mobile", CALLER)
        await desk.focus("#mobile")
        await keys.press("Enter")
        await keys.press("Enter")  # while the answer is under way
        link = await home.sms_link()
        await desk.wait_for_selector("#resend:not([hidden])")
        assert await desk.input_value("#mobile") == ""
        assert await desk.evaluate(FOCUS) == "panel"
        await keys.press("Enter")  # after it
        assert not await axe(desk)
        await resent_by_key(home, desk, link)
        # Typed again: whose it is, and nothing more is sent, however often.
        await desk.fill("#mobile", "06 12 34 56 78")
        for _ in range(12):
            await desk.press("#mobile", "Enter")
        await until_text(desk, "#invite-error", "Déjà invité par vous à ce poste")
        assert not await axe(desk)
        assert (await sessions(desk), len(sent(home))) == (1, 2)
        first = await session_id(desk)
        # A second one on purpose: by a click, and it has its tab though no call is known of either.
        await desk.click("#again-new")
        await desk.wait_for_selector("#tabs button >> nth=1")
        await desk.wait_for_selector(f"#tabs button[data-key='{first}'][aria-pressed=false]")
        assert await home.sms_link() != link
        # The caller taps the first message: its picture comes by itself.
        phone = await home.phone(link)
        await phone.tap("#tap")
        await moving_picture(desk, "#patient")
        await desk.wait_for_selector(f"#tabs button[data-key='{first}'][aria-pressed=true]")
        await until_text(desk, "#notice-text", "est prêt : il est affiché")
        home.browser.assert_clean(home.url)
        await verified(home)


async def test_a_picture_that_is_seen_is_not_taken_away_by_a_phone_that_is_ready() -> None:
    async with house() as home:
        desk = await home.desk()
        early = await home.invite(desk)
        late = await home.invite(desk, OTHER)
        await desk.wait_for_selector("#tabs button >> nth=1")
        # The open one is the newer; the other's phone taps first, and is shown.
        first = await home.phone(early)
        await first.tap("#tap")
        await moving_picture(desk, "#patient")
        shown = await looked_at(desk)
        second = await home.phone(late)
        await second.tap("#tap")
        await until_text(desk, "#ready-text", "Téléphone prêt : 06 98 76 54 32")
        assert not await axe(desk)
        assert await looked_at(desk) == shown
        await moving_picture(desk, "#patient")
        # One key goes there.
        await desk.keyboard.press("Alt+KeyJ")
        await desk.wait_for_selector(f"#tabs button[data-key='{shown}'][aria-pressed=false]")
        await desk.wait_for_selector("#ready", state="hidden")
        await moving_picture(desk, "#patient")
        assert await looked_at(desk) != shown
        home.browser.assert_clean(home.url)


async def test_a_form_that_is_on_its_way_is_not_sent_again() -> None:
    """Two clicks on "Recevoir mon code": one request, one code."""
    async with house() as home:
        client = await home.browser.desk("somebody tired")
        page = await client.context.new_page()
        await page.goto(f"{home.url}/login")
        await page.fill("input[name=identifier]", "regulateur")
        await page.fill("input[name=password]", PASSWORD)
        clicked = asyncio.Event()
        asked: list[str] = []

        async def hold(route: Route) -> None:
            """Keep the server's answer back until both clicks were made."""
            if route.request.method == "POST":
                asked.append(route.request.url)
                await clicked.wait()
            await route.continue_()

        await page.route("**/login", hold)
        place = await page.locator("button[type=submit]").bounding_box()
        assert place
        at = (place["x"] + 20, place["y"] + 10)
        await page.mouse.click(*at)
        await until(lambda: bool(asked), "the form is on its way")
        await page.mouse.click(*at)
        clicked.set()
        await page.wait_for_url("**/login/code")
        assert len(asked) == 1
