"""Bad networks: tap → first frame, back after another address, pictures a second where there is little room.

Each beside plain WebRTC in the same network at the same moment: two bare pages with default parameters, and nothing
between them but offer, answer and candidates.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.bench.figures.first_frame import DARK, FRAME, LINK, TAPPED
from tests.bench.house import House, house
from tests.bench.results import Figures, Result
from tests.e2e.house import trusting
from tests.lab.browsers.browser import PIXEL, Browser, browser
from tests.lab.coturn import Coturn, coturn
from tests.lab.network import HERE, PhoneNetwork, phone_network
from tests.lab.process import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from playwright.async_api import Page

    from tests.bench.results import Sizes

NETWORKS: Mapping[str, Mapping[str, Any]] = {
    "good": {},
    "2 % lost": {"loss": 0.02},
    "10 % lost": {"loss": 0.1},
    "UDP shut": {"udp": False},
}
#: Kept of the figures' own number of rounds: each costs a video.
ROUNDS = 5
#: Seconds of little room before the pictures are counted; of counting; given to plain WebRTC to come back.
SETTLE, COUNTED, PATIENCE = 6.0, 10.0, 15.0
#: A pause that a change of address makes at least; a picture that is back, in milliseconds.
PAUSE, STEADY = 200, 2000
#: A picture older than this, in milliseconds, is of no use on the telephone.
USEFUL = 1000

COUNT = """() => {
  const video = document.querySelector('#patient');
  const shown = [];
  window.__shown = shown;
  window.__from = performance.timeOrigin + performance.now();
  const frame = (now, about) => {
    if (window.__shown !== shown) return;
    const age = about.captureTime === undefined ? 0 : performance.now() - about.captureTime;
    shown.push([performance.timeOrigin + performance.now(), age]);
    video.requestVideoFrameCallback(frame);
  };
  video.requestVideoFrameCallback(frame);
}"""
#: The longest pause between two pictures, and how long they have come since. The first may come after the cut already.
PAUSES = """() => {
  const at = [window.__from, ...window.__shown.map(([at]) => at)];
  const gaps = at.slice(1).map((one, index) => one - at[index]);
  const longest = Math.max(0, ...gaps);
  const alive = performance.timeOrigin + performance.now() - at.at(-1) < 500;
  return [longest, alive ? at.at(-1) - at[gaps.indexOf(longest) + 1] : 0];
}"""
PLAIN = """(ice) => {
  const video = Object.assign(document.createElement('video'), {id: 'patient', muted: true, autoplay: true});
  document.body.replaceChildren(video);
  const pc = new RTCPeerConnection({iceServers: ice});
  const early = [];
  pc.onicecandidate = (event) => window.signal({candidate: event.candidate ? event.candidate.toJSON() : null});
  pc.ontrack = ({track}) => { video.srcObject = new MediaStream([track]); };
  window.hear = async (message) => {
    if (message.sdp) {
      await pc.setRemoteDescription(message);
      if (message.type === 'offer') {
        await pc.setLocalDescription();
        window.signal({type: 'answer', sdp: pc.localDescription.sdp});
      }
      for (const one of early.splice(0)) await pc.addIceCandidate(one ?? undefined);
    } else if (pc.remoteDescription) await pc.addIceCandidate(message.candidate ?? undefined);
    else early.push(message.candidate);
  };
  window.begin = async () => {
    const at = performance.timeOrigin + performance.now();
    const media = await navigator.mediaDevices.getUserMedia({video: {width: {ideal: 1280}, height: {ideal: 720}}});
    pc.addTrack(media.getVideoTracks()[0], media);
    await pc.setLocalDescription();
    window.signal({type: 'offer', sdp: pc.localDescription.sdp});
    return at;
  };
}"""


@dataclass
class Stage:
    """The product, the phone's network, and a Chromium on either side."""

    home: House
    network: PhoneNetwork
    relay: Coturn
    here: Browser
    there: Browser
    desk: Page
    invited: int = 0

    async def product(self) -> tuple[Page, float]:
        """Film; return the caller's page and the milliseconds from the tap to the first frame."""
        self.invited += 1
        known = {found.group(0) for text in await self.home.texts() if (found := LINK.search(text))}
        await self.desk.fill("#mobile", f"06 12 34 56 {self.invited:02d}")
        await self.desk.click("#invite")
        link = await self.home.newest(LINK, frozenset(known))
        phone = await (await self.there.caller(PIXEL)).open(link)
        await phone.wait_for_selector("body[data-ready=true]")
        # A caller reads before touching: what the page finds out meanwhile is part of it.
        await asyncio.sleep(1)
        await self.desk.evaluate(FRAME)
        await phone.evaluate(TAPPED)
        await phone.click("#tap")
        frame = await asyncio.wait_for(self.desk.evaluate("() => window.__frame"), 30)
        return phone, float(frame - await phone.evaluate("() => window.__tapAt"))

    async def ended(self, phone: Page) -> None:
        """End the product's video, and wait until nothing is left of it."""
        await self.desk.click("#end")
        await until(lambda: self.desk.evaluate(DARK), "the desk lets go of the picture")
        await phone.context.close()

    @asynccontextmanager
    async def plain(self) -> AsyncIterator[tuple[Page, float]]:
        """Two bare pages film; yield the one that sees, and the milliseconds to its first frame."""
        username, credential = self.relay.credentials()
        ice = [{"urls": list(self.relay.urls), "username": username, "credential": credential}]
        pages = []
        for side in (self.there, self.here):
            client = await side.client("plain")
            pages.append(await client.open(f"{self.home.url}/healthz"))
        phone, desk = pages
        for page, other in ((phone, desk), (desk, phone)):
            await page.expose_function("signal", _passes_to(other))
            await page.evaluate(PLAIN, ice)
        try:
            await desk.evaluate(FRAME)
            begun = await phone.evaluate("() => window.begin()")
            frame = await asyncio.wait_for(desk.evaluate("() => window.__frame"), 40)
            yield desk, float(frame - begun)
        finally:
            for page in pages:
                await page.context.close()


def _passes_to(other: Page) -> Callable[[dict[str, Any]], Awaitable[None]]:
    async def passes(message: dict[str, Any]) -> None:
        await other.evaluate("(message) => window.hear(message)", message)

    return passes


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    """Start everything."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        relay = await enter(coturn(tls=True))
        network = await enter(phone_network())
        ice = {"turn": list(relay.urls), "turn_secret": relay.secret}
        home = await enter(house(host=HERE, extra={"VISIO15_ICE": json.dumps(ice)}))
        flags = (*trusting(home.url), "--ignore-certificate-errors")
        here, there = await enter(browser(*flags)), await enter(network.browser(*flags))
        desk = await (await here.desk()).context.new_page()
        await home.open_desk(desk)
        yield Stage(home, network, relay, here, there, desk)


def _result(
    name: str, what: str, unit: str, ours: list[float], plain: list[float], most: float
) -> Result:
    """Beside each other; `most`: the share of plain WebRTC's time that is aimed at, or at least of its pictures."""
    figures, least = Figures.of(ours), Figures.of(plain)
    ratio = round(figures.p50 / least.p50, 2) if least.p50 else 99.0
    fewer = unit == "ms"
    return Result(
        name,
        what,
        unit,
        figures,
        least,
        ratio,
        f"p50 product / p50 plain, aim {'≤' if fewer else '≥'} {most:g}",
        ratio,
        ratio <= most if fewer else ratio >= most,
        beside="plain WebRTC",
        samples=tuple(round(each, 1) for each in ours),
        floor_samples=tuple(round(each, 1) for each in plain),
    )


async def first_frames(sizes: Sizes) -> list[Result]:
    """Tap → first frame, on each network in turn."""
    results = []
    async with stage() as it:
        await it.ended((await it.product())[0])  # the first one warms code caches
        for name, conditions in NETWORKS.items():
            ours, plain = [], []
            async with it.network.path(**conditions):
                for _ in range(min(sizes.rounds, ROUNDS)):
                    phone, took = await it.product()
                    ours.append(took)
                    await it.ended(phone)
                    async with it.plain() as (_, bare):
                        plain.append(bare)
            results.append(
                _result(f"first_frame, {name}", "tap → first frame", "ms", ours, plain, 1.5)
            )
    return results


async def _gap(desk: Page, most: float) -> float:
    """Wait until pictures have come for two seconds on end; return the longest pause in ms, or `most` seconds."""
    deadline = asyncio.get_running_loop().time() + most
    while asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.2)
        longest, since = await desk.evaluate(PAUSES)
        if longest > PAUSE and since > STEADY:
            return float(longest)
    return most * 1000


async def address_change(sizes: Sizes) -> list[Result]:
    """The phone changes network in mid-video: how long no new picture is seen."""
    ours, plain = [], []
    async with stage() as it:
        for _ in range(min(sizes.rounds, ROUNDS)):
            phone, _took = await it.product()
            await asyncio.sleep(2)
            await it.desk.evaluate(COUNT)
            await it.network.move(it.network.mobile)
            ours.append(await _gap(it.desk, PATIENCE))
            await it.ended(phone)
            await it.network.move(it.network.wifi)
        async with it.plain() as (desk, _first):
            await asyncio.sleep(2)
            await desk.evaluate(COUNT)
            await it.network.move(it.network.mobile)
            plain.append(await _gap(desk, PATIENCE))
    what = f"Wi-Fi → 4G in mid-video: without a new picture (plain WebRTC is given {PATIENCE:g} s)"
    return [_result("address_change", what, "ms", ours, plain, 0.3)]


async def _pictures(desk: Page, seconds: float) -> list[float]:
    """How many pictures are shown while they are still of use, in each second."""
    await desk.evaluate(COUNT)
    begun = await desk.evaluate("() => performance.timeOrigin + performance.now()")
    await asyncio.sleep(seconds)
    shown = await desk.evaluate("() => window.__shown")
    each = [0.0] * int(seconds)
    for at, age in shown:
        second = int((at - begun) / 1000)
        if age <= USEFUL and second < len(each):
            each[second] += 1
    return each


async def narrow(sizes: Sizes) -> list[Result]:
    """Useful pictures a second at 150 and at 50 kbit/s, from the moment the room shrank and later."""
    results, seconds = [], min(sizes.seconds, COUNTED)
    async with stage() as it:
        for kbits in (150, 50):
            path = {"rate": kbits * 1000}
            phone, _took = await it.product()
            ours = await _narrowed(it.network, path, it.desk, seconds)
            await it.ended(phone)
            async with it.plain() as (desk, _first):
                plain = await _narrowed(it.network, path, desk, seconds)
            what = f"pictures a second at most {USEFUL} ms old, {SETTLE:g} s after the room shrank"
            results.append(_result(f"narrow, {kbits} kbit/s", what, "a second", ours, plain, 1.0))
    return results


async def _narrowed(
    network: PhoneNetwork, path: Mapping[str, Any], desk: Page, seconds: float
) -> list[float]:
    await asyncio.sleep(3)  # a good network first: both send all they can
    async with network.path(**path):
        await asyncio.sleep(min(SETTLE, seconds))
        return await _pictures(desk, seconds)
