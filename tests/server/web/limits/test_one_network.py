"""70 failures from one /64 are failures of one: through a proxy's header, at every place that counts addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from server.identity.domain.login import ADDRESS_FAILURES, CODE_TRIES
from server.invitations.domain.spoken import ADDRESS_WRONG
from tests.server.running import Running, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.databases import Furnished
    from tests.server.house import Browser

TRIES = 70
#: Each writes one source in many ways; `other` is its neighbour.
WAYS: dict[str, tuple[Callable[[int], str], str]] = {
    "hosts of a /64": (lambda n: f"2001:db8:1:2::{n + 1:x}", "2001:db8:1:3::1"),
    "hosts far apart": (lambda n: f"2001:db8:1:2:{n:x}:{n + 1:x}:{n:x}:1", "2001:db8:1:1:ffff::"),
    "with ports": (lambda n: f"[2001:db8:1:2::{n + 1:x}]:{4000 + n}", "[2001:db8:1:3::1]:4000"),
    "with zones": (lambda n: f"fe80::{n + 1:x}%eth{n}", "fe81::1%eth0"),
    "IPv4 in IPv6 clothes": (
        lambda n: ("192.0.2.7", "::ffff:192.0.2.7", "::ffff:c000:207", "64:ff9b::192.0.2.7")[n % 4],
        "::ffff:192.0.2.8",
    ),
    "what the client invents": (
        lambda n: f"2001:db8:{n:x}::9, 192.0.2.7",
        "2001:db8::9, 192.0.2.8",
    ),
}


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path, trusted_proxies=["127.0.0.1"]) as house:
        yield house


class Nobody:
    """Passwords that are all wrong, at once."""

    async def verify(self, stored: str | None, password: str) -> bool:
        del stored, password
        return False


async def post(browser: Browser, path: str, form: dict[str, str], address: str) -> int:
    return (await browser.post(path, form, headers={"X-Forwarded-For": address})).code


async def wrong_password(house: Running, number: int, address: str) -> int:
    form = {"identifier": f"nobody-{number}", "password": "wrong", "channel": "email"}
    return await post(house.browser(), "/login", form, address)


@pytest.mark.parametrize("way", WAYS)
async def test_wrong_passwords(house: Running, way: str) -> None:
    written, other = WAYS[way]
    house.login._passwords = Nobody()  # type: ignore[assignment] # quicker
    answers = [await wrong_password(house, number, written(number)) for number in range(TRIES)]
    assert answers == [303] * ADDRESS_FAILURES + [429] * (TRIES - ADDRESS_FAILURES)
    assert await wrong_password(house, TRIES, other) == 303, "the neighbour is another"


@pytest.mark.parametrize("way", WAYS)
async def test_wrong_codes_read_aloud(house: Running, way: str) -> None:
    written, other = WAYS[way]
    browser = house.browser()
    answers = [
        await post(browser, "/c", {"code": "000000"}, written(number)) for number in range(TRIES)
    ]
    free = ADDRESS_WRONG + 1
    assert answers == [404] * free + [429] * (TRIES - free)
    assert await post(browser, "/c", {"code": "000000"}, other) == 404


async def test_wrong_codes_of_sign_ins(house: Running) -> None:
    """Each account has its own tries; whoever tries many accounts from one /64 has no more for it."""
    house.login._passwords = Nobody()  # type: ignore[assignment] # quicker
    written, other = WAYS["hosts of a /64"]
    codes: list[int] = []
    asked = 0
    while 429 not in codes:
        browser = house.browser()
        form = {"identifier": f"nobody-{asked}", "password": "x", "channel": "email"}
        # The password comes from elsewhere, so that only wrong codes count for this network.
        assert await post(browser, "/login", form, f"198.51.{asked}.1") == 303
        asked += 1
        codes += [
            await post(browser, "/login/code", {"code": "000000"}, written(len(codes) + n))
            for n in range(CODE_TRIES - 1)
        ]
        assert len(codes) <= TRIES, "no block"
    assert codes.index(429) == ADDRESS_FAILURES
    assert await wrong_password(house, TRIES, other) == 303
