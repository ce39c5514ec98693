"""Carriers slow, broken or gone: the message leaves in the end, once, and the desk knows (I3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from server.delivery.domain.sms_text import SEGMENT, septets
from server.delivery.service.lane import MOST
from server.delivery.store import MessageStore
from tests.fakes import ACCEPTED
from tests.lab.process import until
from tests.server.delivery.posting import Post, desk, in_state, message, post_office, shown, tried

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes import Gateway
    from tests.lab.smtp import Smtp
    from tests.server.running import Running


@pytest.fixture
def post(
    io_loop: Any, furnished_database: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Post]:
    patience = getattr(request, "param", 2.0)
    with post_office(io_loop, furnished_database, tmp_path, patience) as post:
        yield post


@pytest.fixture
def house(post: Post) -> Running:
    return post.house


@pytest.fixture
def gateway(post: Post) -> Gateway:
    return post.gateway


@pytest.fixture
def relay(post: Post) -> Smtp:
    return post.relay


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
    gateway.status, gateway.body = 200, ACCEPTED
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


@pytest.mark.parametrize("post", [60.0], indirect=True)
async def test_more_messages_than_may_fly_at_once_all_arrive(
    house: Running, gateway: Gateway
) -> None:
    page = await desk(house)
    gateway.answering.clear()
    for number in range(MOST + 4):
        await house.invite(page, f"command-{number:04}", mobile=f"06123456{number:02}")
    await until(lambda: len(gateway.asked) == MOST, "as many as may")
    gateway.answering.set()
    await until(lambda: len(gateway.accepted) == MOST + 4, "all")
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
        damaged = replace(
            await MessageStore(uow).get(house.sites["rivage"].id, row["id"]), sealed=b"damaged"
        )
        await MessageStore(uow).save(damaged)
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


# --- what leaves -----------------------------------------------------------------------------------
async def test_the_text_that_leaves_is_one_segment(house: Running, gateway: Gateway) -> None:
    name = "SAMU Côte d’Azur – Hôpital « Pasteur », bâtiment de l’Œuvre"
    async with house.server.engine.connect() as connection:
        await connection.execute(text("UPDATE site SET name = :name"), {"name": name})
        await connection.commit()
    await house.invite(await desk(house))
    await until(lambda: len(gateway.accepted) == 1, "it leaves")
    assert gateway.accepted[0]["text"].startswith("SAMU Cote d'Azur - Hopital")
    assert septets(gateway.accepted[0]["text"]) <= SEGMENT
