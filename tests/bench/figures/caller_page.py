"""The caller's page before the tap: bytes over the wire, requests, first contentful paint on a slow phone network."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.bench.bare import bare as bare_process
from tests.bench.house import House, house
from tests.bench.results import Figures, Result, short
from tests.lab.browsers.browser import PIXEL, Browser, browser
from tests.lab.process import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import CDPSession

    from tests.bench.results import Sizes

LINK = re.compile(r"https?://\S+/v/[A-Za-z0-9_-]+")
AIM_MS = 1000
MOST_BYTES = 60_000
READY = "body[data-ready=true]"
#: What the tools of browsers call slow 4G, and a phone four times slower than this machine.
SLOW_4G = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 750_000 / 8,
}
SLOWER = 4
_PAINTED = """() => new Promise((done) => {
  const look = () => performance.getEntriesByName('first-contentful-paint')[0];
  const found = look();
  if (found) return done(found.startTime);
  new PerformanceObserver(() => { const now = look(); if (now) done(now.startTime); })
    .observe({type: 'paint', buffered: true});
})"""


@dataclass
class Load:
    """One load of a page, without anything in the cache."""

    begun: dict[str, str] = field(default_factory=dict)  # request → address
    ended: dict[str, int] = field(default_factory=dict)  # request → bytes, heads included
    failed: list[str] = field(default_factory=list)
    painted: float = 0.0

    @property
    def weight(self) -> int:
        """All bytes that came over the wire."""
        return sum(self.ended.values())

    @property
    def requests(self) -> int:
        """How many were asked for."""
        return len(self.begun)

    def figure(self, name: str) -> float:
        """What one of the figures says of this load."""
        taken = {
            "caller_paint": self.painted,
            "caller_weight": self.weight,
            "caller_requests": self.requests,
        }
        return round(float(taken[name]), 1)

    def largest(self, count: int = 40) -> list[tuple[int, str]]:
        """What weighs most."""
        named = [(size, self.begun.get(id_, "?")) for id_, size in self.ended.items()]
        return sorted(named, reverse=True)[:count]

    def listen(self, cdp: CDPSession) -> None:
        """Write down what the browser asks for and gets; pictures in the page itself are no requests."""

        def sent(event: dict[str, Any]) -> None:
            if event["request"]["url"].startswith("http"):
                self.begun[event["requestId"]] = event["request"]["url"]

        cdp.on("Network.requestWillBeSent", sent)
        cdp.on(
            "Network.loadingFinished",
            lambda event: self.ended.update({event["requestId"]: int(event["encodedDataLength"])}),
        )
        cdp.on("Network.loadingFailed", lambda event: self.failed.append(event["requestId"]))

    @property
    def quiet(self) -> bool:
        """Whether everything that was asked for came."""
        return len(self.ended) + len(self.failed) >= len(self.begun) > 0


@asynccontextmanager
async def loaded(chromium: Browser, url: str, *, ready: str, slow: bool) -> AsyncIterator[Load]:
    """Open an address as a new phone does; what it took, once nothing is under way any more."""
    client = await chromium.caller(PIXEL)
    page = await client.context.new_page()
    try:
        cdp = await client.context.new_cdp_session(page)
        load = Load()
        load.listen(cdp)
        await cdp.send("Network.enable")
        await cdp.send("Network.setCacheDisabled", {"cacheDisabled": True})
        if slow:
            await cdp.send("Network.emulateNetworkConditions", SLOW_4G)
            await cdp.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        await page.goto(url)
        await page.wait_for_selector(ready, state="attached")
        load.painted = float(await asyncio.wait_for(page.evaluate(_PAINTED), 20))
        await until(lambda: load.quiet, "nothing is under way", explain=lambda: str(load))
        yield load
    finally:
        await client.context.close()


async def a_link(home: House, chromium: Browser) -> str:
    """Invite as a regulator does; opening the link changes nothing, so that one is enough."""
    desk = await (await chromium.desk()).context.new_page()
    await home.open_desk(desk)
    await desk.fill("#mobile", "06 12 34 56 78")
    await desk.click("#invite")
    return await home.newest(LINK)


async def _loads(chromium: Browser, url: str, ready: str, rounds: int) -> list[Load]:
    taken = []
    for _ in range(rounds + 1):
        async with loaded(chromium, url, ready=ready, slow=True) as load:
            taken.append(load)
    return taken[1:]  # the first round warms the browser's own caches of code


async def run(sizes: Sizes) -> list[Result]:
    """Load both so many times."""
    async with house() as home, browser() as chromium:
        ours = await _loads(chromium, await a_link(home, chromium), READY, sizes.rounds)
    async with bare_process() as least, browser() as chromium:
        bare = await _loads(chromium, f"{least.url}/phone", "body", sizes.rounds)
    note = f"slow 4G (150 ms, 1.6 Mbit/s), processor ÷ {SLOWER}, TCP and TLS open; beside: a page of one button"
    return [
        _result("caller_paint", "link opened → first contentful paint", "ms", ours, bare, note),
        _result("caller_weight", "bytes over the wire before the tap", "bytes", ours, bare, note),
        _result("caller_requests", "requests before the tap", "", ours, bare, note),
    ]


def _result(
    name: str, what: str, unit: str, ours: list[Load], bare: list[Load], note: str
) -> Result:
    aim = {"caller_paint": AIM_MS, "caller_weight": MOST_BYTES}.get(name)
    samples, floors = ([load.figure(name) for load in loads] for loads in (ours, bare))
    figures, floor = Figures.of(samples), Figures.of(floors)
    return Result(
        name,
        what,
        unit or "count",
        figures,
        floor,
        short(figures.p50 / floor.p50),
        f"p50, aim ≤ {aim}" if aim else "p50",
        figures.p50,
        figures.p50 <= aim if aim else None,
        note=note,
        beside="bare page",
        samples=tuple(samples),
        floor_samples=tuple(floors),
    )
