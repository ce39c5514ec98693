"""HEP3 packets decoded and correlated per second, against decoding only: real captures, every round new calls."""

from __future__ import annotations

import gc
import itertools
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from telephony.correlate.correlation import Correlator
from telephony.sip import message as sip
from telephony.sources.hep import codec as hep
from telephony.sources.hep.reader import HepReader
from telephony.sources.replay.feed import ABANDONED, PACKAGED, load_trace, packaged_trace
from telephony.sources.replay.remint import Reminter
from tests.bench.results import Figures, Result, short
from tests.lab.server import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from telephony.model.facts import Fact
    from tests.bench.results import Sizes

STATIONS = ("1501", "1601", "1602")
MORE = ROOT / "tests" / "telephony" / "traces"
AIM = 1000.0  # packets a second: fifty calls a second, ten times the worst night of a SAMU
SERIES = 10
Packet = tuple[bytes, "datetime"]


def rounds() -> Iterator[list[Packet]]:
    """Play every trace again for ever: fresh identifiers, and callers' numbers as recorded; a round a minute."""
    traces = [packaged_trace(name) for name in (*PACKAGED, ABANDONED)]
    traces += [load_trace(path.parent) for path in sorted(MORE.glob("*/hep.jsonl"))]
    first = max(each.origin for each in traces)
    for number in itertools.count():
        packets: list[Packet] = []
        for index, recorded in enumerate(traces):
            minter = Reminter()
            begun = first + timedelta(minutes=number, seconds=5 * index)
            for packet in recorded.packets:
                at = begun + (packet.time - recorded.origin)
                packets.append((hep.encode(minter.packet(packet, at)), at))
        yield sorted(packets, key=lambda each: each[1])


def series(total: int) -> list[list[Packet]]:
    """Cut whole rounds into equal parts."""
    source, made = rounds(), []
    for _ in range(SERIES):
        part: list[Packet] = []
        while len(part) < total / SERIES:
            part += next(source)
        made.append(part)
    return made


class Product:
    """What the server does with a packet, up to the change it would store."""

    def __init__(self) -> None:
        """Start with no call."""
        minted = itertools.count(1)
        self.reader = HepReader("hep", stations=STATIONS)
        self.correlator = Correlator(STATIONS, lambda: f"call-{next(minted)}")

    def read(self, packets: list[Packet]) -> None:
        """Decode, observe, correlate; then the tick that the runner does every five seconds."""
        for data, at in packets:
            facts: list[Fact] = self.reader.read(data, at)
            for fact in facts:
                self.correlator.receive(fact)
        self.correlator.expire(packets[-1][1])


def decode(packets: list[Packet]) -> None:
    """Decode only."""
    for data, _ in packets:
        packet = hep.decode(data)
        if packet.protocol == hep.SIP:
            sip.parse(packet.payload)


def _rate(many: int, seconds: float) -> float:
    return round(many / max(seconds, 1e-6))


async def run(sizes: Sizes) -> list[Result]:
    """Measure both in turn, part by part, in seconds of processor."""
    parts, product = series(sizes.packets), Product()
    ours: list[float] = []
    bare: list[float] = []
    gc.collect()
    gc.freeze()
    for part in parts:
        begun = time.process_time()
        decode(part)
        between = time.process_time()
        product.read(part)
        ended = time.process_time()
        bare.append(_rate(len(part), between - begun))
        ours.append(_rate(len(part), ended - between))
    gc.unfreeze()
    figures, least = Figures.of(ours), Figures.of(bare)
    calls = len(product.correlator.calls())
    return [
        Result(
            "correlate",
            f"HEP3 packets decoded and correlated, {sum(map(len, parts))} in {SERIES} parts, one core",
            "packets/s",
            figures,
            least,
            short(least.p50 / figures.p50),
            f"slowest part in packets/s, aim ≥ {AIM:g}",
            min(ours),
            min(ours) >= AIM,
            beside="decoded only",
            note=f"{calls} calls in memory at the end; first part {ours[0]:g}, last part {ours[-1]:g} packets/s",
            samples=tuple(ours),
            floor_samples=tuple(bare),
        )
    ]
