"""A phone's candidate → its desk, through the server's sockets, against a Tornado that passes frames on unread.

Delay at a gentle pace, and the processor's time a message in bursts: what one core bears is its inverse. Both with few
and with many sockets that only listen.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.bench import pages
from tests.bench.bare import bare
from tests.bench.figures.invite import gateway, numbers
from tests.bench.house import house
from tests.bench.meters import cpu_seconds
from tests.bench.results import Figures, Result, short
from tests.lab.process import PartFailedError, until

if TYPE_CHECKING:
    from tests.bench.figures.invite import Gateway
    from tests.bench.house import House
    from tests.bench.results import Sizes

BURST = 80  # messages of each phone: a socket that says a hundred in a second is cut
PAUSE = 1.1
PACE = 200  # messages a second for the delay, of all phones together
AIM = 25.0
MARK = re.compile(r"candidate:(\d+) ")
LINK = re.compile(r"/v/([A-Za-z0-9_-]{20,64})")
CALM = 4  # times the time to settle: the sockets that only listen are heard


def candidate(number: int) -> dict[str, object]:
    """Make what a browser sends, with a number to know it by."""
    text = f"candidate:{number} 1 udp 2122260223 192.0.2.17 50000 typ host generation 0 ufrag 4ZcD network-cost 999"
    return {"candidate": text, "sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": "4ZcD"}


@dataclass
class Pairs:
    """Phones that speak, and where what they say arrives."""

    phones: list[pages.Socket]
    desks: list[pages.Socket]
    frames: list[str]  # by phone, with %d for the number
    arrived: dict[int, float] = field(default_factory=dict)
    said: int = 0
    missed: int = 0

    def __post_init__(self) -> None:
        """Note each arrival."""
        for desk in self.desks:
            desk.heard = self._hear

    def _hear(self, text: str) -> None:
        if found := MARK.search(text):
            self.arrived[int(found.group(1))] = time.monotonic()

    def say(self, phone: int) -> int:
        """Send the next message; return its number."""
        self.said += 1
        self.phones[phone].send(self.frames[phone].replace("%d", str(self.said)))
        return self.said

    async def delays(self, seconds: float) -> tuple[list[float], int]:
        """Speak at the pace; return the milliseconds, and how many never arrived."""
        loop = asyncio.get_running_loop()
        begun, sent = loop.time(), dict[int, float]()
        for number in range(int(seconds * PACE)):
            await asyncio.sleep(max(0.0, begun + number / PACE - loop.time()))
            now = time.monotonic()
            sent[self.say(number % len(self.phones))] = now
        lost = await self._all_arrived()
        took = [(self.arrived[n] - at) * 1000 for n, at in sent.items() if n in self.arrived]
        return [round(each, 3) for each in took], lost

    async def burst(self, pid: int) -> tuple[float, int]:
        """Let all speak at once; return microseconds of the server's processor a message, and what was lost."""
        before, first = cpu_seconds(pid), self.said
        for _ in range(BURST):
            for phone in range(len(self.phones)):
                self.say(phone)
        lost = await self._all_arrived()
        spent = cpu_seconds(pid) - before
        return round(spent / (self.said - first) * 1e6, 1), lost

    async def _all_arrived(self) -> int:
        with suppress(PartFailedError):
            await until(lambda: len(self.arrived) + self.missed >= self.said, "all messages")
        missing = self.said - len(self.arrived) - self.missed
        self.missed += missing
        return missing


@dataclass
class Taken:
    """What one server showed with so many listening sockets."""

    delays: list[float]
    cost: list[float]
    calm: float  # milliseconds of processor a second while nobody speaks
    lost: int


async def measure(pid: int, pairs: Pairs, sizes: Sizes) -> Taken:
    """Measure calm, delay and cost."""
    await pairs.delays(sizes.settle)  # warm
    before = cpu_seconds(pid)
    await asyncio.sleep(CALM * sizes.settle)
    calm = (cpu_seconds(pid) - before) / CALM / sizes.settle * 1000
    delays, lost = await pairs.delays(min(5.0, sizes.seconds))
    cost = []
    for _ in range(sizes.bursts):
        await asyncio.sleep(PAUSE)
        spent, missed = await pairs.burst(pid)
        cost.append(spent)
        lost += missed
    return Taken(delays, cost, round(calm, 1), lost)


async def _desk(home: House, number: int, mobile: str) -> tuple[pages.Socket, str]:
    """Sit down and invite; return the socket and the session."""
    found: list[str] = []
    desk = await pages.desk(home.url, home.signed_in(), f"desk-peer-{number}")

    def hear(text: str) -> None:
        message = json.loads(text)
        if message["type"] == "done":
            found.append(message["result"]["session"])

    desk.heard = hear
    desk.say("invite", id=f"command-{number:04d}", mobile=mobile)
    await until(lambda: bool(found), "the invitation is accepted")
    desk.say("session.watch", id=f"watching-{number:04d}", session=found[0])
    await until(lambda: len(found) > 1, "the desk watches")
    return desk, found[0]


async def product_pairs(home: House, gate: Gateway, many: int) -> Pairs:
    """Invite, tap and watch, as people do."""
    mobiles = numbers(many)
    desks = [(await _desk(home, number, mobile))[0] for number, mobile in enumerate(mobiles)]
    taken, phones = await gate.has(mobiles), []
    for mobile in mobiles:
        found = LINK.search(taken[mobile][1])
        assert found, "the message holds a link"
        phones.append(await pages.Phone(home.url).tap(found.group(1)))
    frames = [
        json.dumps(
            {"type": "signal.candidate", "peer": f"desk-peer-{n}", "candidate": candidate(0)}
        )
        for n in range(many)
    ]
    return Pairs(
        phones, desks, [frame.replace("candidate:0 ", "candidate:%d ") for frame in frames]
    )


async def bare_pairs(url: str, many: int) -> Pairs:
    """Connect both ends of each pair; the frames are as long as the product's."""
    desks = [await pages.connect(f"{url}/relay/{number}") for number in range(many)]
    phones = [await pages.connect(f"{url}/relay/{number}") for number in range(many)]
    frame = json.dumps(
        {"type": "signal.candidate", "peer": "desk-peer-0", "candidate": candidate(0)}
    )
    return Pairs(phones, desks, [frame.replace("candidate:0 ", "candidate:%d ")] * many)


async def _product(sizes: Sizes) -> list[Taken]:
    async with gateway() as gate, house(extra=gate.settings()) as home:
        pairs = await product_pairs(home, gate, sizes.pairs)
        taken, idle = [], list[pages.Socket]()
        for many in sizes.idle:
            cookie, more = home.signed_in(), many - len(idle)
            idle += await pages.desks(home.url, cookie, more, f"idle{many}")
            taken.append(await measure(home.pid, pairs, sizes))
        await pages.close([*idle, *pairs.phones, *pairs.desks])
        return taken


async def _floor(sizes: Sizes) -> list[Taken]:
    async with bare() as least:
        pairs = await bare_pairs(least.url, sizes.pairs)
        taken, idle = [], list[pages.Socket]()
        for many in sizes.idle:
            idle += await pages.listeners(f"{least.url}/socket", many - len(idle))
            taken.append(await measure(least.pid, pairs, sizes))
        await pages.close([*idle, *pairs.phones, *pairs.desks])
        return taken


async def run(sizes: Sizes) -> list[Result]:
    """Measure both with each number of listening sockets."""
    ours, bare_ones = await _product(sizes), await _floor(sizes)
    results = []
    for many, mine, least in zip(sizes.idle, ours, bare_ones, strict=True):
        figures, under = Figures.of(mine.delays), Figures.of(least.delays)
        cost, cheap = Figures.of(mine.cost), Figures.of(least.cost)
        results += [
            Result(
                f"relay_delay_{many}",
                f"phone → desk, {PACE} messages a second, {many} idle desks",
                "ms",
                figures,
                under,
                short(figures.p50 / under.p50),
                f"p99 in ms, aim ≤ {AIM:g}",
                figures.p99,
                figures.p99 <= AIM and not mine.lost,
                mine.lost,
                f"the idle desks alone take {mine.calm:g} ms of processor a second (bare: {least.calm:g})",
                "bare relay",
                tuple(mine.delays),
                tuple(least.delays),
            ),
            Result(
                f"relay_cost_{many}",
                f"processor of the server for a message phone → desk, in bursts, {many} idle desks",
                "µs a message",
                cost,
                cheap,
                short(cost.p50 / max(cheap.p50, 0.1)),
                "messages a second that one core bears",
                round(1e6 / max(cost.p50, 0.1)),
                None,
                mine.lost,
                f"bare relay: {1e6 / max(cheap.p50, 0.1):.0f} messages a second",
                "bare relay",
                tuple(mine.cost),
                tuple(least.cost),
            ),
        ]
    return results
