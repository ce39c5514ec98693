"""A network where pages load and no socket comes up: the picture comes all the same, and both ends read what it is."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from server.video.domain.preflight import BY_REQUESTS
from tests.e2e.house import House, house, until_text
from tests.e2e.seen import mark, more_frames, not_reloaded
from tests.lab.barred import Barred, barred
from tests.lab.browsers.browser import moving_picture
from tests.lab.process import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

#: What a browser complains of on such a network: no fault of the pages.
BARRED = "WebSocket|ERR_|Failed to (load|fetch)|status of (403|503)"


@asynccontextmanager
async def scene(mode: str) -> AsyncIterator[tuple[House, Page, Barred]]:
    """A desk with the usual network, and the phone's own."""
    async with house() as home, barred(urlsplit(home.url).port or 0, mode) as network:
        yield home, await home.desk(), network


async def opened(home: House, desk: Page, network: Barred) -> Page:
    """The link on the phone, through its network."""
    link = urlsplit(await home.invite(desk))
    client = await home.browser.caller()
    client.allow(BARRED)
    page = await client.open(link._replace(netloc=f"127.0.0.1:{network.port}").geturl())
    await page.wait_for_selector("body[data-ready=true]")
    return page


@pytest.mark.parametrize("mode", ["refuse", "hang", "swallow"])
async def test_the_picture_comes_though_no_socket_does(mode: str) -> None:
    async with scene(mode) as (home, desk, network):
        phone = await opened(home, desk, network)
        welcomed: list[str] = []
        phone.on("websocket", lambda socket: socket.on("framereceived", _note(welcomed)))
        await mark(phone)
        await phone.tap("#tap")
        await moving_picture(desk, "#patient")
        await phone.wait_for_selector("#message[data-state=seen]")
        assert network.upgrades
        assert not welcomed
        if mode != "hang":
            return
        # The server is started anew; then the phone goes where sockets pass.
        await home.server.restart()
        await desk.wait_for_selector("#server-state[data-state=open]")
        await more_frames(desk)
        network.set("open")
        await until(lambda: bool(welcomed), "the socket is taken back")
        await more_frames(desk)
        await phone.wait_for_selector("#message[data-state=seen]")
        await not_reloaded(phone)
        await phone.tap("#leave")
        await phone.wait_for_selector("body[data-phase=ended]")


def _note(welcomed: list[str]) -> Callable[[str | bytes], None]:
    def frame(payload: str | bytes) -> None:
        if isinstance(payload, str) and '"welcome"' in payload:
            welcomed.append(payload)

    return frame


async def test_both_ends_read_what_it_is_when_the_picture_is_blocked_too() -> None:
    async with scene("refuse") as (home, desk, network):
        phone = await opened(home, desk, network)
        await phone.evaluate(
            "() => { RTCPeerConnection.prototype.setLocalDescription = () => new Promise(() => {}); }"
        )
        await phone.tap("#tap")
        await phone.wait_for_selector("#message[data-state=around]")
        await until_text(desk, "#say-cause", BY_REQUESTS)
        await desk.wait_for_selector("#steps li[data-step=permission][data-state=done]")
        assert "Autoriser" not in (await desk.text_content("#say") or "")


async def test_a_page_that_reaches_nothing_says_what_to_say() -> None:
    """First requests are barred as well; then nothing passes, not even the tap."""
    async with scene("hang") as (home, desk, network):
        phone = await opened(home, desk, network)
        await phone.context.route("**/wire**", lambda route: route.abort())
        await phone.tap("#tap")
        await phone.wait_for_selector("#message[data-state=unreached]")
        await until_text(desk, "#say-cause", "pas de liaison avec le serveur")
        assert "Autoriser" not in (await desk.text_content("#say") or "")
        await phone.context.unroute("**/wire**")
        await moving_picture(desk, "#patient")
        await phone.wait_for_selector("#message[data-state=seen]")
        await desk.click("#end")

        other = await opened(home, desk, network)
        network.set("dead")
        await other.tap("#tap")
        await other.wait_for_selector("#message[data-state=unreached]")
        network.set("hang")  # and pages come through again
        await moving_picture(desk, "#patient")
        await other.wait_for_selector("#message[data-state=seen]")


async def test_an_observer_reads_what_keeps_the_picture_away() -> None:
    async with scene("hang") as (home, desk, network):
        await home.invite(desk)
        await until_text(desk, "#invitations", "reçu")  # the key acts on the session that is shown
        await desk.keyboard.press("Alt+KeyO")
        await desk.wait_for_selector("#observers[open]")
        await desk.fill("#observers-name", "SMUR")
        await desk.fill("#observers-to", "+33698765432")
        await desk.press("#observers-to", "Enter")
        sms = await home.kannel.messages.next(to="+33698765432")
        path = re.search(r"/o/[A-Za-z0-9_-]+", sms.text)
        assert path
        client = await home.browser.caller()
        client.allow(BARRED)
        page = await client.open(f"http://127.0.0.1:{network.port}{path.group()}")
        await page.wait_for_selector("body[data-ready=true]")
        await page.tap("#join")
        await until_text(page, "#waiting-line", "bloque la liaison")
