"""The desk through a night: by keyboard, dark and light, small and large, reloaded, two at once, in another window."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.house import CALLER, CALLER_SHOWN, House, house, until_text
from tests.lab.browsers.browser import axe, moving_picture, resize, screenshot
from tests.lab.process import until
from tests.lab.switchboard import sipp

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

#: Keeps what the page would let sound; the pages of a test always have the focus, unless they say otherwise.
EARS = """
  window.__tones = [];
  window.__away = false;
  const focused = Document.prototype.hasFocus;
  Document.prototype.hasFocus = function () { return !window.__away && focused.call(this); };
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...at) {
    window.__tones.push(Math.round(this.frequency.value));
    return start.apply(this, at);
  };
"""
#: Everything that can be operated now, numbered.
CONTROLS = """() => {
  const open = document.querySelector('dialog[open]') ?? document;
  const all = [...open.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')];
  const usable = all.filter((one) =>
    !one.disabled && one.type !== 'hidden' && one.checkVisibility() && one.tabIndex >= 0);
  const radios = new Set();
  return usable.filter((one) => one.type !== 'radio' || (!radios.has(one.name) && radios.add(one.name)))
    .map((one, place) => { one.dataset.place = String(place); return one.id || one.className || one.tagName; });
}"""
VIEWPORTS = ((683, 768), (1366, 768), (1920, 1080), (3840, 2160))


async def craft(home: House, **options: Any) -> Page:
    """A desk whose sounds are written down."""
    client = await home.browser.desk(**options)
    await client.context.add_init_script(EARS)
    page = await client.context.new_page()
    await home.open_desk(page)
    return page


async def assert_all_reached(page: Page) -> None:
    """The Tab key comes by every control that can be used, and shows where it is."""
    names: list[str] = await page.evaluate(CONTROLS)
    seen: set[int] = set()
    for _ in range(len(names) + 12):
        await page.keyboard.press("Tab")
        place = await page.evaluate("() => document.activeElement?.dataset.place ?? ''")
        if place:
            seen.add(int(place))
    missed = [name for place, name in enumerate(names) if place not in seen]
    assert not missed, f"out of the keyboard's reach: {missed}"


async def assert_nothing_overflows(page: Page, name: str) -> None:
    """No sideways scrolling at any size, of the page or of a column; a picture of each for the eye."""
    for width, height in VIEWPORTS:
        await resize(page, width, height)
        wide = await page.evaluate(
            """() => ['html', 'body', '.bar', '.left', '.middle', '.right', '#controls', 'dialog[open]']
              .filter((one) => {
                const found = document.querySelector(one);
                return found && found.scrollWidth > found.clientWidth + 1;
              })"""
        )
        assert not wide, f"{width}×{height}: {wide} scroll sideways"
        await screenshot(page, f"craft-{name}-{width}")
    await resize(page, 1366, 768)


async def test_one_night_at_a_desk() -> None:
    async with house() as home, sipp.phone(ring=1.0, port=home.uas_port):
        desk = await craft(home, color_scheme="light")
        keys = desk.keyboard
        root = desk.locator("html")
        # Light, because the system is; dark, because one wants it: it stays, and so does what was half typed.
        assert await root.get_attribute("data-theme") == "auto"
        assert await background(desk) > 200
        await keys.press("Alt+d")
        assert await background(desk) < 40
        await keys.press("Alt+b")
        await desk.wait_for_selector("#sound[aria-pressed=true]")
        await keys.press("Alt+m")
        await keys.type("06 98 76")
        await keys.press("Tab")
        await keys.type("temoin@exa")
        await desk.reload()
        await desk.wait_for_selector("#server-state[data-state=open]")
        assert await root.get_attribute("data-theme") == "dark"
        assert await background(desk) < 40
        await desk.wait_for_function("() => document.getElementById('mobile').value === '06 98 76'")
        assert await desk.input_value("#email") == "temoin@exa"
        assert await desk.get_attribute("#sound", "aria-pressed") == "true"
        assert await desk.evaluate("() => JSON.stringify(localStorage)") == '{"visio15.sound":"on"}'
        await desk.fill("#email", "")
        await desk.fill("#mobile", "")
        await keys.press("Alt+d")
        await keys.press("Alt+d")
        await looking_elsewhere(home, desk)
        await by_keyboard(desk)
        await looking_back(desk)
        # Whoever signs out leaves nothing in the tab.
        await desk.fill("#email", "temoin@exa")
        await desk.click("form[action='/logout'] button")
        await desk.wait_for_url("**/login")
        assert await desk.evaluate("() => Object.keys(sessionStorage)") == []
        home.browser.assert_clean(home.url)


async def looking_elsewhere(home: House, desk: Page) -> None:
    """A call rings, a link is opened and not tapped, the picture comes: title, sound, the sentence at its second."""
    await desk.evaluate("() => { window.__away = true; window.__tones = []; }")
    async with sipp.call(home.kamailio.address, caller=CALLER) as line:
        await line.answered()
        await desk.wait_for_function("() => document.title.startsWith('● (1)')")
        assert await desk.evaluate("() => window.__tones") == [880, 660, 880]
        assert "icon-news" in (await desk.get_attribute("link[rel=icon]", "href") or "")
        await desk.evaluate("() => { window.__away = false; dispatchEvent(new Event('focus')); }")
        assert await desk.title() == "Visiorégulation – Visio15"
        await desk.wait_for_selector("#calls li[data-state=talking]")
        await desk.focus("#mobile")
        await desk.keyboard.press("Enter")
        phone = await home.phone(await home.sms_link())
        await desk.wait_for_selector("#steps li[data-step=opened][data-state=done]")
        await until_text(desk, "#say", "Touchez le gros bouton")
        assert await desk.locator("#say-box[data-stalled]").count() == 0
        spent = desk.locator("#steps li[data-step=tapped] [data-part=spent]")
        assert re.fullmatch(r"\+\d+(,\d)? s", await spent.inner_text())
        # Nobody touches it: after ten seconds the page says something else by itself.
        await desk.wait_for_selector("#say-box[data-stalled]")
        await until_text(desk, "#say", "au milieu de l'écran")
        await until_text(desk, "#say-cause", "pas encore touché")
        assert await desk.locator("#steps li[data-step=tapped] .slow").is_visible()
        await assert_nothing_overflows(desk, "stalled")
        await desk.evaluate("() => { window.__away = true; window.__tones = []; }")
        await phone.tap("#tap")
        await moving_picture(desk, "#patient")
        await desk.wait_for_function("() => document.title.startsWith('● (1) En direct')")
        assert await desk.evaluate("() => window.__tones") == [660, 880]
        await desk.evaluate("() => { window.__away = false; dispatchEvent(new Event('focus')); }")
        assert await desk.title() == "En direct – Visio15"
        await the_truth_about_the_picture(desk)
        await line.hang_up()


async def the_truth_about_the_picture(desk: Page) -> None:
    """Level, facts, cause and graph, for the eye and for who listens."""
    await desk.wait_for_selector("#network-box[data-level]")
    facts = await desk.inner_text("#network-facts")
    assert re.fullmatch(r"\d+ i/s · \d+×\d+ · direct", facts), facts
    assert await desk.locator("#graph-bars rect:not([height='0'])").count() > 0
    await desk.wait_for_function(
        "() => /^Dernière minute : \\d+ images/.test(document.getElementById('graph-text').textContent)",
    )
    await until_text(desk, "#network-status", "Réseau ")
    await assert_nothing_overflows(desk, "live")


async def by_keyboard(desk: Page) -> None:
    """Every control, the help, the menu of the station, both themes."""
    keys = desk.keyboard
    await desk.focus("a.skip")
    await assert_all_reached(desk)
    await keys.press("?")
    await desk.wait_for_selector("#help[open]")
    shown = await desk.locator("#keys kbd").all_inner_texts()
    assert {"M", "L", "W", "P", "X", "N", "D", "B"} <= set(shown)
    await assert_all_reached(desk)
    await keys.press("Escape")
    await desk.focus("#station-menu summary")
    await keys.press("Enter")
    await desk.wait_for_selector("#station", state="visible")
    for place in range(2):
        assert await axe(desk) == []
        await screenshot(desk, f"craft-menu-{place}")
        await keys.press("Alt+d")
    await keys.press("Escape")
    assert await desk.evaluate("() => document.activeElement.tagName") == "SUMMARY"


async def looking_back(desk: Page) -> None:
    """Quit; the shift's sessions, their steps, and the focus back where it was."""
    keys = desk.keyboard
    await keys.press("Alt+x")
    await desk.wait_for_selector("#sessions li[data-state=ended]")
    await desk.focus("#mobile")
    await keys.press("Alt+n")
    past = desk.locator("#recent-list li[data-past]")
    await past.wait_for()
    await until_text(desk, "#recent-text", "1 session depuis 12 heures.")
    row = await past.inner_text()
    assert CALLER_SHOWN in row
    assert "quittée par le poste" in row
    await desk.focus("#recent-list summary")
    await keys.press("Enter")
    await desk.wait_for_selector("#recent-list li[data-step=image][data-state=done]")
    assert "seul appel en cours" in (await past.inner_text()).replace("\N{NO-BREAK SPACE}", " ")
    await assert_all_reached(desk)
    assert await axe(desk) == []
    await assert_nothing_overflows(desk, "recent")
    await desk.focus("#recent-mine")
    await keys.press("Space")
    assert await past.count() == 1, "it is mine"
    await keys.press("Escape")
    assert await desk.evaluate("() => document.activeElement.id") == "mobile"


async def background(page: Page) -> int:
    """How light the page is, 0 to 255."""
    light: int = await page.evaluate(
        "() => Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])"
    )
    return light


async def test_two_windows_at_two_stations() -> None:
    """One person, one browser, two stations: each window keeps its own through reloads; one of nowhere is left."""
    async with house() as home:
        first = await craft(home)
        await first.click("#station-menu summary")
        await first.select_option("#station", "1602")
        async with first.context.expect_page() as opened:
            await first.click("#station-window")
        second = await opened.value
        await second.wait_for_selector("#server-state[data-state=open]")
        await until_text(second, "#station-text", "poste 1602")
        await first.reload()
        await second.reload()
        for page, station in ((first, "1601"), (second, "1602")):
            await page.wait_for_selector("#server-state[data-state=open]")
            await until_text(page, "#station-text", f"poste {station}")
            assert await page.locator("#notice").is_hidden(), "nobody was taken over"
        assert await first.locator("#webcam").count() == 1
        link = await home.invite(second)
        await second.wait_for_selector("#sessions li[data-session]")
        assert link
        assert await first.locator("#sessions li").count() == 0, "each has its own sessions"
        # The station is changed in this window only.
        await second.click("#station-menu summary")
        await second.select_option("#station", "1501")
        await second.click("#station-form button[type=submit]")
        await until_text(second, "#station-text", "poste 1501")
        await first.reload()
        await until_text(first, "#station-text", "poste 1601")
        # A station that is none of this site's: the PC's own is taken, and the desk works.
        await first.evaluate("() => sessionStorage.setItem('visio15.station', '4502')")
        await first.reload()
        await first.wait_for_selector("#server-state[data-state=open]")

        async def left() -> bool:
            kept = await first.evaluate("() => sessionStorage.getItem('visio15.station')")
            return kept in {"1501", "1601"}

        await until(left, "the unknown station is left")
        home.browser.assert_clean(home.url)
