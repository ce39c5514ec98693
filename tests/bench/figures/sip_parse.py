"""SIP messages of the recorded captures read, against three other parsers that read the same headers of them."""

from __future__ import annotations

import gc
import importlib
import logging
import time
import warnings
from typing import TYPE_CHECKING, Any

import aiosipua
import sipmessage

from telephony.sip import message as sip
from telephony.sources.hep import codec as hep
from telephony.sources.replay.feed import ABANDONED, PACKAGED, load_trace, packaged_trace
from tests.bench.results import Figures, Result, short
from tests.lab.server import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.bench.results import Sizes

MORE = ROOT / "tests" / "telephony" / "traces"
PRIVATE = "X-Line15-Call-ID"
AIM = 2.0  # times the fastest peer
SERIES = 10
#: Call-ID, CSeq, From and To with their tags, Via branches, ids of Call-Info, private header.
Read = tuple[str, tuple[int, str], tuple[str, str], tuple[str, str], tuple[str, ...], object, str]


def packets() -> list[bytes]:
    """Return every recorded packet that holds SIP, as it came."""
    traces = [packaged_trace(name) for name in (*PACKAGED, ABANDONED)]
    traces += [load_trace(path.parent) for path in sorted(MORE.glob("*/hep.jsonl"))]
    found = [packet for each in traces for packet in each.packets if packet.protocol == hep.SIP]
    return [hep.encode(packet) for packet in found]


def product(data: bytes) -> Read:
    """Read it as the server does."""
    message = sip.parse(data)
    from_, to = message.from_, message.to
    return (
        message.call_id,
        message.cseq or (0, ""),
        (from_.uri, from_.tag),
        (to.uri, to.tag),
        message.branches,
        message.nena_ids,
        message.first(PRIVATE.lower()),
    )


def by_sipmessage(data: bytes) -> Read:
    """Read it with sipmessage, whose headers are parsed when they are asked for."""
    message = sipmessage.Message.parse(data)
    from_, to, cseq = message.from_address, message.to_address, message.cseq
    return (
        message.call_id,
        (cseq.sequence, cseq.method),
        (str(from_.uri), from_.parameters.get("tag") or ""),
        (str(to.uri), to.parameters.get("tag") or ""),
        tuple(via.parameters.get("branch") or "" for via in message.via),
        _ids(message.headers.getlist("Call-Info")),
        message.headers.get(PRIVATE) or "",
    )


def by_aiosipua(data: bytes) -> Read:
    """Read it with aiosipua, whose headers are parsed when they are asked for."""
    message = aiosipua.SipMessage.parse(data)
    from_, to, cseq = message.from_addr, message.to_addr, message.cseq
    return (
        message.call_id or "",
        (cseq.seq, cseq.method) if cseq else (0, ""),
        (str(from_.uri), from_.tag or "") if from_ else ("", ""),
        (str(to.uri), to.tag or "") if to else ("", ""),
        tuple(via.branch or "" for via in message.via),
        _ids(message.get_header_values("Call-Info")),
        message.get_header(PRIVATE) or "",
    )


def _pyvoip() -> Callable[[bytes], Read]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # audioop
        importlib.import_module("pyVoIP.VoIP")  # pyVoIP.SIP cannot be the first
    parser: Any = importlib.import_module("pyVoIP.SIP").SIPMessage

    def by_pyvoip(data: bytes) -> Read:
        """Read it with pyVoIP, which parses all at once, the body too."""
        headers: dict[str, Any] = parser(data).headers
        from_, to, cseq = headers["From"], headers["To"], headers["CSeq"]
        return (
            headers["Call-ID"],
            (int(cseq["check"]), cseq["method"]),
            (from_["raw"], from_["tag"]),
            (to["raw"], to["tag"]),
            tuple(via.get("branch", "") for via in headers["Via"]),
            _ids([headers["Call-Info"]] if "Call-Info" in headers else []),
            headers.get(PRIVATE, ""),
        )

    return by_pyvoip


def _ids(values: Sequence[str]) -> object:
    """None of the others knows emergency identifiers: our reading of the value is lent to them."""
    return sip.emergency_ids([each for value in values for each in sip.split_list(value)])


def readers() -> dict[str, Callable[[bytes], Read]]:
    """Return who is compared, the product first."""
    logging.getLogger("aiosipua").setLevel(logging.ERROR)
    return {
        "product": product,
        "sipmessage": by_sipmessage,
        "aiosipua": by_aiosipua,
        "pyVoIP": _pyvoip(),
    }


def same(ours: Read, theirs: Read) -> bool:
    """Whether a peer read the same; how it writes a URI is its own affair."""
    return (ours[:2], ours[2][1], ours[3][1], *ours[4:]) == (
        *(theirs[:2], theirs[2][1], theirs[3][1]),
        *theirs[4:],
    )


def agreeing(messages: Sequence[bytes], read: Callable[[bytes], Read]) -> list[bytes]:
    """List the messages of which a peer reads what we read."""

    def alike(data: bytes) -> bool:
        try:
            return same(product(data), read(data))
        except Exception:  # noqa: BLE001 - a peer may raise what it likes
            return False

    return [data for data in messages if alike(data)]


def rate(messages: Sequence[bytes], read: Callable[[bytes], object], times: int) -> float:
    """Messages a second of processor."""
    begun = time.process_time()
    for _ in range(times):
        for data in messages:
            read(data)
    return round(times * len(messages) / max(time.process_time() - begun, 1e-6))


async def run(sizes: Sizes) -> list[Result]:
    """Let all read the messages that all of them read alike, in turn; then the HEP packets around them."""
    raw = packets()
    whole = [hep.decode(data).payload for data in raw]
    peers = readers()
    common, told = whole, []
    for name, read in peers.items():
        mine = agreeing(whole, read)
        told.append(f"{name} {len(mine)}")
        kept = set(mine)
        common = [data for data in common if data in kept]
    times = max(1, sizes.packets // SERIES // len(common))
    taken: dict[str, list[float]] = {name: [] for name in peers}
    hep_alone, both = [], []
    gc.collect()
    gc.freeze()
    for _ in range(SERIES):
        for name, read in peers.items():
            taken[name].append(rate(common, read, times))
        hep_alone.append(rate(raw, hep.decode, times))
        both.append(rate(raw, lambda data: product(hep.decode(data).payload), times))
    gc.unfreeze()
    figures = {name: Figures.of(each) for name, each in taken.items()}
    best = max((name for name in peers if name != "product"), key=lambda name: figures[name].p50)
    faster = short(figures["product"].p50 / figures[best].p50)
    others = ", ".join(f"{name} {figures[name].p50:g}" for name in peers if name != "product")
    packed, alone = Figures.of(both), Figures.of(hep_alone)
    return [
        Result(
            "sip_parse",
            f"SIP messages read, {len(common)} that all read alike, {times} times in {SERIES} parts, one core",
            "messages/s",
            figures["product"],
            figures[best],
            short(figures[best].p50 / figures["product"].p50),
            f"times {best}, aim ≥ {AIM:g}",
            faster,
            faster >= AIM,
            beside=best,
            note=f"messages/s: {others}; of {len(whole)} messages read as we do: {', '.join(told)}",
            samples=tuple(taken["product"]),
            floor_samples=tuple(taken[best]),
        ),
        Result(
            "hep_parse",
            f"HEP3 packets decoded and their SIP read, all {len(raw)} recorded ones, one core",
            "packets/s",
            packed,
            alone,
            short(alone.p50 / packed.p50),
            "packets/s",
            packed.p50,
            None,
            beside="HEP3 only",
            samples=tuple(both),
            floor_samples=tuple(hep_alone),
        ),
    ]
