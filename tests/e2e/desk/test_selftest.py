"""The self-test of a station with a real relay: all well, UDP blocked, a wrong secret; its report; other browsers."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.desk.test_feedback import report, rows
from tests.e2e.house import House, house, until_text
from tests.e2e.pages.test_accessibility import tab_to
from tests.lab.browsers.browser import axe, no_audio, open_cameras
from tests.lab.browsers.firefox import firefox
from tests.lab.browsers.webkitgtk import webkitgtk
from tests.lab.coturn import Coturn, coturn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

RELAYS = ("turn_udp", "turn_tcp", "turn_tls")
DONE = "#verdict:not([data-level=running])"
LEVELS = """() => Object.fromEntries([...document.querySelectorAll('[data-step]')]
  .map((row) => [row.dataset.step, row.dataset.level]))"""


def ice(relay: Coturn, secret: str | None = None) -> dict[str, Any]:
    return {
        "stun": [f"stun:{relay.host}:{relay.port}"],
        "turn": list(relay.urls),
        "turn_secret": secret or relay.secret,
    }


@asynccontextmanager
async def udp_blocked(port: int) -> AsyncIterator[None]:
    """Drop what goes to this port by UDP, in this namespace only."""
    await _iptables("-A", port)
    try:
        yield
    finally:
        await _iptables("-D", port)


async def _iptables(verb: str, port: int) -> None:
    rule = ("OUTPUT", "-p", "udp", "--dport", str(port), "-j", "DROP")
    process = await asyncio.create_subprocess_exec("/usr/sbin/iptables", verb, *rule)
    assert await process.wait() == 0


async def levels(page: Page) -> dict[str, str]:
    """Wait for the verdict; what each step came to."""
    await page.wait_for_selector(DONE)
    found: dict[str, str] = await page.evaluate(LEVELS)
    return found


async def downloaded(page: Page, button: str) -> str:
    async with page.expect_download() as started:
        await page.click(button)
    file = await (await started.value).path()
    return Path(file).read_text()


async def all_is_well(home: House, page: Page, relay: Coturn) -> None:
    """It runs by itself, without a camera; a picture passed through each relay alone."""
    found = await levels(page)
    assert {found[key] for key in (*RELAYS, "socket", "stun", "bandwidth", "clock", "screen")} == {
        "ok"
    }, await page.inner_text("#selftest-steps")
    assert found["camera"] == "none"
    # Debian's Chromium decodes both formats; a build without H264 would only be told so.
    assert found["browser"] in {"ok", "watch"}
    assert relay.allocations() >= 6
    assert await page.evaluate("() => window.__labAsked.length") == 0
    await no_audio(page, peers=0)
    assert await axe(page) == []
    made = json.loads(await downloaded(page, "#download-json"))
    steps = {step["key"]: step for step in made["steps"]}
    assert made["version"]
    assert made["station"] == "1601"
    for key, protocol in zip(RELAYS, ("udp", "tcp", "tls"), strict=True):
        facts = steps[key]["facts"]
        assert (facts["type"], facts["relay_protocol"]) == ("relay", protocol)
        assert facts["frames"] >= 5
    assert len(steps["socket"]["facts"]["rtts"]) == 10
    assert steps["bandwidth"]["facts"]["down_kbps"] > 0
    text = await downloaded(page, "#download-text")
    assert "Ce poste est prêt" in text
    for whole in (json.dumps(made), text):
        for never in ("Regulateur", "regulateur", relay.secret, "credential", "candidate:"):
            assert never not in whole


async def the_camera(page: Page) -> None:
    """By the keyboard; asked for without sound, shown, and let go."""
    await tab_to(page, "#try-camera")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#preview:not([hidden])")
    await page.wait_for_selector("[data-step=camera][data-level=ok]")
    assert await page.evaluate("() => window.__labAsked") == [{"audio": False, "video": True}]
    assert await open_cameras(page) == 0


async def test_a_station_tests_itself() -> None:
    async with coturn(tls=True) as relay:  # noqa: SIM117 - the house is told where the relay is
        async with house(extra={"ice": ice(relay)}, flags=("--ignore-certificate-errors",)) as home:
            desk = await home.desk()
            await desk.click("#help-open")
            async with desk.context.expect_page() as opened:
                await desk.click("#help a[href='/selftest']")
            page = await opened.value
            await all_is_well(home, page, relay)
            await the_camera(page)
            async with udp_blocked(relay.port):
                await tab_to(page, "#again")
                await page.keyboard.press("Enter")
                await page.wait_for_selector("#verdict[data-level=running]")
                found = await levels(page)
                assert [found[key] for key in RELAYS] == ["watch", "ok", "ok"]
                await until_text(page, "#verdict", "Ce poste est prêt, sauf :")
                await until_text(page, "#verdict", "relais vidéo en UDP")
                await until_text(page, "[data-step=turn_udp] .advice", "passera en TCP ou TLS")
                it = f"UDP sortant de ce poste vers {relay.host}:{relay.port}"
                await until_text(page, "[data-step=turn_udp] .it", it)
                assert it in await downloaded(page, "#download-text")
                assert await axe(page) == []
            # What it found goes with an incident, from this page and from the desk.
            for where in (page, desk):
                if where is desk:
                    await desk.bring_to_front()
                    await desk.keyboard.press("Escape")
                await report(where, "incident", "Le test dit que l’UDP est fermé.")
            kept = [json.loads(one) for (one,) in rows(home, "SELECT context FROM feedback")]
            assert ["turn_udp=watch" in one["selftest"] for one in kept] == [True, True]
            # A server that mints its credentials with another secret than the relay's.
            home.server.env["VISIO15_ICE"] = json.dumps(ice(relay, "another-secret-than-coturn's"))
            await home.server.restart()
            await page.reload()
            found = await levels(page)
            assert [found[key] for key in RELAYS] == ["bad"] * 3
            await until_text(page, "#verdict", "À corriger :")
            for key in RELAYS:
                await until_text(page, f"[data-step={key}] .words", "401")
                await until_text(page, f"[data-step={key}] .it", "static-auth-secret")
            assert await axe(page) == []


async def test_the_new_pages_in_other_browsers() -> None:
    """Firefox passes a picture through the relay; WebKitGTK, without connections, is told so; its list works."""
    async with coturn() as relay, house(extra={"ice": ice(relay)}) as home:
        async with firefox() as fox:
            page = await fox.person("desk")
            await home.sign_in(page, "regulateur")
            await page.goto(f"{home.url}/selftest")
            await page.wait_for_selector(DONE)
            found = await page.evaluate(LEVELS)
            assert (found["turn_udp"], found["turn_tcp"]) == ("ok", "ok"), await page.text_content(
                "#selftest-steps"
            )
            assert found["turn_tls"] == "none"
            assert found["socket"] == "ok"
            await page.click("#feedback-open")
            await page.fill("#feedback-remark", "Vu dans Firefox.")
            await page.click("#feedback-form button[type=submit]")
            await page.wait_for_selector("#feedback-sent:not([hidden])")
            fox.assert_clean(home.url)
        async with webkitgtk() as tab:
            await home.sign_in(tab, "admin")
            await tab.goto(f"{home.url}/selftest")
            await tab.wait_for_selector(DONE)
            await until_text(tab, "#verdict", "À corriger : navigateur")
            await until_text(tab, "[data-step=browser] .words", "il lui manque WebRTC")
            await tab.goto(f"{home.url}/incidents")
            await until_text(tab, "#incidents", "Vu dans Firefox.")
            await tab.click("#incidents a")
            await tab.wait_for_selector("#to-state")
            await tab.fill("#note", "Vu dans WebKit.")
            await tab.click(".decide button")
            await until_text(tab, "#history", "Vu dans WebKit.")
