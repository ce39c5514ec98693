"""A UDP socket loses what its receive buffer has no room for: the kernel tells how much room, and how much is lost."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asyncio.trsock import TransportSocket

#: Bytes asked for: a burst of some thousand messages.
WANTED: Final = 4 * 1024 * 1024
#: Linux 4.12, include/uapi/linux/sock_diag.h: SO_MEMINFO gives nine counters, the last is SK_MEMINFO_DROPS.
_SO_MEMINFO: Final = 55
_COUNTERS: Final = struct.Struct("=9I")


def enlarge(sock: socket.socket | TransportSocket) -> int:
    """Ask for a buffer that holds a burst; return the bytes that the kernel gave (net.core.rmem_max limits them)."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WANTED)
    # It doubles them, for its own needs.
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2


def receive_buffer() -> tuple[int, int]:
    """Return the bytes of receive buffer that the kernel gives a UDP feed, and those it asks for."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        return enlarge(sock), WANTED


def dropped(sock: socket.socket | TransportSocket) -> int:
    """Count the datagrams for this socket that the kernel has lost since it was opened; 0 where it does not say."""
    try:
        counters = sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _COUNTERS.size)
        return int(_COUNTERS.unpack(counters)[-1])
    except (OSError, struct.error):  # no Linux, or an old one
        return 0
