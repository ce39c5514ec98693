"""A launch from call context: nothing personal in an address (I5), and nothing of it for another site (I7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from server.domain.access import Role
from tests.web.running import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTEXT = "/desk?call=a-call-id%40pbx.example&caller=0612345678&station=201"


@pytest.fixture
def house(io_loop: Any, furnished_database: Path, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def launched(house: Running) -> str:
    """What a click in the call's software leads to, before anybody is signed in."""
    answer = await house.browser().get(CONTEXT)
    assert answer.code == 303
    address = answer.headers["Location"]
    assert address.startswith("/desk?launch=")
    for personal in ("call-id", "612345678", "station"):
        assert personal not in address
    return address.partition("=")[2]


async def test_a_launch_is_of_the_site_that_opens_it_first(house: Running) -> None:
    await house.admin.set_role("ailleurs", Role.REGULATOR)
    opaque = await launched(house)
    here = await house.connect("/ws/desk", await house.signed_in("regulator"))
    await here.say("hello", peer="desk-peer-1", launch=opaque)
    view = await here.hear("view")
    assert view["launch"]["mobile"] == "06 12 34 56 78"
    assert view["launch"]["call"]
    there = await house.connect("/ws/desk", await house.signed_in("ailleurs", "301"))
    await there.say("hello", peer="desk-peer-2", launch=opaque)
    view = await there.hear("view")
    assert (view["launch"]["mobile"], view["launch"]["call"]) == (None, None)
    assert "expiré" in view["launch"]["notice"]
    assert view["calls"] == []
    calls = await house.rows("SELECT site FROM call")
    assert [row["site"] for row in calls] == [house.sites["rivage"].id]


async def test_the_same_site_may_open_it_again(house: Running) -> None:
    opaque = await launched(house)
    browser = await house.signed_in("regulator")
    for peer in ("desk-peer-1", "desk-peer-2"):
        assert (await browser.get(f"/desk?launch={opaque}")).code == 200
        page = await house.connect("/ws/desk", browser)
        await page.say("hello", peer=peer, launch=opaque)
        assert (await page.hear("view"))["launch"]["mobile"] == "06 12 34 56 78"


async def test_a_launch_is_over_after_a_shift(house: Running) -> None:
    opaque = await launched(house)
    house.clock.pass_(hours=14)
    page = await house.connect("/ws/desk", await house.signed_in("regulator"))
    await page.say("hello", peer="desk-peer-1", launch=opaque)
    assert (await page.hear("view"))["launch"]["mobile"] is None


@pytest.mark.parametrize(
    "context", ["call=%E2%80%AE", "caller=abc", "station=999", "call=" + "x" * 600]
)
async def test_a_wrong_context_still_opens_the_desk(house: Running, context: str) -> None:
    browser = await house.signed_in("regulator")
    answer = await browser.get(f"/desk?{context}")
    assert (await browser.get(answer.headers["Location"])).code == 200
    page = await house.connect("/ws/desk", browser)
    opaque = answer.headers["Location"].partition("=")[2]
    await page.say("hello", peer="desk-peer-1", launch=opaque)
    view = await page.hear("view")
    assert view["launch"]["notice"]
    await page.alive()
