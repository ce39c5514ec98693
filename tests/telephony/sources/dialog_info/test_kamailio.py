"""Dialog-info with a real Kamailio: who is on the phone, right again after each cut."""

from __future__ import annotations

import asyncio
import re
import socket
from typing import TYPE_CHECKING

import pytest

from telephony import AliasType, CallState, FeedCutError, FeedRefusedError, FeedState
from telephony.sources.dialog_info.feed import Account, DialogInfoFeed
from telephony.sources.hep.feed import HepFeed
from tests.lab.ports import free_port
from tests.lab.process import until
from tests.lab.switchboard.kamailio import HEP_AUTH_KEY, Kamailio
from tests.lab.switchboard.presence import PASSWORD, WATCHER, presence
from tests.lab.switchboard.sipp import call, phone
from tests.telephony.shell import in_background, running

if TYPE_CHECKING:
    from telephony.runner import Runner

STATIONS = ("1501", "1601")
TRANSPORTS = pytest.mark.parametrize("transport", ["udp", "tcp"])


def feed(port: int, transport: str = "udp", password: str = PASSWORD, **more: object) -> DialogInfoFeed:  # fmt: skip
    settings: dict[str, object] = {"stations": STATIONS, "heartbeat": 0.5, "patience": 4.0}
    return DialogInfoFeed(
        "dialog",
        "127.0.0.1",
        port,
        Account(WATCHER, password, "127.0.0.1"),
        transport=transport,
        **(settings | more),  # type: ignore[arg-type]
    )


async def talking(runner: Runner, switchboard: Kamailio) -> None:
    await until(
        lambda: (
            [each.state for each in runner.correlator.at_station("1501")] == [CallState.TALKING]
        ),
        "1501 talks",
        explain=switchboard.part.tail,
    )


async def connected(told: DialogInfoFeed, switchboard: Kamailio) -> None:
    await until(
        lambda: told.health().state is FeedState.CONNECTED,
        "every station told its state",
        explain=lambda: f"{told.health()}\n{switchboard.part.tail()}",
    )


@TRANSPORTS
def test_a_call_is_told_and_its_end(transport: str) -> None:
    async def scenario() -> None:
        async with phone(ring=None) as desk, presence(desk.address) as switchboard:
            told = feed(switchboard.port, transport)
            async with running([told]) as (runner, _):
                await connected(told, switchboard)
                async with call(switchboard.address, called="1501") as placed:
                    await until(lambda: bool(runner.correlator.at_station("1501")), "it rings")
                    (live,) = runner.correlator.live()
                    assert live.state is CallState.RINGING
                    assert live.caller is not None
                    assert live.caller.e164 == "+33612345678"
                    await desk.answer(placed.call_id)
                    await talking(runner, switchboard)
                    (found,) = runner.correlator.find(placed.call_id, AliasType.SIP_CALL_ID)
                    assert found.id == live.id
                    before = told.health().resynced
                    await until(lambda: told.health().resynced != before, "it is asked again")
                    assert runner.correlator.live() == (found,)
                    await placed.hang_up()
                await until(lambda: not runner.correlator.live(), "the end is told")
                assert [each.end_certain for each in runner.correlator.calls()] == [True]
                async with call(switchboard.address, called="1501") as placed:
                    await until(lambda: bool(runner.correlator.live()), "another rings")
                    await placed.hang_up()
                await until(lambda: not runner.correlator.live(), "its caller gave up")
                assert told.health().rejected == {}

    asyncio.run(scenario())


@TRANSPORTS
def test_a_switchboard_started_again_in_mid_call(transport: str) -> None:
    async def scenario() -> None:
        port = free_port()
        async with phone(ring=0.1) as desk:
            told = feed(port, transport, patience=2.0)
            async with running([told]) as (runner, _):
                async with presence(desk.address, port=port) as switchboard:
                    await connected(told, switchboard)
                    async with call(switchboard.address, called="1501"):
                        await talking(runner, switchboard)
                        (first,) = runner.correlator.live()
                        switchboard.part.kill()
                await until(lambda: told.health().state is not FeedState.CONNECTED, "it is cut")
                async with presence(desk.address, port=port) as switchboard:
                    await until(lambda: not runner.correlator.live(), "it forgot the call")
                    (gone,) = runner.correlator.calls()
                    assert (gone.id, gone.end_certain) == (first.id, False)
                    await connected(told, switchboard)
                    async with call(switchboard.address, called="1501") as placed:
                        await talking(runner, switchboard)
                        await placed.hang_up()
                    await until(lambda: not runner.correlator.live(), "the end is told")

    asyncio.run(scenario())


def test_the_product_started_again_in_mid_call() -> None:
    async def scenario() -> None:
        async with phone(ring=0.1) as desk, presence(desk.address) as switchboard:
            first, second = (
                feed(switchboard.port),
                feed(switchboard.port, live=lambda: ["sip:gone"]),
            )
            async with call(switchboard.address, called="1501") as placed:
                async with running([first]) as (runner, _):
                    await talking(runner, switchboard)
                async with running([second]) as (runner, facts):
                    await talking(runner, switchboard)
                    (found,) = runner.correlator.find(placed.call_id, AliasType.SIP_CALL_ID)
                    assert found.live
                    await placed.hang_up()
                    await until(lambda: not runner.correlator.live(), "the end is told")
                    assert {fact.leg for fact in facts} == {f"sip:{placed.call_id}"}

    asyncio.run(scenario())


def test_who_may_not_ask_is_told_so() -> None:
    async def scenario() -> None:
        async with phone() as desk, presence(desk.address) as switchboard:
            for password in ("wrong", ""):
                told = feed(switchboard.port, "tcp", password)
                with pytest.raises(FeedRefusedError, match="login"):
                    await told.run(lambda _: None)
                assert told.health().state is FeedState.DOWN
                with pytest.raises(FeedRefusedError, match="login"):
                    await told.probe()
            for transport in ("udp", "tcp"):
                said = await feed(switchboard.port, transport).probe()
                assert re.fullmatch(r"Kamailio \d+\.\d+\.\d+ · dialogues par Call-ID", said)
        with pytest.raises(OSError, match="Connect"):
            await feed(switchboard.port, "tcp").probe()
        with pytest.raises(FeedCutError, match="no_answer"):
            await feed(switchboard.port, patience=0.2).probe()
        with pytest.raises(FeedRefusedError, match="no_stations"):
            await feed(switchboard.port, stations=()).run(lambda _: None)

    asyncio.run(scenario())


FORGED = (
    b"NOTIFY sip:visio15@x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1\r\n"
    b"From: <sip:1501@x>;tag=1\r\nTo: <sip:visio15@x>;tag=2\r\nCall-ID: forged\r\nCSeq: 1 NOTIFY\r\n"
    b"Event: dialog\r\nSubscription-State: active\r\nContent-Length: 0\r\n\r\n"
)


def test_nobody_else_is_believed() -> None:
    async def scenario() -> None:
        async with phone() as desk, presence(desk.address) as switchboard:
            here = ("127.0.0.1", free_port())
            told = feed(switchboard.port, bind=here, allow=("127.0.0.1/32",))
            async with running([told]) as (runner, facts):
                await connected(told, switchboard)
                for source, data in (
                    ("127.0.0.66", FORGED),
                    ("127.0.0.1", FORGED),
                    ("127.0.0.1", b"\xff" * 99),
                    ("127.0.0.1", b"\r\n\r\n"),
                ):
                    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                        stranger.bind((source, 0))
                        stranger.sendto(data, here)
                await until(lambda: len(told.health().rejected) == 3, "refused")
                assert told.health().rejected == {
                    "source": 1,
                    "foreign_notify": 1,
                    "sip_start_line": 1,
                }
                assert facts == []
                assert runner.stats.restarts["dialog"] == 0

    asyncio.run(scenario())


def test_capture_and_dialogs_of_one_switchboard_tell_of_one_call() -> None:
    async def scenario() -> None:
        capture = HepFeed("hep", "127.0.0.1", 0, HEP_AUTH_KEY, stations=STATIONS)
        async with running([capture]) as (runner, _), phone(ring=0.1) as desk:
            await asyncio.wait_for(capture.listening.wait(), 60)
            async with presence(desk.address, hep=("127.0.0.1", capture.port)) as switchboard:
                told = feed(switchboard.port)
                async with in_background(told.run(runner.emit)):
                    await connected(told, switchboard)
                    async with call(switchboard.address, called="1501") as placed:
                        await talking(runner, switchboard)
                        await until(
                            lambda: (
                                {
                                    record.source
                                    for each in runner.correlator.live()
                                    for record in each.aliases
                                }
                                == {"hep", "dialog"}
                            ),
                            "both tell of it",
                        )
                        (live,) = runner.correlator.live()
                        assert live.legs == (f"sip:{placed.call_id}",)
                        assert not live.inferred
                        await placed.hang_up()
                    await until(lambda: not runner.correlator.live(), "the end is told")
                (over,) = runner.correlator.calls()
                assert over.end_certain
                assert capture.health().rejected == {}

    asyncio.run(scenario())
