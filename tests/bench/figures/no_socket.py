"""A network that lets pages through and no socket: how soon do the phone and the desk say so?

The caller's video is blocked as well; otherwise the picture could come before the words. The floor, in the same rounds:
the same pages where sockets pass, until each page shows that it is connected.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from server.video.domain.preflight import BY_REQUESTS
from tests.bench.figures.first_frame import LINK, TAPPED
from tests.bench.house import House, house
from tests.bench.results import Figures, Result, short
from tests.lab.barred import Barred, barred
from tests.lab.browsers.browser import PIXEL, Browser, browser

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.bench.results import Sizes

AIM_MS = 5000
WHAT = {
    "phone": "tap → the sentence on the phone",
    "desk": "tap → the phone's cause at the desk",
    "own": "load of a desk that is barred itself → liaison bloquée",
}
OPEN = "open"
#: Sockets pass; the upgrade is refused; the upgrade is never answered.
MODES = (OPEN, "refuse", "hang")
#: At most so many rounds: each goes through all modes, and a mode takes seconds.
ROUNDS = 5
#: An element and its text: what the page shows where sockets pass, then what it shows where none does.
PHONE = (("#message[data-state=wait]", ""), ("#message[data-state=around]", ""))
DESK = (("#steps [data-step=permission][data-state=done]", ""), ("#say-cause", BY_REQUESTS))
LIGHT = (("#server-text", "serveur connecté"), ("#server-text", "liaison bloquée"))
NEW = "#steps:has([data-step=opened][data-state=done]):has([data-step=permission]:not([data-state=done]))"
NO_VIDEO = (
    "() => { RTCPeerConnection.prototype.setLocalDescription = () => new Promise(() => {}); }"
)
#: Keeps a promise on the page: the time at which the text is first shown.
READS = """([selector, text]) => { window.__read = new Promise((go) => {
  new MutationObserver(() => {
    if (document.querySelector(selector)?.textContent.replace(/\\s/g, ' ').includes(text))
      go(performance.timeOrigin + performance.now());
  }).observe(document, {attributes: true, characterData: true, childList: true, subtree: true});
}); }"""
LOADED = "async () => await window.__read - performance.timeOrigin"


async def _tap(
    home: House, chromium: Browser, desk: Page, network: Barred, known: set[str]
) -> tuple[float, float]:
    """Invite, open, tap; return the milliseconds until the phone and the desk show what it is."""
    await desk.fill("#mobile", f"06 12 34 56 {len(known):02d}")
    await desk.click("#invite")
    link = await home.newest(LINK, frozenset(known))
    known.add(link)
    client = await chromium.caller(PIXEL)
    try:
        address = urlsplit(link)._replace(netloc=f"localhost:{network.port}").geturl()
        phone = await client.open(address)
        await phone.wait_for_selector("body[data-ready=true]")
        await desk.wait_for_selector(NEW)
        await phone.evaluate(NO_VIDEO)
        await phone.evaluate(TAPPED)
        for page, reads in ((phone, PHONE), (desk, DESK)):
            await page.evaluate(READS, reads[network.mode != OPEN])
        await phone.click("#tap")
        async with asyncio.timeout(30):
            read = [await page.evaluate("() => window.__read") for page in (phone, desk)]
        tap = await phone.evaluate("() => window.__tapAt")
        await desk.click("#end")
        return read[0] - tap, read[1] - tap
    finally:
        await client.context.close()


async def _load(desk: Page, network: Barred) -> float:
    """Load the desk's page in a new tab of its browser; return the milliseconds until its light says what it is."""
    page = await desk.context.new_page()
    await page.add_init_script(f"({READS})({json.dumps(LIGHT[network.mode != OPEN])})")
    await page.goto(f"http://localhost:{network.port}/desk")
    took = await asyncio.wait_for(page.evaluate(LOADED), 30)
    await page.close()
    return float(took)


def _result(name: str, what: str, ours: list[float], passing: list[float]) -> Result:
    """Leave out the first round, which warms code caches. The aim is for the slowest round."""
    product, floor = (tuple(round(each, 1) for each in taken[1:]) for taken in (ours, passing))
    figures, least = Figures.of(product), Figures.of(floor)
    return Result(
        *(name, what, "ms", figures, least),
        *(short(figures.p50 / least.p50), f"most, aim ≤ {AIM_MS}"),
        *(figures.most, figures.most <= AIM_MS),
        beside="sockets pass",
        samples=product,
        floor_samples=floor,
    )


async def run(sizes: Sizes) -> list[Result]:
    """Go through all modes, once a round."""
    rounds = MODES * (min(sizes.rounds, ROUNDS) + 1)
    taken: dict[tuple[str, str], list[float]] = defaultdict(list)
    known: set[str] = set()
    async with (
        house() as home,
        barred(urlsplit(home.url).port or 0, OPEN) as network,
        browser() as chromium,
    ):
        desk = await (await chromium.desk()).context.new_page()
        await home.open_desk(desk)
        for mode in rounds:
            network.set(mode)
            phone_ms, desk_ms = await _tap(home, chromium, desk, network, known)
            taken["phone", mode].append(phone_ms)
            taken["desk", mode].append(desk_ms)
        await desk.goto("about:blank")  # one desk at a station
        for mode in rounds:
            network.set(mode)
            taken["own", mode].append(await _load(desk, network))
    return [
        _result(f"no_socket, {who}, {mode}", what, taken[who, mode], taken[who, OPEN])
        for who, what in WHAT.items()
        for mode in MODES[1:]
    ]
