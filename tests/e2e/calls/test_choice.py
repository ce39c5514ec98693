"""Choosing the call: beside the picture, the likeliest first, and rows that hold still under the pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.house import CALLER, CALLER_SHOWN, house, until_text
from tests.lab.browsers.browser import axe, moving_picture, resize, screenshot
from tests.lab.switchboard import sipp

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

OTHER, OTHER_SHOWN = "+33711223344", "07 11 22 33 44"
LATE, LATE_SHOWN = "+33755667788", "07 55 66 77 88"
OPEN, CLOSED = "#pick[open]", "#pick:not([open])"
ROWS = "#pick-calls button[data-call]"
BOXES = """() => Object.fromEntries([...document.querySelectorAll('#pick-calls button')].map((row) => {
  const { x, y, width, height } = row.getBoundingClientRect();
  return [row.dataset.call, [x, y, width, height]];
}))"""
OVERLAP = """() => {
  const [sheet, stage] = ['#pick', '#stage'].map((one) => document.querySelector(one).getBoundingClientRect());
  return sheet.left < stage.right && stage.left < sheet.right && sheet.top < stage.bottom && stage.top < sheet.bottom;
}"""
HELD = "() => document.querySelector('#pick-calls button:hover')?.innerText ?? ''"
FOCUSED = "() => document.activeElement?.innerText ?? ''"


async def boxes(desk: Page) -> dict[str, Any]:
    found: dict[str, Any] = await desk.evaluate(BOXES)
    return found


async def beside_the_picture(desk: Page) -> None:
    """The sheet lies over no part of the picture, at each size, and can be used by everybody."""
    for width, height in ((683, 768), (1366, 768)):
        await resize(desk, width, height)
        assert await desk.evaluate(OVERLAP) is False, f"{width}×{height}"
        assert await desk.evaluate("() => document.querySelector('#patient').checkVisibility()")
        wide = await desk.evaluate(
            "() => ['#pick', '.sheet-list'].filter((one) => { const found = document.querySelector(one);"
            " return found.scrollWidth > found.clientWidth; })"
        )
        assert wide == [], f"{width}×{height}"
        await screenshot(desk, f"choice-{width}")
    assert await axe(desk) == []


async def test_the_choice_holds_still_beside_the_first_picture() -> None:
    async with house() as home, sipp.phone(port=home.uas_port):
        desk = await home.desk()
        keys = desk.keyboard
        exchange = home.kamailio.address
        async with (
            sipp.call(exchange, caller=CALLER) as invited,
            sipp.call(exchange, caller=OTHER) as other,
        ):
            await invited.answered()
            await other.answered()
            await desk.wait_for_selector("#calls li[data-state=talking] >> nth=1")
            # The number of the call that is older, and therefore not the first by its time.
            phone = await home.phone(await home.invite(desk, CALLER))
            await desk.wait_for_selector(OPEN)
            rows = desk.locator(ROWS)
            assert CALLER_SHOWN in await rows.first.inner_text()
            assert CALLER_SHOWN in await desk.evaluate(FOCUSED), "the best match has the keyboard"
            for row in await rows.all_inner_texts():
                assert "ID …" in row
                assert ":" in row.split("ID")[0], "the time of its start"
            await phone.tap("#tap")
            await moving_picture(desk, "#patient")
            await beside_the_picture(desk)
            await hold_still(desk, exchange, other)
            await keys.press("Enter")
            await until_text(desk, "#link-label", "que vous avez choisi")
            await until_text(desk, "#link-label", CALLER_SHOWN)
            await desk.wait_for_selector(CLOSED, state="attached")
            await by_keyboard(desk)
            await quiet_lines(desk, invited)
        home.browser.assert_clean(home.url)


async def hold_still(desk: Page, exchange: str, other: Any) -> None:
    """A call comes in and another one ends: no row moves, the newcomer stands below."""
    await desk.hover(f"{ROWS}:has-text('{OTHER_SHOWN}')")
    before = await boxes(desk)
    assert len(before) == 2
    async with sipp.call(exchange, caller=LATE) as late:
        await late.answered()
        await desk.wait_for_selector(f"#pick-fresh button[data-call]:has-text('{LATE_SHOWN}')")
        assert await boxes(desk) == before
        assert OTHER_SHOWN in await desk.evaluate(HELD)
        await until_text(desk, "#pick-news", "Un nouvel appel")
        await other.hang_up()
        await desk.wait_for_selector(f"#pick-calls [data-state=ended]:has-text('{OTHER_SHOWN}')")
        assert await boxes(desk) == before
        assert OTHER_SHOWN in await desk.evaluate(HELD)
        await screenshot(desk, "choice-held")
        await late.hang_up()
    assert CALLER_SHOWN in await desk.evaluate(FOCUSED)


async def by_keyboard(desk: Page) -> None:
    """On demand: the arrows go from row to row, Escape puts it off and gives the focus back."""
    keys = desk.keyboard
    await desk.focus("#change-call")
    await keys.press("Alt+l")
    await desk.wait_for_selector(OPEN)
    assert CALLER_SHOWN in await desk.evaluate(FOCUSED)
    assert await desk.evaluate("() => document.querySelector('.left').inert")
    await keys.press("End")
    assert CALLER_SHOWN not in await desk.evaluate(FOCUSED)
    await keys.press("Home")
    await keys.press("ArrowDown")
    await keys.press("ArrowUp")
    assert CALLER_SHOWN in await desk.evaluate(FOCUSED)
    await keys.press("Escape")
    await desk.wait_for_selector(CLOSED, state="attached")
    assert await desk.evaluate("() => document.activeElement.id") == "change-call"
    assert not await desk.evaluate("() => document.querySelector('.left').inert")


async def quiet_lines(desk: Page, invited: Any) -> None:
    """Said while it is so: another number than the caller's, a call that is over."""
    ended, different = desk.locator("#link-ended"), desk.locator("#link-other")
    assert not await ended.is_visible()
    assert not await different.is_visible()
    await invited.hang_up()
    await ended.wait_for()
    assert (await ended.inner_text()).startswith("L’appel lié est terminé depuis 00:")
    assert not await different.is_visible()
    await desk.click("#change-call")
    await desk.click(f"{ROWS}:has-text('{OTHER_SHOWN}')")
    await different.wait_for()
    assert "différent de l’appelant" in await different.inner_text()
    await desk.click("#change-call")
    await desk.click("#pick-none")
    await different.wait_for(state="hidden")
    assert not await ended.is_visible()
    await screenshot(desk, "choice-none")
    await moving_picture(desk, "#patient")
