"""The phone's network itself: apart, as bad as it is told, and gone afterwards."""

from __future__ import annotations

import asyncio
import socket
import sys

import pytest

from tests.lab.network import HERE, PhoneNetwork, phone_network, run
from tests.lab.process import PartFailedError

pytestmark = pytest.mark.lab

#: Fewer than fill a socket's memory.
SENT = 120
#: Sends numbered datagrams to us; then tells from which address.
TALK = f"""
import socket, sys, time
here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
here.connect((sys.argv[1], int(sys.argv[2])))
for _ in range({SENT}):
    here.send(b"x" * 200)
    time.sleep(0.001)
print(here.getsockname()[0])
"""


async def heard(network: PhoneNetwork) -> tuple[int, str]:
    """How many of the phone's datagrams arrive, and from which address they came."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind((HERE, 0))
        ear.settimeout(0.0)
        argv = (sys.executable, "-c", TALK, HERE, str(ear.getsockname()[1]))
        address = await asyncio.to_thread(network.inside, *argv)
        await asyncio.sleep(0)
        count = 0
        while True:
            try:
                ear.recv(300)
            except BlockingIOError:
                return count, address.strip()
            count += 1


async def test_a_path_is_as_bad_as_it_is_told() -> None:
    async with phone_network() as network:
        assert await heard(network) == (SENT, network.wifi.address)
        async with network.path(loss=0.1):
            assert SENT * 0.75 < (await heard(network))[0] < SENT
        async with network.path(udp=False):
            assert (await heard(network))[0] == 0
        async with network.path(rate=100_000):
            assert (await heard(network))[0] < SENT / 2
        await network.move(network.mobile)
        assert await heard(network) == (SENT, network.mobile.address)
        network.leave()
        with pytest.raises(PartFailedError):
            await heard(network)


async def test_nothing_is_left_of_it() -> None:
    before = run("ip", "-brief", "link")
    with pytest.raises(ZeroDivisionError):
        await _one_that_fails()
    assert run("ip", "-brief", "link") == before


async def _one_that_fails() -> None:
    async with phone_network():
        assert "to-wlan0" in run("ip", "-brief", "link")
        raise ZeroDivisionError


async def test_without_a_network_of_its_own_it_fails_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("LAB_NETNS")
    with pytest.raises(PartFailedError, match="scripts/netns"):
        async with phone_network():
            pass
