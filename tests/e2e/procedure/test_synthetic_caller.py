"""The demonstration as a newcomer meets it: one command, the code read in the outbox, the caller played by a button."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.lab.browsers.browser import PIXEL, browser, moving_picture, no_audio
from tests.lab.ports import free_port
from tests.lab.process import Part, launch, own_folder, until
from tests.lab.server import ROOT, Server, server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

LAN = "10.99.0.1"
MOBILE = "06 12 34 56 78"
CODE = re.compile(r"\b(\d{6})\b")
PASSWORD = re.compile(r"mot de passe {2}(\S+)")


@asynccontextmanager
async def demonstration(folder: Path, *options: str) -> AsyncIterator[Server]:
    port = free_port()
    arguments = ("demo", "--port", str(port), "--data", str(folder / "data"), *options)
    async with server(f"http://localhost:{port}", {}, prepare=(), arguments=arguments) as running:
        await until(
            lambda: "Ctrl-C arrête tout" in running.logs(),
            "the demonstration says what to do next",
            explain=running.part.tail,
        )
        yield running


async def open_desk(desk: Page, outbox: Page, running: Server) -> None:
    password = PASSWORD.search(running.logs())
    assert password, running.part.tail()
    await desk.goto(f"{running.url}/login")
    await desk.fill("input[name=identifier]", "demo")
    await desk.fill("input[name=password]", password.group(1))
    await desk.click("button[type=submit]:has-text('Recevoir mon code')")
    await outbox.goto(f"{running.url}/outbox")
    mail = outbox.locator("[data-channel=email] .text").first
    code = CODE.search(await mail.text_content() or "")
    assert code, await mail.text_content()
    await desk.fill("input[name=code]", code.group(1))
    await desk.press("input[name=code]", "Enter")
    await desk.click("a:has-text('Visiorégulation')")
    await desk.select_option("select[name=station]", "1501")
    await desk.click("form[action='/desk/station'] button")
    await desk.wait_for_selector("#server-state[data-state=open]")


async def invite(desk: Page, outbox: Page) -> None:
    await desk.fill("#mobile", MOBILE)
    await desk.click("#invite")
    await outbox.wait_for_selector("[data-channel=sms]")


async def test_the_outbox_plays_the_caller() -> None:
    async with (
        own_folder("demo") as folder,
        demonstration(folder) as running,
        browser() as chromium,
    ):
        client = await chromium.desk()
        desk, outbox = await client.context.new_page(), await client.context.new_page()
        await open_desk(desk, outbox, running)
        # The replayed switchboard: a call is ringing, talking or just ended.
        await desk.wait_for_selector("#calls li[data-call]")
        await invite(desk, outbox)
        await outbox.click("button:has-text('Jouer l’appelant')")
        await outbox.wait_for_selector("[data-caller=running]")
        assert await moving_picture(desk, "#patient") == (640, 480)
        await no_audio(desk)
        await desk.click("#end")
        await outbox.bring_to_front()
        await outbox.wait_for_selector("button:has-text('Jouer l’appelant')", state="attached")
        chromium.assert_clean(running.url)
        assert await running.stop() == 0
        assert "Traceback" not in running.logs()


async def test_the_picture_outlives_a_killed_server() -> None:
    async with (
        own_folder("demo") as folder,
        demonstration(folder, "--lan") as running,
        browser() as chromium,
    ):
        client = await chromium.desk()
        client.allow("WebSocket|ERR_CONNECTION|Failed to load|502|503")
        desk, outbox = await client.context.new_page(), await client.context.new_page()
        await open_desk(desk, outbox, running)
        await invite(desk, outbox)
        text = await outbox.text_content("[data-channel=sms] .text")
        link = re.search(r"https://\S+/v/\S+", text or "")
        assert link
        await outbox.close()
        authority = str(folder / "data" / "tls" / "authority.crt")
        argv = [*running.argv[:3], "caller", link.group(0), "--ca", authority]
        caller = launch("caller", argv, folder=folder, env=running.env, cwd=ROOT)
        try:
            await moving_picture(desk, "#patient")
            await running.restart()
            await until(
                lambda: caller.output().count("welcome") > 1, "hello again", explain=caller.tail
            )
            await desk.wait_for_selector("#server-state[data-state=open]")
            await moving_picture(desk, "#patient")
            assert caller.output().count("offer") == 1, caller.tail()
            await desk.click("#end")
            assert await caller.wait(15) == 0, caller.tail()
            assert "terminée" in caller.output()
        finally:
            await caller.stop()


async def test_a_phone_of_the_network_films_over_https() -> None:
    async with (
        own_folder("demo") as folder,
        demonstration(folder, "--lan") as running,
        browser() as chromium,
    ):
        client = await chromium.desk()
        desk, outbox = await client.context.new_page(), await client.context.new_page()
        await open_desk(desk, outbox, running)
        await invite(desk, outbox)
        link = await outbox.get_attribute("[data-channel=sms] a.button", "href")
        text = await outbox.text_content("[data-channel=sms] .text")
        found = re.search(r"https://\S+/v/\S+", text or "")
        assert link
        assert found
        assert found.group(0).startswith(f"https://{LAN}:")
        phone = await (await chromium.caller(PIXEL)).open(found.group(0))
        await phone.click("#tap")
        await moving_picture(desk, "#patient")
        await no_audio(phone)


async def test_the_plain_port_only_explains_itself_to_the_network() -> None:
    async with (
        own_folder("demo") as folder,
        demonstration(folder, "--lan") as running,
        browser() as chromium,
    ):
        port = int(running.url.rsplit(":", 1)[1])
        page = await (await chromium.caller(PIXEL)).context.new_page()
        await page.goto(f"http://{LAN}:{port}/trust")
        assert "Android" in (await page.text_content("main") or "")
        answer = await page.request.get(f"http://{LAN}:{port}/trust/visio15.crt")
        assert answer.headers["content-type"] == "application/x-x509-ca-cert"
        for path in ("/outbox", "/login", "/v/aaaaaaaaaaaaaaaaaaaaaaaa"):
            answer = await page.request.get(f"http://{LAN}:{port}{path}", max_redirects=0)
            assert answer.status == 307
            assert answer.headers["location"] == f"https://{LAN}:{port + 1}{path}"


async def test_it_starts_twice_and_says_when_the_port_is_taken() -> None:
    async with own_folder("demo") as folder:
        async with demonstration(folder) as running:
            first = PASSWORD.search(running.logs())
            port = running.url.rsplit(":", 1)[1]
            said = await _second(running, "--port", port, "--data", str(folder / "other"))
            assert "déjà pris" in said
            assert "Traceback" not in said
        async with demonstration(folder) as again:
            second = PASSWORD.search(again.logs())
            assert first
            assert second
            assert first.group(1) == second.group(1)


async def _second(running: Server, *arguments: str) -> str:
    """Start another demonstration; return what it said before it gave up."""
    part: Part = launch(
        "second",
        [*running.argv[:3], "demo", *arguments],
        folder=running.folder,
        env=running.env,
        cwd=ROOT,
    )
    try:
        assert await part.wait(30) == 4
        return part.output()
    finally:
        part.kill()
