"""The limits of signing in: five tries, five minutes, longer and longer blocks, whoever asks."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from server.core.limits.throttle import LONGEST_BLOCK, Throttle
from server.core.limits.throttle_store import KEPT, ThrottleStore
from server.identity.domain.login import ADDRESS_FAILURES
from tests.server.house import PASSWORD, Browser, House, wrong

if TYPE_CHECKING:
    from collections.abc import Callable


async def test_five_tries(house: House, browser: Browser) -> None:
    await browser.ask_code("regulator")
    code = await house.code()
    for _ in range(4):
        refused = await browser.post("/login/code", {"code": wrong(code)})
        assert (refused.code, b'id="code"' in refused.body) == (401, True)
    last = await browser.post("/login/code", {"code": wrong(code)})
    assert (last.code, b'id="password"' in last.body) == (401, True)
    house.clock.pass_(minutes=2)
    assert (await browser.post("/login/code", {"code": code})).code == 401


async def test_five_minutes(house: House, open_browser: Callable[[], Browser]) -> None:
    early, late = open_browser(), open_browser()
    await early.ask_code("regulator")
    early_code = await house.code()
    house.clock.pass_(minutes=4, seconds=59)
    assert (await early.post("/login/code", {"code": early_code})).code == 303
    await late.ask_code("auditor")
    late_code = await house.code()
    house.clock.pass_(minutes=5)
    assert (await late.post("/login/code", {"code": late_code})).code == 401
    assert (await late.get("/login/code")).headers["Location"] == "/login"


@pytest.mark.parametrize("identifier", ["regulator", "nobody-at-all"])
async def test_an_account_is_blocked_longer_and_longer(
    house: House, browser: Browser, identifier: str
) -> None:
    for _ in range(5):
        assert (await browser.ask_code(identifier, "wrong password")).code == 303
    for minutes in (1, 2, 4, 8, 16, 32, 60, 60):
        blocked = await browser.ask_code(identifier)
        assert blocked.code == 429
        assert "attendez" in blocked.body.decode()
        house.clock.pass_(minutes=minutes, seconds=-1)
        assert (await browser.ask_code(identifier)).code == 429
        house.clock.pass_(seconds=1)
        assert (await browser.ask_code(identifier, "wrong password")).code == 303


async def test_an_administrator_lifts_the_block(house: House, browser: Browser) -> None:
    unlock = house.commands.unlock
    for _ in range(5):
        await browser.ask_code("regulator", "wrong password")
    assert (await browser.ask_code("regulator")).code == 429
    assert await unlock.account(" Regulator ")
    assert (await browser.sign_in(house, "regulator")).code == 303
    assert not await unlock.account("regulator")
    assert (await house.actions()).count("user.unlocked") == 2
    for _ in range(4):
        assert (await browser.ask_code("regulator", "wrong password")).code == 303


async def test_a_blocked_account_costs_no_hashing(house: House, browser: Browser) -> None:
    for _ in range(5):
        await browser.ask_code("regulator", "wrong password")
    before = house.passwords.verifications
    assert (await browser.ask_code("regulator")).code == 429
    assert house.passwords.verifications == before


async def test_a_burst_of_guesses_does_not_slip_past_the_limit(house: House) -> None:
    """All pass the first check at once; the second, under the write lock, stops those past the limit."""
    tries = [
        house.login.request_code("regulator", f"wrong {n}", "email", "192.0.2.1", None)
        for n in range(9)
    ]
    tries.append(house.login.request_code("regulator", PASSWORD, "email", "192.0.2.1", None))
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(r, str) for r in results) <= 6
    assert any(isinstance(r, Exception) for r in results)


async def test_an_address_that_tries_many_accounts_is_blocked(house: House) -> None:
    async with house.server.transactions() as uow:
        key = house.seal.lookup("address", "192.0.2.1")
        counted = Throttle(key, ADDRESS_FAILURES - 1, house.clock.now(), None)
        await ThrottleStore(uow).save(counted)
        await uow.commit()
    await house.login.request_code("guess", "x", "email", "192.0.2.1", None)
    with pytest.raises(Exception, match="login_throttled"):
        await house.login.request_code("regulator", PASSWORD, "email", "192.0.2.1", None)
    assert await house.login.request_code("regulator", PASSWORD, "email", "192.0.2.2", None)


async def test_only_counts_that_can_decide_nothing_any_more_are_dropped(
    house: House, browser: Browser
) -> None:
    """With the next code that is asked for: nobody sweeps them otherwise."""
    assert timedelta(hours=1) + LONGEST_BLOCK <= KEPT  # no count runs longer than an hour
    now, second = house.clock.now(), timedelta(seconds=1)
    kept = [
        Throttle("counts", 1, now - KEPT, None),
        Throttle("blocks-still", 9, now - KEPT - second, now - KEPT),
        Throttle("counts-from-its-block-on", 9, now, now - KEPT - second),
    ]
    old = [
        Throttle("old", 1, now - KEPT - second, None),
        Throttle("blocked-long-ago", 9, now - KEPT - second, now - KEPT - second),
    ]
    async with house.server.transactions() as uow:
        for each in (*kept, *old):
            await ThrottleStore(uow).save(each)
        await uow.commit()
    await browser.ask_code("regulator")
    left = {row["key"] for row in await house.all_of("throttle")}
    assert {each.key for each in kept} <= left
    assert not left & {each.key for each in old}


async def test_success_forgets_the_failures(house: House, browser: Browser) -> None:
    for _ in range(4):
        await browser.ask_code("regulator", "wrong password")
    await browser.sign_in(house, "regulator")
    for _ in range(4):
        assert (await browser.ask_code("regulator", "wrong password")).code == 303
