"""I5: one link, one caller; nobody else uses it up, and nobody else gets in. One station, one regulator."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.e2e.house import CALLER, CALLER_SHOWN, House, house, until_text
from tests.e2e.record import verified
from tests.e2e.seen import frames, hide, session_id
from tests.lab.browsers.browser import IPAD, moving_picture, open_cameras, still_or_gone
from tests.lab.process import until
from tests.lab.switchboard import sipp

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

GONE = "40[49]|410"
SHOWN = "#sessions li:has([aria-pressed=true])"


async def closed(page: Page, reason: str, text: str) -> None:
    """The link shows why it does not work here."""
    await page.wait_for_selector(f"#closed[data-reason={reason}]")
    assert text in await page.inner_text("main")


async def elsewhere(page: Page) -> None:
    """A page that was open is told that the video is on another device; its camera is off."""
    await page.wait_for_selector("body[data-phase=ended]")
    await until_text(page, "#ended-title", "Déjà ouvert ailleurs")
    assert await open_cameras(page) == 0


async def reload(page: Page) -> None:
    await page.reload()
    await page.wait_for_selector("body[data-ready=true]")


async def nobody_saw(home: House, desk: Page, link: str) -> None:
    """Previews, scanners and pages in the background neither open a link nor use it up."""
    scanner = await home.browser.client("scanner", java_script_enabled=False)
    scanner.allow(GONE)
    for _ in range(3):
        assert (await scanner.context.request.get(link)).status == 200
        assert (await scanner.context.request.head(link)).status == 200
    await scanner.open(link)
    sleeper = await home.browser.caller()
    await sleeper.context.add_init_script(
        """Object.defineProperty(document, 'hidden', {value: true, configurable: true});
           Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true});"""
    )
    page = await sleeper.open(link)
    await page.wait_for_selector("body[data-ready=true]")
    await desk.wait_for_selector("#steps li[data-step=delivered][data-state=done]")
    await desk.wait_for_selector("#steps li[data-step=opened]:not([data-state=done])")
    # The same page, looked at, does count.
    await hide(page, hidden=False)
    await desk.wait_for_selector("#steps li[data-step=opened][data-state=done]")
    await sleeper.context.close()


async def test_the_first_tap_binds_the_link_to_its_browser() -> None:
    """Scanners, a second browser, a dropped tab, the end, a withdrawn link."""
    async with house() as home:
        desk = await home.desk()
        link = await home.invite(desk)
        await nobody_saw(home, desk, link)
        late = await home.phone(link)
        phone = await home.phone(link)
        for client in home.browser.clients:
            client.allow(GONE)
        await phone.tap("#tap")
        await moving_picture(desk, "#patient")
        # Another browser: with the page open before, and opening it now.
        await late.tap("#tap")
        await elsewhere(late)
        other = await home.browser.caller(IPAD)
        other.allow(GONE)
        await closed(await other.open(link), "elsewhere", "Déjà ouvert ailleurs")
        await moving_picture(desk, "#patient")
        # A dropped tab: the same browser comes back by itself, and sees the regulator who shows himself.
        await desk.click("#webcam")
        await moving_picture(phone, "#doctor")
        await reload(phone)
        await moving_picture(phone, "#doctor")
        await moving_picture(desk, "#patient")
        await desk.wait_for_selector("#stage[data-picture=flowing]")
        # The end is the end, for this browser too.
        await desk.click("#end")
        await phone.wait_for_selector("body[data-phase=ended]")
        await phone.reload()
        await closed(phone, "ended", "La vidéo est terminée")
        # A withdrawn link.
        link = await home.invite(desk, "+33612345601")
        await until_text(desk, "#invitations", "06 12 34 56 01reçu")
        await desk.click("#invitations button[data-verb=revoke]")
        await desk.wait_for_selector("#sessions li:first-child[data-state=ended]")
        await phone.goto(link)
        await closed(phone, "revoked", "Ce lien ne fonctionne plus")
        await phone.goto(f"{home.url}/v/{'x' * 27}")
        await closed(phone, "unknown", "Ce lien est inconnu")
        home.browser.assert_clean(home.url)
        await verified(home)


async def test_two_devices_of_one_caller() -> None:
    """SMS and e-mail at once: the first tap wins, the regulator moves the session to the other."""
    async with house() as home:
        desk = await home.desk()
        await desk.fill("#mobile", CALLER)
        await desk.fill("#email", "temoin@example.org")
        await desk.click("#invite")
        await desk.wait_for_selector("#invitations li >> nth=1")
        speaking = await home.phone(await home.sms_link())
        filming = await home.phone(await home.mail_link("temoin@example.org"), IPAD)
        for client in home.browser.clients:
            client.allow(GONE)
        await speaking.tap("#tap")
        await moving_picture(desk, "#patient")
        await filming.tap("#tap")
        await elsewhere(filming)
        await desk.click("#invitations li[data-channel=email] button[data-verb=move]")
        await elsewhere(speaking)
        await still_or_gone(desk, "#patient")
        await reload(filming)
        await filming.tap("#tap")
        await moving_picture(desk, "#patient")
        await speaking.reload()
        await closed(speaking, "elsewhere", "Déjà ouvert ailleurs")
        # And back again: the speaking phone was bound before.
        await desk.click("#invitations li[data-channel=sms] button[data-verb=move]")
        await elsewhere(filming)
        await reload(speaking)
        await speaking.tap("#tap")
        await moving_picture(desk, "#patient")
        assert await desk.locator("#sessions li").count() == 1
        home.browser.assert_clean(home.url)
        await verified(home)


async def test_one_click_is_one_message() -> None:
    """A double click, a held key: one session and one SMS; the link is sent again only when asked."""
    async with house() as home, sipp.phone(port=home.uas_port):
        desk = await home.desk()
        async with sipp.call(home.kamailio.address, caller=CALLER) as line:
            await line.answered()
            # The number of the call stands in the field; once it is invited, nothing that Enter could send again.
            await until_value(desk, "#mobile", CALLER_SHOWN)
            place = await desk.locator("#invite").bounding_box()
            assert place
            at = (place["x"] + 20, place["y"] + 10)
            await desk.mouse.click(*at)
            # The second half of a slow double click comes when the server has answered already.
            await desk.wait_for_selector("#sessions li")
            await until_value(desk, "#mobile", "")
            await desk.mouse.down(click_count=2)
            await desk.mouse.up(click_count=2)
            # A key that is held repeats itself: the first press counts.
            await desk.fill("#mobile", "06 98 76 54 32")
            await desk.focus("#mobile")
            await desk.keyboard.down("Enter")
            await desk.wait_for_selector("#sessions li >> nth=1")
            await desk.keyboard.down("Enter")
            await desk.keyboard.down("Enter")
            await desk.keyboard.up("Enter")
            first = await home.sms_link(CALLER)
            second = await home.sms_link("+33698765432")
            # Each word of the message draws the box below anew: a press in the middle of that hits nothing.
            await until_text(desk, "#invitations", "06 98 76 54 32reçu")
            await desk.click("#invitations button[data-verb=resend]")
            assert await home.sms_link("+33698765432") == second != first
            assert len(home.kannel.messages.all()) == 3
            assert await desk.locator("#sessions li").count() == 2
            await line.hang_up()
        home.browser.assert_clean(home.url)


async def until_value(page: Page, selector: str, value: str) -> None:
    """Wait until a field holds a value, and the page takes the next command."""

    async def there() -> bool:
        busy = await page.get_attribute("#invite", "aria-busy")
        return await page.input_value(selector) == value and busy == "false"

    await until(there, f"{value!r} in {selector}")


async def taken_on_purpose(newer: Page, older: Page) -> None:
    """It says who sits there and that a video is on; nobody is disturbed before it is meant."""
    await newer.wait_for_selector("#seat[open]")
    await until_text(newer, "#seat-text", "Dr Regulateur y est depuis")
    await until_text(newer, "#seat-text", "Une vidéo y est en cours")
    # A seat that falls free meanwhile is not taken by a page that only asks.
    await older.reload()
    await older.wait_for_selector("#server-state[data-state=open]")
    await moving_picture(older, "#patient")
    await newer.keyboard.press("Escape")
    assert await newer.is_visible("#seat")
    await newer.click("#seat-other")
    await newer.wait_for_url("**/desk/station")
    options = await newer.inner_text("select[name=station]")
    assert re.search(
        r"1601 · Poste médecin 1 — Dr Regulateur depuis \d\d:\d\d · vidéo en cours", options
    )
    assert re.search(
        r"1602 · Poste médecin 2 — Dr Regulateur depuis \d\d:\d\d$", options, re.MULTILINE
    )
    assert "1501 · Poste ARM\n" in options + "\n"
    await newer.select_option("select[name=station]", "1601")
    await newer.click("form[action='/desk/station'] button")
    await newer.wait_for_selector("#seat[open]")
    assert await older.is_enabled("#end")
    await newer.click("#seat-take")


async def older_in_two_tabs(desk: Page) -> None:
    """A second tab of the same person opens without a question on the live picture, though an invitation is newer."""
    live = await desk.get_attribute(SHOWN, "data-session")
    await desk.fill("#mobile", "06 98 76 54 32")
    await desk.click("#invite")
    await desk.wait_for_selector("#sessions li[data-state=invited]")
    second = await desk.context.new_page()
    await second.goto(desk.url)
    await moving_picture(second, "#patient")
    assert await second.get_attribute(SHOWN, "data-session") == live
    await until_text(desk, "#notice-text", "tenu par une autre de vos fenêtres")
    await desk.click("#notice-action")
    await moving_picture(desk, "#patient")
    await until_text(second, "#server-text", "poste tenu par une autre de vos fenêtres")
    await second.close()


async def test_one_station_one_regulator() -> None:
    """A station is taken on purpose only, the one pushed out is told by whom; another station sees nothing of it."""
    async with house() as home, sipp.phone(port=home.uas_port):
        older = await home.desk("regulateur")
        aside = await home.desk("regulateur", station="1602", name="aside")
        await older.focus("#mobile")

        async def proposed() -> bool:
            return await older.input_value("#mobile") == CALLER_SHOWN

        async with sipp.call(home.kamailio.address, caller=CALLER) as line:
            await line.answered()
            # The call's number comes where somebody is about to type: what is typed replaces it.
            await until(proposed, "the number of the call in the field")
            await older.keyboard.type("07 98 76 54 32")
            assert await older.input_value("#mobile") == "07 98 76 54 32"
            phone = await home.film(older)
            newer = await home.desk("arm", free=False)
            await taken_on_purpose(newer, older)
            await until_text(older, "#notice-text", "tenu par Dr Arm depuis")
            await until_text(older, "#server-text", "poste tenu par Dr Arm")
            await older.wait_for_selector("#end[disabled]")
            await newer.wait_for_selector("#seat:not([open])", state="attached")
            # The picture goes to the newer desk, with the calls and the session.
            await moving_picture(newer, "#patient")
            await newer.wait_for_selector("#calls li[data-state=talking][data-linked=true]")
            assert await session_id(newer) == await session_id(older)
            # The older takes it back, on demand only.
            await older.click("#notice-action")
            await until_text(newer, "#notice-text", "tenu par Dr Regulateur")
            await moving_picture(older, "#patient")
            await older.wait_for_selector("#end:not([disabled])")
            await older_in_two_tabs(older)
            assert await aside.locator("#calls li").count() == 0
            assert await aside.locator("#sessions li").count() == 0
            assert await frames(aside) == 0
            await older.click("#end")
            await phone.wait_for_selector("body[data-phase=ended]")
            # The desk that only reads on does not keep a still.
            await newer.wait_for_selector("#end[disabled]")
            await newer.wait_for_selector("#stage[data-picture=lost]")
            await line.hang_up()
        home.browser.assert_clean(home.url)
        await verified(home)
