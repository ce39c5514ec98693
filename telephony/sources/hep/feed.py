"""The safest look at a switchboard: it mirrors its signalling here and risks nothing.

Kamailio, OpenSIPS, Asterisk and FreeSWITCH send HEP3 over UDP. UDP sources can be forged on a flat
network: hence the allow-list and the key, and a dedicated VLAN in docs/telephony.md.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from functools import lru_cache, partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Final

from telephony.sources.feed import FeedHealth, FeedState, Gap, HealthBook, room, utc_now
from telephony.sources.hep.facts import DEFAULT_HEADERS
from telephony.sources.hep.reader import HepReader, PacketRefusedError
from telephony.sources.receive_buffer import dropped, enlarge

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from telephony.sources.feed import Emit

log = logging.getLogger(__name__)

LOOPBACK: Final = ("127.0.0.0/8", "::1/128")
MAX_PACKET: Final = 32768
#: Seconds of reading in one turn of the event loop: a flood keeps nobody else waiting for longer.
TURN: Final = 0.004


class HepFeed:
    """Listens for HEP3 on UDP and reports the facts of the SIP inside.

    `allow` lists the networks of capture agents (nobody else is heard; an empty list hears
    nobody), `quiet_after` is in seconds, `max_packet` in bytes. `port` 0 takes a free one; the
    bound one stands in `.port` once `.listening` is set. Raises ValueError for a bad network.
    """

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        auth_key: str | None = None,
        allow: Sequence[str] = LOOPBACK,
        private_headers: Sequence[str] = DEFAULT_HEADERS,
        stations: Collection[str] = (),
        quiet_after: float = 60.0,
        *,
        max_packet: int = MAX_PACKET,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.name = name
        self.port = port
        self.listening = asyncio.Event()
        self._address = (host, port)
        networks = [ip_network(each) for each in allow]
        self._allowed = lru_cache(maxsize=1024)(
            lambda host: any(_plain(host) in network for network in networks)
        )
        self._max = max_packet
        self._told = False
        self._clock = clock
        self._reader = HepReader(
            name, stations=stations, auth_key=auth_key, private_headers=private_headers
        )
        self._book = HealthBook(name, quiet_after=quiet_after, clock=clock)

    def health(self) -> FeedHealth:
        """Tell how the feed fares: `quiet` until the first packet and after a silence, `down` when it cannot listen."""
        return self._book.read()

    async def run(self, emit: Emit) -> None:
        """Listen until cancelled. Raises OSError when the port cannot be bound or is lost."""
        self._book.state(FeedState.STARTING)
        try:
            with await _bound(*self._address) as sock:
                self.port = sock.getsockname()[1]
                enlarge(sock)
                self._book.state(FeedState.QUIET)
                self.listening.set()
                with self._book.losing(partial(dropped, sock)):
                    await self._listen(sock, emit)
        finally:
            self.listening.clear()
            self._book.state(FeedState.DOWN)

    async def _listen(self, sock: socket.socket, emit: Emit) -> None:
        """Read for a moment a turn, and in a flood rest as long as that took: half of the time is the others'.

        Without room for facts nothing is read: the kernel then loses whole messages, and a repeated one tells all of
        it; the observer would not say again what found no room. What the kernel loses came after all that waits there:
        until the socket was seen empty, what is read was sent before the loss.
        """
        loop = asyncio.get_running_loop()
        lost, behind = dropped(sock), False
        while True:
            await room(emit)
            begun = loop.time()
            emptied = self._read(sock, emit, begun + TURN)
            known, lost = lost, dropped(sock)
            behind = behind or lost != known
            if behind:
                emit(Gap(self.name))
            behind = lost != known or (behind and not emptied)
            if emptied and not behind:
                await _readable(sock)
            else:
                await asyncio.sleep(loop.time() - begun)

    def _read(self, sock: socket.socket, emit: Emit, until: float) -> bool:
        """Take what has come, as long as there is time; tell whether that was all."""
        clock = asyncio.get_running_loop().time
        while clock() < until:
            try:
                data, address = sock.recvfrom(self._max + 1)
            except BlockingIOError:
                return True
            try:
                self._take(data, address[0], emit)
            except (
                Exception
            ) as defect:  # of ours: this datagram is lost, the next is read; one trace tells enough
                log.warning("telephony.datagram_failed", exc_info=None if self._told else defect)
                self._told = True
                self._book.reject("failed")
                emit(Gap(self.name))
        return False

    def _take(self, data: bytes, host: str, emit: Emit) -> None:
        """Judge one datagram: source first, then size, then key and content."""
        if not self._allowed(host):
            self._book.reject("source")
        elif len(data) > self._max:
            self._book.reject("oversize")
        else:
            skewed = self._reader.skewed
            try:
                facts = self._reader.read(data, self._clock())
            except PacketRefusedError as refusal:
                self._book.reject(refusal.reason, refusal.sample)
                return
            if self._reader.skewed > skewed:
                self._book.reject("clock_skew")
            self._book.message()
            self._book.lag(self._reader.lag)
            for fact in facts:
                emit(fact)


async def _bound(host: str, port: int) -> socket.socket:
    """Open a UDP socket there. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.settimeout(0)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock


async def _readable(sock: socket.socket) -> None:
    """Wait until a datagram has come."""
    loop = asyncio.get_running_loop()
    came = asyncio.Event()
    loop.add_reader(sock, came.set)
    try:
        await came.wait()
    finally:
        loop.remove_reader(sock)


def _plain(host: str) -> IPv4Address | IPv6Address:
    """Read an address, an IPv4 one mapped in IPv6 as IPv4, without its scope."""
    address = ip_address(host.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
