"""A caller who reads longer than the server waits for a word: the tap finds a socket that is open."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.e2e.house import house
from tests.lab.browsers.browser import moving_picture
from tests.lab.process import until

if TYPE_CHECKING:
    from playwright.async_api import WebSocket

pytestmark = pytest.mark.e2e


@dataclass
class Opened:
    """The sockets a page opened, and what it said."""

    sockets: list[WebSocket] = field(default_factory=list)
    said: list[tuple[WebSocket, str | bytes]] = field(default_factory=list)

    def opened(self, socket: WebSocket) -> None:
        self.sockets.append(socket)

        def frame(payload: str | bytes) -> None:
            self.said.append((socket, payload))

        socket.on("framesent", frame)


async def test_a_caller_who_reads_for_long_waits_for_no_handshake() -> None:
    """The server closes the first socket, which said nothing for ten seconds; the page has another ready."""
    async with house() as home:
        desk = await home.desk()
        link = await home.invite(desk)
        caller = await home.browser.caller()
        page = await caller.context.new_page()
        seen = Opened()
        page.on("websocket", seen.opened)
        await page.goto(link)
        await page.wait_for_selector("body[data-ready=true]")
        await until(lambda: len(seen.sockets) > 1, "the socket is replaced")
        first, ready = seen.sockets
        assert first.is_closed()
        assert not seen.said
        await page.tap("#tap")
        await moving_picture(desk, "#patient")
        assert {socket for socket, _ in seen.said} == {ready}
        assert seen.sockets == [first, ready]
