"""Click on "invite" → accepted by the gateway, against a bare HTTP request to the same gateway at the same pace."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from tornado.simple_httpclient import SimpleAsyncHTTPClient

from tests.bench import pages
from tests.bench.bare import with_path
from tests.bench.house import house
from tests.bench.meters import cpu_seconds
from tests.bench.results import Figures, Result, short
from tests.lab.ports import free_port, tcp_port_open
from tests.lab.process import own_folder, started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.bench.house import House
    from tests.bench.results import Sizes

RATE = 20  # clicks a second, of all desks together
DESKS = 10
AIM = 250.0  # a quarter of a second is not noticed beside the network's own seconds
STATIONS = tuple(str(1601 + number) for number in range(DESKS))


@dataclass
class Gateway:
    """Answers like Kannel; see gateway.py."""

    port: int

    @property
    def template(self) -> str:
        """The product's setting for it."""
        return (
            f"http://127.0.0.1:{self.port}/cgi-bin/sendsms?username=u&password=p"
            "&to={to}&from={sender}&text={text}&dlr-mask=31&dlr-url={receipt_url}"
        )

    def settings(self) -> dict[str, str]:
        """What the server is told."""
        return {
            "VISIO15_DEMO": "false",  # which sends nothing
            "VISIO15_SMS": json.dumps({"url": self.template}),
            "VISIO15_SMS_LIMITS": json.dumps({"site_hour": 0, "number_hour": 0}),
        }

    async def taken(self) -> dict[str, tuple[float, str]]:
        """Return time and text of each number's message."""
        client = SimpleAsyncHTTPClient(force_instance=True, max_body_size=64 * 1024 * 1024)
        try:
            answer = await client.fetch(f"http://127.0.0.1:{self.port}/taken")
        finally:
            client.close()
        return {to: (at, text) for to, (at, text) in json.loads(answer.body).items()}

    async def has(self, numbers: list[str]) -> dict[str, tuple[float, str]]:
        """Wait for the last messages, but not for ever: what is missing is counted."""
        deadline = time.monotonic() + 10
        while not set(numbers) <= (taken := await self.taken()).keys():
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.1)
        return taken


@asynccontextmanager
async def gateway() -> AsyncIterator[Gateway]:
    """Run one in a process of its own."""
    port = free_port()
    argv = [sys.executable, "-m", "tests.bench.gateway", str(port)]
    async with (
        own_folder("gateway") as folder,
        started(
            "gateway", argv, folder=folder, ready=lambda _: tcp_port_open(port), env=with_path()
        ),
    ):
        yield Gateway(port)


def numbers(many: int, first: int = 0) -> list[str]:
    """Make mobile numbers that no other message goes to."""
    return [f"+33612{number:06d}" for number in range(first, first + many)]


async def paced(count: int, act: Callable[[int], object]) -> list[float]:
    """Do it at the pace, on time or as soon as can be; return when each was due to begin and did."""
    loop = asyncio.get_running_loop()
    begun, stamps = loop.time(), []
    for number in range(count):
        await asyncio.sleep(max(0.0, begun + number / RATE - loop.time()))
        stamps.append(time.monotonic())
        act(number)
    return stamps


async def product(home: House, gate: Gateway, seconds: float) -> tuple[list[float], int]:
    """Click at ten desks in turn."""
    sockets = [
        await pages.desk(home.url, home.signed_in(station=station), f"desk-peer-{station}")
        for station in STATIONS
    ]
    mobiles = numbers(int(seconds * RATE) + DESKS)
    warm, mobiles = mobiles[:DESKS], mobiles[DESKS:]

    def click(number: int, to: list[str]) -> None:
        desk = sockets[number % DESKS]
        desk.say("invite", id=f"command-{to[number][1:]}", mobile=to[number])

    await paced(len(warm), lambda number: click(number, warm))
    await gate.has(warm)
    clicked = await paced(len(mobiles), lambda number: click(number, mobiles))
    taken = await gate.has(mobiles)
    await pages.close(sockets)
    return _delays(mobiles, clicked, taken)


async def floor(gate: Gateway, seconds: float) -> tuple[list[float], int]:
    """Send the same requests from here, nothing else done."""
    client = SimpleAsyncHTTPClient(force_instance=True, max_clients=64)
    mobiles = numbers(int(seconds * RATE) + DESKS, first=500_000)
    sent: list[asyncio.Future[object]] = []

    def send(number: int) -> None:
        text = "SAMU 37 : touchez ce lien pour que le médecin vous voie. " + "x" * 90
        url = gate.template.replace("{receipt_url}", "").replace("{sender}", "SAMU37")
        url = url.replace("{to}", quote(mobiles[number])).replace("{text}", quote(text))
        sent.append(client.fetch(url))  # type: ignore[arg-type] # of its own type

    clicked = await paced(len(mobiles), send)
    await asyncio.gather(*sent)
    client.close()
    delays, lost = _delays(mobiles, clicked, await gate.has(mobiles))
    return delays[DESKS:], lost


def _delays(
    mobiles: list[str], clicked: list[float], taken: dict[str, tuple[float, str]]
) -> tuple[list[float], int]:
    delays = [
        (taken[to][0] - at) * 1000 for to, at in zip(mobiles, clicked, strict=True) if to in taken
    ]
    return [round(each, 2) for each in delays], len(mobiles) - len(delays)


async def run(sizes: Sizes) -> list[Result]:
    """Measure both with the same gateway."""
    async with (
        gateway() as gate,
        house(stations=STATIONS, extra=gate.settings()) as home,
    ):
        before = cpu_seconds(home.pid)
        ours, lost = await product(home, gate, sizes.seconds)
        spent = (cpu_seconds(home.pid) - before) / (len(ours) + DESKS) * 1000
        bare, _ = await floor(gate, sizes.seconds)
    figures, least = Figures.of(ours), Figures.of(bare)
    return [
        Result(
            "invite",
            f"click on invite → accepted by the gateway, {RATE} a second at {DESKS} desks, receipts coming back",
            "ms",
            figures,
            least,
            short(figures.p95 / least.p95),
            f"p95 in ms, aim ≤ {AIM:g}",
            figures.p95,
            figures.p95 <= AIM and not lost,
            lost,
            beside="bare HTTP",
            note=f"{spent:.0f} ms of the server's processor an invitation, receipts and views included; "
            "the gateway is a local server that answers like Kannel",
            samples=tuple(ours),
            floor_samples=tuple(bare),
        )
    ]
