"""A launch from call context: nothing personal in an address (I5), and nothing of it for another site (I7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from server.core.site_policy import LaunchPolicy
from server.identity.domain.access import Role
from tests.server.line15.signed import Cti, secrets
from tests.server.running import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server.house import Browser

CONTEXT = "/desk?call=a-call-id%40pbx.example&caller=0612345678&station=201"


@pytest.fixture
def house(io_loop: Any, furnished_database: Path, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def launched(browser: Browser, address: str) -> str:
    """What a click in the call's software leads to."""
    answer = await browser.get(address)
    assert answer.code == 303
    address = answer.headers["Location"]
    assert address.startswith("/desk?launch=")
    for personal in ("call-id", "612345678", "station", "pop-17"):
        assert personal not in address
    return address.partition("=")[2]


async def test_nothing_personal_stays_in_an_address_signed_in_or_not(house: Running) -> None:
    for browser in (house.browser(), await house.signed_in("regulator")):
        await launched(browser, CONTEXT)


async def test_a_launch_is_of_the_site_that_opens_it(house: Running) -> None:
    await house.admin.set_role("ailleurs", Role.REGULATOR)
    cti = await Cti.of(house)
    browser = await house.signed_in("regulator")
    opaque = await launched(browser, cti.launch())
    here = await house.connect("/ws/desk", browser)
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
    cti = await Cti.of(house)
    browser = await house.signed_in("regulator")
    opaque = await launched(browser, cti.launch())
    for peer in ("desk-peer-1", "desk-peer-2"):
        assert (await browser.get(f"/desk?launch={opaque}")).code == 200
        page = await house.connect("/ws/desk", browser)
        await page.say("hello", peer=peer, launch=opaque)
        assert (await page.hear("view"))["launch"]["mobile"] == "06 12 34 56 78"


async def test_a_launch_is_over_after_a_shift(house: Running) -> None:
    cti = await Cti.of(house)
    opaque = await launched(await house.signed_in("regulator"), cti.launch())
    house.clock.pass_(hours=14)
    page = await house.connect("/ws/desk", await house.signed_in("regulator"))
    await page.say("hello", peer="desk-peer-1", launch=opaque)
    assert (await page.hear("view"))["launch"]["mobile"] is None


STATION = "Le poste indiqué n'est pas de votre site : choisissez le vôtre."
NUMBER = "Le numéro reçu est illisible : saisissez-le."
LANDLINE = "L'appelant est sur un téléphone fixe : demandez un numéro de mobile."
CALL = "L'identifiant d'appel reçu est illisible : choisissez l'appel dans la liste."


@pytest.mark.parametrize(
    ("context", "notice"),
    [
        ("call=%E2%80%AE", CALL),
        ("caller=abc", NUMBER),
        ("caller=0247000000", LANDLINE),
        ("station=999", STATION),
        ("call=" + "x" * 600, CALL),
        ("call=%E2%80%AE&caller=abc&station=999", f"{STATION} {NUMBER} {CALL}"),
    ],
)
async def test_a_wrong_context_still_opens_the_desk(
    house: Running, context: str, notice: str
) -> None:
    await secrets(house).launches("rivage", LaunchPolicy.OPTIONAL)
    browser = await house.signed_in("regulator")
    answer = await browser.get(f"/desk?{context}")
    assert (await browser.get(answer.headers["Location"])).code == 200
    page = await house.connect("/ws/desk", browser)
    opaque = answer.headers["Location"].partition("=")[2]
    await page.say("hello", peer="desk-peer-1", launch=opaque)
    view = await page.hear("view")
    assert view["launch"]["notice"] == notice
    assert view["launch"]["proposed"] is None
    await page.alive()
