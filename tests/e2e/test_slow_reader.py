"""A caller who reads longer than the server waits for a word: the tap finds a socket that is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.house import house
from tests.lab.browser import moving_picture
from tests.lab.process import until

if TYPE_CHECKING:
    from playwright.async_api import WebSocket

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def test_a_caller_who_reads_for_long_waits_for_no_handshake() -> None:
    """The server closes the first socket, which said nothing for ten seconds; the page has another ready."""
    async with house() as home:
        desk = await home.desk()
        link = await home.invite(desk)
        caller = await home.browser.caller()
        page = await caller.context.new_page()
        sockets: list[WebSocket] = []
        page.on("websocket", sockets.append)
        await page.goto(link)
        await page.wait_for_selector("body[data-ready=true]")
        await until(lambda: len(sockets) > 1, "the socket is replaced", timeout=30)
        assert sockets[0].is_closed()
        sent: list[str | bytes] = []
        opened = len(sockets)
        sockets[-1].on("framesent", sent.append)
        await page.tap("#tap")
        await moving_picture(desk, "#patient")
        assert sent, "the hello went over the socket that was ready"
        assert len(sockets) == opened
