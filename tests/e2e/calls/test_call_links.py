"""I2: every session knows its call, why, and how sure; or says why it has none."""

from __future__ import annotations

import re
import secrets
import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import pytest

from tests.e2e.house import CALLER, CALLER_SHOWN, House, house, until_text
from tests.e2e.record import record_of_session, verified
from tests.e2e.seen import session_id
from tests.lab.browsers.browser import moving_picture
from tests.lab.ports import free_port
from tests.lab.switchboard import sipp
from tests.server.line15.signed import mac

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

OPEN = "#server-state[data-state=open]"
OPAQUE = re.compile(r"/desk\?launch=[A-Za-z0-9_-]{20,}")


def context(**values: str) -> str:
    """An address that anybody could write."""
    return f"/desk?{urlencode(values)}"


async def signing(home: House) -> Callable[..., str]:
    """Share a secret with the site; what is returned writes the addresses of the call-centre software."""
    said = await home.server.cli("site", "secret", "samu37")
    found = re.search(r"[0-9a-f]{64}", said)
    assert found, said

    def signed(**values: str) -> str:
        once = {"ts": str(int(time.time())), "nonce": secrets.token_hex(16)}
        told = {name: values.get(name, "") for name in ("call", "caller", "station")}
        fields = {**once, **told}
        return context(**fields, sig=mac(found.group(), "\n".join(fields.values()).encode()))

    return signed


async def launch(home: House, desk: Page, address: str) -> str:
    """Open page B from call context; return the sentence it shows, "" for none."""
    await desk.goto(home.url + address)
    await desk.wait_for_selector(OPEN)
    await desk.wait_for_selector("#line15:not([data-state=unknown])")
    return await desk.text_content("#notice-text") or ""


async def linked(desk: Page, certainty: str, text: str) -> None:
    await desk.wait_for_selector(f"#link-label[data-certainty={certainty}]")
    await until_text(desk, "#link-label", text)


async def quit_video(desk: Page) -> None:
    await desk.click("#end")
    await desk.wait_for_selector("#sessions li:first-child[data-state=ended]")


async def evidence(home: House, alias: str, session: str) -> list[tuple[str, str]]:
    """The rows of the link, oldest first, as the auditor reads them."""
    record = await record_of_session(home, alias, session)
    return [(link["evidence"], link["certainty"]) for link in record["sessions"][0]["links"]]


async def test_a_page_launched_from_a_call_is_on_that_call() -> None:
    """Before login, after login, wrong in every way, and before the telephone has heard of the call."""
    async with house() as home, sipp.phone(port=home.uas_port):
        client = await home.browser.desk()
        desk = await client.context.new_page()
        signed = await signing(home)
        async with sipp.call(home.kamailio.address, caller=CALLER) as line:
            await line.answered()
            pop = {"call": line.call_id, "caller": CALLER, "station": "1601"}
            # Nothing personal stays in an address, signed in or not.
            answer = await client.context.request.get(home.url + signed(**pop), max_redirects=0)
            assert answer.status == 303
            assert OPAQUE.fullmatch(answer.headers["location"])
            await home.sign_in(desk, target=signed(**pop))
            await desk.wait_for_selector(OPEN)
            assert OPAQUE.fullmatch(desk.url.removeprefix(home.url))
            await desk.wait_for_selector("#calls li[data-state=talking]")
            assert await desk.input_value("#mobile") == CALLER_SHOWN
            await desk.click("#invite")
            await linked(desk, "certain", "depuis lequel la page a été ouverte")
            await desk.wait_for_selector("#calls li[data-state=talking][data-linked=true]")
            first = await session_id(desk)
            await quit_video(desk)
            assert await evidence(home, line.call_id, first) == [("launch_context", "certain")]
            # What is wrong is said, and the desk works all the same.
            assert "pas de votre site" in await launch(home, desk, signed(station="9999"))
            assert "illisible" in await launch(home, desk, signed(call="x" * 300))
            assert "illisible" in await launch(home, desk, signed(caller="n'importe quoi"))
            assert "téléphone fixe" in await launch(home, desk, signed(caller="0247000000"))
            await desk.wait_for_selector("#calls li[data-state=talking]")
            await line.hang_up()
        await desk.wait_for_selector("#calls li[data-state=ended]")
        assert "terminé" in await launch(home, desk, signed(call=line.call_id))
        await desk.fill("#mobile", "06 12 34 56 01")
        await desk.click("#invite")
        await linked(desk, "certain", "depuis lequel la page a été ouverte")
        await quit_video(desk)
        await the_screen_pops_first(home, desk, signed)
        said = home.server.logs()
        for personal in (CALLER, quote(CALLER), CALLER_SHOWN, line.call_id, "pop-first"):
            assert personal not in said, f"{personal} is in the log"
        home.browser.assert_clean(home.url)
        await verified(home)


async def the_screen_pops_first(home: House, desk: Page, signed: Callable[..., str]) -> None:
    """An unknown id is kept as asserted, and confirmed when a feed reports it."""
    asserted = "pop-first@pbx.example"
    said = await launch(home, desk, signed(call=asserted, caller=CALLER, station="1601"))
    assert "à confirmer" in said
    await desk.wait_for_selector("#calls li[data-state=asserted]")
    assert await desk.input_value("#mobile") == CALLER_SHOWN
    await desk.click("#invite")
    await linked(desk, "certain", "depuis lequel la page a été ouverte")
    await desk.wait_for_selector("#calls li[data-state=asserted][data-linked=true]")
    session = await session_id(desk)
    async with sipp.call(home.kamailio.address, caller=CALLER, call_id=asserted) as line:
        await line.answered()
        await desk.wait_for_selector("#calls li[data-state=talking][data-linked=true]")
        await desk.wait_for_selector("#calls li[data-state=asserted]", state="detached")
        await linked(desk, "certain", "depuis lequel la page a été ouverte")
        await line.hang_up()
    await quit_video(desk)
    record = await record_of_session(home, asserted, session)
    assert {"asserted", "sip_call_id"} <= {
        alias["type"] for alias in record["aliases"] if alias["value"] == asserted
    }
    links = record["sessions"][0]["links"]
    assert [link["certainty"] for link in links] == ["certain", "certain"]
    assert links[1]["call"] == record["call"]["id"] != links[0]["call"]


async def test_a_link_on_a_foreign_page_only_proposes() -> None:
    """A signed-in colleague follows it: no desk is cut, nothing is filled in, and it is said where it comes from."""
    bait = {"call": "forged@evil.example", "caller": "0698765432", "station": "1602"}
    async with house() as home:
        await home.server.cli("site", "launches", "samu37", "optional")
        doctor = await home.desk("regulateur", station="1602")
        victim = await home.desk("arm", station="1601")
        await victim.goto("about:blank")
        await victim.set_content(f'<a href="{home.url}{context(**bait)}">les résultats</a>')
        await victim.click("a")
        await victim.wait_for_selector("#proposal:not([hidden])")
        await until_text(victim, "#proposal-text", "Une page d’un autre site demande")
        await until_text(
            victim, "#proposal-text", "06 98 76 54 32, appel forged@evil.example, poste 1602"
        )
        assert OPAQUE.fullmatch(victim.url.removeprefix(home.url))
        await until_text(victim, "#station-text", "poste 1601")
        assert await victim.input_value("#mobile") == ""
        assert await victim.locator("#calls li").count() == 0
        await victim.click("#proposal-leave")
        await victim.wait_for_selector("#proposal[hidden]", state="attached")
        assert victim.url == f"{home.url}/desk"
        await victim.reload()
        await victim.wait_for_selector(OPEN)
        assert await victim.is_hidden("#proposal")
        # What one asked for oneself is accepted; somebody sits at its station, which is another question.
        await victim.goto(home.url + context(**bait))
        await until_text(victim, "#proposal-text", "Un lien sans signature demande")
        await victim.click("#proposal-take")
        await victim.wait_for_selector("#seat[open]")
        await until_text(victim, "#seat-text", "Dr Regulateur y est")
        assert await doctor.is_hidden("#notice")
        await victim.keyboard.press("Escape")
        await victim.wait_for_selector("#calls li[data-state=asserted]")
        await until_text(victim, "#station-text", "poste 1601")
        assert await doctor.is_hidden("#notice")
        await victim.evaluate("() => sessionStorage.setItem('visio15.station', '1602')")
        await victim.reload()
        await victim.wait_for_selector("#seat[open]")
        await victim.click("#seat-take")
        await until_text(doctor, "#notice-text", "tenu par Dr Arm")
        await until_text(victim, "#station-text", "poste 1602")
        await victim.wait_for_selector("#calls li[data-state=asserted]")
        assert await victim.input_value("#mobile") == "06 98 76 54 32"
        assert await victim.is_hidden("#proposal")
        home.browser.assert_clean(home.url)
        await verified(home)


async def test_several_calls_are_asked_about_and_a_link_is_changed_by_new_rows() -> None:
    """None, then by hand, then refused; several talking calls: the SMS does not wait for the choice."""
    async with house() as home, sipp.phone(port=home.uas_port):
        desk = await home.desk()
        await home.invite(desk, CALLER)
        await linked(desk, "unlinked", "aucun appel en cours")
        session = await session_id(desk)
        await desk.click("#change-call")
        await desk.fill("#manual", "2026-15-000123")
        await desk.press("#manual", "Enter")
        await linked(desk, "certain", "identifiant saisi")
        await desk.click("#change-call")
        await desk.click("#pick-none")
        await linked(desk, "unlinked", "à votre demande")
        await desk.click("#change-call")
        await desk.fill("#manual", "2026-15-000123")
        await desk.press("#manual", "Enter")
        await linked(desk, "certain", "identifiant saisi")
        await quit_video(desk)
        assert await evidence(home, "2026-15-000123", session) == [
            ("no_call", "unlinked"),
            ("manual_id", "certain"),
            ("declined", "unlinked"),
            ("manual_id", "certain"),
        ]
        await several(home, desk)
        home.browser.assert_clean(home.url)
        await verified(home)


async def several(home: House, desk: Page) -> None:
    """Two talking calls: nothing is guessed, the choice cannot be missed, and it can be changed."""
    other, shown = "+33711223344", "07 11 22 33 44"
    async with (
        sipp.call(home.kamailio.address, caller=CALLER) as one,
        sipp.call(home.kamailio.address, caller=other) as two,
    ):
        await one.answered()
        await two.answered()
        await desk.wait_for_selector("#calls li[data-state=talking] >> nth=1")
        assert await desk.input_value("#mobile") == ""
        await home.invite(desk, other)
        await desk.wait_for_selector("#pick[open]")
        await linked(desk, "unlinked", "Plusieurs appels")
        session = await session_id(desk)
        await desk.click(f"#pick-calls button[data-call]:has-text('{CALLER_SHOWN}')")
        await linked(desk, "certain", "que vous avez choisi")
        await until_text(desk, "#link-label", CALLER_SHOWN)
        await desk.wait_for_selector("#pick:not([open])", state="attached")
        await desk.click("#change-call")
        await desk.click(f"#pick-calls button[data-call]:has-text('{shown}')")
        await until_text(desk, "#link-label", shown)
        await one.hang_up()
        await two.hang_up()
    await quit_video(desk)
    rows = [("several_calls", "unlinked"), ("chosen", "certain"), ("chosen", "certain")]
    assert await evidence(home, two.call_id, session) == rows


async def test_a_dead_feed_never_blocks_a_video() -> None:
    """Line 15 is down, then silent: the invitation goes, and the session says why it has no call."""
    port = free_port()
    feed = {"kind": "hep", "site": "samu37", "port": port, "quiet_after": 0.1}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
        thief.bind(("127.0.0.1", port))
        async with house(extra={"feeds": [feed]}, switchboard={"hep": None}) as home:
            desk = await home.desk()
            await desk.wait_for_selector("#line15[data-state=down]")
            link = await home.invite(desk, CALLER)
            await linked(desk, "unlinked", "téléphonie coupée")
            # The feed comes back by itself, and hears nothing.
            thief.close()
            phone = await home.phone(link)
            await phone.tap("#tap")
            await moving_picture(desk, "#patient")
            await desk.wait_for_selector("#line15[data-state=quiet]")
            await phone.tap("#leave")
            await desk.wait_for_selector("#stage[data-picture=none]")
            await home.invite(desk, "+33612345601")
            await linked(desk, "unlinked", "aucun appel en cours")
            home.browser.assert_clean(home.url)
            await verified(home)
