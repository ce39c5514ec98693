"""Telephone lives on a real Kamailio with SIPp phones, heard by capture: one call each, at the right station."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from telephony import Call, CallState
from telephony.correlate.same_number import CALL_BACK
from telephony.sources.hep.feed import HepFeed
from tests.lab.process import until
from tests.lab.switchboard.kamailio import HEP_AUTH_KEY, Kamailio, kamailio
from tests.lab.switchboard.sipp import Phone, call, phone
from tests.telephony.shell import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from telephony.runner import Runner

CALLER = "+33612345678"
X_LINE15 = "X-Line15-Call-ID"


class Lab:
    """A switchboard with an ARM at 1501 and a doctor at 1601, and who listens."""

    def __init__(self, exchange: Kamailio, arm: Phone, doctor: Phone, runner: Runner) -> None:
        self.exchange, self.arm, self.doctor, self.runner = exchange, arm, doctor, runner

    async def told(self, what: str, wanted: Callable[[tuple[Call, ...]], bool]) -> tuple[Call, ...]:
        def so() -> bool:
            return wanted(self.runner.correlator.calls())

        def explain() -> str:
            return "\n".join(map(str, self.runner.correlator.calls()))

        await until(so, what, explain=explain)
        return self.runner.correlator.calls()


@asynccontextmanager
async def lab() -> AsyncIterator[Lab]:
    feed = HepFeed(
        "hep", "127.0.0.1", 0, auth_key=HEP_AUTH_KEY, stations=("1501", "1601"), quiet_after=60
    )
    async with running([feed]) as (runner, _), phone() as arm, phone() as doctor:
        await feed.listening.wait()
        routes = {"15": f"1501@{arm.address}", "1501": f"1501@{arm.address}"}
        routes |= {"1601": f"1601@{doctor.address}", "0612345678": f"0612345678@{doctor.address}"}
        async with kamailio(routes, hep=("127.0.0.1", feed.port)) as exchange:
            yield Lab(exchange, arm, doctor, runner)


def stays(call: Call) -> list[tuple[str, str]]:
    return [(span.station, span.state.value) for span in call.stations]


def talking_at(station: str) -> Callable[[tuple[Call, ...]], bool]:
    return lambda calls: any(
        each.state is CallState.TALKING and each.current_stations == (station,) for each in calls
    )


def test_simple_and_hold() -> None:
    async def scenario() -> None:
        async with lab() as line:
            async with call(line.exchange.address) as placed:
                await line.told("it talks", talking_at("1501"))
                await line.arm.hold(placed.call_id)
                await line.told("it is held", lambda calls: calls[0].state is CallState.HELD)
                await line.arm.resume(placed.call_id)
                await line.told("it talks again", talking_at("1501"))
                await placed.hang_up()
            (over,) = await line.told("it is over", lambda calls: not calls[0].live)
            assert (over.number and over.number.e164, len(over.holds)) == (CALLER, 1)
            assert stays(over) == [("1501", "ringing"), ("1501", "talking")]
            assert over.end_certain

    asyncio.run(scenario())


def test_a_blind_transfer_is_the_same_call_at_another_station() -> None:
    async def scenario() -> None:
        async with lab() as line:
            async with call(line.exchange.address) as placed:
                (first,) = await line.told("it talks", talking_at("1501"))
                await line.arm.transfer(placed.call_id, f"sip:1601@{line.exchange.address}")
                asked = referred_by_caller(placed.messages())
                headers = {X_LINE15: asked[X_LINE15], "Referred-By": "<sip:1501@lab>"}
                async with call(line.exchange.address, called="1601", headers=headers) as again:
                    await placed.hang_up()
                    (moved,) = await line.told("it is at 1601", talking_at("1601"))
                    assert moved.id == first.id
                    assert line.runner.correlator.at_station("1501") == ()
                    assert line.runner.correlator.at_station("1601") == (moved,)
                    await again.hang_up()
            (over,) = await line.told("it is over", lambda calls: not calls[0].live)
            both = ("1501", "1601")
            assert stays(over) == [(at, how) for at in both for how in ("ringing", "talking")]

    asyncio.run(scenario())


def test_an_attended_transfer_with_replaces_is_the_same_call() -> None:
    async def scenario() -> None:
        async with lab() as line:
            async with call(line.exchange.address) as placed:
                (first,) = await line.told("it talks", talking_at("1501"))
                await line.arm.hold(placed.call_id)
                async with call(line.exchange.address, caller="1501", called="1601") as consult:
                    await consult.answered()
                    theirs, ours = line.doctor.dialog(consult.call_id)
                    replaces = f"{consult.call_id};to-tag={ours};from-tag={theirs}"
                    target = f"sip:1601@{line.exchange.address}?Replaces={quote(replaces, safe='')}"
                    await line.arm.transfer(placed.call_id, target)
                    asked = referred_by_caller(placed.messages())
                    assert asked["Replaces"] == replaces
                    headers = {"Replaces": asked["Replaces"], "Referred-By": "<sip:1501@lab>"}
                    async with call(line.exchange.address, called="1601", headers=headers) as taken:
                        await taken.answered()
                        await consult.hang_up()
                        await placed.hang_up()
                        (moved,) = await line.told("it is at 1601 alone", talking_at("1601"))
                        assert moved.id == first.id
                        assert not moved.inferred
                        await taken.hang_up()
            await line.told("it is over", lambda calls: not calls[0].live)

    asyncio.run(scenario())


def test_a_call_back_is_another_call_that_names_the_first() -> None:
    async def scenario() -> None:
        async with lab() as line:
            async with call(line.exchange.address, hold=0.1) as placed:
                await placed.ended()
            (first,) = await line.told(
                "it is over", lambda calls: bool(calls) and not calls[0].live
            )
            async with call(
                line.exchange.address, caller="1601", called="0612345678", hold=0.1
            ) as back:
                await back.ended()
            _, second = await line.told(
                "both are over", lambda calls: len(calls) == 2 and not calls[1].live
            )
            assert second.number is not None
            assert second.number.e164 == CALLER
            assert [(each.call, each.why) for each in second.related] == [(first.id, CALL_BACK)]

    asyncio.run(scenario())


def test_fifty_calls_at_ten_a_second_are_fifty_calls() -> None:
    async def scenario() -> None:
        async with lab() as line:
            # A number for each call: two calls of one number within milliseconds are taken for two legs of one.
            numbers = "+33612345[call_number]"
            async with call(
                line.exchange.address, caller=numbers, count=50, rate=10, hold=1
            ) as placed:
                await placed.ended(timeout=40)
            calls = await line.told(
                "all are over",
                lambda calls: len(calls) == 50 and not any(each.live for each in calls),
            )
            assert {
                alias
                for each in calls
                for alias in placed.call_ids
                if line.runner.correlator.find(alias) == (each,)
            } == set(placed.call_ids)
            (health,) = line.runner.health()
            assert health.rejected == {}

    asyncio.run(scenario())


def referred_by_caller(messages: str) -> dict[str, str]:
    """What the last REFER asks the caller's phone to put into its new INVITE."""
    refer = next(line for line in reversed(messages.splitlines()) if line.startswith("Refer-To:"))
    asked = refer.partition("?")[2].strip().rstrip(">")
    return {k: unquote(v) for k, _, v in (part.partition("=") for part in asked.split("&"))}
