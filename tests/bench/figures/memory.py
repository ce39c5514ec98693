"""Memory of one connected desk in the server's process, against a bare Tornado socket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.bench import pages
from tests.bench.bare import bare
from tests.bench.house import house
from tests.bench.meters import resident
from tests.bench.results import Figures, Result, short

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.bench.results import Sizes

BATCHES = 4
WARM = 20  # sockets before the first reading: caches and pools are everybody's
AIM = 128.0


async def grown(
    pid: int, sizes: Sizes, connect: Callable[[int, str], Awaitable[list[pages.Socket]]]
) -> list[float]:
    """Connect batch by batch; return the kilobytes a socket of each."""
    many = sizes.desks
    kept = await connect(min(WARM, many), "warm")
    await asyncio.sleep(sizes.settle)
    before, grew = resident(pid), []
    for batch in range(BATCHES):
        kept += await connect(many // BATCHES, f"batch{batch}")
        await asyncio.sleep(sizes.settle)  # the first ticks
        now = resident(pid)
        grew.append(round((now - before) / (many // BATCHES) / 1024, 1))
        before = now
    await pages.close(kept)
    return grew


async def run(sizes: Sizes) -> list[Result]:
    """Measure both, one after the other."""
    async with house() as home:
        cookie = home.signed_in()
        ours = await grown(
            home.pid,
            sizes,
            lambda many, name: pages.desks(home.url, cookie, many, name),
        )
    async with bare() as least_server:
        bare_sockets = await grown(
            least_server.pid,
            sizes,
            lambda many, _: pages.listeners(f"{least_server.url}/socket", many),
        )
    mean, least = sum(ours) / BATCHES, max(0.1, sum(bare_sockets) / BATCHES)
    return [
        Result(
            "memory",
            f"memory of one connected desk, {sizes.desks} desks in {BATCHES} batches",
            "kB a socket",
            Figures.of(ours),
            Figures.of(bare_sockets),
            short(mean / least),
            f"mean of the product in kB, aim ≤ {AIM:g}",
            short(mean),
            mean <= AIM,
            beside="bare socket",
            samples=tuple(ours),
            floor_samples=tuple(bare_sockets),
        )
    ]
