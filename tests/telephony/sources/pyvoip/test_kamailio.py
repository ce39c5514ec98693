"""The pyVoIP extension with a real Kamailio: registered by digest, told by notification calls."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from telephony import AliasType, CallState, Fact, FeedState
from telephony.correlate.correlation import CallsChanged, Correlator
from telephony.runner import Runner
from telephony.sources.hep.feed import HepFeed
from telephony.sources.pyvoip.feed import PyVoipAccount, PyVoipFeed
from tests.lab.ports import free_port
from tests.lab.process import until
from tests.lab.switchboard.kamailio import HEP_AUTH_KEY, Kamailio, kamailio
from tests.lab.switchboard.sipp import Phone, call, phone
from tests.telephony.shell import in_background

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

SNIPPET = Path(__file__).parents[4] / "contrib" / "kamailio-notify.cfg"


def account(switchboard: Kamailio, password: str = "s3cret", **more: object) -> PyVoipAccount:
    rtp = free_port()
    return PyVoipAccount(
        server=switchboard.host,
        port=switchboard.port,
        username="visio15",
        password=password,
        sip_port=free_port(),
        rtp_low=rtp,
        rtp_high=rtp + 20,
        **more,  # type: ignore[arg-type]
    )


def heard(correlator: Correlator, fact: Fact) -> None:
    correlator.receive(fact)


@asynccontextmanager
async def running(feed: PyVoipFeed) -> AsyncIterator[tuple[Runner, list[Fact]]]:
    facts: list[Fact] = []
    numbers = itertools.count(1)
    correlator = Correlator({"1501"}, lambda: f"call-{next(numbers)}")

    async def on_changes(changes: Sequence[CallsChanged]) -> None:
        facts.extend(fact for change in changes for fact in change.facts)

    runner = Runner([feed], correlator, on_changes, restart=(0.05, 0.2))
    task = asyncio.get_running_loop().create_task(runner.run())
    try:
        yield runner, facts
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def notifying(desk: Phone) -> AsyncIterator[tuple[Kamailio, Runner, PyVoipFeed]]:
    """Run a switchboard that tells about the calls of 1501, and the extension it tells."""
    async with kamailio(
        {"1501": f"1501@{desk.host}:{desk.port}"},
        users={"visio15": "s3cret"},
        include=SNIPPET,
        on_invite="route(VISIO15_CALL);",
    ) as switchboard:
        feed = PyVoipFeed("pyvoip", account(switchboard), stations={"1501"})
        async with running(feed) as (runner, _facts):
            await until(
                lambda: feed.health().state is FeedState.CONNECTED,
                "the extension is registered",
                timeout=20,
                explain=switchboard.part.tail,
            )
            yield switchboard, runner, feed


def test_a_line_15_call_is_told_by_notification_calls() -> None:
    async def scenario() -> None:
        async with phone(ring=0.2) as desk, notifying(desk) as (switchboard, runner, feed):
            async with call(switchboard.address, called="1501") as placed:
                await until(
                    lambda: any(
                        each.state is CallState.TALKING
                        for each in runner.correlator.at_station("1501")
                    ),
                    "the answer is told",
                    explain=switchboard.part.tail,
                )
                (live,) = runner.correlator.at_station("1501")
                assert live.caller is not None
                assert live.caller.e164 == "+33612345678"
                (sip_call_id,) = placed.call_ids
                assert runner.correlator.find(sip_call_id, AliasType.SIP_CALL_ID) == (live,)
                assert AliasType.PRIVATE_HEADER in {r.alias.type for r in live.aliases}
                await placed.hang_up()
            await until(lambda: not runner.correlator.live(), "the end is told")
            (over,) = runner.correlator.calls()
            assert over.end_certain
            await until(lambda: feed.health().received == 3, "ring, answer and hangup were told")
            assert feed.health().rejected == {}

    asyncio.run(scenario())


def test_a_call_never_answered_is_told_too() -> None:
    async def scenario() -> None:
        async with phone(ring=None) as desk, notifying(desk) as (switchboard, runner, _feed):
            async with call(switchboard.address, called="1501") as placed:
                await until(
                    lambda: bool(runner.correlator.at_station("1501")),
                    "the ringing is told",
                    explain=switchboard.part.tail,
                )
                (live,) = runner.correlator.live()
                assert live.state is CallState.RINGING
                await placed.hang_up()
            await until(lambda: not runner.correlator.live(), "the end is told")

    asyncio.run(scenario())


def test_a_wrong_password_ends_the_child_and_it_is_started_again() -> None:
    async def scenario() -> None:
        async with kamailio({}, users={"visio15": "s3cret"}, include=SNIPPET) as switchboard:
            feed = PyVoipFeed("pyvoip", account(switchboard, "wrong"))
            async with running(feed) as (runner, _facts):
                await until(lambda: runner.stats.restarts["pyvoip"] >= 2, "restarts", timeout=30)
                assert feed.health().last_message is None

    asyncio.run(scenario())


def test_an_invite_from_elsewhere_is_dropped_at_the_socket() -> None:
    forged = (
        b"INVITE sip:visio15@x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1\r\n"
        b"From: <sip:a@x>;tag=1\r\nTo: <sip:visio15@x>\r\nCall-ID: forged\r\nCSeq: 1 INVITE\r\n"
        b"Contact: <sip:a@x>\r\nX-Line15-Call-ID: forged\r\n\r\n"
    )

    async def scenario() -> None:
        async with kamailio({}, users={"visio15": "s3cret"}, include=SNIPPET) as switchboard:
            mine = account(switchboard, allow=("127.0.0.1/32",))
            feed = PyVoipFeed("pyvoip", mine)
            async with running(feed) as (runner, facts):
                await until(lambda: feed.health().state is FeedState.CONNECTED, "registered")
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                    stranger.bind(("127.0.0.66", 0))
                    stranger.sendto(forged, (mine.my_ip, mine.sip_port))
                await until(lambda: feed.health().rejected == {"source": 1}, "refused")
                assert facts == []
                assert runner.correlator.calls() == ()

    asyncio.run(scenario())


def test_a_killed_child_is_replaced_and_registers_again() -> None:
    async def scenario() -> None:
        async with kamailio({}, users={"visio15": "s3cret"}, include=SNIPPET) as switchboard:
            feed = PyVoipFeed("pyvoip", account(switchboard))
            async with running(feed) as (runner, _facts):
                await until(lambda: feed.health().state is FeedState.CONNECTED, "registered")
                first = feed.child_pid
                assert first is not None
                os.kill(first, signal.SIGKILL)
                await until(lambda: runner.stats.restarts["pyvoip"] == 1, "the loss is seen")
                await until(lambda: feed.health().state is FeedState.CONNECTED, "registered again")
                second = feed.child_pid
                assert second not in {None, first}
            assert not Path(f"/proc/{second}").exists()

    asyncio.run(scenario())


def test_capture_and_notification_of_one_switchboard_tell_of_one_call() -> None:
    async def scenario() -> None:
        capture = HepFeed("hep", "127.0.0.1", 0, HEP_AUTH_KEY, stations={"1501"})
        correlator = Correlator({"1501"}, lambda: "the call")

        async with in_background(capture.run(lambda fact: heard(correlator, fact))):
            await asyncio.wait_for(capture.listening.wait(), 60)
            async with (
                phone(ring=0.2) as desk,
                kamailio(
                    {"1501": f"1501@{desk.host}:{desk.port}"},
                    users={"visio15": "s3cret"},
                    include=SNIPPET,
                    on_invite="route(VISIO15_CALL);",
                    hep=("127.0.0.1", capture.port),
                ) as switchboard,
            ):
                notified = PyVoipFeed("pyvoip", account(switchboard), stations={"1501"})
                async with in_background(notified.run(lambda fact: heard(correlator, fact))):
                    await until(
                        lambda: notified.health().state is FeedState.CONNECTED, "registered"
                    )
                    async with call(switchboard.address, called="1501") as placed:
                        await until(lambda: notified.health().received == 2, "the answer is told")
                        (live,) = correlator.at_station("1501")
                        assert live.state is CallState.TALKING
                        assert {record.source for record in live.aliases} == {"hep", "pyvoip"}
                        await placed.hang_up()
                    await until(lambda: notified.health().received == 3, "the end is told")
                (over,) = correlator.calls()
                assert len(over.legs) == 1
                assert over.end_certain
                assert capture.health().rejected == {}

    asyncio.run(scenario())
