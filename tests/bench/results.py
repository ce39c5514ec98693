"""What is kept of a measurement, and how it is shown."""

from __future__ import annotations

import json
import math
import os
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

OUT = Path(__file__).resolve().parents[2] / "var" / "bench"


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    rounds: int = 15  # taps; also programs started
    seconds: float = 12.0  # of calls, of invitations
    paces: tuple[int, ...] = (20, 100)  # calls a second
    packets: int = 20_000  # read; also facts correlated
    live: tuple[int, ...] = (100, 1000, 10_000)  # calls in memory meanwhile
    channels: int = 1000  # that a switchboard lists
    idle: tuple[int, ...] = (100, 1000)  # sockets that only listen
    pairs: int = 20  # phones that speak to a desk
    bursts: int = 6  # of 80 messages a pair
    calls: int = 100_000  # in the database
    databases: tuple[str, ...] = ("sqlite", "postgresql")
    lookups: int = 100
    desks: int = 200  # connected
    settle: float = (
        0.5  # seconds until memory is read, and a quarter of those in which silence is listened to
    )


#: Enough to show that every figure can still be taken.
QUICK = Sizes(
    rounds=1,
    seconds=1.0,
    paces=(20,),
    packets=600,
    live=(10, 20),
    channels=10,
    idle=(3,),
    pairs=2,
    bursts=1,
    calls=300,
    databases=("sqlite",),
    lookups=3,
    desks=8,
    settle=0.05,
)


@dataclass(frozen=True)
class Figures:
    """One series."""

    n: int
    p50: float
    p90: float
    p95: float
    p99: float
    most: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> Figures:
        """Rank them; digits that mean nothing are dropped."""
        ranked = sorted(samples)

        def at(share: float) -> float:
            return short(ranked[max(0, math.ceil(share * len(ranked)) - 1)])

        return cls(len(ranked), at(0.5), at(0.9), at(0.95), at(0.99), short(ranked[-1]))


def short(value: float) -> float:
    """Keep what can be read: no decimals of thousands, two of small numbers."""
    return round(value, 2 if abs(value) < 10 else 1 if abs(value) < 1000 else 0)


@dataclass(frozen=True)
class Result:
    """One figure of the product beside its floor, and what it is judged by.

    `ratio` says how many times the floor it costs, whatever the unit; `met` is None where no aim is set.
    """

    name: str
    what: str
    unit: str
    product: Figures
    floor: Figures
    ratio: float
    aim: str
    value: float
    met: bool | None
    lost: int = 0
    note: str = ""
    beside: str = "floor"
    samples: tuple[float, ...] = ()
    floor_samples: tuple[float, ...] = ()
    load: tuple[float, float] = (0.0, 0.0)  # of the machine, before and after

    def rows(self) -> list[str]:
        """Return its part of the table."""

        def row(who: str, f: Figures) -> str:
            cells = " ".join(f"{value:>9g}" for value in (f.p50, f.p90, f.p95, f.p99, f.most))
            return f"  {who:<14} {f.n:>5} {cells}"

        verdict = {True: " (met)", False: " (NOT met)", None: ""}[self.met]
        lost = f"; never arrived: {self.lost}" if self.lost else ""
        heads = " ".join(f"{head:>9}" for head in ("p50", "p90", "p95", "p99", "most"))
        return [
            f"{self.name}: {self.what}",
            f"  {self.unit:<14} {'n':>5} {heads}",
            row("product", self.product),
            row(self.beside, self.floor),
            (
                f"  ratio {self.ratio:g}; {self.aim}: {self.value:g}{verdict}{lost}; "
                f"load {self.load[0]:.1f} → {self.load[1]:.1f}"
            ),
            *([f"  {self.note}"] if self.note else []),
            "",
        ]


def keep(results: Sequence[Result], out: Path = OUT) -> Path:
    """Write the figures, with the machine they were measured on."""
    out.mkdir(parents=True, exist_ok=True)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    path = out / f"{stamp}.json"
    machine = {
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }
    whole = {"at": stamp, "machine": machine, "results": [asdict(each) for each in results]}
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
    return path
