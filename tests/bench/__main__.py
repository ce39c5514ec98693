"""`make bench`: every figure beside its floor in the same run; a table, and JSON in var/bench/.

Usage: scripts/bench [--rounds N] [--seconds N] [first_frame] [call_shown]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from tests.bench import first_frame, shown
from tests.bench.figures import Result, keep


async def measure(wanted: list[str], rounds: int, seconds: float) -> list[Result]:
    results = []
    if "first_frame" in wanted:
        print(f"… {rounds} taps, then {rounds} between bare pages", flush=True)
        results.append(await first_frame.run(rounds))
    if "call_shown" in wanted:
        print(f"… {seconds:g} s of calls, then {seconds:g} s of bare packets", flush=True)
        results.append(await shown.run(seconds))
    return results


def main() -> int:
    names = ("first_frame", "call_shown")
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("--rounds", type=int, default=15, choices=range(2, 61), metavar="2-60")
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("figures", nargs="*", choices=[*names, []])
    asked = parser.parse_args()
    if not os.environ.get("LAB_NETNS"):
        print("start this by scripts/bench: it runs in a network of its own", file=sys.stderr)
        return 2
    seconds = min(120.0, max(2.0, asked.seconds))
    results = asyncio.run(measure(asked.figures or list(names), asked.rounds, seconds))
    print("", *(line for each in results for line in each.rows()), sep="\n")
    print(f"written to {keep(results).relative_to(Path.cwd())}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
