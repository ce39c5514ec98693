"""The desk opened from a call: signed or not, late, twice, by another site; it works whatever is wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from server.app.wiring import build
from server.core.site_policy import LaunchPolicy, SitePolicy
from server.core.sites import SiteStore
from tests.server.line15.signed import Cti, secrets
from tests.server.running import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server.house import Browser


@pytest.fixture
def house(io_loop: Any, furnished_database: Path, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


@pytest.fixture
def cti(io_loop: Any, house: Running) -> Cti:
    made: Cti = io_loop.run_sync(lambda: Cti.of(house))
    return made


async def opened(house: Running, browser: Browser, address: str) -> tuple[str, dict[str, Any]]:
    """Open a launch as a browser does: its opaque id, and what the desk's first view says of it."""
    exchanged = await browser.get(address)
    assert exchanged.code == 303
    target = exchanged.headers["Location"]
    assert target.startswith("/desk?launch=")
    page = await browser.get(target)
    assert page.code == 200
    return target, await shown(house, browser, target)


async def shown(house: Running, browser: Browser, target: str) -> dict[str, Any]:
    socket = await house.connect("/ws/desk", browser)
    await socket.say("hello", peer="desk-peer-1", launch=target.partition("=")[2])
    view = await socket.hear("view")
    socket.socket.close()
    launch: dict[str, Any] = view["launch"]
    return launch


async def audited(house: Running) -> list[dict[str, Any]]:
    rows = await house.rows("SELECT data FROM audit WHERE action = 'desk.launched' ORDER BY seq")
    return [json.loads(row["data"]) for row in rows]


async def test_a_signed_launch_opens_on_its_call(house: Running, cti: Cti) -> None:
    browser = await house.signed_in("regulator")
    target, launch = await opened(house, browser, cti.launch())
    assert (launch["mobile"], launch["code"]) == ("06 12 34 56 78", None)
    assert launch["call"]
    assert await audited(house) == [{"station": "202", "signed": True}]
    house.clock.pass_(hours=1)
    await browser.get(target)
    again = await shown(house, browser, target)
    assert again["call"] == launch["call"], "a reload is not a replay, and not too late"
    assert browser.cookies["v15_station"] == "202"
    session = await house.invite(await house.desk(browser, launch=target.partition("=")[2]))
    links = await house.rows(f"SELECT * FROM session_link WHERE session = '{session}'")  # noqa: S608
    assert [(r["certainty"], r["evidence"]) for r in links] == [("certain", "launch_context")]


async def test_a_plus_sign_that_was_not_escaped(house: Running, cti: Cti) -> None:
    """It comes as a blank: the signature holds, and a number abroad does not become one in France."""
    browser = await house.signed_in("regulator")
    address = cti.launch()
    assert "caller=%2B33612345678" in address
    _, launch = await opened(house, browser, address.replace("%2B", "+"))
    assert (launch["mobile"], launch["code"]) == ("06 12 34 56 78", None)
    await secrets(house).launches("rivage", LaunchPolicy.OPTIONAL)
    _, launch = await opened(house, browser, "/desk?caller=+687738358")
    assert launch["proposed"]["mobile"] == "+687 73.83.58"


async def test_it_waits_for_the_sign_in(house: Running, cti: Cti) -> None:
    """Judged by the time it came, not by the time the user had found the password."""
    stranger = house.browser()
    target = (await stranger.get(cti.launch())).headers["Location"]
    assert "/login" in (await stranger.get(target)).headers["Location"]
    house.clock.pass_(minutes=20)
    browser = await house.signed_in("regulator")
    browser.cookies |= stranger.cookies
    assert (await browser.get(target)).code == 200
    shows = await shown(house, browser, target)
    assert (shows["code"], shows["mobile"]) == (None, "06 12 34 56 78")


@pytest.mark.parametrize(
    ("changes", "skew", "refusal"),
    [
        ({"caller": "+33612345679"}, 0, "launch_signature_wrong"),
        ({"call": "another"}, 0, "launch_signature_wrong"),
        ({"station": ""}, 0, "launch_signature_wrong"),
        ({"nonce": "nonce-0002"}, 0, "launch_signature_wrong"),
        ({"sig": "f" * 64}, 0, "launch_signature_wrong"),
        ({"kid": "unknown"}, 0, "launch_signature_wrong"),
        ({}, -301, "launch_expired"),
        ({}, 301, "launch_expired"),
    ],
)
async def test_a_context_that_does_not_hold_is_ignored(
    house: Running, cti: Cti, changes: dict[str, str], skew: float, refusal: str
) -> None:
    browser = await house.signed_in("regulator")
    _, launch = await opened(house, browser, cti.launch(skew=skew, **changes))
    assert (launch["call"], launch["mobile"], launch["code"]) == (None, None, refusal)
    assert "ignoré" in launch["notice"]
    assert await audited(house) == [{"station": None, "signed": False, "refused": refusal}]
    assert house.counted(refusal) == 1
    assert browser.cookies["v15_station"] == "201"
    desk = await house.desk(browser)
    assert await house.invite(desk), "the desk works"


@pytest.mark.parametrize("skew", [-300, 300])
async def test_clocks_may_differ(house: Running, cti: Cti, skew: float) -> None:
    browser = await house.signed_in("regulator")
    assert (await opened(house, browser, cti.launch(skew=skew)))[1]["code"] is None


async def test_another_site_s_secret(house: Running, cti: Cti) -> None:
    foreign = await Cti.of(house, "montagne")
    browser = await house.signed_in("regulator")
    for address in (foreign.launch(), foreign.launch(kid=""), foreign.launch(kid=cti.kid)):
        _, launch = await opened(house, browser, address)
        assert launch["code"] == "launch_signature_wrong"


async def test_a_nonce_serves_once_also_after_a_restart(house: Running, cti: Cti) -> None:
    browser = await house.signed_in("regulator")
    address = cti.launch()
    target, _ = await opened(house, browser, address)
    assert (await opened(house, browser, address))[1]["code"] == "launch_replayed"
    await house.server.stop()
    house.server = build(house.server.settings.model_copy(update={"port": 0}), house.clock)
    await house.server.start()
    browser = await house.signed_in("regulator")
    assert (await opened(house, browser, address))[1]["code"] == "launch_replayed"
    assert (await shown(house, browser, target))["code"] is None
    assert (await opened(house, browser, cti.launch("nonce-0002")))[1]["code"] is None


async def test_the_same_nonce_of_two_sites(house: Running, cti: Cti) -> None:
    await opened(house, await house.signed_in("regulator"), cti.launch())
    foreign = await Cti.of(house, "montagne")
    elsewhere = await house.admin.add_user(
        "voisin",
        "correct horse battery staple",
        site_key="montagne",
        name="V",
        role=house.users["regulator"].role,
        email="v@example.org",
        mobile=None,
    )
    house.users["voisin"] = elsewhere
    browser = await house.signed_in("voisin", None)
    assert (await opened(house, browser, foreign.launch()))[1]["code"] is None


async def test_unsigned_is_a_proposal_or_nothing(house: Running) -> None:
    browser = await house.signed_in("regulator")
    address = "/desk?call=pop-17&caller=0612345678&station=202"
    _, launch = await opened(house, browser, address)
    assert (launch["call"], launch["mobile"], launch["code"]) == (None, None, "launch_unsigned")
    assert "non signé" in launch["notice"]
    await secrets(house).launches("rivage", LaunchPolicy.OPTIONAL)
    _, launch = await opened(house, browser, address)
    assert (launch["call"], launch["mobile"], launch["code"]) == (None, None, None)
    assert launch["proposed"]["mobile"] == "06 12 34 56 78"
    said = [(row["signed"], row.get("refused")) for row in await audited(house)]
    assert said == [(False, "launch_unsigned"), (False, None)]


async def test_a_site_of_before_decides_as_it_did(house: Running) -> None:
    """An upgrade refuses nothing that came in: what a site never decided is proposed."""
    async with house.server.transactions() as uow:
        await SiteStore(uow).set_policy(house.sites["rivage"], SitePolicy())
        await uow.commit()
    browser = await house.signed_in("regulator")
    _, launch = await opened(house, browser, "/desk?caller=0612345678")
    assert launch["proposed"]["mobile"] == "06 12 34 56 78"


async def test_two_secrets_while_one_is_replaced(house: Running, cti: Cti) -> None:
    await Cti.of(house)
    browser = await house.signed_in("regulator")
    assert (await opened(house, browser, cti.launch()))[1]["code"] is None
    await Cti.of(house)
    _, launch = await opened(house, browser, cti.launch("nonce-0002"))
    assert launch["code"] == "launch_signature_wrong"


async def test_a_signature_alone_does_not_stay_in_the_address(house: Running) -> None:
    answer = await house.browser().get("/desk?sig=abc&nonce=12345678")
    assert answer.headers["Location"].startswith("/desk?launch=")
