"""A way to the switchboard's SIP port, over UDP or TCP: whole messages in and out, each end bounded."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Final, Protocol

from telephony.sip.message import MAX_MESSAGE, SipDecodeError
from telephony.sip.write import Framer
from telephony.sources.feed import FeedCutError
from telephony.sources.receive_buffer import dropped, enlarge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

_READ: Final = 65536
#: Datagrams that wait to be read; more are dropped and counted.
_WAITING: Final = 1000
HostPort = tuple[str, int]


class SipTransport(Protocol):
    """One socket. `address` is where others reach it, as host:port."""

    address: str

    @property
    def lost(self) -> int:
        """Count the messages that were lost before they were read."""

    async def receive(self) -> list[tuple[bytes, HostPort | None]]:
        """Wait for messages, each with whom to reply to. Raises FeedCutError when the line is lost."""

    def send(self, data: bytes, to: HostPort | None = None) -> None:
        """Send a message, to the switchboard unless told."""


@asynccontextmanager
async def udp(
    server: HostPort, bind: HostPort, allow: Sequence[str], reject: Callable[[str], None]
) -> AsyncIterator[SipTransport]:
    """Open a UDP socket that hears only `allow`. Raises OSError and ValueError (a bad network)."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(*server, type=socket.SOCK_DGRAM)
    family, _, _, _, where = found[0]
    peer = (str(where[0]), int(where[1]))
    local = (bind[0] or _towards(family, peer), bind[1])
    line = _UdpLine(peer, allow, reject)
    transport, _ = await loop.create_datagram_endpoint(lambda: line, local_addr=local)
    try:
        line.address = _written(transport.get_extra_info("sockname"))
        yield line
    finally:
        transport.close()


@asynccontextmanager
async def tcp(
    server: HostPort, bind: HostPort, reject: Callable[[str], None]
) -> AsyncIterator[SipTransport]:
    """Open a TCP connection. Raises OSError."""
    local = (bind[0], 0) if bind[0] else None
    reader, writer = await asyncio.open_connection(*server, local_addr=local)
    try:
        yield _TcpLine(reader, writer, reject)
    finally:
        writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await writer.wait_closed()


def _towards(family: int, peer: HostPort) -> str:
    """Find which of our addresses leads there; nothing is sent."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect(peer)
        return str(probe.getsockname()[0])


def _written(name: tuple[str, int]) -> str:
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _networks(allow: Sequence[str]) -> Callable[[str], bool]:
    """Make the judge of sources; an IPv4 address mapped in IPv6 is the IPv4 one."""
    networks = [ip_network(each) for each in allow]

    @lru_cache(maxsize=1024)
    def allowed(host: str) -> bool:
        address = ip_address(host.partition("%")[0])
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return any((mapped or address) in network for network in networks)

    return allowed


class _UdpLine(asyncio.DatagramProtocol):
    def __init__(
        self, server: HostPort, allow: Sequence[str], reject: Callable[[str], None]
    ) -> None:
        self.address = ""
        self._server = server
        self._allowed = _networks(allow)
        self._reject = reject
        self._queue: asyncio.Queue[tuple[bytes, HostPort] | None] = asyncio.Queue()
        self._transport: asyncio.DatagramTransport | None = None
        self._overflow = 0

    @property
    def lost(self) -> int:
        """Count what found no room here, and what the kernel lost."""
        found = self._transport.get_extra_info("socket") if self._transport else None
        return self._overflow + (dropped(found) if found is not None else 0)

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport
        enlarge(transport.get_extra_info("socket"))

    def datagram_received(self, data: bytes, addr: HostPort) -> None:
        """Judge a datagram by source, then by size."""
        if not self._allowed(addr[0]):
            self._reject("source")
        elif len(data) > MAX_MESSAGE:
            self._reject("too_large")
        elif self._queue.qsize() >= _WAITING:
            self._overflow += 1
        elif data.strip(b"\r\n\0"):
            self._queue.put_nowait((data, addr))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- whatever the reason
        self._queue.put_nowait(None)

    async def receive(self) -> list[tuple[bytes, HostPort | None]]:
        taken = [await self._queue.get()]
        while not self._queue.empty():
            taken.append(self._queue.get_nowait())
        if None in taken:
            raise FeedCutError("socket closed")
        return [(each[0], each[1]) for each in taken if each]

    def send(self, data: bytes, to: HostPort | None = None) -> None:
        if self._transport is not None:
            self._transport.sendto(data, to or self._server)


class _TcpLine:
    lost = 0  # TCP loses nothing: who sends waits

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        reject: Callable[[str], None],
    ) -> None:
        self.address = _written(writer.get_extra_info("sockname"))
        self._reader, self._writer, self._reject = reader, writer, reject
        self._framer = Framer()

    async def receive(self) -> list[tuple[bytes, HostPort | None]]:
        data = await self._reader.read(_READ)
        if not data:
            raise FeedCutError("ended")
        try:
            return [(each, None) for each in self._framer.feed(data)]
        except SipDecodeError as error:
            self._reject(error.reason)
            raise FeedCutError("framing") from None

    def send(self, data: bytes, to: HostPort | None = None) -> None:  # noqa: ARG002 -- one connection, one peer
        self._writer.write(data)
