"""Run the sessions, show what the process holds as they go by, and say whether that is flat."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.house import house
from tests.bench.meters import resident
from tests.kills.carrier import carrier
from tests.lab.process import own_folder, until
from tests.lab.server import VISIO15
from tests.memory.people import Regulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.house import House
    from tests.kills.carrier import Carrier

DESKS = 3  # more ask for more connections to the database at once, each with its cache
WARM = 800  # sessions before the first reading that counts: then the file is longer than the caches of its pages
FLAT = 1.0  # kilobytes a session, at most
SHOWN = 25


def slope(readings: list[tuple[int, int]]) -> float:
    """Return the kilobytes a session by least squares, after the warm-up."""
    counted = [each for each in readings if each[0] >= WARM] or readings
    if len(counted) < 2:
        return 0.0
    middle = sum(n for n, _ in counted) / len(counted)
    mean = sum(size for _, size in counted) / len(counted)
    over = sum((n - middle) * (size - mean) for n, size in counted)
    return over / sum((n - middle) ** 2 for n, _ in counted) / 1024


async def work(regulator: Regulator, numbers: Iterator[int], gateway: Carrier) -> None:
    """Take the next number until there is none."""
    for number in numbers:
        await regulator.session(number, gateway)


async def looked(home: House, file: Path) -> Counter[str]:
    """Ask the process what it holds."""
    file.unlink(missing_ok=True)
    os.kill(home.pid, signal.SIGUSR1)
    await until(file.exists, "the process says what it holds", timeout=120)
    return Counter(json.loads(file.read_text()))


def show_growth(before: Counter[str], after: Counter[str]) -> None:
    """Print what became more."""
    more = Counter(after)
    more.subtract(before)
    for what, many in more.most_common(SHOWN):
        print(f"  {many:>+8} of {after[what]:>7}  {what}")


async def run(sessions: int, every: int, desks: int, *, types: bool) -> float:
    """Go through them; return the kilobytes a session."""
    chance = random.Random(15)
    stations = tuple(str(1601 + number) for number in range(desks))
    async with own_folder("memory") as folder, carrier("repeated", chance) as gateway:
        extra = {
            "VISIO15_DEMO": "false",  # which sends nothing
            "VISIO15_SMS": json.dumps(gateway.settings()),
            "VISIO15_SMS_LIMITS": json.dumps({"site_hour": 0, "number_hour": 0}),
        }
        file = folder / "looked.json"
        program = (sys.executable, "-m", "tests.memory.looked_at", str(file)) if types else VISIO15
        async with house(stations=stations, extra=extra, program=program) as home:
            people = [
                Regulator(home.url, home.signed_in(station=station), station)
                for station in stations
            ]
            for each in people:
                await each.sit_down()
            readings, first, begun = list[tuple[int, int]](), None, time.monotonic()
            for done in range(every, sessions + 1, every):
                numbers = iter(range(done - every, done))
                async with asyncio.TaskGroup() as group:
                    for each in people:
                        group.create_task(work(each, numbers, gateway))
                readings.append((done, resident(home.pid)))
                if types:
                    found = await looked(home, file)
                    show_growth(first or found, found)
                    first = first or found
                pace = done / (time.monotonic() - begun)
                size = readings[-1][1] / 1024 / 1024
                print(f"{done:>6} sessions  {size:7.1f} MB  {pace:.1f} a second", flush=True)
            for each in people:
                await each.leave()
    return slope(readings)


def main() -> int:
    """Read the command line, and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.memory")
    parser.add_argument("--sessions", type=int, default=2000)
    parser.add_argument("--every", type=int, default=200)
    parser.add_argument("--desks", type=int, default=DESKS)
    parser.add_argument("--types", action="store_true", help="show what grows")
    asked = parser.parse_args()
    grows = asyncio.run(run(asked.sessions, asked.every, asked.desks, types=asked.types))
    print(f"{grows:.2f} kB a session after the first {WARM}, at most {FLAT:g}")
    return 1 if grows > FLAT else 0


if __name__ == "__main__":
    sys.exit(main())
