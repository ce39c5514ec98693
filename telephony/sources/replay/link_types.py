"""Take the IP packet out of a frame of any kind of network that carries one (https://www.tcpdump.org/linktypes.html).

A kind that is not in the table is never read as another. Pure; IndexError and struct.error for a frame too short.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_IP: Final = frozenset({0x0800, 0x86DD})
_VLANS: Final = frozenset({0x8100, 0x88A8, 0x9100})
_PPPOE, _MPLS = 0x8864, 0x8847
#: A length stands where Ethernet has its type: LLC follows.
_LONGEST_LLC: Final = 1500
_SNAP, _LLC_IP = b"\xaa\xaa\x03", b"\x06\x06\x03"
_PPP_IP: Final = frozenset({0x21, 0x57})
_NLPID_IP: Final = frozenset({0xCC, 0x8E})
_NLPID_SNAP: Final = 0x80
#: AF_INET, and AF_INET6 as different systems number it.
_FAMILIES: Final = frozenset({2, 10, 24, 26, 28, 30})
_NFLOG_PAYLOAD: Final = 9


class UnreadLinkTypeError(ValueError):
    """Frames of this kind are not read; `link` is its number."""

    def __init__(self, link: int) -> None:
        super().__init__(f"link type {link}")
        self.link = link


def ip_packet(link: int, frame: bytes) -> bytes | None:
    """Return the IP packet of a frame; None when it carries something else. Raises UnreadLinkTypeError."""
    opener = _OPENERS.get(link)
    if opener is None:
        raise UnreadLinkTypeError(link)
    return opener(frame)


def is_read(link: int) -> bool:
    """Whether frames of this kind are read."""
    return link in _OPENERS


def _big(data: bytes, at: int) -> int:
    """Read two bytes in the order of networks."""
    return int(struct.unpack_from(">H", data, at)[0])


def _typed(kind: int, data: bytes) -> bytes | None:
    """Open what an Ethernet type announces, through VLANs, PPPoE and MPLS."""
    while kind in _VLANS:
        kind, data = _big(data, 2), data[4:]
    if kind in _IP:
        return data
    if kind == _PPPOE:
        return _ppp(data[6:])
    if kind == _MPLS:
        while not data[2] & 1:
            data = data[4:]
        return data[4:]
    return _llc(data) if kind <= _LONGEST_LLC else None


def _llc(data: bytes) -> bytes | None:
    if data.startswith(_SNAP):
        return _typed(_big(data, 6), data[8:])
    return data[3:] if data.startswith(_LLC_IP) else None


def _ethernet(frame: bytes) -> bytes | None:
    return _typed(_big(frame, 12), frame[14:])


def _ppp(data: bytes) -> bytes | None:
    """Read PPP with or without its address and control, the protocol in one byte or two (RFC 1661, 1662)."""
    if data[0] in {0xFF, 0x0F}:
        data = data[2:]
    size = 1 if data[0] & 1 else 2
    return data[size:] if int.from_bytes(data[:size], "big") in _PPP_IP else None


def _hdlc(frame: bytes) -> bytes | None:
    return _typed(_big(frame, 2), frame[4:])


def _serial(frame: bytes) -> bytes | None:
    """Read PPP in HDLC framing, or Cisco's HDLC: both are captured under this number."""
    return _hdlc(frame) if frame[0] in {0x0F, 0x8F} else _ppp(frame)


def _family(frame: bytes) -> bytes | None:
    """Read a family in the order of whichever machine wrote it."""
    return frame[4:] if max(frame[0], frame[3]) in _FAMILIES else None


def _frame_relay(frame: bytes) -> bytes | None:
    """Read RFC 2427; the address has two to four bytes, of which the last is odd."""
    size = next(at for at in range(1, len(frame)) if frame[at] & 1) + 1
    data = frame[size:]
    if data[0] != 3:  # noqa: PLR2004 -- Q.922 UI; otherwise Cisco's: an Ethernet type
        return _typed(_big(data, 0), data[2:])
    data = data[1:].lstrip(b"\0")
    if data[0] == _NLPID_SNAP:
        return _typed(_big(data, 4), data[6:])
    return data[1:] if data[0] in _NLPID_IP else None


def _token_ring(frame: bytes) -> bytes | None:
    route = frame[14] & 0x1F if frame[8] & 0x80 else 0
    return _llc(frame[14 + route :])


def _wireless(frame: bytes) -> bytes | None:
    """Read a data frame of 802.11 that is not enciphered; its header grows with four addresses and with priorities."""
    kind, flags = frame[0], frame[1]
    if (kind >> 2) & 3 != 2 or kind & 0x40 or flags & 0x40:  # noqa: PLR2004 -- data, with a body, in clear
        return None
    head = 24 + 6 * (flags & 3 == 3) + 2 * bool(kind & 0x80)  # noqa: PLR2004 -- between two stations
    return _llc(frame[head:])


def _pflog(frame: bytes) -> bytes | None:
    return frame[(frame[0] + 3) & ~3 :] if frame[1] in _FAMILIES else None


def _nflog(frame: bytes) -> bytes | None:
    """Read Linux's netfilter log: attributes, one of which is the packet."""
    at = 4
    while frame[0] in _FAMILIES and at < len(frame):
        size, kind = struct.unpack_from("<HH", frame, at)
        if kind == _NFLOG_PAYLOAD:
            return frame[at + 4 : at + size]
        at += max(4, (size + 3) & ~3)
    return None


def _little(frame: bytes, form: str, at: int) -> int:
    return int(struct.unpack_from(f"<{form}", frame, at)[0])


#: Of every kind that carries IP; the numbers are those of capture files (LINKTYPE_…).
_OPENERS: Final[Mapping[int, Callable[[bytes], bytes | None]]] = {
    0: _family,  # BSD loopback
    1: _ethernet,
    6: _token_ring,
    8: lambda frame: frame[16:],  # SLIP
    9: _ppp,
    10: lambda frame: _llc(frame[13:]),  # FDDI
    **dict.fromkeys((12, 14, 101, 228, 229), lambda frame: frame),  # IP alone
    50: _serial,
    51: lambda frame: _ppp(frame[6:]),  # PPPoE
    100: _llc,  # ATM, RFC 1483
    104: _hdlc,
    105: _wireless,
    107: _frame_relay,
    108: _family,  # OpenBSD loopback
    113: lambda frame: _typed(_big(frame, 14), frame[16:]),  # tcpdump -i any
    117: _pflog,
    119: lambda frame: _wireless(frame[_little(frame, "I", 4) :]),  # Prism
    122: lambda frame: _llc(frame[16:]),  # IP over Fibre Channel
    123: lambda frame: _llc(frame[4:]),  # SunATM
    127: lambda frame: _wireless(frame[_little(frame, "H", 2) :]),  # Radiotap
    138: lambda frame: _typed(_big(frame, 16), frame[18:]),  # Apple's IP over FireWire
    163: lambda frame: _wireless(frame[int(struct.unpack_from(">I", frame, 4)[0]) :]),  # AVS
    166: lambda frame: _ppp(frame[2:] if frame[1] == 3 else frame[1:]),  # noqa: PLR2004 -- pppd: direction, control
    192: lambda frame: ip_packet(
        _little(frame, "I", 4), frame[_little(frame, "H", 2) :]
    ),  # PPI: whatever it says
    204: lambda frame: _ppp(frame[1:]),  # a direction, then PPP
    205: lambda frame: _hdlc(frame[1:]),
    206: lambda frame: _frame_relay(frame[1:]),
    226: lambda frame: frame[24:] if frame[1] in _FAMILIES else None,  # Solaris ipnet
    239: _nflog,
    240: lambda frame: _ethernet(frame[4:]),  # netANALYZER
    241: lambda frame: _ethernet(frame[12:]),
    242: lambda frame: _typed(_big(frame, 40), frame[44:]),  # InfiniBand
    258: lambda frame: ip_packet(
        _little(frame, "I", 8), frame[_little(frame, "I", 0) :]
    ),  # macOS any
    276: lambda frame: _typed(_big(frame, 0), frame[20:]),  # tcpdump -i any, since 2020
}
