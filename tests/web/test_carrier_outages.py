"""Carriers slow, broken or gone, and clocks that jump: the message leaves in the end, once, and the desk knows (I3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from server.services.lane import MOST
from tests.fakes import Gateway
from tests.lab.process import until
from tests.lab.smtp import Smtp, smtp
from tests.web.running import Page, Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def gateway(io_loop: Any) -> Iterator[Gateway]:
    made = Gateway()

    async def start() -> None:
        made.start()

    io_loop.run_sync(start)
    yield made
    made.answering.set()
    io_loop.run_sync(made.stop)


@pytest.fixture
def relay(io_loop: Any) -> Iterator[Smtp]:
    box = smtp()
    yield io_loop.run_sync(box.__aenter__)
    io_loop.run_sync(lambda: box.__aexit__(None, None, None))


@pytest.fixture
def house(
    io_loop: Any, furnished_database: Path, tmp_path: Path, gateway: Gateway, relay: Smtp
) -> Iterator[Running]:
    there = {"host": relay.host, "port": relay.port, "timeout": 2.0}
    with running(io_loop, furnished_database, tmp_path, sms=gateway.settings, smtp=there) as house:
        yield house


async def message(house: Running, channel: str = "sms") -> dict[str, Any]:
    [row] = await house.rows(f"SELECT * FROM message WHERE channel = '{channel}'")  # noqa: S608 - ours
    return row


async def in_state(house: Running, state: str, channel: str = "sms") -> dict[str, Any]:
    """Wait until the message is there, passing the time of its retries."""
    found: dict[str, Any] = {}

    async def there() -> bool:
        found.update(await message(house, channel))
        if found["state"] == "queued" and found["attempts"]:
            house.clock.pass_(seconds=1)
            house.server.delivery.wake()
        return bool(found["state"] == state)

    await until(there, f"the {channel} is {state}", explain=lambda: str(found), timeout=20)
    return found


async def tried(house: Running, times: int) -> None:
    async def there() -> bool:
        return bool((await message(house))["attempts"] >= times)

    await until(there, f"{times} tries")


async def shown(desk: Page, text: str) -> dict[str, Any]:
    """Wait for a view whose sentence has this text."""
    while True:
        view = await desk.hear("view")
        if view["sessions"] and text in view["sessions"][0]["say"]["text"]:
            return dict(view["sessions"][0])


async def desk(house: Running) -> Page:
    return await house.desk(await house.signed_in("regulator"))


# --- the SMS gateway -------------------------------------------------------------------------------
@pytest.mark.parametrize("how", [500, 502, 503, 429, "3: Temporal failure", "slow"])
async def test_a_broken_gateway_is_asked_again_until_it_takes_the_message_once(
    house: Running, gateway: Gateway, how: int | str
) -> None:
    page = await desk(house)
    if how == "slow":
        gateway.answering.clear()
    elif isinstance(how, int):
        gateway.status = how
    else:
        gateway.body = how
    await house.invite(page)
    await tried(house, 1)
    waiting = await message(house)
    assert (waiting["state"], waiting["error"]) != ("queued", None)
    assert (await shown(page, "part dans un instant"))["say"]["cause"]
    house.clock.pass_(seconds=1)
    house.server.delivery.wake()
    await tried(house, 2)
    gateway.status, gateway.body = 200, Gateway.body
    gateway.answering.set()
    taken = await in_state(house, "handed")
    assert taken["attempts"] == len(gateway.asked) or how == "slow"
    assert len({asked["text"] for asked in gateway.asked}) == 1, "always the same link"
    assert len(gateway.accepted) == 1 or how == "slow"
    assert gateway.accepted[0]["to"] == "+33612345678"
    await shown(page, "Je vous envoie un SMS")


async def test_a_gateway_that_is_gone_is_waited_for(house: Running, gateway: Gateway) -> None:
    page = await desk(house)
    await gateway.stop()
    await house.invite(page)
    await tried(house, 1)
    house.clock.pass_(seconds=1)
    house.server.delivery.wake()
    await tried(house, 2)
    gateway.start()
    await in_state(house, "handed")
    assert len(gateway.accepted) == 1


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_a_refusal_for_good_is_told_at_once(
    house: Running, gateway: Gateway, status: int
) -> None:
    page = await desk(house)
    gateway.status = status
    await house.invite(page)
    refused = await in_state(house, "failed")
    assert (refused["error"], refused["sealed"], refused["attempts"]) == (
        "carrier_refused",
        None,
        1,
    )
    session = await shown(page, "Le message n'est pas parti")
    assert [s["state"] for s in session["steps"] if s["key"] == "handed"] == ["failed"]
    house.clock.pass_(minutes=1)
    house.server.delivery.wake()
    await house.invite(page, "command-0002", email="jeanne@example.fr")
    await in_state(house, "handed", "email")
    assert len(gateway.asked) == 1


async def test_what_the_carrier_never_took_is_given_up_with_its_link(
    house: Running, gateway: Gateway
) -> None:
    page = await desk(house)
    gateway.status = 503
    await house.invite(page)
    await tried(house, 1)
    house.clock.pass_(minutes=15)
    house.server.delivery.wake()
    late = await in_state(house, "failed")
    assert (late["error"], late["sealed"]) == ("expired", None)
    assert await house.server.sessions.sweep(timedelta(minutes=30)) == 1
    await shown(page, "Je vous envoie un nouveau message")


async def test_a_slow_gateway_holds_up_neither_mails_nor_other_messages(
    house: Running, gateway: Gateway, relay: Smtp
) -> None:
    page = await desk(house)
    gateway.answering.clear()
    await house.invite(page, "command-0001")
    await until(lambda: len(gateway.asked) == 1, "the gateway hangs on the first")
    await house.invite(page, "command-0002", mobile="0612345679", email="jeanne@example.fr")
    await relay.next(to="jeanne@example.fr")
    await until(lambda: len(gateway.asked) == 2, "the second is offered beside the first")
    gateway.answering.set()
    await until(lambda: len(gateway.accepted) == 2, "both are taken")


async def test_more_messages_than_may_fly_at_once_all_arrive(
    house: Running, gateway: Gateway
) -> None:
    page = await desk(house)
    gateway.answering.clear()
    for number in range(MOST + 4):
        await house.invite(page, f"command-{number:04}", mobile=f"06123456{number:02}")
    await until(lambda: len(gateway.asked) == MOST, "as many as may")
    gateway.answering.set()
    await until(lambda: len(gateway.accepted) == MOST + 4, "all", timeout=20)
    assert len({asked["to"] for asked in gateway.accepted}) == MOST + 4


# --- our own mistakes ------------------------------------------------------------------------------
async def test_a_message_that_cannot_be_opened_stops_no_other(
    house: Running, gateway: Gateway
) -> None:
    """Sealed under a secret that was lost: nobody can send it, and nobody else pays for it."""
    page = await desk(house)
    gateway.status = 503
    await house.invite(page)
    await tried(house, 1)
    async with house.server.transactions() as uow:
        [row] = await house.rows("SELECT id FROM message WHERE channel = 'sms'")
        damaged = replace(await uow.messages.get(row["id"]), sealed=b"damaged")
        await uow.messages.save(damaged)
        await uow.commit()
    gateway.status = 200
    house.clock.pass_(seconds=5)
    house.server.delivery.wake()
    await tried(house, 2)
    await house.invite(page, "command-0002", mobile="0612345679")
    await until(lambda: [a["to"] for a in gateway.accepted] == ["+33612345679"], "the other left")
    [row] = await house.rows("SELECT state, error FROM message WHERE attempts >= 2")
    assert row == {"state": "queued", "error": "internal"}


# --- mail ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("answer", ["451 try later", "421 going down"])
async def test_a_relay_that_says_later_is_asked_later(
    house: Running, relay: Smtp, answer: str
) -> None:
    page = await desk(house)
    relay.answer = answer
    await house.invite(page, email="jeanne@example.fr")
    await until(lambda: relay.attempts == 1, "one try")
    await shown(page, "part dans un instant")
    relay.answer = None
    await in_state(house, "handed", "email")
    assert len(relay.mails) == 1
    assert "/v/" in relay.mails[0].text


async def test_a_relay_that_says_never_is_believed(house: Running, relay: Smtp) -> None:
    page = await desk(house)
    relay.answer = "550 no such box"
    await house.invite(page, email="jeanne@example.fr")
    refused = await in_state(house, "failed", "email")
    assert (refused["error"], relay.attempts) == ("carrier_refused", 1)
    await shown(page, "Le message n'est pas parti")


# --- receipts --------------------------------------------------------------------------------------
async def receipt(house: Running, ref: str, status: int) -> int:
    answer = await house.browser().get(f"/receipts/sms/{ref}?status={status}")
    return answer.code


async def test_receipts_repeated_and_out_of_order(house: Running, gateway: Gateway) -> None:
    page = await desk(house)
    await house.invite(page)
    taken = await in_state(house, "handed")
    ref = taken["receipt_ref"]
    assert ref in gateway.accepted[0]["dlr"]
    for status in (8, 4, 4, 8):
        assert await receipt(house, ref, status) == 200
    await in_state(house, "buffered")
    await shown(page, "attend le réseau")
    for status in (1, 2, 16, 4, 1):
        assert await receipt(house, ref, status) == 200
    delivered = await in_state(house, "delivered")
    assert delivered["error"] is None
    await shown(page, "Vous avez reçu un SMS")
    actions = [a for a in await house.actions() if a.startswith("message.")]
    assert actions == ["message.handed", "message.buffered", "message.delivered"]


@pytest.mark.parametrize("status", [0, 3, 32, 255])
async def test_a_receipt_of_another_meaning_changes_nothing(
    house: Running, gateway: Gateway, status: int
) -> None:
    await house.invite(await desk(house))
    ref = (await in_state(house, "handed"))["receipt_ref"]
    assert await receipt(house, ref, status) == 200
    assert (await message(house))["state"] == "handed"
    assert await receipt(house, "A" * 27, 1) == 404
    assert gateway.accepted


# --- clocks ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("hours", [1, -1])
async def test_a_clock_that_jumps_loses_no_message(
    house: Running, gateway: Gateway, hours: int
) -> None:
    page = await desk(house)
    gateway.status = 503
    await house.invite(page)
    await tried(house, 1)
    house.clock.pass_(hours=hours)
    gateway.status = 200
    house.server.delivery.wake()
    if hours > 0:  # its link is over by then: told, not sent in vain
        assert (await in_state(house, "failed"))["error"] == "expired"
    else:
        await until(lambda: len(gateway.accepted) == 1, "it leaves at once, not in an hour")
    await house.invite(page, "command-0002", mobile="0612345679")
    await until(lambda: "+33612345679" in {a["to"] for a in gateway.accepted}, "new ones leave")
    await page.alive()
    token = (await house.tokens())[-1]
    caller = await house.caller(token, await house.tapped(token))
    await caller.alive()
