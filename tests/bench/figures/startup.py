"""`visio15 serve` until /readyz answers 200, against a Python that only imports the two large libraries."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING

from tests.bench.house import furnished, settings
from tests.bench.results import Figures, Result, short
from tests.lab.ports import free_port
from tests.lab.process import own_folder
from tests.lab.server import server

if TYPE_CHECKING:
    from tests.bench.results import Sizes

LIBRARIES = "import tornado.web, sqlalchemy.ext.asyncio, pydantic_settings, alembic.config"
AIM = 3.0


async def _floor() -> float:
    begun = time.monotonic()
    python = await asyncio.create_subprocess_exec(sys.executable, "-c", LIBRARIES)
    await python.wait()
    return (time.monotonic() - begun) * 1000


async def run(sizes: Sizes) -> list[Result]:
    """Start both in turn."""
    ours: list[float] = []
    bare: list[float] = []
    async with own_folder("bench") as folder:
        database = f"sqlite+aiosqlite:///{folder}/visio15.db"
        await furnished(database)
        for _ in range(min(sizes.rounds, 6) + 1):
            bare.append(round(await _floor(), 1))
            env = settings(folder, free_port(), database, "localhost")
            begun = time.monotonic()
            async with server(env["VISIO15_PUBLIC_URL"], env, prepare=()):
                ours.append(round((time.monotonic() - begun) * 1000, 1))
    figures, least = Figures.of(ours[1:]), Figures.of(bare[1:])
    ratio = short(figures.p50 / least.p50)
    return [
        Result(
            "startup",
            "visio15 serve → GET /readyz answers 200",
            "ms",
            figures,
            least,
            ratio,
            f"p50 product / p50 imports, aim ≤ {AIM:g}",
            ratio,
            ratio <= AIM,
            beside="imports only",
            note=f"beside: python -c '{LIBRARIES}'",
            samples=tuple(ours[1:]),
            floor_samples=tuple(bare[1:]),
        )
    ]
