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
class Figures:
    """One series in milliseconds."""

    n: int
    p50: float
    p90: float
    p99: float
    most: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> Figures:
        ranked = sorted(samples)

        def at(share: float) -> float:
            return round(ranked[max(0, math.ceil(share * len(ranked)) - 1)], 1)

        return cls(len(ranked), at(0.5), at(0.9), at(0.99), round(ranked[-1], 1))


@dataclass(frozen=True)
class Result:
    """One figure of the product beside its floor, and what it is judged by."""

    name: str
    what: str
    product: Figures
    floor: Figures
    aim: str
    value: float
    met: bool
    lost: int = 0
    samples: tuple[float, ...] = ()
    floor_samples: tuple[float, ...] = ()

    def rows(self) -> list[str]:
        def row(who: str, f: Figures) -> str:
            return f"  {who:<8} {f.n:>4}  {f.p50:>8} {f.p90:>8} {f.p99:>8} {f.most:>8}"

        verdict = "met" if self.met else "NOT met"
        return [
            f"{self.what}",
            f"  {'ms':<8} {'n':>4}  {'p50':>8} {'p90':>8} {'p99':>8} {'most':>8}",
            row("product", self.product),
            row("floor", self.floor),
            f"  {self.aim}: {self.value:g} ({verdict}); never arrived: {self.lost}",
            "",
        ]


def keep(results: Sequence[Result]) -> Path:
    """Write the figures, with the machine they were measured on."""
    OUT.mkdir(parents=True, exist_ok=True)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    path = OUT / f"{stamp}.json"
    machine = {
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }
    whole = {"at": stamp, "machine": machine, "results": [asdict(each) for each in results]}
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
    return path
