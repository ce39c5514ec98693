"""`make screenshots`: every picture of the docs, of real pages with real parts behind them.

Usage: scripts/screenshots. Every picture goes to var/screens; those the docs link to also to docs/img.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.e2e.house import CALLER, House, house
from tests.lab.browsers.browser import PIXEL, browser, moving_picture, resize, screenshot
from tests.lab.ports import free_port
from tests.lab.process import own_folder, until
from tests.lab.server import ROOT, server
from tests.lab.switchboard import sipp
from tests.screens.caller import PHONE, TWO_CAMERAS, callers
from tests.screens.png import shrink
from tests.screens.scene import film

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.lab.browsers.browser import Client

DOCS = ROOT / "docs"
OTHER = "+33711223344"
NO_ANSWER = "navigator.mediaDevices.getUserMedia = () => new Promise(() => {});"
PASSWORD = re.compile(r"mot de passe {2}(\S+)")


async def regulator(home: House) -> None:
    """Sign in, wait, take a call, see the patient, choose between two calls."""
    client = await home.browser.desk()
    desk = await client.context.new_page()
    await desk.goto(f"{home.url}/login")
    await screenshot(desk, "login")
    await home.sign_in(desk)
    await screenshot(desk, "kiosk")
    await desk.click("a:has-text('Visiorégulation')")
    await desk.wait_for_url("**/desk")
    await screenshot(desk, "desk-station")
    await desk.select_option("select[name=station]", "1601")
    await desk.click("form[action='/desk/station'] button")
    await heartbeat(home)
    await desk.wait_for_selector("#line15[data-state=connected]", timeout=40_000)
    await screenshot(desk, "desk-waiting")
    async with sipp.phone(ring=0.3, port=home.uas_port):
        await one_call(home, desk)
        await two_calls(home, desk)
    await desk.click("#help-open")
    await screenshot(desk, "desk-help")
    await desk.keyboard.press("Escape")
    await desk.click("#feedback-open")
    await screenshot(desk, "feedback")


async def heartbeat(home: House) -> None:
    """Let the switchboard mirror something: until then line 15 is not shown as connected."""
    address = home.kamailio.address
    host, _, port = address.rpartition(":")
    request = (
        f"OPTIONS sip:{address} SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 127.0.0.1:5099;branch=z9hG4bKscreens;rport\r\n"
        f"From: <sip:screens@127.0.0.1>;tag=1\r\nTo: <sip:{address}>\r\n"
        "Call-ID: screens@127.0.0.1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 5\r\nContent-Length: 0\r\n\r\n"
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.sendto(request.encode(), (host, int(port)))


async def one_call(home: House, desk: Page) -> None:
    async with sipp.call(home.kamailio.address, caller=CALLER) as line:
        await desk.locator("#calls li[data-call][data-state=talking]").wait_for()
        await desk.click("#invite")
        link = await home.sms_link()
        await desk.wait_for_selector("#steps li[data-step=delivered][data-state=done]")
        await screenshot(desk, "desk-sent")
        phone = await (await two_cameras(home)).open(link)
        await desk.wait_for_selector("#steps li[data-step=opened][data-state=done]")
        await screenshot(phone, "caller-tap")
        await phone.tap("#tap")
        await phone.wait_for_selector("body[data-phase=live]")
        await moving_picture(desk, "#patient")
        await desk.wait_for_selector("#steps li[data-step=image][data-state=done]")
        await desk.wait_for_selector("#link-box:not([hidden])")
        # The webcam of the station comes on and goes: both ends have a steady picture by then.
        await desk.click("#webcam")
        await moving_picture(phone, "#doctor")
        await screenshot(phone, "caller-doctor")
        await screenshot(desk, "desk-webcam")
        await desk.click("#webcam")
        await desk.wait_for_selector("#webcam[aria-pressed=false]")
        await phone.wait_for_selector("#doctor", state="hidden")
        await desk.hover("#stage")
        await screenshot(desk, "desk-live")
        await screenshot(phone, "caller-live")
        other = await (await home.browser.caller(PIXEL, **PHONE)).open(link)
        await screenshot(other, "caller-elsewhere")
        await resize(desk, 683, 768)
        await screenshot(desk, "desk-half")
        await resize(desk, 1366, 768)
        await desk.click("#end")
        await phone.wait_for_selector("body[data-phase=ended]")
        await screenshot(phone, "caller-ended")
        await line.hang_up()
        home_call[0] = line.call_id
    await desk.wait_for_selector("#calls li[data-call][data-state=ended]")


async def two_cameras(home: House) -> Client:
    """A phone: Chromium has one camera while it plays a film, and the page counts them."""
    client = await home.browser.caller(PIXEL, **PHONE)
    await client.context.add_init_script(TWO_CAMERAS)
    return client


home_call = [""]


async def two_calls(home: House, desk: Page) -> None:
    """Several talking calls: the choice that cannot be missed; and a phone that refuses its camera."""
    async with (
        sipp.call(home.kamailio.address, caller=CALLER) as first,
        sipp.call(home.kamailio.address, caller=OTHER) as second,
    ):
        await desk.locator("#calls li[data-call][data-state=talking]").nth(1).wait_for()
        await desk.fill("#mobile", "06 99 00 11 22")
        await desk.click("#invite")
        await desk.wait_for_selector("#pick[open]")
        await screenshot(desk, "desk-pick")
        await desk.locator("#pick-calls button").first.click()
        link = await home.sms_link("+33699001122")
        undecided = await home.browser.caller(PIXEL, camera=False, **PHONE)
        await undecided.context.add_init_script(NO_ANSWER)
        asked = await undecided.open(link)
        await asked.tap("#tap")
        await asked.wait_for_selector("body[data-phase=asking]")
        await screenshot(asked, "caller-asking")
        await desk.click("#invitations button:has-text('Changer d’appareil')")
        await asked.wait_for_selector("body[data-phase=ended]")
        refusing = await home.browser.caller(PIXEL, camera=False, **PHONE)
        phone = await refusing.open(link)
        await phone.tap("#tap")
        await phone.wait_for_selector("body[data-phase=trouble]")
        await screenshot(phone, "caller-denied")
        await desk.wait_for_selector("#say-cause:has-text('refus')")
        await screenshot(desk, "desk-denied")
        await desk.click("#end")
        await first.hang_up()
        await second.hang_up()


async def auditor(home: House) -> None:
    """Find the call again by its SIP Call-ID."""
    client = await home.browser.desk("auditor", color_scheme="light")
    page = await client.context.new_page()
    await home.sign_in(page, "auditeur")
    await page.goto(f"{home.url}/audit")
    await page.fill("input[name=q]", home_call[0])
    await page.press("input[name=q]", "Enter")
    await page.wait_for_selector("#results")
    await screenshot(page, "audit-search")
    await page.click('main a[href^="/audit/calls/"]')
    await page.wait_for_selector("#timeline svg")
    await resize(page, 1366, 1180)
    await screenshot(page, "audit-call")
    await screenshot(page, "audit-call-whole", full_page=True)
    await resize(page, 1366, 768)
    await page.goto(f"{home.url}/audit/reconcile")
    await screenshot(page, "audit-reconcile")


async def administrator(home: House) -> None:
    """How line 15 fares."""
    client = await home.browser.desk("admin", color_scheme="light")
    page = await client.context.new_page()
    await home.sign_in(page, "admin")
    await page.goto(f"{home.url}/admin/telephony")
    await page.wait_for_selector("[data-feed=hep]")
    await screenshot(page, "telephony")


async def outbox(folder: Path) -> None:
    """The demonstration's own page."""
    port = free_port()
    url = f"http://localhost:{port}"
    arguments = ("demo", "--port", str(port), "--data", str(folder / "demo"))
    async with server(url, {}, prepare=(), arguments=arguments) as running, browser() as chromium:
        await until(lambda: "Ctrl-C" in running.logs(), "the demo runs")
        page = await (await chromium.desk(color_scheme="light")).open(f"{url}/login")
        password = PASSWORD.search(running.logs())
        assert password
        await page.fill("input[name=identifier]", "demo")
        await page.fill("input[name=password]", password.group(1))
        await page.click("button[type=submit]")
        mail = await (await chromium.desk(color_scheme="light")).open(f"{url}/outbox")
        text = await mail.locator("[data-channel=email] .text").first.text_content()
        await page.fill("input[name=code]", re.findall(r"\b\d{6}\b", text or "")[0])
        await page.press("input[name=code]", "Enter")
        await page.click("a:has-text('Visiorégulation')")
        await page.select_option("select[name=station]", "1501")
        await page.click("form[action='/desk/station'] button")
        await page.wait_for_selector("#server-state[data-state=open]")
        await page.fill("#mobile", "06 12 34 56 78")
        await page.click("#invite")
        await mail.wait_for_selector("[data-channel=sms]")
        await screenshot(mail, "outbox")
        await screenshot(page, "desk-demo")
        trust = await (await chromium.caller(PIXEL, **PHONE)).open(f"{url}/trust")
        await screenshot(trust, "trust", full_page=True)


def linked() -> set[str]:
    """Name the pictures that the docs show; the others are for the eye of whoever changes a page."""
    texts = [
        path.read_text()
        for path in (ROOT / "README.md", *DOCS.rglob("*.md"), *DOCS.rglob("*.html"))
    ]
    return {name for text in texts for name in re.findall(r"img/([\w-]+\.png)", text)}


async def main() -> None:
    async with own_folder("screens") as folder:
        flag = await film(folder / "scene.y4m")
        async with house(flags=(flag,)) as home:
            await regulator(home)
            await callers(home)
            await auditor(home)
            await administrator(home)
        await outbox(folder)


if __name__ == "__main__":
    if not os.environ.get("LAB_NETNS") or not os.environ.get("LAB_SCREENSHOTS"):
        sys.exit("start this by scripts/screenshots: it runs in a network of its own")
    asyncio.run(main())
    shown = linked()
    for made in sorted(Path(os.environ["LAB_SCREENSHOTS"]).glob("*.png")):
        size = shrink(made) // 1000
        if made.name in shown:
            shutil.copyfile(made, DOCS / "img" / made.name)
        sys.stdout.write(f"{size:>5} kB  {'docs' if made.name in shown else '    '}  {made.name}\n")
