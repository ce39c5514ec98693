"""Every page at 400 % of 1280 × 1024, at 200 % of 1366 × 768, on small phones: nothing cut off (WCAG 1.4.4, 1.4.10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.caller.test_caller_words import (
    FACEBOOK,
    INSTAGRAM,
    IPHONE,
    NEVER,
    REFUSE,
    choose,
    speaks,
)
from tests.e2e.desk.test_third_parties import observer
from tests.e2e.house import CALLER, House, house, until_text
from tests.lab.browsers.browser import PIXEL, axe, moving_picture, resize, screenshot, unreachable
from tests.lab.switchboard import sipp

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

Size = tuple[int, int]
LEAST = (320, 256)
DESK_SIZES = ((683, 384), (360, 640), LEAST)
#: Common windows between half a screen and the whole one.
BETWEEN = ((1280, 720), (1093, 510), (1024, 768), (683, 650))
CALLER_SIZES = ((640, 360), (360, 640), (256, 320), LEAST)
#: Least heights of the patient's picture on the desk; what is left free of the caller's own between words and buttons.
DESK_PICTURE = {(683, 384): 260, (360, 640): 460, LEAST: 150, (342, 192): 90}
CALLER_PICTURE = 56
#: Phone, what its camera's refusal is called, what the browser calls itself: the longest guides.
TROUBLES = (
    (PIXEL, ["NotAllowedError", "Permission denied"], ""),
    (PIXEL, ["NotAllowedError", "Permission denied"], INSTAGRAM),
    (IPHONE, ["NotAllowedError", ""], FACEBOOK),
)

_PICTURE = """() => {
  const edge = (id) => document.getElementById(id).getBoundingClientRect();
  document.getElementById('stage').scrollIntoView({block: 'start'});
  const patient = document.getElementById('patient');
  const [stage, controls, video] = ['stage', 'controls', 'patient'].map(edge);
  return {
    height: stage.height, top: stage.top, bottom: controls.bottom, window: innerHeight,
    whole: getComputedStyle(patient).objectFit === 'contain' && video.height <= stage.height + 1,
  };
}"""
_FREE = """() => {
  const [top, bottom] = ['.top', '.bottom'].map((one) => document.querySelector(one).getBoundingClientRect());
  const self = document.getElementById('self').getBoundingClientRect();
  return Math.min(bottom.top, self.bottom) - Math.max(top.bottom, self.top);
}"""
_LETTERS = "(size) => getComputedStyle(document.documentElement).fontSize === `${size}px`"
#: Where the keyboard is, and whether anybody can see it there.
_FOCUS = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const box = one.getBoundingClientRect();
  const [left, top] = [Math.max(box.left, 0), Math.max(box.top, 0)];
  const [right, bottom] = [Math.min(box.right, innerWidth), Math.min(box.bottom, innerHeight)];
  const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  const seen = right > left && bottom > top && hit && (one.contains(hit) || hit.contains(one));
  return {name: one.id || one.className || one.textContent.trim(), seen: Boolean(seen)};
}"""


@dataclass
class Reader:
    """Reads pages as they stand, at sizes."""

    wrong: list[str] = field(default_factory=list)

    async def look(
        self, page: Page, what: str, sizes: tuple[Size, ...], part: str | None = None
    ) -> None:
        """Nothing is cut off, covered or beside the window; axe finds nothing at the least size."""
        before = page.viewport_size
        for width, height in sizes:
            await resize(page, width, height)
            at = f"{what} at {width}×{height}"
            self.wrong += [f"{at}: {one}" for one in await unreachable(page, part)]
            await screenshot(page, f"reflow {at}")
            if (width, height) == LEAST:
                self.wrong += [f"{at}: {one}" for one in await axe(page)]
        assert before
        await resize(page, before["width"], before["height"])

    async def large(self, page: Page, what: str, part: str | None = None) -> None:
        """The same with letters of twice the size, as the browser's own settings make them."""
        cdp = await page.context.new_cdp_session(page)
        for size in (32, 16):
            await cdp.send("Page.setFontSizes", {"fontSizes": {"standard": size, "fixed": size}})
            await page.wait_for_function(_LETTERS, arg=size)
            if size == 32:
                await self.look(page, f"{what}, large letters", ((360, 640),), part)

    async def caller(self, page: Page, what: str, part: str | None = None) -> None:
        """A screen of the caller's page."""
        await self.look(page, what, CALLER_SIZES, part)
        await self.large(page, what, part)

    def assert_all_read(self) -> None:
        assert not self.wrong, "\n".join(self.wrong)


async def in_words(reader: Reader, page: Page, what: str) -> None:
    """In long words, and from right to left; the list of languages open."""
    for language, direction in (("de", "ltr"), ("ar", "rtl")):
        await choose(page, language)
        await speaks(page, language, direction)
        await reader.caller(page, f"{what}, {language}")
    await page.click("#languages summary")
    await reader.caller(page, f"{what}, languages", "#languages")
    await page.click("#languages summary")


async def troubled(home: House, link: str, device: str, refusal: list[str], agent: str) -> Page:
    """A caller who is led out of a trouble with the camera, in long words."""
    named: dict[str, Any] = {"user_agent": agent} if agent else {}
    client = await home.browser.caller(device, locale="de-DE", **named)
    page = await client.open(link)
    await page.wait_for_selector("body[data-ready=true]")
    await page.evaluate(REFUSE, refusal)
    if await page.get_attribute("body", "data-phase") == "invite":
        await page.tap("#tap")
    await page.wait_for_selector("body[data-phase=trouble] #guide li")
    return page


async def test_the_callers_screens_are_read_at_every_size() -> None:
    reader = Reader()
    async with house() as home:
        desk = await home.desk()
        link = await home.invite(desk)
        phone = await home.phone(link)
        await in_words(reader, phone, "invite")
        await phone.evaluate(NEVER)
        await phone.tap("#tap")
        await phone.wait_for_selector("body[data-phase=asking]")
        await reader.caller(phone, "asking")
        elsewhere = await (await home.browser.caller()).open(link)
        await reader.caller(elsewhere, "closed")
        await elsewhere.goto(f"{home.url}/c?lang=de")
        await reader.caller(elsewhere, "code")
        for number, (device, refusal, agent) in enumerate(TROUBLES):
            another = await home.invite(desk, f"+3369876540{number}")
            stuck = await troubled(home, another, device, refusal, agent)
            await reader.caller(stuck, f"trouble {number}")
            await stuck.context.close()
    reader.assert_all_read()


async def test_the_live_picture_leaves_nobody_without_a_button() -> None:
    reader = Reader()
    async with house() as home:
        desk = await home.desk()
        phone = await home.film(desk)
        crew = await observer(home, desk)
        await reader.look(crew, "observer, before", DESK_SIZES)
        await crew.click("#join")
        await moving_picture(crew, "#patient")
        await reader.look(crew, "observer", DESK_SIZES)
        await until_text(phone, "#viewers", "2 personnes peuvent vous voir")
        await in_words(reader, phone, "live")
        for width, height in CALLER_SIZES:
            await resize(phone, width, height)
            assert await phone.evaluate(_FREE) >= CALLER_PICTURE, (width, height)
        await desk.click("#webcam")
        await moving_picture(phone, "#doctor")
        await reader.caller(phone, "live, the doctor seen")
        await desk.click("#webcam")
        await desk.click("#photo-ask")
        await phone.wait_for_selector("#photo #photo-take")
        await reader.caller(phone, "photo")
        await phone.tap("#photo-take")
        await desk.wait_for_selector("#photo img")
        await reader.look(desk, "photo on the desk", DESK_SIZES)
        await desk.click("#photo-close")
        await desk.click("#freeze")
        await desk.wait_for_selector("#frozen-mark", state="visible")
        await reader.look(desk, "frozen", DESK_SIZES)
        await desk.click("#freeze")
        await desk.click("#messages-open")
        await desk.click("#messages-list button >> nth=1")
        await phone.wait_for_selector("#told strong")
        for width, height in CALLER_SIZES:
            await resize(phone, width, height)
            told = await phone.locator("#told p").bounding_box()
            assert told
            assert 0 <= told["x"] <= told["x"] + told["width"] <= width
            assert 0 <= told["y"] <= told["y"] + told["height"] <= height
        # An arrow at the lower edge of the picture is scrolled to, and makes the page no larger.
        high = await phone.evaluate("document.documentElement.scrollHeight")
        await desk.locator("#patient").click(position={"x": 300, "y": 500})
        await phone.wait_for_selector("#finger .ring", state="visible")
        place = await phone.locator("#finger .ring").bounding_box()
        assert place
        assert -36 <= place["y"] <= LEAST[1] - 36
        assert await phone.evaluate("document.documentElement.scrollHeight") == high
        assert await phone.evaluate("document.documentElement.scrollWidth") == LEAST[0]
        await desk.click("#end")
        await phone.wait_for_selector("body[data-phase=ended]")
        await reader.caller(phone, "ended")
    reader.assert_all_read()


async def test_the_desk_is_worked_in_one_column() -> None:
    reader = Reader()
    async with (
        house() as home,
        sipp.phone(port=home.uas_port),
        sipp.call(home.kamailio.address, caller=CALLER) as line,
    ):
        await line.answered()
        desk = await home.desk()
        await desk.wait_for_selector("#calls li[data-state=talking]")
        await reader.look(desk, "waiting", DESK_SIZES)
        await desk.fill("#mobile", "0247000000")
        await desk.click("#invite")
        await desk.wait_for_selector("#mobile-error:has-text('fixe')")
        await reader.look(desk, "refused number", DESK_SIZES)
        phone = await home.phone(await home.invite(desk))
        await reader.look(desk, "invited", DESK_SIZES)
        await phone.tap("#tap")
        await moving_picture(desk, "#patient")
        await desk.wait_for_selector("#network-box[data-level]")
        await reader.look(desk, "live", (*DESK_SIZES, *BETWEEN))
        for (width, height), least in DESK_PICTURE.items():
            await resize(desk, width, height)
            shown = await desk.evaluate(_PICTURE)
            assert shown["height"] >= least, shown
            assert shown["whole"], shown
            assert shown["bottom"] - shown["top"] <= shown["window"] + 1, shown
        await dialogs(reader, desk)
        await banners(reader, desk)
        await resize(desk, *LEAST)
        await followed(reader, desk)
        await desk.click("#end")
        await desk.wait_for_selector("#stage[data-picture=none]")
        await reader.look(desk, "ended", DESK_SIZES)
        await line.hang_up()
    reader.assert_all_read()


async def dialogs(reader: Reader, desk: Page) -> None:
    """Side sheets, dialogs and the menu of the station."""
    for opener, dialog in (
        ("#change-call", "#pick"),
        ("#help-open", "#help"),
        ("#feedback-open", "#feedback"),
        ("#recent-open", "#recent"),
        ("#messages-open", "#messages"),
        ("#observers-open", "#observers"),
        ("#handover-open", "#handover"),
        ("#second-open", "#second"),
        ("#spoken-open", "#spoken"),
    ):
        await resize(desk, *LEAST)
        await desk.click(opener)
        await desk.wait_for_selector(f"{dialog}[open]")
        assert await desk.evaluate(_FOCUS) is None or (await desk.evaluate(_FOCUS))["seen"], dialog
        await reader.look(desk, dialog, DESK_SIZES)
        await desk.keyboard.press("Escape")
        await desk.wait_for_selector(f"{dialog}:not([open])", state="attached")
    await desk.click("#station-menu summary")
    await reader.look(desk, "menu", DESK_SIZES)
    await desk.click("#station-menu summary")


async def banners(reader: Reader, desk: Page) -> None:
    """What the server says stays in sight, wherever the page was scrolled to, and hides no focus."""
    await resize(desk, *LEAST)
    await desk.focus("#second-open")
    await desk.evaluate(
        """() => {
          const banner = document.getElementById('proposal');
          document.getElementById('proposal-text').textContent = 'Lier cette session à l’appel de 06 12 34 56 78 ?';
          banner.hidden = false;
        }"""
    )
    box = await desk.locator("#proposal-take").bounding_box()
    assert box
    assert 0 <= box["y"] <= box["y"] + box["height"] <= LEAST[1], box
    await reader.look(desk, "a banner", DESK_SIZES)
    await resize(desk, *LEAST)
    await followed(reader, desk)
    await desk.evaluate("() => { document.getElementById('proposal').hidden = true; }")


async def followed(reader: Reader, desk: Page) -> None:
    """The Tab key there and back: what has the focus is seen (WCAG 2.4.11)."""
    for key in ("Tab", "Shift+Tab"):
        for _ in range(50):
            await desk.keyboard.press(key)
            focus = await desk.evaluate(_FOCUS)
            if focus and not focus["seen"]:
                reader.wrong.append(f"{key}: {focus['name']} has the focus out of sight")


async def test_the_other_pages_scroll_one_way() -> None:
    reader = Reader()
    async with (
        house(extra={"sms": None}) as home,
        sipp.phone(port=home.uas_port),
        sipp.call(home.kamailio.address, caller=CALLER) as line,
    ):
        await line.answered()
        page = await (await home.browser.desk()).context.new_page()
        home.browser.clients[-1].allow("40[0-9]")
        await page.goto(f"{home.url}/login")
        await reader.look(page, "login", DESK_SIZES)
        await home.sign_in(page)
        await reader.look(page, "kiosk", DESK_SIZES)
        await page.goto(f"{home.url}/desk")
        await page.wait_for_selector("#chooser")
        await reader.look(page, "chooser", DESK_SIZES)
        await page.click("#feedback-open")
        await page.fill(
            "#feedback-remark", "Image figée après un changement de caméra, deux fois de suite."
        )
        await page.click("#feedback-form button[type=submit]")
        await page.wait_for_selector("#feedback-sent", state="visible")
        await reader.look(page, "feedback sent", DESK_SIZES)
        notice = await home.smtp.next(to=home.mailbox("referent"))
        assert "INC-" in notice.text
        for path in ("selftest", "outbox", "feedback", "api", "nowhere"):
            await page.goto(f"{home.url}/{path}")
            await reader.look(page, path, DESK_SIZES)
        desk = await home.desk("arm", station="1601")
        await desk.fill("#email", "temoin@example.org")
        await desk.click("#invite")
        await home.mail_link("temoin@example.org")
        await line.hang_up()
        await desk.wait_for_selector("#calls li[data-state=ended]")
        await desk.fill("#email", "voisin@example.org")
        await desk.click("#invite")
        await home.mail_link("voisin@example.org")
        await audited(reader, home, line.call_id)
        await watched_over(reader, home)
    reader.assert_all_read()


async def audited(reader: Reader, home: House, call_id: str) -> None:
    """Tables and timelines scroll within themselves at most."""
    audit = await (await home.browser.desk()).context.new_page()
    await home.sign_in(audit, "auditeur")
    await audit.goto(f"{home.url}/audit?q={call_id}")
    await audit.wait_for_selector("#results")
    await reader.look(audit, "audit, found", DESK_SIZES)
    await audit.click("#results a")
    await audit.wait_for_selector("#timeline svg")
    await reader.look(audit, "audit, one call", DESK_SIZES)
    await audit.goto(f"{home.url}/audit/reconcile")
    await audit.wait_for_selector(".case")
    await reader.look(audit, "reconcile", DESK_SIZES)
    await audit.click(".case h3 a")
    await reader.look(audit, "reconcile, one", DESK_SIZES)


async def watched_over(reader: Reader, home: House) -> None:
    """The health of line 15, and what people reported."""
    admin = await (await home.browser.desk()).context.new_page()
    await home.sign_in(admin, "admin")
    await admin.goto(f"{home.url}/admin/telephony")
    await admin.wait_for_selector("[data-feed=hep]")
    await reader.look(admin, "telephony", DESK_SIZES)
    referent = await (await home.browser.desk()).context.new_page()
    await home.sign_in(referent, "referent")
    await referent.click("a[id=module-incidents]")
    await reader.look(referent, "incidents", DESK_SIZES)
    await referent.click("#incidents tbody a")
    await referent.wait_for_selector("#history")
    await reader.look(referent, "incident", DESK_SIZES)
