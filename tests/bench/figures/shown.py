"""HEP packet in → call shown on the desk, against a UDP packet echoed by a bare socket to a bare page."""

from __future__ import annotations

import asyncio
import socket
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from telephony.sources.hep import codec as hep
from tests.bench.bare import bare as bare_process
from tests.bench.house import STATION, house
from tests.bench.results import Figures, Result, short
from tests.lab.browsers.browser import browser

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.async_api import Page

    from tests.bench.results import Sizes

RATE = 20  # calls a second, all at the station that is watched: the hardest case for one desk
RINGING = 1.0  # seconds until the caller gives up
AIM = 100.0
HERE = "127.0.0.1"
PBX, PHONE = (HERE, 5060), (HERE, 5081)
WATCH = """() => {
  window.__shown = {};
  const look = () => {
    const now = performance.timeOrigin + performance.now();
    for (const row of document.querySelectorAll('#calls li'))
      for (const [mark] of row.title.matchAll(/bench-\\d+/g)) window.__shown[mark] ??= now;
  };
  new MutationObserver(look).observe(document.querySelector('#calls'),
    {subtree: true, childList: true, attributes: true});
}"""


def _message(start: str, number: int, station: str, method: str = "INVITE") -> bytes:
    lines = (
        start,
        f"Via: SIP/2.0/UDP {HERE}:5060;branch=z9hG4bKbench{number}",
        f"From: <sip:+3361234{number % 10_000:04d}@{HERE}>;tag=from{number}",
        f"To: <sip:{station}@{HERE}>" + (";tag=to" if start.startswith("SIP") else ""),
        f"Call-ID: bench-{number}@{HERE}",
        f"CSeq: 1 {method}",
        "Content-Length: 0",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def _packet(payload: bytes, *, back: bool) -> bytes:
    src, dst = (PHONE, PBX) if back else (PBX, PHONE)
    return hep.encode(hep.HepPacket(src, dst, datetime.now(UTC), payload))


def ring(number: int, station: str = STATION) -> list[bytes]:
    """A call rings at a station."""
    invite = _message(f"INVITE sip:{station}@{HERE}:5081 SIP/2.0", number, station)
    return [
        _packet(invite, back=False),
        _packet(_message("SIP/2.0 180 Ringing", number, station), back=True),
    ]


def give_up(number: int, station: str = STATION) -> list[bytes]:
    """Its caller gives up."""
    cancel = _message(f"CANCEL sip:{station}@{HERE}:5081 SIP/2.0", number, station, "CANCEL")
    gone = _message("SIP/2.0 487 Request Terminated", number, station)
    return [_packet(cancel, back=False), _packet(gone, back=True)]


async def place(
    port: int,
    seconds: float,
    make: Callable[[int], list[bytes]],
    end: Callable[[int], list[bytes]],
    rate: int = RATE,
) -> dict[str, float]:
    """Place the calls at their pace; return when each one's first packet left, in ms since the epoch."""
    sent: dict[str, float] = {}
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        begun = loop.time()
        total = int(seconds * rate)
        for number in range(total + int(RINGING * rate)):
            await asyncio.sleep(max(0.0, begun + number / rate - loop.time()))
            if number < total:
                packets = make(number)
                sent[f"bench-{number}"] = time.time() * 1000
                for packet in packets:
                    udp.sendto(packet, (HERE, port))
            if (over := number - int(RINGING * rate)) >= 0:
                for packet in end(over):
                    udp.sendto(packet, (HERE, port))
    return sent


async def _arrived(page: Page, sent: dict[str, float]) -> tuple[list[float], int]:
    """Wait for the last calls; return the delays, and how many never came."""
    for _ in range(50):
        shown = await page.evaluate("window.__shown")
        if len(shown) >= len(sent):
            break
        await asyncio.sleep(0.1)
    shown = await page.evaluate("window.__shown")
    delays = [shown[mark] - at for mark, at in sent.items() if mark in shown]
    return [round(each, 2) for each in delays], len(sent) - len(delays)


async def product(seconds: float) -> tuple[list[float], int]:
    async with house() as home, browser() as chromium:
        desk = await (await chromium.desk()).context.new_page()
        await home.open_desk(desk)
        await desk.evaluate(WATCH)
        return await _arrived(desk, await place(home.hep_port, seconds, ring, give_up))


async def floor(seconds: float) -> tuple[list[float], int]:
    async with bare_process() as least, browser() as chromium:
        page = await (await chromium.desk()).open(f"{least.url}/echo")
        await page.wait_for_selector("body[data-open=true]")
        await page.evaluate(WATCH)
        sent = await place(least.udp, seconds, lambda n: [f"bench-{n}".encode()], lambda _: [])
        return await _arrived(page, sent)


async def run(sizes: Sizes) -> list[Result]:
    """Place the calls, then the bare packets."""
    ours, lost = await product(sizes.seconds)
    bare, _ = await floor(sizes.seconds)
    figures, least = Figures.of(ours), Figures.of(bare)
    return [
        Result(
            "call_shown",
            f"HEP packet in → call shown on the desk, {RATE} calls a second at its station for {sizes.seconds:g} s",
            "ms",
            figures,
            least,
            short(figures.p50 / least.p50),
            f"p99 in ms, aim ≤ {AIM:g}",
            figures.p99,
            figures.p99 <= AIM and lost == 0,
            lost,
            beside="bare echo",
            samples=tuple(ours),
            floor_samples=tuple(bare),
        )
    ]
