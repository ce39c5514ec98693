"""Every page is usable by everybody, by the keyboard alone, and nothing leaves the origin."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.house import CALLER, CODE, House, house
from tests.e2e.layout import PASSWORD
from tests.e2e.procedure.test_synthetic_caller import demonstration, invite, open_desk
from tests.lab.browsers.browser import axe, browser, moving_picture, resize
from tests.lab.switchboard import sipp

if TYPE_CHECKING:
    from playwright.async_api import Page, Response

pytestmark = pytest.mark.e2e

RECORDINGS = Path(__file__).parents[2] / "telephony" / "recordings"
OPEN = "#server-state[data-state=open]"
HEADERS = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
        "connect-src 'self' ws://{host} wss://{host}; "
        "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    ),
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
_NEVER = "() => { navigator.mediaDevices.getUserMedia = () => new Promise(() => {}); }"
_DENIED = """() => {
  navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError'));
}"""

#: Which theme a page has (null: the caller's pages have one only), after having put one on.
_WEAR = """(theme) => {
  const {dataset} = document.documentElement;
  if (theme) dataset.theme = theme;
  return dataset.theme ?? null;
}"""
#: Plays until something was heard.
_HEARD = """async (audio) => {
  const heard = new Promise((done) => {
    audio.addEventListener("timeupdate", () => { if (audio.currentTime > 0.2) done(); });
  });
  await audio.play();
  await heard;
}"""


@dataclass
class Inspector:
    """Looks at each page: axe, and the headers it came with."""

    home: House
    seen: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> Page:
        """Check the headers of every document this page loads."""
        host = self.home.url.partition("://")[2]

        def loaded(response: Response) -> None:
            if response.request.resource_type != "document" or 300 <= response.status < 400:
                return
            for name, value in HEADERS.items():
                if response.headers.get(name) != value.format(host=host):
                    self.wrong.append(f"{response.url}: {name}: {response.headers.get(name)}")

        page.on("response", loaded)
        return page

    async def look(self, page: Page, what: str) -> None:
        """Run axe on the page as it stands, its contrast (7:1) in both themes, and its width."""
        self.seen.append(what)
        self.wrong += [f"{what}: {found}" for found in await axe(page)]
        theme = await page.evaluate(_WEAR, None)
        for worn in ("dark", "light") if theme else ():
            await page.evaluate(_WEAR, worn)
            found = await axe(page, rules=["color-contrast-enhanced"])
            self.wrong += [f"{what}, {worn}: {each}" for each in found]
        await page.evaluate(_WEAR, theme)
        size = page.viewport_size
        for width, height in ((683, 768), (3840, 2160)) if theme and size else ():
            await resize(page, width, height)
            if await page.evaluate("() => document.documentElement.scrollWidth > innerWidth"):
                self.wrong.append(f"{what}: scrolls sideways at {width}×{height}")
        if size:
            await resize(page, size["width"], size["height"])

    def assert_sound(self) -> None:
        assert not self.wrong, "\n".join(self.wrong)
        assert len(self.seen) == len(set(self.seen)), self.seen


async def signing_in(inspector: Inspector, desk: Page) -> None:
    home = inspector.home
    await desk.goto(f"{home.url}/nowhere")
    await inspector.look(desk, "error, signed out")
    await desk.goto(f"{home.url}/login")
    await inspector.look(desk, "login")
    await desk.fill("input[name=identifier]", "regulateur")
    await desk.fill("input[name=password]", "wrong")
    await desk.press("input[name=password]", "Enter")
    await desk.wait_for_selector("input[name=code]")
    await desk.fill("input[name=code]", "000000")
    await desk.press("input[name=code]", "Enter")
    await desk.wait_for_selector("[role=alert]")
    await inspector.look(desk, "code, refused")
    await home.sign_in(desk)
    await inspector.look(desk, "kiosk")
    await desk.click("a:has-text('Visiorégulation')")
    await desk.wait_for_selector("select[name=station]")
    await inspector.look(desk, "station choice")
    await desk.select_option("select[name=station]", "1601")
    await desk.click("form[action='/desk/station'] button")
    await desk.wait_for_selector(OPEN)
    await inspector.look(desk, "desk, waiting")


async def dialogs(inspector: Inspector, desk: Page) -> None:
    for opener, dialog in (("#feedback-open", "#feedback"), ("#help-open", "#help")):
        await desk.click(opener)
        await desk.wait_for_selector(f"{dialog}[open]")
        await inspector.look(desk, f"dialog {dialog}")
        await desk.keyboard.press("Escape")
        await desk.wait_for_selector(f"{dialog}:not([open])", state="attached")
    await desk.fill("#mobile", "0247000000")
    await desk.click("#invite")
    await desk.wait_for_selector("#mobile-error:has-text('fixe')")
    await inspector.look(desk, "desk, a refused number")
    await desk.fill("#mobile", "")


async def calling(inspector: Inspector, desk: Page) -> Page:
    """From the invitation to a live picture; every screen of the caller on the way."""
    home = inspector.home
    await desk.fill("#email", "temoin@example.org")
    await desk.click("#invite")
    link = await home.mail_link("temoin@example.org")
    await desk.click("#change-call")
    await desk.wait_for_selector("#pick-calls button[data-call]")
    await inspector.look(desk, "dialog #pick")
    await desk.click("#pick-calls button[data-call]")
    client = await home.browser.caller()
    client.allow("404|409|410")
    phone = inspector.watch(await client.context.new_page())
    await phone.goto(link)
    await phone.wait_for_selector("body[data-ready=true]")
    await inspector.look(phone, "caller, tap")
    await phone.evaluate(_NEVER)
    await phone.tap("#tap")
    await phone.wait_for_selector("body[data-phase=asking]")
    await inspector.look(phone, "caller, asking")
    # Come back to, the page goes on by itself: the link is bound to this browser, and the camera is granted.
    refused = inspector.watch(await client.context.new_page())
    await refused.add_init_script(f"({_DENIED})()")
    await refused.goto(link)
    await refused.wait_for_selector("body[data-phase=trouble]")
    await inspector.look(refused, "caller, trouble")
    await refused.close()
    await phone.goto(f"{link}?lang=en")
    await moving_picture(desk, "#patient")
    await phone.wait_for_selector("#message[data-state=seen]")
    await inspector.look(phone, "caller, live, in English")
    await desk.click("#webcam")
    await moving_picture(phone, "#doctor")
    await inspector.look(desk, "desk, live")
    stranger = inspector.watch(await (await home.browser.caller()).context.new_page())
    home.browser.clients[-1].allow("404|410")
    await stranger.goto(link)
    await inspector.look(stranger, "closed: elsewhere")
    await stranger.goto(f"{home.url}/v/{'x' * 27}")
    await inspector.look(stranger, "closed: unknown")
    return phone


async def recorded(page: Page) -> None:
    """The folder is looked at now and then, and a file is left alone while it may still be written to."""
    async with asyncio.timeout(60):
        while not await page.query_selector("[data-recording] audio"):
            await page.reload()
    await page.eval_on_selector("[data-recording] audio", _HEARD)


async def auditing(inspector: Inspector, call_id: str) -> None:
    home = inspector.home
    client = await home.browser.desk("auditor")
    page = inspector.watch(await client.context.new_page())
    await home.sign_in(page, "auditeur")
    await page.click("a[href='/audit']")
    await page.wait_for_selector("#q")
    await inspector.look(page, "audit")
    await page.fill("#q", call_id)
    await page.press("#q", "Enter")
    await page.wait_for_selector("#results")
    await inspector.look(page, "audit, found")
    await page.keyboard.press("Alt+d")
    assert await page.get_attribute("html", "data-theme") == "light"
    await page.click("#results a")
    await page.wait_for_selector("#chain[data-verified=true]")
    await recorded(page)
    await inspector.look(page, "audit, one call")
    await reconciling(inspector, page)
    await page.goto(f"{home.url}/audit?q=nothing-of-that-name")
    await page.wait_for_selector(".nothing")
    await inspector.look(page, "audit, nothing found")
    client.allow("404|403")
    await page.goto(f"{home.url}/audit/calls/none")
    await inspector.look(page, "error, signed in")
    await page.goto(f"{home.url}/desk")
    await inspector.look(page, "error, forbidden")


async def administering(inspector: Inspector) -> None:
    """The health of line 15, reached by the keyboard; it asks again by itself, and says when it cannot."""
    home = inspector.home
    client = await home.browser.desk("admin")
    page = inspector.watch(await client.context.new_page())
    await home.sign_in(page, "admin")
    await tab_to(page, "a[href='/admin/telephony']")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#line[data-level=ok]")
    await page.wait_for_selector("[data-feed=hep]:has-text('capture SIP')")
    await inspector.look(page, "telephony")
    before = await page.inner_text("#at")
    await page.wait_for_function(
        "before => document.getElementById('at').textContent !== before", arg=before
    )
    client.allow("ERR_INTERNET_DISCONNECTED|Failed to load resource")
    await client.context.set_offline(True)
    await page.wait_for_selector("#stale:has-text('ne répond pas')")
    await inspector.look(page, "telephony, cut off")
    await client.context.set_offline(False)
    await page.wait_for_selector("#stale", state="hidden")


async def reconciling(inspector: Inspector, page: Page) -> None:
    """The video invited after the hang-up has no call: it is linked by the keyboard alone."""
    await page.goto(f"{inspector.home.url}/audit/reconcile")
    await page.wait_for_selector(".case li[data-call]")
    await inspector.look(page, "reconciliation")
    await tab_to(page, ".case li[data-call] summary")
    await page.keyboard.press("Enter")
    await inspector.look(page, "reconciliation, a call to confirm")
    await tab_to(page, ".case li[data-call] button")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".said")
    await inspector.look(page, "reconciliation, done")
    await page.click(".said a")
    await page.wait_for_selector("#links tr:nth-child(2)")
    await inspector.look(page, "the link of a video")


def recorder(folder: Path) -> dict[str, Any]:
    """The settings of a folder whose files are named by the SIP Call-ID."""
    watched = {"site": "samu37", "root": str(folder), "pattern": r"(?P<callid>.+)\.wav"}
    return {**watched, "scan_seconds": 1}


async def test_every_page_is_sound(tmp_path: Path) -> None:
    """Axe finds nothing serious, each document has its headers, nothing leaves the origin."""
    extra = {"sms": None, "recordings": [recorder(tmp_path)]}
    async with (
        house(extra=extra) as home,
        sipp.phone(port=home.uas_port),
    ):
        inspector = Inspector(home)
        client = await home.browser.desk()
        client.allow("404|401|403")
        desk = inspector.watch(await client.context.new_page())
        await signing_in(inspector, desk)
        await dialogs(inspector, desk)
        async with sipp.call(home.kamailio.address, caller=CALLER) as line:
            await line.answered()
            await desk.wait_for_selector("#calls li[data-state=talking]")
            [sound] = RECORDINGS.glob("*.wav")
            (tmp_path / f"{line.call_id}.wav").write_bytes(sound.read_bytes())
            phone = await calling(inspector, desk)
            await desk.click("#end")
            await phone.wait_for_selector("body[data-phase=ended]")
            await inspector.look(phone, "caller, ended")
            await phone.reload()
            await phone.wait_for_selector("#closed[data-reason=ended]")
            await inspector.look(phone, "closed: ended")
            await desk.fill("#mobile", CALLER)
            await desk.click("#invite")
            await desk.wait_for_selector("#invitations li[data-channel=sms]")
            await line.hang_up()
            await desk.wait_for_selector("#calls li[data-state=ended]")
            await desk.fill("#email", "voisin@example.org")
            await desk.click("#invite")
            await home.mail_link("voisin@example.org")
        await auditing(inspector, line.call_id)
        await administering(inspector)
        inspector.assert_sound()
        home.browser.assert_clean(home.url)


async def test_the_demonstration_s_outbox_is_sound(tmp_path: Path) -> None:
    async with demonstration(tmp_path) as running, browser() as chromium:
        inspector = Inspector(running)  # type: ignore[arg-type] - has an address
        client = await chromium.desk()
        desk = await client.context.new_page()
        outbox = inspector.watch(await client.context.new_page())
        await open_desk(desk, outbox, running)
        await invite(desk, outbox)
        await inspector.look(outbox, "outbox")
        inspector.assert_sound()
        chromium.assert_clean(running.url)


_FOCUS = """(selector) => {
  const found = document.activeElement;
  if (!found?.matches(selector)) return null;
  const {outlineStyle, outlineWidth, boxShadow} = getComputedStyle(found);
  return {visible: (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none'};
}"""


async def tab_to(page: Page, selector: str) -> None:
    """Reach a control by the Tab key alone, and see that one sees it."""
    for _ in range(60):
        focus = await page.evaluate(_FOCUS, selector)
        if focus:
            assert focus["visible"], f"the focus on {selector} cannot be seen"
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"{selector} cannot be reached by the keyboard")


async def signed_in_by_keyboard(home: House, desk: Page) -> None:
    keys = desk.keyboard
    await desk.goto(f"{home.url}/login")
    await tab_to(desk, "input[name=identifier]")
    await keys.type("regulateur")
    await tab_to(desk, "input[name=password]")
    await keys.type(PASSWORD)
    await keys.press("Enter")
    mail = await home.smtp.next(to=home.mailbox("regulateur"))
    code = CODE.search(mail.text)
    assert code
    await desk.wait_for_selector("input[name=code]")
    await tab_to(desk, "input[name=code]")
    await keys.type(code.group(1))
    await keys.press("Enter")
    await desk.wait_for_url("**/kiosk")
    await tab_to(desk, "a[href='/desk']")
    await keys.press("Enter")
    await desk.wait_for_selector("select[name=station]")
    await tab_to(desk, "select[name=station]")
    # 1501, 1601, 1602
    await keys.press("Home")
    await keys.press("ArrowDown")
    assert await desk.input_value("select[name=station]") == "1601"
    await tab_to(desk, "form[action='/desk/station'] button")
    await keys.press("Enter")
    await desk.wait_for_selector(OPEN)


async def test_the_keyboard_is_enough() -> None:
    """Sign in, choose the station, invite, change the call, read the help, quit: no mouse."""
    async with house() as home:
        client = await home.browser.desk()
        desk = await client.context.new_page()
        keys = desk.keyboard
        await signed_in_by_keyboard(home, desk)
        await keys.press("Alt+m")
        await keys.type("0612345678")
        await keys.press("Enter")
        phone = await home.phone(await home.sms_link())
        await tab_to(desk, "#invitations button[data-verb=resend]")
        await tab_to(desk, "#change-call")
        await keys.press("Alt+l")
        await desk.wait_for_selector("#pick[open]")
        await tab_to(desk, "#manual")
        await keys.press("Escape")
        await desk.wait_for_selector("#pick:not([open])", state="attached")
        await phone.focus("#tap")
        await phone.keyboard.press("Enter")
        await moving_picture(desk, "#patient")
        await keys.press("?")
        await desk.wait_for_selector("#help[open]")
        await keys.press("Escape")
        await tab_to(desk, "#webcam")
        await tab_to(desk, "#end")
        await keys.press("Alt+x")
        await desk.wait_for_selector("#stage[data-picture=none]")
        await phone.wait_for_selector("body[data-phase=ended]")
        home.browser.assert_clean(home.url)
