"""The manager feed learns 1,000 live channels from an Asterisk, against the same bytes cut into messages only."""

from __future__ import annotations

import asyncio
import gc
import time
from typing import TYPE_CHECKING

from telephony.sources.ami.codec import AmiDecoder, AmiMessage
from telephony.sources.ami.feed import AmiFeed
from tests.bench.results import Figures, Result, short
from tests.telephony.shell import in_background, running, until
from tests.telephony.sources.ami.player import AmiServer, serving, written

if TYPE_CHECKING:
    from tests.bench.results import Sizes

STATION = "1501"
CHUNK = 65536  # bytes that the feed reads at once
AIM = 2.0  # seconds after a cut
ROUNDS = 5


def channel(number: int) -> AmiMessage:
    """Tell of a caller's channel that is up."""
    uniqueid = f"1763800000.{number}"
    fields = {
        "Event": "Newstate",
        "Channel": f"PJSIP/operateur-{number:08x}",
        "ChannelState": "6",
        "ChannelStateDesc": "Up",
        "CallerIDNum": f"+336{number:08d}",
        "ConnectedLineNum": STATION,
        "Context": "entree",
        "Exten": "15",
        "Uniqueid": uniqueid,
        "Linkedid": uniqueid,
    }
    return AmiMessage({key.lower(): (value,) for key, value in fields.items()})


def listed(server: AmiServer) -> bytes:
    """Return what the list of channels is made of."""
    return b"".join(written(each) for each in server.listed("channels"))


async def connect(server: AmiServer, channels: int) -> float:
    """Connect a new feed; return the seconds from its start until all the calls are known."""
    feed = AmiFeed(
        "ami", "127.0.0.1", server.port, server.username, server.secret, stations=[STATION]
    )
    async with running([], tick=60.0) as (runner, _):
        begun = time.perf_counter()
        async with in_background(feed.run(runner.emit)):
            await until(lambda: feed.health().resynced is not None, timeout=60)
            await runner.drained()
            taken = time.perf_counter() - begun
        assert len(runner.correlator.live()) == channels, len(runner.correlator.live())
    return taken


def decoded(data: bytes, channels: int) -> float:
    """Cut the same bytes into messages; return the seconds."""
    decoder, found = AmiDecoder(), 0
    begun = time.perf_counter()
    for at in range(0, len(data), CHUNK):
        found += len(decoder.feed(data[at : at + CHUNK]))
    taken = time.perf_counter() - begun
    assert found == channels, found
    return taken


async def run(sizes: Sizes) -> list[Result]:
    """Connect several times, each time knowing nothing."""
    ours, bare = [], []
    async with serving(AmiServer()) as server:
        server.play([channel(number) for number in range(sizes.channels)])
        data = listed(server)
        gc.collect()
        gc.freeze()
        for _ in range(min(sizes.rounds, ROUNDS)):
            bare.append(round(decoded(data, sizes.channels) * 1000, 1))
            ours.append(round(await connect(server, sizes.channels) * 1000, 1))
            await asyncio.sleep(0)
        gc.unfreeze()
    figures, least = Figures.of(ours), Figures.of(bare)
    return [
        Result(
            "resync",
            f"a manager connection lost and made again, {sizes.channels} live channels, player in the same process",
            "ms",
            figures,
            least,
            short(figures.p50 / max(least.p50, 0.01)),
            f"longest in s, aim ≤ {AIM:g}",
            short(figures.most / 1000),
            figures.most / 1000 <= AIM,
            beside="decoded only",
            note=f"{len(data) // 1024} kB of list; connecting, signing in, asking and correlating included",
            samples=tuple(ours),
            floor_samples=tuple(bare),
        )
    ]
