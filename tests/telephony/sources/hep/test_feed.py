"""The HEP feed over real loopback UDP: who is heard, what is refused, what a flood does."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from telephony import CallState, FeedState
from telephony.sources.feed import Gap
from telephony.sources.hep.codec import SIP, HepPacket, encode
from telephony.sources.hep.feed import HepFeed
from tests.telephony.shell import in_background, running, until
from tests.telephony.traces import trace
from tests.telephony.wire import SDP

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from telephony import Fact
    from telephony.sources.feed import Emit

KEY = "s3cret-hep"
OPTIONS = b"OPTIONS sip:pbx SIP/2.0\r\nCall-ID: o\r\nCSeq: 1 OPTIONS\r\nFrom: <sip:a@b>\r\nTo: <sip:a@b>\r\n\r\n"
INVITE = (
    b"INVITE sip:1501@pbx SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=1\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\n"
    b"From: <sip:+33612345678@x>;tag=1\r\nTo: <sip:1501@pbx>\r\n\r\n"
)
NOW = datetime(2026, 11, 22, 18, 45, 36, tzinfo=UTC)


def packet(payload: bytes = INVITE, key: str | None = KEY, when: datetime = NOW) -> bytes:
    secret = None if key is None else key.encode()
    return encode(
        HepPacket(("192.0.2.1", 5060), ("192.0.2.2", 5060), when, payload, auth_key=secret)
    )


def feed(**more: object) -> HepFeed:
    settings: dict[str, object] = {"auth_key": KEY, "stations": ("1501",), "clock": lambda: NOW}
    return HepFeed("hep", "127.0.0.1", 0, **(settings | more))  # type: ignore[arg-type]


def into(facts: list[Fact]) -> Emit:
    """Keep the facts."""
    return lambda each: None if isinstance(each, Gap) else facts.append(each)


@asynccontextmanager
async def listening(
    subject: HepFeed, source: str = "127.0.0.1"
) -> AsyncIterator[tuple[socket.socket, list[Fact]]]:
    """The feed, and a capture agent's socket connected to it."""
    facts: list[Fact] = []
    async with in_background(subject.run(into(facts))):
        await asyncio.wait_for(subject.listening.wait(), 60)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
            agent.bind((source, 0))
            agent.connect(("127.0.0.1", subject.port))
            yield agent, facts


def refused(data: bytes, subject: HepFeed | None = None, source: str = "127.0.0.1") -> HepFeed:
    subject = subject or feed()

    async def scenario() -> None:
        async with listening(subject, source) as (agent, facts):
            agent.send(data)
            await until(lambda: bool(subject.health().rejected))
            assert facts == []
            assert subject.health().received == 0

    asyncio.run(scenario())
    return subject


def test_a_packet_with_the_key_is_heard() -> None:
    subject = feed()

    async def scenario() -> None:
        assert subject.health().state is FeedState.STARTING
        async with listening(subject) as (agent, facts):
            agent.send(packet())
            await until(lambda: bool(facts))
            health = subject.health()
            assert (health.state, health.received, health.rejected) == (FeedState.CONNECTED, 1, {})
            assert {fact.leg for fact in facts} == {"sip:c1"}
            assert {fact.at for fact in facts} == {NOW}
        assert subject.health().state is FeedState.DOWN

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (packet(key=None), "key_missing"),
        (packet(key="guess"), "key_wrong"),
        (packet(key=KEY + "x"), "key_wrong"),
        (packet()[:-1], "hep_truncated"),
        (packet() + b"x", "hep_trailing_bytes"),
        (b"hello", "hep_not_hep3"),
        (packet(b"\x16\x03\x01"), "sip_start_line"),
        (packet(INVITE + bytes(40_000)), "oversize"),
    ],
)
def test_what_is_refused_is_counted_by_its_reason(data: bytes, reason: str) -> None:
    assert refused(data).health().rejected == {reason: 1}


def test_a_foreign_source_is_not_heard_even_with_the_key() -> None:
    subject = refused(packet(), feed(allow=("127.0.0.1/32",)), source="127.0.0.2")
    assert subject.health().rejected == {"source": 1}


def test_an_empty_allow_list_hears_nobody() -> None:
    assert refused(packet(), feed(allow=())).health().rejected == {"source": 1}


def test_the_sample_of_a_refusal_shows_no_identifier() -> None:
    sample = refused(packet(b"+33612345678")).health().sample
    assert sample
    assert "33612345678" not in sample


def test_options_are_a_heartbeat_and_silence_is_quiet_not_down() -> None:
    now = [NOW]
    subject = feed(clock=lambda: now[0], quiet_after=30)

    async def scenario() -> None:
        async with listening(subject) as (agent, facts):
            agent.send(packet(OPTIONS))
            await until(lambda: subject.health().received == 1)
            assert facts == []
            now[0] += timedelta(seconds=29)
            assert subject.health().state is FeedState.CONNECTED
            now[0] += timedelta(seconds=1)
            quiet = subject.health()
            assert (quiet.state, quiet.since) == (FeedState.QUIET, NOW + timedelta(seconds=30))
            agent.send(packet(OPTIONS, when=now[0]))
            await until(lambda: subject.health().state is FeedState.CONNECTED)

    asyncio.run(scenario())


def test_a_capture_clock_far_off_is_not_believed() -> None:
    subject = feed()

    async def scenario() -> None:
        async with listening(subject) as (agent, facts):
            agent.send(packet(when=NOW - timedelta(days=400)))
            await until(lambda: bool(facts))
            assert {fact.at for fact in facts} == {NOW}
            assert subject.health().rejected == {"clock_skew": 1}

    asyncio.run(scenario())


def test_ipv6_is_heard_too() -> None:
    subject = HepFeed("hep", "::1", 0, stations=("1501",), clock=lambda: NOW)

    async def scenario() -> None:
        facts: list[Fact] = []
        async with in_background(subject.run(into(facts))):
            await asyncio.wait_for(subject.listening.wait(), 60)
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as agent:
                agent.sendto(packet(key=None), ("::1", subject.port))
            await until(lambda: bool(facts))

    asyncio.run(scenario())


def test_a_port_in_use_is_a_crash_the_runner_can_see() -> None:
    async def scenario() -> None:
        async with listening(feed()) as (agent, _facts):
            taken = HepFeed("second", "127.0.0.1", agent.getpeername()[1])
            with pytest.raises(OSError, match="in use"):
                await taken.run(lambda _fact: None)
            assert taken.health().state is FeedState.DOWN

    asyncio.run(scenario())


def test_a_flood_of_rubbish_costs_counters_only_and_a_call_still_passes() -> None:
    subject = feed()

    async def scenario() -> None:
        async with listening(subject) as (agent, facts):
            for number in range(5000):
                agent.send(b"rubbish %d" % number)
                if number % 100 == 0:
                    await asyncio.sleep(0)
            await until(lambda: bool(subject.health().rejected))
            while not facts:
                agent.send(packet())
                await asyncio.sleep(0.005)
            assert set(subject.health().rejected) == {"hep_not_hep3"}

    asyncio.run(scenario())


NOISE = """
import socket, sys, time
port, packets = int(sys.argv[1]), [bytes.fromhex(line) for line in sys.stdin.read().split()]
agent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
begun = time.monotonic()
for number in range(40_000):  # two seconds, 20,000 a second
    if number % 200 == 0:
        time.sleep(max(0, begun + number / 20_000 - time.monotonic()))
    agent.sendto(packets[number % len(packets)], ("127.0.0.1", port))
"""


def test_twenty_thousand_packets_a_second_of_noise_change_no_call() -> None:
    """A call talks before, during and after; the noise is counted by reason, and nothing of it is kept."""
    recorded = [each for each in trace("asterisk-22-simple").packets if each.protocol == SIP]
    subject = feed(clock=lambda: recorded[0].time)
    noise = [b"rubbish", packet(key="wrong"), packet(key=None), packet(OPTIONS), packet()[:40]]
    noise += [packet(b"BYE sip:1501@pbx SIP/2.0\r\nCall-ID: \xff\r\n\r\n"), packet(b"\0" * 900)]

    async def told(packets: list[HepPacket], agent: socket.socket) -> None:
        for each in packets:
            agent.send(encode(dataclasses.replace(each, auth_key=KEY.encode())))
            await asyncio.sleep(0)

    async def scenario() -> None:
        async with running([subject], clock=lambda: recorded[-1].time) as (runner, _facts):
            await asyncio.wait_for(subject.listening.wait(), 60)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
                agent.connect(("127.0.0.1", subject.port))
                end = next(i for i, each in enumerate(recorded) if each.payload.startswith(b"BYE"))
                await told(recorded[:end], agent)
                await until(
                    lambda: [c.state for c in runner.correlator.calls()] == [CallState.TALKING]
                )
                storm = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-c", NOISE, str(subject.port)), stdin=subprocess.PIPE
                )
                await storm.communicate("\n".join(each.hex() for each in noise).encode())
                assert storm.returncode == 0
                (call,) = runner.correlator.calls()
                unharmed = subject.health().dropped == 0
                assert (call.state, call.certain) == (CallState.TALKING, unharmed)
                while (
                    runner.correlator.live()
                ):  # some of it may be lost with the noise; it is sent again
                    await told(recorded[end:], agent)
                    await asyncio.sleep(0.01)
                (over,) = runner.correlator.calls()
                assert (over.id, over.end_certain, len(over.legs)) == (call.id, True, 2)
                rejected = subject.health().rejected
                assert {"hep_not_hep3", "key_wrong", "key_missing"} <= set(rejected)
                assert runner.stats.overflow == 0

    asyncio.run(scenario())


@pytest.mark.parametrize("name", ["asterisk-22-simple", "freeswitch-1.10-two_concurrent"])
def test_a_recorded_pbx_over_udp_gives_its_calls(name: str) -> None:
    recorded = trace(name)
    subject = feed(clock=lambda: recorded.origin)

    async def scenario() -> None:
        async with running([subject], clock=lambda: recorded.packets[-1].time) as (runner, _facts):
            await asyncio.wait_for(subject.listening.wait(), 60)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
                for each in recorded.packets:
                    keyed = dataclasses.replace(each, auth_key=KEY.encode())
                    agent.sendto(encode(keyed), ("127.0.0.1", subject.port))
                    await asyncio.sleep(0)
            await until(lambda: subject.health().received == len(recorded.packets))
            await runner.drained()
            calls = runner.correlator.calls()
            assert len(calls) == (2 if "two" in name else 1)
            assert all(call.state is CallState.ENDED and len(call.legs) == 2 for call in calls)

    asyncio.run(scenario())


def test_a_body_is_kept_out_of_the_way() -> None:
    body = SDP.format("sendrecv").encode()
    kind = b"Content-Type: application/sdp\r\n\r\n"
    subject = feed()

    async def scenario() -> None:
        async with listening(subject) as (agent, facts):
            agent.send(packet(INVITE[:-2] + kind + body))
            await until(lambda: bool(facts))

    asyncio.run(scenario())
