"""Remote help: what the regulator asks happens on the phone, by mouse and by keyboard; what cannot happen says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.house import House, house, until_text
from tests.e2e.seen import more_frames
from tests.lab.browsers.browser import axe, moving_picture, open_cameras, resize
from tests.lab.process import until

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

#: The fake cameras have no lamp and no zoom: from now on every track has both, and what it was asked is kept.
_TALENTED = """() => {
  const proto = MediaStreamTrack.prototype;
  const {getCapabilities, getSettings, applyConstraints} = proto;
  const state = new WeakMap();
  window.__asked = [];
  proto.getCapabilities = function () {
    return {...getCapabilities.call(this), torch: true, zoom: {min: 1, max: 8, step: 0.5}};
  };
  proto.getSettings = function () {
    return {...getSettings.call(this), torch: false, zoom: 1, ...state.get(this)};
  };
  proto.applyConstraints = async function (wanted) {
    const [lens] = wanted.advanced ?? [];
    if (!lens) return applyConstraints.call(this, wanted);
    window.__asked.push(lens);
    state.set(this, {...state.get(this), ...lens});
  };
}"""
_SILENT = "() => { MediaStreamTrack.prototype.getCapabilities = undefined; }"
_LENS = "() => document.querySelector('#self').srcObject.getVideoTracks()[0].getSettings().deviceId"
_HINT = "() => document.querySelector('#self').srcObject.getVideoTracks()[0].contentHint"
_PICTURE = """(id) => {
  const video = document.querySelector(id);
  const {left, top, width, height} = (video.id === 'self' ? video : video.parentElement).getBoundingClientRect();
  const mirror = video.classList.contains('mirror');
  return {left, top, width, height, wide: video.videoWidth, high: video.videoHeight, mirror};
}"""
_RING = """(selector) => {
  const ring = document.querySelector(selector);
  if (!ring?.checkVisibility()) return null;
  const {left, top, width, height} = ring.getBoundingClientRect();
  return [left + width / 2, top + height / 2];
}"""
_FITS = """() => {
  const bar = document.querySelector('#controls');
  const edge = bar.getBoundingClientRect().right + 0.5;
  const out = [...bar.querySelectorAll('button, label')].filter(
    (one) => one.getBoundingClientRect().right > edge || one.scrollWidth > one.clientWidth + 1);
  const page = document.documentElement;
  return [bar.scrollWidth - bar.clientWidth, page.scrollWidth - innerWidth, out.map((one) => one.id)];
}"""


async def on_desk(desk: Page, place: tuple[float, float], turn: int = 0) -> tuple[float, float]:
    """Where a place of the picture is in the desk's window: whole between black bars, turned or not."""
    p = await desk.evaluate(_PICTURE, "#patient")
    x, y = place
    wide, high = p["wide"], p["high"]
    if turn == 90:
        x, y, wide, high = 1 - y, x, high, wide
    scale = min(p["width"] / wide, p["height"] / high)
    left = p["left"] + (p["width"] - wide * scale) / 2 + x * wide * scale
    return left, p["top"] + (p["height"] - high * scale) / 2 + y * high * scale


async def on_phone(phone: Page, place: tuple[float, float]) -> tuple[float, float]:
    """Where the same place is on the phone, which its own picture fills, mirrored or not."""
    p = await phone.evaluate(_PICTURE, "#self")
    x, y = place
    scale = max(p["width"] / p["wide"], p["height"] / p["high"])
    across = (1 - x if p["mirror"] else x) * p["wide"] * scale
    left = p["left"] + (p["width"] - p["wide"] * scale) / 2 + across
    return left, p["top"] + (p["height"] - p["high"] * scale) / 2 + y * p["high"] * scale


async def points_at(page: Page, ring: str, wanted: tuple[float, float]) -> None:
    seen: list[Any] = [None]

    async def there() -> bool:
        seen[0] = await page.evaluate(_RING, ring)
        return bool(seen[0]) and all(abs(a - b) < 4 for a, b in zip(seen[0], wanted, strict=True))

    await until(there, f"the arrow of {ring} at {wanted}", explain=lambda: str(seen[0]))


async def pressed(desk: Page, selector: str, *, on: bool) -> None:
    await desk.wait_for_selector(f"{selector}[aria-pressed={str(on).lower()}]")


async def unable(desk: Page, key: str, selector: str, why: str) -> None:
    """The control is greyed, its reason is on it, and is told to who tries all the same."""
    await desk.wait_for_selector(f"{selector}[aria-disabled=true][title*='{why}']")
    await desk.keyboard.press(key)
    await until_text(desk, "#help-said", why)


async def the_camera(desk: Page, phone: Page) -> None:
    """Another lens, its lamp, its zoom, detail; then a browser that does not tell what its camera can."""
    keys = desk.keyboard
    await unable(desk, "Alt+t", "#help-torch", "n’a pas de lampe")
    await unable(desk, "Alt+z", "#help-zoom", "n’a pas de zoom")
    await phone.evaluate(_TALENTED)
    first = await phone.evaluate(_LENS)
    await keys.press("Alt+k")
    await until_text(desk, "#help-said", "Caméra changée")
    assert await phone.evaluate(_LENS) != first
    await desk.wait_for_selector("#help-torch[aria-disabled=false]")
    await keys.press("Alt+t")
    await pressed(desk, "#help-torch", on=True)
    await until_text(desk, "#help-said", "Lampe allumée")
    await desk.click("#help-torch")
    await pressed(desk, "#help-torch", on=False)
    await keys.press("Alt+z")
    await keys.press("End")
    await until_text(desk, "#help-zoom-text", "8,0×")
    await keys.press("Alt+u")
    await pressed(desk, "#help-prefer", on=True)
    assert await phone.evaluate(_HINT) == "detail"

    async def zoomed() -> bool:
        return {"zoom": 8} in await phone.evaluate("() => window.__asked")

    await until(zoomed, "the zoom of the phone")
    asked = await phone.evaluate("() => window.__asked")
    assert [one for one in asked if "torch" in one] == [{"torch": True}, {"torch": False}]
    second = await phone.evaluate(_LENS)
    await phone.evaluate(_SILENT)
    await desk.click("#help-camera")
    await until_text(desk, "#help-said", "Caméra changée")
    assert await phone.evaluate(_LENS) != second
    await unable(desk, "Alt+t", "#help-torch", "navigateur")
    await moving_picture(desk, "#patient")


async def a_sentence(desk: Page, phone: Page) -> None:
    """By a digit and by the mouse; the phone says it in its own language."""
    await desk.keyboard.press("Alt+s")
    await desk.wait_for_selector("#messages[open]")
    assert not await axe(desk)
    await desk.keyboard.press("5")
    await phone.wait_for_selector("#told [data-message=message_face]:has-text('Show the face')")
    await until_text(desk, "#help-said", "Affiché sur le téléphone : « Montrez le visage »")
    assert not await axe(phone)
    await desk.click("#messages-open")
    await desk.click("#messages-list [data-message=message_still]")
    await phone.wait_for_selector("#told [data-message=message_still]")
    assert await phone.locator("#told p").count() == 1


async def an_arrow(desk: Page, phone: Page) -> None:
    """By the mouse, by the keyboard, and on a picture that is turned and lies between bars."""
    place = (0.45, 0.7)
    await desk.mouse.move(*await on_desk(desk, (0.5, 0.5)))
    await desk.mouse.down()
    await desk.mouse.move(*await on_desk(desk, place), steps=5)
    await points_at(phone, "#finger .ring", await on_phone(phone, place))
    await points_at(desk, "#pointer .ring", await on_desk(desk, place))
    await desk.mouse.up()
    await desk.click("#turn")
    await pressed(desk, "#turn", on=True)
    await desk.mouse.click(*await on_desk(desk, (0.55, 0.2), 90))
    await points_at(phone, "#finger .ring", await on_phone(phone, (0.55, 0.2)))
    await desk.keyboard.press("Alt+g")
    await pressed(desk, "#point", on=True)
    await desk.keyboard.press("ArrowDown")
    await points_at(phone, "#finger .ring", await on_phone(phone, (0.58, 0.2)))
    await points_at(desk, "#pointer .ring", await on_desk(desk, (0.58, 0.2), 90))
    await desk.keyboard.press("Escape")
    await pressed(desk, "#point", on=False)
    # Beside the picture there is nothing to point at.
    await desk.mouse.click(*(await on_desk(desk, (0.5, -0.2), 90)))
    assert await desk.locator("#pointer").is_hidden()
    # The turn stays with the session.
    await desk.reload()
    await desk.wait_for_selector("#stage[data-turn='90'][data-picture=flowing]")
    for _ in range(3):
        await desk.keyboard.press("Alt+r")
    await pressed(desk, "#turn", on=False)


async def a_frozen_picture(desk: Page) -> None:
    """It does not move and says since when; the live one below it does, and its age goes on being told (I6)."""
    await desk.keyboard.press("Alt+f")
    await until_text(desk, "#frozen-mark", "FIGÉE PAR VOUS · ")
    still = await desk.evaluate("() => document.querySelector('#frozen').toDataURL()")
    await more_frames(desk, 15)
    await moving_picture(desk, "#patient")
    assert await desk.evaluate("() => document.querySelector('#frozen').toDataURL()") == still
    await until_text(desk, "#age", "le direct : 0,")
    await unable(desk, "Alt+g", "#point", "figée")
    await desk.click("#freeze")
    await desk.wait_for_selector("#frozen", state="hidden")
    await until_text(desk, "#age", "image 0,")


async def a_photo(home: House, desk: Page, phone: Page) -> None:
    """Only once the site allows it; the caller is told, an auditor sees it."""
    await unable(desk, "Alt+i", "#snapshot", "ne conserve pas de photo")
    await home.server.cli("site", "snapshots", "samu37", "store")
    await desk.wait_for_selector("#snapshot[aria-disabled=false]")
    await desk.keyboard.press("Alt+i")
    await phone.wait_for_selector("#told [data-message=photo]:has-text('The doctor took a photo')")
    await until_text(desk, "#help-said", "Photo conservée")
    session = await desk.evaluate("() => window.__visio15.context().session")
    page = await (await home.browser.desk("auditor")).context.new_page()
    await home.sign_in(page, "auditeur")
    await page.goto(f"{home.url}/audit/sessions/{session}")
    noted = page.locator("#events code:text-is('snapshot.viewed')")
    await page.reload()
    assert await noted.count() == 0, "nobody has looked at it yet"
    await page.click("tr[data-snapshot] summary")
    await page.wait_for_function("() => document.querySelector('[data-snapshot] img').naturalWidth")
    assert not await axe(page)
    await page.reload()
    assert await noted.count() == 1
    for action in ("help.asked", "help.done", "snapshot.taken"):
        assert await page.locator(f"#events code:text-is('{action}')").count() > 0


async def his_own_picture(desk: Page) -> None:
    """In a red frame while it is on, off by one click, and off when the video is over."""
    await desk.click("#webcam")
    await moving_picture(desk, "#own")
    frame = "() => getComputedStyle(document.querySelector('#own')).borderColor"
    assert await desk.evaluate(frame) == "rgb(224, 36, 43)"
    await pressed(desk, "#webcam", on=True)
    assert not await axe(desk)
    await desk.click("#webcam")
    await pressed(desk, "#webcam", on=False)
    assert await open_cameras(desk) == 0
    await desk.click("#webcam")
    await moving_picture(desk, "#own")


async def it_fits(desk: Page) -> None:
    """The toolbar keeps within its place from half a small screen to a very large one."""
    for width, height in ((1366, 768), (683, 768), (3840, 2160)):
        await resize(desk, width, height)
        assert await desk.evaluate(_FITS) == [0, 0, []], (width, height)
    await resize(desk, 1366, 768)


async def test_the_regulator_helps_from_afar() -> None:
    """An English phone on the line: each control, its effect over there, its reason where it has none."""
    async with house() as home:
        desk = await home.desk()
        await desk.wait_for_selector("#help-torch[aria-disabled=true][title*='Aucune vidéo']")
        phone = await home.phone(await home.invite(desk), locale="en-GB")
        await phone.tap("#tap")
        await moving_picture(desk, "#patient")
        await the_camera(desk, phone)
        await a_sentence(desk, phone)
        await an_arrow(desk, phone)
        await a_frozen_picture(desk)
        await a_photo(home, desk, phone)
        await his_own_picture(desk)
        await it_fits(desk)
        await desk.click("#end")
        await phone.wait_for_selector("body[data-phase=ended]")
        await desk.wait_for_selector("#own", state="hidden")
        assert await open_cameras(desk) == 0
        assert await phone.locator("#told p").count() == 0
        await desk.wait_for_selector("#freeze[aria-disabled=true]")
        home.browser.assert_clean(home.url)
