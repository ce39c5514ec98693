"""Run the storm and say what it did; the status is 0 when nothing was lost."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time

from tests.kills.carrier import RECEIPTS
from tests.kills.storm import storm


def main() -> int:
    """Read the command line, and kill."""
    parser = argparse.ArgumentParser(prog="python -m tests.kills")
    parser.add_argument("--kills", type=int, default=60, choices=range(1, 501), metavar="1-500")
    parser.add_argument("--database", default="sqlite", choices=("sqlite", "postgres"))
    parser.add_argument("--receipts", default="repeated", choices=RECEIPTS)
    parser.add_argument("--seed", type=int, default=15)
    asked = parser.parse_args()
    begun = time.monotonic()
    damage = asyncio.run(
        storm(asked.kills, kind=asked.database, receipts=asked.receipts, seed=asked.seed)
    )
    print(f"{asked.database}, receipts {asked.receipts}, {time.monotonic() - begun:.0f} s:")
    print(damage.text())
    return 1 if damage.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
