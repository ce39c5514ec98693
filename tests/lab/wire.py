"""A cable between two networks, in user space: it loses, delays, slows and filters packets as it is told.

The kernel here has no `tc netem`; a pair of TUN devices with a program between them needs none, is the same on every
machine, and is gone with its process. Usage: python -m tests.lab.wire CONTROL NEAR FAR PID-OF-THE-FAR-NETWORK
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import random
import struct
import subprocess
import sys
from dataclasses import asdict, dataclass, field, fields

TUN = "/dev/net/tun"
_SET_INTERFACE = 0x400454CA  # TUNSETIFF
_TUN, _NO_HEADER = 0x0001, 0x1000
_UDP = 17
_MTU = 1500
#: Seconds of packets a slow link keeps before it drops: what a mobile network does.
QUEUE = 0.4


@dataclass
class Conditions:
    """How bad the cable is, in each direction."""

    loss: float = 0.0  # share of packets
    delay: float = 0.0  # seconds, one way
    rate: float = 0.0  # bits a second; 0: no limit
    udp: bool = True  # passes
    up: bool = True  # anything passes


@dataclass
class Direction:
    """What goes one way."""

    out: int
    conditions: Conditions
    free: float = 0.0  # when the slow link is done with what it has
    passed: int = 0
    dropped: int = 0
    octets: int = 0
    # The same losses each time.
    chance: random.Random = field(default_factory=lambda: random.Random(15))

    def take(self, packet: bytes) -> None:
        """Drop a packet, or hand it on when its time comes."""
        loop, now = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        due = self._due(packet, now)
        if due is None:
            self.dropped += 1
            return
        self.passed += 1
        self.octets += len(packet)
        if due <= now:
            self._give(packet)
        else:
            loop.call_at(due, self._give, packet)

    def _due(self, packet: bytes, now: float) -> float | None:
        it = self.conditions
        udp = packet[0] >> 4 == 4 and packet[9] == _UDP
        if not it.up or (udp and not it.udp) or self.chance.random() < it.loss:
            return None
        sent = now
        if it.rate:
            sent = max(now, self.free) + len(packet) * 8 / it.rate
            if sent - now > QUEUE:
                return None
            self.free = sent
        return sent + it.delay

    def _give(self, packet: bytes) -> None:
        try:
            os.write(self.out, packet)
        except OSError:  # the device is down: an address is being changed
            self.dropped += 1


def device(name: str) -> int:
    """Make a TUN device in this network; return what reads and writes its packets."""
    tun = os.open(TUN, os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, _SET_INTERFACE, struct.pack("16sH", name.encode(), _TUN | _NO_HEADER))
    return tun


class Wire:
    """Both directions, and who may change them."""

    def __init__(self, near: int, far: int) -> None:
        self.conditions = Conditions()
        self.there = Direction(far, self.conditions)
        self.back = Direction(near, self.conditions)
        loop = asyncio.get_running_loop()
        loop.add_reader(near, self._read, near, self.there)
        loop.add_reader(far, self._read, far, self.back)

    @staticmethod
    def _read(tun: int, way: Direction) -> None:
        for _ in range(64):
            try:
                packet = os.read(tun, _MTU + 64)
            except BlockingIOError:
                return
            if packet:
                way.take(packet)

    async def told(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take new conditions, one JSON object a line; answer what passed so far."""
        while line := await reader.readline():
            wanted = json.loads(line)
            for each in fields(Conditions):
                if each.name in wanted:
                    setattr(self.conditions, each.name, wanted[each.name])
            answer = {
                "conditions": asdict(self.conditions),
                "to_phone": [self.there.passed, self.there.dropped, self.there.octets],
                "from_phone": [self.back.passed, self.back.dropped, self.back.octets],
            }
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()


async def main(control: str, ends: tuple[int, int]) -> None:
    """Pass packets on until killed."""
    wire = Wire(*ends)
    server = await asyncio.start_unix_server(wire.told, control)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    socket, near_name, far_name, network = sys.argv[1:5]
    both = device(near_name), device(far_name)
    subprocess.run(["ip", "link", "set", far_name, "netns", network], check=True)
    asyncio.run(main(socket, both))
