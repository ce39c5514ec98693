"""`make bench`: every figure beside its floor in the same run; a table, and JSON in var/bench/.

Usage: scripts/bench [--list] [--quick] [--rounds N] [--seconds N] [--calls N] [FIGURE…]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.figures import (
    audit,
    caller_page,
    correlate,
    event_to_desk,
    facts,
    first_frame,
    invite,
    memory,
    networks,
    no_socket,
    relay,
    resync,
    shown,
    sip_parse,
    startup,
)
from tests.bench.results import QUICK, Sizes, keep

if TYPE_CHECKING:
    from tests.bench.results import Result

FIGURES: dict[str, Callable[[Sizes], Awaitable[list[Result]]]] = {
    "first_frame": first_frame.run,
    "caller_page": caller_page.run,
    "first_frame_networks": networks.first_frames,
    "address_change": networks.address_change,
    "narrow_networks": networks.narrow,
    "no_socket": no_socket.run,
    "call_shown": shown.run,
    "event_to_desk": event_to_desk.run,
    "invite": invite.run,
    "sip_parse": sip_parse.run,
    "facts": facts.run,
    "correlate": correlate.run,
    "resync": resync.run,
    "relay": relay.run,
    "audit": audit.run,
    "memory": memory.run,
    "startup": startup.run,
}
LIMIT = 120.0  # seconds a figure may take with the usual sizes; more only with more calls


async def measure(wanted: list[str], sizes: Sizes) -> list[Result]:
    """Take the figures one after the other; each row notes the machine's load before and after."""
    results: list[Result] = []
    for name in wanted:
        begun, load = time.monotonic(), os.getloadavg()[0]
        print(f"… {name}", end=" ", flush=True)
        async with asyncio.timeout(LIMIT * max(1.0, sizes.calls / 100_000)):
            taken = await FIGURES[name](sizes)
        print(f"{time.monotonic() - begun:.0f} s", flush=True)
        results += [replace(each, load=(load, os.getloadavg()[0])) for each in taken]
    return results


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("--list", action="store_true", help="name the figures")
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes: only that all can be taken"
    )
    parser.add_argument("--rounds", type=int, choices=range(2, 61), metavar="2-60")
    parser.add_argument("--seconds", type=float, metavar="2-120")
    parser.add_argument("--calls", type=int, choices=range(100, 2_000_001), metavar="100-2000000")
    parser.add_argument("figures", nargs="*", choices=[*FIGURES, []], metavar="FIGURE")
    return parser.parse_args(argv)


def sizes_of(asked: argparse.Namespace) -> Sizes:
    """Return the sizes asked for."""
    sizes = QUICK if asked.quick else Sizes()
    if asked.rounds:
        sizes = replace(sizes, rounds=asked.rounds)
    if asked.seconds:
        sizes = replace(sizes, seconds=min(120.0, max(2.0, asked.seconds)))
    if asked.calls:
        sizes = replace(sizes, calls=asked.calls)
    return sizes


def main() -> int:
    """Measure, show and keep."""
    asked = arguments()
    if asked.list:
        for name, run in FIGURES.items():
            first = (sys.modules[run.__module__].__doc__ or "").partition("\n")[0]
            print(f"{name:<20} {first}")
        return 0
    if not os.environ.get("LAB_NETNS"):
        print("start this by scripts/bench: it runs in a network of its own", file=sys.stderr)
        return 2
    begun = time.monotonic()
    results = asyncio.run(measure(asked.figures or list(FIGURES), sizes_of(asked)))
    print("", *(line for each in results for line in each.rows()), sep="\n")
    kept = keep(results).relative_to(Path.cwd())
    print(f"{time.monotonic() - begun:.0f} s; written to {kept}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
