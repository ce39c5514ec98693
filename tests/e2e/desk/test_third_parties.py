"""No SMS, other eyes, other hands: a code read aloud, an observer, a session given by hand, a second phone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.e2e.house import CALLER, House, house, until_text
from tests.e2e.record import verified
from tests.e2e.seen import session_id
from tests.lab.browsers.browser import axe, moving_picture, no_audio, still_or_gone
from tests.lab.switchboard import sipp

if TYPE_CHECKING:
    from playwright.async_api import Page

CREW = "+33698765432"
LOOK = re.compile(r"https?://\S+/o/[A-Za-z0-9_-]+")

pytestmark = pytest.mark.e2e

SMALL = {"viewport": {"width": 360, "height": 640}}


async def sound(page: Page, what: str) -> None:
    """No fault of accessibility on the page as it stands."""
    found = await axe(page)
    assert not found, f"{what}: {found}"


async def typed(home: House, code: str, *, lang: str = "fr") -> Page:
    """A caller types the address and the code he hears; a small phone, his fingers, no SMS."""
    client = await home.browser.caller(**SMALL)
    client.allow("404")
    page = await client.open(f"{home.url}/c?lang={lang}")
    await sound(page, "code")
    await page.fill("#code", "000000" if code != "000000" else "000001")
    await page.tap("#code-form button")
    await page.wait_for_selector("#code-error[data-code=code_wrong]")
    await sound(page, "code, wrong")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.fill("#code", code)
    await page.tap("#code-form button")
    await page.wait_for_selector("body[data-ready=true]")
    return page


async def test_a_code_is_read_aloud_and_typed_on_a_small_phone() -> None:
    async with house() as home:
        desk = await home.desk()
        await desk.keyboard.press("Alt+KeyC")
        await desk.wait_for_selector("#spoken[open]")
        await until_text(desk, "#spoken-left", "Valable encore")
        await sound(desk, "dialog #spoken")
        digits = re.sub(r"\D", "", await desk.inner_text("#spoken-digits"))
        assert len(digits) == 6
        assert (await desk.inner_text("#spoken-address")).endswith("/c")
        # Another one: the first is worth nothing any more.
        await desk.click("#spoken-new")
        fresh = digits
        while fresh in {digits, ""}:
            fresh = re.sub(r"\D", "", await desk.inner_text("#spoken-digits"))
        phone = await typed(home, fresh)
        assert re.fullmatch(r".*/v/[\w-]{27}", phone.url)
        await desk.wait_for_selector("#spoken:not([open])", state="attached")
        await desk.wait_for_selector("#steps li[data-step=read][data-state=done]")
        await phone.tap("#tap")
        await moving_picture(desk, "#patient")
        await no_audio(phone, peers=1)
        await until_text(desk, "#invitations li:first-child", "ouvert sur un téléphone")
        assert home.kannel.messages.all() == []
        home.browser.assert_clean(home.url)
        await verified(home)


async def observer(home: House, desk: Page) -> Page:
    """Invite a crew by SMS with the keyboard; their page, before the tap."""
    await desk.keyboard.press("Alt+KeyO")
    await desk.wait_for_selector("#observers[open]")
    await sound(desk, "dialog #observers")
    await desk.click("#observers-send")
    await until_text(desk, "#observers-error", "nom")
    await desk.fill("#observers-name", "SMUR <b>Tours</b>")
    await desk.fill("#observers-to", CREW)
    await desk.press("#observers-to", "Enter")
    await desk.wait_for_selector("#observers:not([open])", state="attached")
    await until_text(desk, "#people", "SMUR <b>Tours</b>")
    sms = await home.kannel.messages.next(to=CREW)
    found = LOOK.search(sms.text)
    assert found, sms.text
    client = await home.browser.client("crew", camera=False, locale="fr-FR", **SMALL)
    client.allow("403|409")
    page = await client.open(found.group(0))
    await page.wait_for_selector("body[data-ready=true]")
    return page


async def test_an_observer_sees_is_seen_and_is_removed_then_the_session_changes_hands() -> None:
    async with house() as home:
        arm = await home.desk("arm", station="1501")
        doctor = await home.desk("regulateur", station="1601")
        phone = await home.film(arm)
        crew = await observer(home, arm)
        await sound(crew, "observer, before the tap")
        await crew.click("#join")
        await moving_picture(crew, "#patient")
        await crew.wait_for_selector("#stage[data-picture=flowing]")
        await no_audio(crew, peers=1)
        await sound(crew, "observer, live")
        # All see all: who looks is named on the desk and to the observer, and counted on the phone.
        await until_text(arm, "#people li[data-kind=observer]", "voit l’image")
        await until_text(crew, "#people", "poste 1501")
        await until_text(phone, "#viewers", "2 personnes peuvent vous voir")
        await sound(arm, "desk, with an observer")
        shown = await crew.inner_text("main")
        assert "06 12 34 56 78" not in shown
        assert "+336" not in shown
        # Removed: the picture goes at once, the link with it, the desk's own goes on.
        await arm.click("#people li[data-kind=observer] button")
        await until_text(crew, "#waiting-line", "mis fin à votre accès")
        # No line is tried for any more: none is missing.
        assert not await crew.is_visible("#server-state")
        await still_or_gone(crew, "#patient")
        await arm.wait_for_selector("#people li[data-kind=observer]", state="detached")
        await phone.wait_for_selector("#viewers", state="hidden")
        await crew.reload()
        await crew.wait_for_selector("#closed[data-reason=observer_removed]")
        await sound(crew, "observer, closed")
        await moving_picture(arm, "#patient")

        # By hand, by keyboard: the ARM offers, the doctor takes with one key.
        await arm.keyboard.press("Alt+KeyH")
        await arm.wait_for_selector("#handover-stations button[data-station='1601']")
        await sound(arm, "dialog #handover")
        first = arm.locator("#handover-stations button").first
        assert await first.get_attribute("data-station") == "1601", "a desk is open there"
        await arm.keyboard.press("Enter")
        await until_text(arm, "#offer-text", "proposée au poste 1601")
        await until_text(doctor, "#offer-text", "Session proposée par Dr Arm (poste 1501)")
        await sound(doctor, "desk, an offer")
        assert await doctor.get_attribute("#stage", "data-picture") == "none", "not taken yet"
        await doctor.keyboard.press("Alt+KeyH")
        await moving_picture(doctor, "#patient")
        await doctor.wait_for_selector("#offer", state="hidden")
        await moving_picture(arm, "#patient")
        await until_text(arm, "#sessions li:first-child", "passée au poste 1601")
        # The giver leaves; the picture goes on where it is now, until that desk ends it.
        await arm.keyboard.press("Alt+KeyX")
        await until_text(arm, "#notice-text", "Elle reste ouverte")
        await moving_picture(doctor, "#patient")
        await doctor.keyboard.press("Alt+KeyX")
        await phone.wait_for_selector("body[data-phase=ended]")
        home.browser.assert_clean(home.url)
        await verified(home)


async def test_two_phones_on_one_call() -> None:
    async with house() as home:
        desk = await home.desk()
        async with sipp.phone(port=home.uas_port), sipp.call(home.kamailio.address, caller=CALLER):
            await desk.wait_for_selector("#calls li[data-state=talking]")
            await home.film(desk)
            first = await session_id(desk)
            await desk.keyboard.press("Alt+Digit2")
            await desk.wait_for_selector("#second[open]")
            await sound(desk, "dialog #second")
            await desk.fill("#second-to", CREW)
            await desk.press("#second-to", "Enter")
            await desk.wait_for_selector("#tabs button >> nth=1")
            second = await home.phone(await home.sms_link(CREW))
            await second.tap("#tap")
            await sound(desk, "desk, two phones")
            # One key goes to the other; the one that is not looked at is not said to be live.
            await desk.keyboard.press("Alt+Digit2")
            await desk.wait_for_selector("#tabs button:nth-child(2)[aria-pressed=true]")
            await moving_picture(desk, "#patient")
            await until_text(desk, "#tabs button:first-child", "téléphone prêt")
            await desk.keyboard.press("Alt+Digit2")
            await desk.wait_for_selector(f"#tabs button[data-key='{first}'][aria-pressed=true]")
            await moving_picture(desk, "#patient")
            labels = await desk.locator("#link-label").all_inner_texts()
            assert "Lié" in labels[0]
