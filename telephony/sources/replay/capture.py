"""What a capture file (pcap, pcapng) holds of SIP and HEP, whatever kind of network it was taken on. Sans-io.

Read: several interfaces of several kinds, IPv4 and IPv6, fragments put together, SIP over UDP and TCP. What is left
out is counted by reason; a file of which no interface can be read is refused, never read as something else.
draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng; RFC 791, 8200, 9293.
"""

from __future__ import annotations

import struct
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, NamedTuple

from telephony.sip.message import SipDecodeError
from telephony.sip.write import Framer
from telephony.sources.hep import codec as hep
from telephony.sources.replay.link_types import UnreadLinkTypeError, ip_packet, is_read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    _End = tuple[str, int]

#: First four bytes → order of bytes, parts of a second, length of a packet's header (24: Kuznetzov's tcpdump).
_PCAP: Final = {
    b"\xa1\xb2\xc3\xd4": (">", 10**6, 16),
    b"\xd4\xc3\xb2\xa1": ("<", 10**6, 16),
    b"\xa1\xb2\x3c\x4d": (">", 10**9, 16),
    b"\x4d\x3c\xb2\xa1": ("<", 10**9, 16),
    b"\xa1\xb2\xcd\x34": (">", 10**6, 24),
    b"\x34\xcd\xb2\xa1": ("<", 10**6, 24),
}
_PCAPNG: Final = b"\x0a\x0d\x0d\x0a"
#: How a capture file begins.
BEGINS: Final = (*_PCAP, _PCAPNG)
_SECTION, _INTERFACE, _PACKET, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_TSRESOL, _TSOFFSET = 9, 14
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TCP, _UDP = 6, 17
_VERSION_4, _VERSION_6 = 4, 6
_V6_OPTIONS: Final = frozenset({0, 43, 60})
_V6_FRAGMENT: Final = 44
_SYN, _RST = 2, 4
_KEPT: Final = 4096
_PENDING: Final = 16
_HALF, _WHOLE = 1 << 31, 1 << 32


class NoReadableInterfaceError(ValueError):
    """No interface of a capture is of a kind that is read; `links` are their numbers."""

    def __init__(self, links: tuple[int, ...]) -> None:
        super().__init__(f"link types {links}")
        self.links = links


class Payload(NamedTuple):
    """One SIP message or HEP packet, as one end sent it to the other."""

    at: datetime
    src: _End
    dst: _End
    data: bytes


class _Frame(NamedTuple):
    """What one interface saw; `whole` is False when less was kept than was sent."""

    at: datetime
    link: int
    data: bytes
    whole: bool


class _Interface(NamedTuple):
    link: int
    parts: int = 10**6
    offset: int = 0


class _Packet(NamedTuple):
    """One IP packet: `fragment` is where it stands in the whole, whether more follow, and which whole."""

    src: str
    dst: str
    protocol: int
    data: bytes
    fragment: tuple[int, bool, int] | None = None


@dataclass(slots=True)
class _Fragments:
    """A datagram that comes in parts, by where each begins; `size` is known once its last one is there."""

    parts: dict[int, bytes] = field(default_factory=dict)
    held: int = 0
    size: int | None = None

    def add(self, offset: int, data: bytes, *, more: bool) -> bool:
        """Take one part; whether there may be all of them now."""
        self.held += len(data) - len(self.parts.get(offset, b""))
        self.parts[offset] = data
        if not more:
            self.size = offset + len(data)
        return self.size is not None and self.held >= self.size

    def joined(self) -> bytes | None:
        """Put it together; None when the parts do not follow each other (RFC 5722)."""
        at, found = 0, []
        while part := self.parts.get(at):
            found.append(part)
            at += len(part)
        return b"".join(found) if at == self.size else None


@dataclass(slots=True)
class _Stream:
    """One direction of a TCP connection: the next byte that is due, None while it speaks no SIP."""

    due: int | None = None
    framer: Framer = field(default_factory=Framer)
    pending: dict[int, tuple[datetime, bytes]] = field(default_factory=dict)


class Capture:
    """Reads one file. `dropped` counts what was left out, once `payloads` has been read to its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.dropped: Counter[str] = Counter()
        self._fragments: OrderedDict[tuple[str, str, int, int], _Fragments] = OrderedDict()
        self._streams: OrderedDict[tuple[_End, _End], _Stream] = OrderedDict()

    def payloads(self) -> Iterator[Payload]:
        """Give what is SIP or HEP, in the order of the file. Raises UnreadLinkTypeError."""
        frames = _pcapng if self._data.startswith(_PCAPNG) else _pcap
        for frame in frames(self._data, self.dropped):
            try:
                data = ip_packet(frame.link, frame.data)
                packet = self._joined(_packet(data)) if data else None
                found = self._carried(frame, packet) if packet else ()
            except UnreadLinkTypeError as error:
                self.dropped[f"link_{error.link}"] += 1
                continue
            except (IndexError, StopIteration, struct.error, ValueError):
                self.dropped["frame"] += 1
                continue
            yield from found
        self.dropped["fragment"] += len(self._fragments)
        for ends in tuple(self._streams):
            yield from self._rest(ends)
        self.dropped = +self.dropped

    def _joined(self, packet: _Packet | None) -> _Packet | None:
        """Put a datagram together that came in fragments; None while some are missing."""
        if packet is None or packet.fragment is None:
            return packet
        offset, more, whole = packet.fragment
        key = (packet.src, packet.dst, packet.protocol, whole)
        parts = self._fragments.setdefault(key, _Fragments())
        if parts.add(offset, packet.data, more=more):
            del self._fragments[key]
            if (data := parts.joined()) is not None:
                return packet._replace(data=data, fragment=None)
            self.dropped["fragment"] += 1
        if len(self._fragments) > _KEPT:
            self._fragments.popitem(last=False)
            self.dropped["fragment"] += 1
        return None

    def _carried(self, frame: _Frame, packet: _Packet) -> list[Payload]:
        """Return the messages that end with this packet."""
        if packet.protocol not in {_TCP, _UDP}:
            return []
        sport, dport = struct.unpack_from(">HH", packet.data)
        ends = (packet.src, int(sport)), (packet.dst, int(dport))
        if packet.protocol == _UDP:
            (length,) = struct.unpack_from(">H", packet.data, 4)
            data = packet.data[8 : length or None]
            if not _ours(data):
                return []
            if len(packet.data) < length:
                self.dropped["cut"] += 1
                return []
            return [Payload(frame.at, *ends, data)]
        data = packet.data[(packet.data[12] >> 4) * 4 :]
        if not frame.whole and _ours(data):
            self.dropped["cut"] += 1
            return []
        (number,) = struct.unpack_from(">I", packet.data, 4)
        return list(self._segment(frame.at, ends, packet.data[13], number, data))

    def _segment(
        self, at: datetime, ends: tuple[_End, _End], flags: int, number: int, data: bytes
    ) -> Iterator[Payload]:
        """Take one segment of a stream and give the messages that are whole with it."""
        if flags & (_SYN | _RST):
            yield from self._rest(ends)
            return
        if data.startswith(hep.MAGIC):
            yield Payload(at, *ends, data)
            return
        stream = self._streams.get(ends)
        if not data:
            return
        if stream is None:
            if not _ours(data):
                return
            if len(self._streams) >= _KEPT:
                yield from self._rest(next(iter(self._streams)))
            stream = self._streams[ends] = _Stream(number)
        stream.pending[number] = (at, data)
        yield from (Payload(when, *ends, each) for when, each in self._flow(stream))
        while len(stream.pending) > _PENDING:
            yield from (Payload(when, *ends, each) for when, each in self._past_gap(stream))

    def _rest(self, ends: tuple[_End, _End]) -> Iterator[Payload]:
        """Forget a stream; give what waits in it behind a gap."""
        stream = self._streams.pop(ends, None)
        while stream and stream.pending:
            yield from (Payload(at, *ends, each) for at, each in self._past_gap(stream))

    def _past_gap(self, stream: _Stream) -> Iterator[tuple[datetime, bytes]]:
        """Go on without what was not captured."""
        self.dropped["tcp_gap"] += 1
        stream.due, stream.framer = None, Framer()
        return self._flow(stream)

    def _flow(self, stream: _Stream) -> Iterator[tuple[datetime, bytes]]:
        """Cut what came in order; after a gap, from the next segment on that begins a message."""
        while stream.pending:
            if stream.due is None:
                begins = [number for number, (_, data) in stream.pending.items() if _ours(data)]
                stream.due = min(begins, default=None)
                if stream.due is None:
                    stream.pending.clear()
                    return
            late = {
                number: (number - stream.due + _HALF) % _WHOLE - _HALF for number in stream.pending
            }
            number = min(late, key=late.__getitem__)
            if late[number] > 0:
                return
            at, data = stream.pending.pop(number)
            data = data[-late[number] :]
            stream.due = (stream.due + len(data)) % _WHOLE
            try:
                yield from ((at, message) for message in stream.framer.feed(data))
            except SipDecodeError as error:
                self.dropped[f"sip_{error.reason}"] += 1
                stream.due, stream.framer = None, Framer()


def _ours(data: bytes) -> bool:
    """Whether a HEP packet or a SIP message begins here."""
    data = data[:1024].lstrip(b"\r\n")
    return data.startswith(hep.MAGIC) or (data[:1].isalpha() and b"SIP/2.0" in data[:512])


def _packet(data: bytes) -> _Packet | None:
    """Read one IP packet; None for another version."""
    version = data[0] >> 4
    if version == _VERSION_4:
        length, whole, offset = struct.unpack_from(">2xHHH", data)
        body = data[(data[0] & 15) * 4 : length or None]  # 0: the network card was to cut it
        place = (offset & 0x1FFF) * 8, bool(offset & 0x2000)
        fragment = (*place, whole) if any(place) else None
        return _Packet(_host(data[12:16]), _host(data[16:20]), data[9], body, fragment)
    if version != _VERSION_6:
        return None
    (length,) = struct.unpack_from(">H", data, 4)
    kind, body, fragment = data[6], data[40 : 40 + length if length else None], None
    while kind in _V6_OPTIONS or kind == _V6_FRAGMENT:
        if kind == _V6_FRAGMENT:
            kind, offset, whole = struct.unpack_from(">BxHI", body)
            fragment = (offset & ~7, bool(offset & 1), whole)
            body = body[8:]
            if offset & ~7:
                break
        else:
            kind, body = body[0], body[(body[1] + 1) * 8 :]
    return _Packet(_host(data[8:24]), _host(data[24:40]), kind, body, fragment)


def _host(address: bytes) -> str:
    return str(ip_address(address))


def _moment(parts: int, second: int, offset: int = 0) -> datetime:
    """Read a count of parts of a second. Raises OverflowError for no year of ours."""
    return _EPOCH + timedelta(
        seconds=offset + parts // second, microseconds=parts % second * 10**6 // second
    )


def _pcap(data: bytes, dropped: Counter[str]) -> Iterator[_Frame]:
    """Read the packets of a pcap file. Raises UnreadLinkTypeError."""
    order, second, head = _PCAP[data[:4]]
    if len(data) < 24:  # noqa: PLR2004 -- the header of the file
        dropped["truncated"] += 1
        return
    # Above the two bytes: how long a frame's checksum is.
    link = struct.unpack_from(f"{order}I", data, 20)[0] & 0xFFFF
    if not is_read(link):
        raise NoReadableInterfaceError((link,))
    at = 24
    while at < len(data):
        if at + head > len(data):
            dropped["truncated"] += 1
            return
        seconds, parts, kept, sent = struct.unpack_from(f"{order}IIII", data, at)
        frame = data[at + head : at + head + kept]
        at += head + kept
        if len(frame) < kept:
            dropped["truncated"] += 1
            return
        yield _Frame(_moment(seconds * second + parts, second), link, frame, kept >= sent)


def _pcapng(data: bytes, dropped: Counter[str]) -> Iterator[_Frame]:
    """Read the packets of a pcapng file, each by its own interface. Raises UnreadLinkTypeError at the end."""
    order, at = "<", 0
    interfaces: list[_Interface | None] = []
    links: set[int] = set()
    while at + 12 <= len(data):
        if data[at : at + 4] == _PCAPNG:
            order = "<" if data[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            interfaces = []
        kind, size = struct.unpack_from(f"{order}II", data, at)
        body = data[at + 8 : at + size - 4]
        if size < 12 or at + size > len(data):  # noqa: PLR2004 -- a block's own lengths
            break
        at += size
        try:
            if kind == _INTERFACE:
                interfaces.append(None)  # one that cannot be read keeps its place
                interfaces[-1] = found = _interface(body, order)
                links.add(found.link)
            elif kind in {_ENHANCED, _PACKET}:
                yield _block(body, order, interfaces, short=kind == _PACKET)
            elif kind == _SIMPLE:
                dropped["undated"] += 1
        except (struct.error, IndexError, ValueError, OverflowError):
            dropped["frame"] += 1
    if at < len(data):
        dropped["truncated"] += 1
    if links and not any(map(is_read, links)):
        raise NoReadableInterfaceError(tuple(sorted(links)))


def _interface(body: bytes, order: str) -> _Interface:
    """Read which kind of network an interface is on, and how it counts time."""
    found = _Interface(int(struct.unpack_from(f"{order}H", body)[0]))
    at = 8
    while at + 4 <= len(body):
        option, size = struct.unpack_from(f"{order}HH", body, at)
        value = body[at + 4 : at + 4 + size]
        if option == _TSRESOL:
            power = value[0] & 0x7F
            found = found._replace(parts=2**power if value[0] & 0x80 else 10**power)
        elif option == _TSOFFSET:
            found = found._replace(offset=int(struct.unpack(f"{order}q", value)[0]))
        elif option == 0:
            break
        at += 4 + (size + 3) // 4 * 4
    return found


def _block(
    body: bytes, order: str, interfaces: Sequence[_Interface | None], *, short: bool
) -> _Frame:
    """Read one packet of one interface; `short`: in the form before 2009."""
    which, high, low, kept, sent = struct.unpack_from(f"{order}{'H2x' if short else 'I'}IIII", body)
    interface = interfaces[which]
    if interface is None:
        raise ValueError("its interface could not be read")
    link, second, offset = interface
    frame = body[20 : 20 + kept]
    return _Frame(_moment(high << 32 | low, second, offset), link, frame, len(frame) >= sent)
