"""The safest look at a switchboard: it mirrors its signalling here and risks nothing.

Kamailio, OpenSIPS, Asterisk and FreeSWITCH send HEP3 over UDP. UDP sources can be forged on a flat
network: hence the allow-list and the key, and a dedicated VLAN in docs/telephony.md.
"""

from __future__ import annotations

import asyncio
import socket
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Final

from telephony.facts_from_sip import DEFAULT_HEADERS
from telephony.feed import FeedHealth, FeedState, HealthBook, utc_now
from telephony.hep_reader import HepReader, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from telephony.facts import Fact

LOOPBACK: Final = ("127.0.0.0/8", "::1/128")
MAX_PACKET: Final = 32768
_BUFFER: Final = 4 * 1024 * 1024


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
        self._clock = clock
        self._reader = HepReader(
            name, stations=stations, auth_key=auth_key, private_headers=private_headers
        )
        self._book = HealthBook(name, quiet_after=quiet_after, clock=clock)

    def health(self) -> FeedHealth:
        """Tell how the feed fares: `quiet` until the first packet and after a silence, `down` when it cannot listen."""
        return self._book.read()

    async def run(self, emit: Callable[[Fact], None]) -> None:
        """Listen until cancelled. Raises OSError when the port cannot be bound or is lost."""
        loop = asyncio.get_running_loop()
        lost: asyncio.Future[None] = loop.create_future()
        self._book.state(FeedState.STARTING)
        try:
            transport, _ = await loop.create_datagram_endpoint(
                lambda: _Listener(lambda data, host: self._take(data, host, emit), lost),
                local_addr=self._address,
            )
            try:
                self.port = transport.get_extra_info("sockname")[1]
                _enlarge(transport)
                self._book.state(FeedState.QUIET)
                self.listening.set()
                await lost
            finally:
                transport.close()
        finally:
            self.listening.clear()
            self._book.state(FeedState.DOWN)

    def _take(self, data: bytes, host: str, emit: Callable[[Fact], None]) -> None:
        """Judge one datagram: source first, then size, then key and content."""
        if not self._allowed(host):
            self._book.reject("source")
        elif len(data) > self._max:
            self._book.reject("oversize")
        else:
            skewed = self._reader.skewed
            try:
                facts = self._reader.read(data, self._clock())
            except RefusedError as refusal:
                self._book.reject(refusal.reason, refusal.sample)
                return
            if self._reader.skewed > skewed:
                self._book.reject("clock_skew")
            self._book.message()
            self._book.lag(self._reader.lag)
            for fact in facts:
                emit(fact)


class _Listener(asyncio.DatagramProtocol):
    """Asyncio's side of the socket; errors of single datagrams are not the feed's end."""

    def __init__(self, take: Callable[[bytes, str], None], lost: asyncio.Future[None]) -> None:
        self._take = take
        self._lost = lost

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Pass the datagram on with its source host."""
        self._take(data, addr[0])

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake the feed: the socket is gone."""
        if not self._lost.done():
            self._lost.set_exception(exc or OSError("the capture socket closed"))


def _plain(host: str) -> IPv4Address | IPv6Address:
    """Read an address, an IPv4 one mapped in IPv6 as IPv4, without its scope."""
    address = ip_address(host.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _enlarge(transport: asyncio.DatagramTransport) -> None:
    """Ask for a buffer that holds a burst; the kernel gives what it allows."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
