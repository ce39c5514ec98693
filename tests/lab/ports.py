"""Free ports, so that parts of two tests never meet."""

from __future__ import annotations

import socket

_given: set[int] = set()


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port that is free for TCP and for UDP on `host`, and was not given before."""
    while True:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        ):
            tcp.bind((host, 0))
            port: int = tcp.getsockname()[1]
            try:
                udp.bind((host, port))
            except OSError:
                continue
        if port not in _given:
            _given.add(port)
            return port


def udp_port_taken(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether something listens on this UDP port (it cannot be bound)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        try:
            udp.bind((host, port))
        except OSError:
            return True
    return False


def tcp_port_open(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether something accepts TCP connections on this port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
        tcp.settimeout(0.5)
        return tcp.connect_ex((host, port)) == 0
