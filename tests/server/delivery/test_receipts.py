"""Receipts in any order, and clocks that jump: what the desk is told stays true (I3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.process import until
from tests.server.delivery.posting import Post, desk, in_state, message, post_office, shown, tried

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes import Gateway
    from tests.server.running import Running


@pytest.fixture
def post(io_loop: Any, furnished_database: Path, tmp_path: Path) -> Iterator[Post]:
    with post_office(io_loop, furnished_database, tmp_path) as post:
        yield post


@pytest.fixture
def house(post: Post) -> Running:
    return post.house


@pytest.fixture
def gateway(post: Post) -> Gateway:
    return post.gateway


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
