"""HEP packet in → the call in the view of its desk's socket, 20 and 100 calls a second, against an echoed packet."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING

from tests.bench import pages
from tests.bench.bare import bare
from tests.bench.figures.shown import AIM, RATE, give_up, place, ring
from tests.bench.house import house
from tests.bench.meters import cpu_seconds
from tests.bench.results import Figures, Result, short

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.results import Sizes

DESKS = 5
STATIONS = [str(1601 + each) for each in range(DESKS)]

MARK = re.compile(r"bench-\d+")


class Ear:
    """Notes when each call was first heard of, in ms since the epoch."""

    def __init__(self) -> None:
        """Start with nothing heard."""
        self.heard: dict[str, float] = {}

    def listen(self, socket: pages.Socket) -> None:
        """Read its frames from now on."""
        socket.heard = self._hear

    def _hear(self, frame: str) -> None:
        now = time.time() * 1000
        for mark in MARK.findall(frame):
            self.heard.setdefault(mark, now)

    async def delays(self, sent: dict[str, float]) -> tuple[list[float], int]:
        """Wait for the last ones, but not for ever; return the delays, and how many never came."""
        for _ in range(50):
            if self.heard.keys() >= sent.keys():
                break
            await asyncio.sleep(0.1)
        found = [round(self.heard[each] - at, 2) for each, at in sent.items() if each in self.heard]
        return found, len(sent) - len(found)


async def product(rate: int, seconds: float) -> tuple[list[float], int, float]:
    """Call the stations in turn; also return the server's milliseconds of processor a call."""
    async with house(stations=STATIONS) as home:
        ear = Ear()
        sockets = [
            await pages.desk(home.url, home.signed_in(station=station), f"desk-peer-{station}")
            for station in STATIONS
        ]
        for each in sockets:
            ear.listen(each)

        def at(make: Callable[[int, str], list[bytes]]) -> Callable[[int], list[bytes]]:
            return lambda number: make(number, STATIONS[number % DESKS])

        before = cpu_seconds(home.pid)
        sent = await place(home.hep_port, seconds, at(ring), at(give_up), rate)
        found, lost = await ear.delays(sent)
        spent = (cpu_seconds(home.pid) - before) / len(sent) * 1000
        for each in sockets:
            each.heard = None
        await pages.close(sockets)
    return found, lost, spent


async def floor(rate: int, seconds: float) -> list[float]:
    """Let a bare server pass the same packets on."""
    async with bare() as least:
        ear = Ear()
        sockets = await pages.listeners(f"{least.url}/socket", DESKS)
        for each in sockets:
            ear.listen(each)
        sent = await place(
            least.udp, seconds, lambda n: [f"bench-{n}".encode()], lambda _: [], rate
        )
        found, _ = await ear.delays(sent)
        for each in sockets:
            each.heard = None
        await pages.close(sockets)
    return found


async def run(sizes: Sizes) -> list[Result]:
    """Measure at both paces; the floor at the slower one."""
    echoed = await floor(RATE, sizes.seconds)
    least = Figures.of(echoed)
    results = []
    for rate in sizes.paces:
        ours, lost, spent = await product(rate, sizes.seconds)
        figures = Figures.of(ours)
        met = None if rate > RATE else figures.p99 <= AIM and not lost
        results.append(
            Result(
                f"event_to_desk_{rate}",
                f"HEP packet in → view at the desk, no browser, {rate} calls a second at {DESKS} stations",
                "ms",
                figures,
                least,
                short(figures.p50 / least.p50),
                "p99 in ms" if met is None else f"p99 in ms, aim ≤ {AIM:g}",
                figures.p99,
                met,
                lost,
                beside="bare echo",
                note=f"{spent:.0f} ms of the server's processor a call, from ringing to its end",
                samples=tuple(ours),
                floor_samples=tuple(echoed),
            )
        )
    return results
