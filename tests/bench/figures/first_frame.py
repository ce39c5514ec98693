"""Tap on the phone → first frame on the waiting desk, against two bare pages with the same ICE settings."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from tests.bench.bare import bare as bare_process
from tests.bench.house import House, house
from tests.bench.results import Figures, Result
from tests.lab.browsers.browser import PIXEL, Browser, browser
from tests.lab.process import until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.async_api import Page

    from tests.bench.results import Sizes

LINK = re.compile(r"https?://\S+/v/[A-Za-z0-9_-]+")
AIM = 1.5
TAPPED = """() => { window.__tapAt = null; document.querySelector('#tap').addEventListener('click',
  () => { window.__tapAt = performance.timeOrigin + performance.now(); }, {capture: true, once: true}); }"""
# Kept on the page, waited for later; never a string for the page to evaluate: its CSP forbids that, rightly.
FRAME = """() => { window.__frame = new Promise((go) => document.querySelector('#patient')
  .requestVideoFrameCallback((now) => go(performance.timeOrigin + now))); }"""
DARK = "() => document.querySelector('#patient').srcObject === null"


async def _measure(desk: Page, phone: Page) -> float:
    await desk.evaluate(FRAME)
    await phone.evaluate(TAPPED)
    await phone.click("#tap")
    frame = await asyncio.wait_for(desk.evaluate("() => window.__frame"), 20)
    tap = await phone.evaluate("() => window.__tapAt")
    return float(frame - tap)


async def _one(home: House, chromium: Browser, desk: Page, number: int, known: set[str]) -> float:
    await desk.fill("#mobile", f"06 12 34 56 {number:02d}")
    await desk.click("#invite")
    link = await home.newest(LINK, frozenset(known))
    known.add(link)
    client = await chromium.caller(PIXEL)
    try:
        phone = await client.open(link)
        await phone.wait_for_selector("body[data-ready=true]")
        await desk.wait_for_selector("#steps li[data-step=opened][data-state=done]")
        took = await _measure(desk, phone)
        await desk.click("#end")
        await until(lambda: desk.evaluate(DARK), "the desk lets go of the picture")
        return took
    finally:
        await client.context.close()


async def product(rounds: int) -> list[float]:
    async with house() as home, browser() as chromium:
        desk = await (await chromium.desk()).context.new_page()
        await home.open_desk(desk)
        known: set[str] = set()
        return [await _one(home, chromium, desk, number, known) for number in range(rounds)]


async def floor(rounds: int) -> list[float]:
    async with bare_process() as least, browser() as chromium:
        taken = []
        for _ in range(rounds):
            client = await chromium.desk()
            desk = await client.open(f"{least.url}/desk")
            phone = await client.open(f"{least.url}/phone")
            taken.append(await _measure(desk, phone))
            await client.context.close()
        return taken


def _without_first(samples: Sequence[float]) -> tuple[float, ...]:
    """The first round warms code caches on both sides; it is not what a shift of twelve hours meets."""
    return tuple(round(each, 1) for each in samples[1:])


async def run(sizes: Sizes) -> list[Result]:
    """Tap so many times on either."""
    ours = _without_first(await product(sizes.rounds + 1))
    bare = _without_first(await floor(sizes.rounds + 1))
    figures, least = Figures.of(ours), Figures.of(bare)
    ratio = round(figures.p50 / least.p50, 2)
    return [
        Result(
            "first_frame",
            "tap on the phone → first frame on the waiting desk (Chromium to Chromium)",
            "ms",
            figures,
            least,
            ratio,
            f"p50 product / p50 floor, aim ≤ {AIM}",
            ratio,
            ratio <= AIM,
            beside="bare pages",
            samples=ours,
            floor_samples=bare,
        )
    ]
