"""Facts correlated per second while 100, 1,000 and 10,000 calls live, against folding legs alone; a call's memory."""

from __future__ import annotations

import gc
import itertools
import time
import tracemalloc
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from telephony import (
    Alias,
    Aliased,
    AliasType,
    Answered,
    Direction,
    Held,
    HungUp,
    Number,
    Paired,
    Rang,
    Resumed,
)
from telephony.correlate.correlation import Correlator
from telephony.correlate.leg import fold
from tests.bench.results import Figures, Result, short

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from telephony import Fact
    from tests.bench.results import Sizes

START = datetime(2026, 1, 1, tzinfo=UTC)
STATIONS = tuple(str(1500 + each) for each in range(50))
AIM = 20_000.0
FLAT = 0.8  # of the pace with the fewest calls is kept with the most
SERIES = 10
PER_CALL = 11  # facts of a call's life
SOURCE = "hep"


def begun(number: int) -> list[Fact]:
    """A call of two legs through a switchboard that only capture sees, up to its answer; one each 100 ms."""
    at = START + timedelta(seconds=number * 0.1)
    answered = at + timedelta(seconds=1)
    caller = Number(f"+336{number % 100_000_000:08d}")
    near, far, incoming = f"sip:{number}", f"sip:{number}b", Direction.INCOMING
    station = STATIONS[number % len(STATIONS)]
    return [
        Aliased(near, at, SOURCE, Alias(AliasType.SIP_CALL_ID, near)),
        Rang(near, at, SOURCE, caller, "15", None, incoming),
        Aliased(far, at, SOURCE, Alias(AliasType.SIP_CALL_ID, far)),
        Paired(far, at, SOURCE, near, "same calling number"),
        Rang(far, at + timedelta(milliseconds=5), SOURCE, caller, station, station, incoming),
        Answered(far, answered, SOURCE),
        Answered(near, answered, SOURCE),
    ]


def ended(number: int) -> list[Fact]:
    """Return the rest of its life: held, resumed, over."""
    near, far = f"sip:{number}", f"sip:{number}b"
    at = START + timedelta(seconds=number * 0.1)
    after = [at + timedelta(seconds=each) for each in (20, 40, 60)]
    return [
        Held(far, after[0], SOURCE),
        Resumed(far, after[1], SOURCE),
        HungUp(far, after[2], SOURCE, "bye"),
        HungUp(near, after[2], SOURCE, "bye"),
    ]


def lives(numbers: Sequence[int]) -> Iterator[Fact]:
    """Tell each call from its beginning to its end."""
    for number in numbers:
        yield from begun(number)
        yield from ended(number)


def standing(live: int) -> Correlator:
    """Return a correlator that knows so many answered calls."""
    minted = itertools.count(1)
    correlator = Correlator(STATIONS, lambda: f"call-{next(minted)}")
    for number in range(live):
        for fact in begun(number):
            correlator.receive(fact)
    return correlator


class Folded:
    """The floor: what each fact makes of its own leg, and no calls."""

    def __init__(self) -> None:
        """Start with no leg."""
        self.legs: defaultdict[str, list[Fact]] = defaultdict(list)

    def receive(self, fact: Fact) -> None:
        """Fold its leg again."""
        facts = self.legs[fact.leg]
        facts.append(fact)
        fold(fact.leg, facts, STATIONS)


def paces(
    receive: Callable[[Fact], object], live: int, total: int, forget: Callable[[int], object]
) -> list[float]:
    """Facts a second of processor, part by part; the calls of a part are forgotten after it."""
    calls = max(1, total // SERIES // PER_CALL)
    found: list[float] = []
    gc.freeze()
    for part in range(SERIES):
        numbers = range(live + part * calls, live + (part + 1) * calls)
        told = list(lives(numbers))
        since = time.process_time()
        for fact in told:
            receive(fact)
        found.append(round(len(told) / max(time.process_time() - since, 1e-6)))
        for number in numbers:
            forget(number)
    gc.unfreeze()
    return found


def pace(live: int, total: int) -> list[float]:
    """Measure with so many calls in memory."""
    correlator = standing(live)

    def forget(number: int) -> None:
        call = correlator.call_of(f"sip:{number}")
        assert call, number
        assert not call.live, call
        correlator.forget(call.id)

    found = paces(correlator.receive, live, total, forget)
    assert len(correlator.live()) == live
    return found


def kilobytes(live: int, make: Callable[[], object]) -> float:
    """Memory of one call, of so many; what they share is counted too."""
    gc.collect()
    tracemalloc.start()
    kept = make()
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert kept
    return round(size / live / 1024, 2)


async def run(sizes: Sizes) -> list[Result]:
    """Measure the pace with few and with many calls, then what a call weighs."""
    by_live = {live: pace(live, sizes.packets) for live in sizes.live}
    folded = Folded()
    bare = paces(folded.receive, 0, sizes.packets, lambda _: None)
    medians = {live: Figures.of(each).p50 for live, each in by_live.items()}
    most, fewest = max(sizes.live), min(sizes.live)
    figures, least = Figures.of(by_live[most]), Figures.of(bare)
    slowest = min(medians.values())
    flat = medians[most] / medians[fewest]
    middle = sorted(sizes.live)[len(sizes.live) // 2]
    ours = kilobytes(middle, lambda: standing(middle))
    told = kilobytes(middle, lambda: [begun(number) for number in range(middle)])
    each = ", ".join(f"{pace:g} with {live}" for live, pace in medians.items())
    return [
        Result(
            "facts",
            f"facts correlated while {most} calls live, whole lives of calls in {SERIES} parts, one core",
            "facts/s",
            figures,
            least,
            short(least.p50 / figures.p50),
            f"slowest median in facts/s, aim ≥ {AIM:g} and flat within {1 - FLAT:.0%}",
            slowest,
            slowest >= AIM and flat >= FLAT,
            beside="legs folded",
            note=f"facts/s: {each}; the most keep {flat:.0%} of the fewest's pace",
            samples=tuple(by_live[most]),
            floor_samples=tuple(bare),
        ),
        Result(
            "facts_memory",
            f"memory of one live call of two legs, {middle} of them",
            "kB a call",
            Figures.of([ours]),
            Figures.of([told]),
            short(ours / told),
            "kB a call",
            ours,
            None,
            beside="its facts alone",
            samples=(ours,),
            floor_samples=(told,),
        ),
    ]
