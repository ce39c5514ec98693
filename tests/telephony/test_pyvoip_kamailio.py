"""The pyVoIP extension with a real Kamailio: registered by digest, told by notification calls."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from telephony import AliasType, CallState, Fact, FeedState
from telephony.correlation import Changed, Correlator
from telephony.feed_pyvoip import PyVoipAccount, PyVoipFeed
from telephony.runner import Runner
from tests.lab.kamailio import Kamailio, kamailio
from tests.lab.ports import free_port
from tests.lab.process import until
from tests.lab.sipp import call, phone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SNIPPET = Path(__file__).parents[2] / "contrib" / "kamailio-notify.cfg"


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


@asynccontextmanager
async def running(feed: PyVoipFeed) -> AsyncIterator[tuple[Runner, list[Fact]]]:
    facts: list[Fact] = []
    numbers = itertools.count(1)
    correlator = Correlator({"1501"}, lambda: f"call-{next(numbers)}")

    async def on_change(fact: Fact, changed: Changed) -> None:
        facts.append(fact)

    runner = Runner([feed], correlator, on_change, restart=(0.05, 0.2))
    task = asyncio.get_running_loop().create_task(runner.run())
    try:
        yield runner, facts
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_a_line_15_call_is_told_by_notification_calls() -> None:
    async def scenario() -> None:
        async with (
            phone(ring=0.2) as desk,
            kamailio(
                {
                    "1501": desk.contact("1501")
                    if hasattr(desk, "contact")
                    else f"1501@{desk.host}:{desk.port}"
                },
                users={"visio15": "s3cret"},
                include=SNIPPET,
                on_invite="route(VISIO15_CALL);",
            ) as switchboard,
        ):
            feed = PyVoipFeed("pyvoip", account(switchboard), stations={"1501"})
            async with running(feed) as (runner, _facts):
                await until(
                    lambda: feed.health().state is FeedState.CONNECTED,
                    "the extension is registered",
                    timeout=20,
                    explain=switchboard.part.tail,
                )
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
                    names = {record.alias.type for record in live.aliases}
                    assert AliasType.PRIVATE_HEADER in names
                    await placed.hang_up()
                await until(
                    lambda: not runner.correlator.live(),
                    "the end is told",
                    explain=lambda: str(feed.health()) + switchboard.part.tail(),
                )
                (over,) = runner.correlator.calls()
                assert over.end_certain
                assert feed.health().rejected == {}

    asyncio.run(scenario())
