"""Free ports, so that parts of two tests never meet."""

from __future__ import annotations

import itertools
import os
import socket
import sys
from pathlib import Path

#: Below what the kernel gives to whoever asks for any port (32768 on): nobody else takes one meanwhile.
_FIRST, _SPAN = 20_000, 12_000
#: Between two ports in turn: some parts take their neighbours too (RTP).
_STEP = 24
#: Hexadecimal digits of an IPv4 address: a longer one listens on all of them as a rule.
_IPV4 = 8
_next = itertools.count(os.getpid() * 37)


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port that is free for TCP and for UDP on `host`, and was not given before."""
    for number in itertools.islice(_next, _SPAN):
        port = _FIRST + number * _STEP % _SPAN + number * _STEP // _SPAN % _STEP
        with (
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        ):
            try:
                tcp.bind((host, port))
                udp.bind((host, port))
            except OSError:
                continue
        return port
    raise OSError("no port is free")


def udp_port_taken(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether something listens on this UDP port.

    Read from the kernel's list (proc(5), /proc/net/udp): to bind it, even for a moment, would take it from the very
    part that is waited for.
    """
    hosts = {int.from_bytes(socket.inet_aton(host), sys.byteorder), 0}
    return any(
        int(bound, 16) == port and (len(address) > _IPV4 or int(address, 16) in hosts)
        for table in ("udp", "udp6")
        for line in Path("/proc/net", table).read_text("ascii").splitlines()[1:]
        for address, _, bound in (line.split()[1].partition(":"),)
    )


def tcp_port_open(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether something accepts TCP connections on this port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
        tcp.settimeout(0.5)
        return tcp.connect_ex((host, port)) == 0
