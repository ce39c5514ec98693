"""PBXs and proxies mirror their signalling in HEP3; this reads and writes one packet.

HEP3/EEP, network protocol specification REV 37 (sipcapture.org): 0x0011 is the correlation id,
0x0010 a compressed payload, which is refused: it would let a small datagram fill the memory.
Sans-io. The only exception is HepDecodeError, whose `reason` is a stable slug.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

MAGIC: Final = b"HEP3"
SIP: Final = 1
MAX_PACKET: Final = 65535
_HEAD: Final = struct.Struct("!HHH")
_U16: Final = struct.Struct("!H")
_U32: Final = struct.Struct("!I")
_FIRST: Final = 6
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS: Final = 1_000_000
(
    *(_FAMILY, _TRANSPORT, _SRC4, _DST4, _SRC6, _DST6, _SPORT, _DPORT, _SEC, _USEC, _PROTOCOL),
    _CAPTURE,
) = range(1, 13)
_KEY: Final = 0x0E
_PAYLOAD: Final = 0x0F
_COMPRESSED: Final = 0x10
_CORRELATION: Final = 0x11
_NODE: Final = 0x13
#: Exact sizes in bytes of the chunks that are read.
_SIZES: Final = {
    _FAMILY: 1,
    _TRANSPORT: 1,
    _SRC4: 4,
    _DST4: 4,
    _SRC6: 16,
    _DST6: 16,
    _SPORT: 2,
    _DPORT: 2,
    _SEC: 4,
    _USEC: 4,
    _PROTOCOL: 1,
    _CAPTURE: 4,
}

Endpoint = tuple[str, int]


class HepDecodeError(ValueError):
    """The peer's mistake is data: `reason` is a slug to count by."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class HepPacket:
    """One captured message: who sent it to whom, when, and its bytes.

    `time` is aware UTC by the capture agent's clock. `payload` and `auth_key` are kept out of repr.
    """

    src: Endpoint
    dst: Endpoint
    time: datetime
    payload: bytes = field(repr=False)
    protocol: int = SIP
    transport: int = socket.IPPROTO_UDP
    capture_id: int = 0
    auth_key: bytes | None = field(default=None, repr=False)
    correlation_id: str = ""
    node_name: str = ""


def decode(data: bytes) -> HepPacket:
    """Read one HEP3 packet. Raises HepDecodeError and nothing else."""
    chunks = _chunks(data)
    for kind, size in _SIZES.items():
        if kind in chunks and len(chunks[kind]) != size:
            raise HepDecodeError("chunk_size")
    if _PAYLOAD not in chunks:
        raise HepDecodeError("compressed" if _COMPRESSED in chunks else "no_payload")
    try:
        src, dst = _endpoints(chunks)
        protocol = chunks[_PROTOCOL][0]
        time = _time(chunks)
    except KeyError:
        raise HepDecodeError("missing_chunk") from None
    return HepPacket(
        src=src,
        dst=dst,
        time=time,
        payload=chunks[_PAYLOAD],
        protocol=protocol,
        transport=chunks[_TRANSPORT][0] if _TRANSPORT in chunks else socket.IPPROTO_UDP,
        capture_id=_U32.unpack(chunks[_CAPTURE])[0] if _CAPTURE in chunks else 0,
        auth_key=chunks.get(_KEY),
        correlation_id=chunks.get(_CORRELATION, b"").decode("utf-8", "replace"),
        node_name=chunks.get(_NODE, b"").decode("utf-8", "replace"),
    )


def _chunks(data: bytes) -> dict[int, bytes]:
    """Cut the packet into its generic (vendor 0) chunks; the first of a repeated one wins."""
    if data[:4] != MAGIC:
        raise HepDecodeError("not_hep3")
    if len(data) < _FIRST:
        raise HepDecodeError("truncated")
    total = _U16.unpack_from(data, 4)[0]
    if total != len(data):
        raise HepDecodeError("truncated" if total > len(data) else "trailing_bytes")
    chunks: dict[int, bytes] = {}
    at = _FIRST
    while at < total:
        if at + _HEAD.size > total:
            raise HepDecodeError("chunk_length")
        vendor, kind, length = _HEAD.unpack_from(data, at)
        if length < _HEAD.size or at + length > total:
            raise HepDecodeError("chunk_length")
        if vendor == 0:
            chunks.setdefault(kind, data[at + _HEAD.size : at + length])
        at += length
    return chunks


def _endpoints(chunks: dict[int, bytes]) -> tuple[Endpoint, Endpoint]:
    """Read both addresses. Raises KeyError when one is missing."""
    ports = _U16.unpack(chunks[_SPORT])[0], _U16.unpack(chunks[_DPORT])[0]
    if _SRC4 in chunks:
        hosts = socket.inet_ntoa(chunks[_SRC4]), socket.inet_ntoa(chunks[_DST4])
    else:
        hosts = (
            socket.inet_ntop(socket.AF_INET6, chunks[_SRC6]),
            socket.inet_ntop(socket.AF_INET6, chunks[_DST6]),
        )
    return (hosts[0], ports[0]), (hosts[1], ports[1])


def _time(chunks: dict[int, bytes]) -> datetime:
    micro = _U32.unpack(chunks[_USEC])[0] if _USEC in chunks else 0
    if micro >= _MICROSECONDS:
        raise HepDecodeError("time")
    return _EPOCH + timedelta(seconds=_U32.unpack(chunks[_SEC])[0], microseconds=micro)


def encode(packet: HepPacket) -> bytes:
    """Write one HEP3 packet, for replays and tests. Raises ValueError when it does not fit."""
    v6 = ":" in packet.src[0]
    family = socket.AF_INET6 if v6 else socket.AF_INET
    since = packet.time - _EPOCH
    parts = [
        _chunk(_FAMILY, bytes([10 if v6 else 2])),
        _chunk(_TRANSPORT, bytes([packet.transport])),
        _chunk(_SRC6 if v6 else _SRC4, socket.inet_pton(family, packet.src[0])),
        _chunk(_DST6 if v6 else _DST4, socket.inet_pton(family, packet.dst[0])),
        _chunk(_SPORT, _U16.pack(packet.src[1])),
        _chunk(_DPORT, _U16.pack(packet.dst[1])),
        _chunk(_SEC, _U32.pack(since // timedelta(seconds=1))),
        _chunk(_USEC, _U32.pack(since.microseconds)),
        _chunk(_PROTOCOL, bytes([packet.protocol])),
        _chunk(_CAPTURE, _U32.pack(packet.capture_id)),
    ]
    if packet.auth_key is not None:
        parts.append(_chunk(_KEY, packet.auth_key))
    if packet.correlation_id:
        parts.append(_chunk(_CORRELATION, packet.correlation_id.encode()))
    if packet.node_name:
        parts.append(_chunk(_NODE, packet.node_name.encode()))
    body = b"".join([*parts, _chunk(_PAYLOAD, packet.payload)])
    if len(body) + _FIRST > MAX_PACKET:
        raise ValueError("larger than a HEP3 packet may be")
    return MAGIC + _U16.pack(len(body) + _FIRST) + body


def _chunk(kind: int, value: bytes) -> bytes:
    if len(value) + _HEAD.size > MAX_PACKET:
        raise ValueError("larger than a HEP3 chunk may be")
    return _HEAD.pack(0, kind, len(value) + _HEAD.size) + value
