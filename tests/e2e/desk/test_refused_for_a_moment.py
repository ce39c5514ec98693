"""A desk is refused by a server in trouble: it keeps the session it watches, and has the picture a moment later."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.house import house
from tests.lab.browsers.browser import moving_picture

if TYPE_CHECKING:
    from playwright.async_api import Page, WebSocketRoute

pytestmark = pytest.mark.e2e
AWAY = {"type": "error", "code": "storage_unavailable", "message": "Momentanément impossible."}


class Trouble:
    """A server that refuses the first hello, and the first wish for a picture, for reasons of its own."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []

    def __call__(self, page: WebSocketRoute) -> None:
        server = page.connect_to_server()

        def heard(frame: str | bytes) -> None:
            message = json.loads(frame)
            first = message["type"] not in [one["type"] for one in self.said]
            self.said.append(message)
            if first and message["type"] in {"hello", "session.watch"}:
                answer = {**AWAY, "id": message["id"]} if "id" in message else AWAY
                page.send(json.dumps(answer))
            if not (first and message["type"] == "session.watch"):
                server.send(frame)

        page.on_message(heard)


async def watching(desk: Page) -> str | None:
    """The session this page shows, and would show again after it was loaded anew."""
    found: str | None = await desk.evaluate("() => sessionStorage.getItem('visio15.watch')")
    return found


async def test_a_desk_refused_for_a_moment_keeps_its_session() -> None:
    """What it says is refused once by a server that stands in its way; then it hears the real one."""
    async with house() as home:
        desk = await home.desk()
        await home.film(desk)
        watched = await watching(desk)
        # A newer one, which is not shown: the page would take it if it dropped its own.
        await home.invite(desk, "+33612345699")
        assert await watching(desk) == watched
        trouble = Trouble()
        await desk.route_web_socket("**/ws/desk", trouble)
        await desk.reload()
        await desk.wait_for_selector("#stage[data-picture=flowing]")
        await moving_picture(desk, "#patient")
        assert await watching(desk) == watched
        hellos = [one for one in trouble.said if one["type"] == "hello"]
        assert [one["watch"] for one in hellos] == [watched]
        wishes = [one for one in trouble.said if one["type"] == "session.watch"]
        assert {one["session"] for one in wishes} == {watched}
        assert len(wishes) >= 2
