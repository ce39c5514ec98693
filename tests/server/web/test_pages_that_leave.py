"""A page may leave at any moment, also while the server still waits for something: nothing of it stays behind."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any

import pytest

from server.core.errors import Unavailable
from server.identity.service.sign_ins import SignIns
from server.identity.web.signed_in import SESSION_COOKIE
from server.invitations.service.links import InvitationLinks
from server.line15.service.launch import Launch
from server.observers.service import Observers
from server.video.service.sessions import Sessions
from server.web.base import BaseHandler
from server.web.sockets.page_socket import PageSocket
from tests.lab.process import until
from tests.server.everybody import Everybody, everybody
from tests.server.running import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.databases import Furnished

KINDS = ("desk", "caller", "observer", "selftest")
#: What each waits for before its door opens; only those of people who sign in look who asks.
DOORS: dict[str, tuple[type, str]] = {
    "desk": (SignIns, "look"),
    "caller": (BaseHandler, "prepare"),
    "observer": (BaseHandler, "prepare"),
    "selftest": (SignIns, "look"),
}


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


class Gate:
    """A method in which the first callers have to wait until it is opened."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, owner: type, method: str, *, first: int
    ) -> None:
        self.waiting = self._called = 0
        self._open = asyncio.Event()
        real = getattr(owner, method)

        async def gated(*args: Any, **kwargs: Any) -> Any:
            self._called += 1
            if self._called <= first:
                self.waiting += 1
                await self._open.wait()
                self.waiting -= 1
            return await real(*args, **kwargs)

        monkeypatch.setattr(owner, method, gated)

    def open(self) -> None:
        self._open.set()


def left_behind(house: Running) -> dict[str, Any]:
    """Everything a socket holds while it is open."""
    gc.collect()
    server = house.server
    default = server.app.settings["default_handler_args"]
    registry = default["web"].metrics.registry
    kinds = (*KINDS, "end")
    return {
        "tasks": sorted(
            task.get_name()
            for task in asyncio.all_tasks()
            if task.get_name().partition(".")[0] in kinds
        ),
        "audience": len(server.open_sockets._pages),
        "open": {
            kind: registry.get_sample_value("visio15_sockets", {"kind": kind}) or 0.0
            for kind in KINDS
        },
        "desks": sum(len(listeners) for listeners in server.bus._listeners.values()),
        "sockets": sum(isinstance(each, PageSocket) for each in gc.get_objects()),
    }


async def nothing_behind(house: Running, before: dict[str, Any]) -> None:
    await until(
        lambda: left_behind(house) == before,
        "all is as before",
        explain=lambda: f"{before}\n{left_behind(house)}",
    )


def count_closes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds of the sockets whose end the server hears of from now on."""
    closed: list[str] = []
    on_close = PageSocket.on_close

    def noted(self: PageSocket) -> None:
        on_close(self)
        closed.append(self.kind)

    monkeypatch.setattr(PageSocket, "on_close", noted)
    return closed


async def upgrade(house: Running, kind: str, cookie: str) -> asyncio.StreamWriter:
    """Ask for a socket over a plain connection, and read nothing."""
    _, writer = await asyncio.open_connection("127.0.0.1", house.server.port)
    writer.write(
        (
            f"GET /ws/{kind} HTTP/1.1\r\nHost: 127.0.0.1:{house.server.port}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCookie: {SESSION_COOKIE}={cookie}\r\n\r\n"
        ).encode()
    )
    await writer.drain()
    return writer


@pytest.mark.parametrize("signed_in", [True, False], ids=["signed in", "a stranger"])
@pytest.mark.parametrize("kind", KINDS)
async def test_who_leaves_before_the_door_opens_leaves_nothing(
    house: Running, monkeypatch: pytest.MonkeyPatch, kind: str, *, signed_in: bool
) -> None:
    browser = await house.signed_in("regulator")
    cookie = browser.cookies[SESSION_COOKIE] if signed_in else "forged"
    before = left_behind(house)
    closed = count_closes(monkeypatch)
    gate = Gate(monkeypatch, *DOORS[kind], first=5)
    writers = [await upgrade(house, kind, cookie) for _ in range(5)]
    await until(lambda: gate.waiting == 5, "they stand before the door")
    for writer in writers:
        writer.close()
        await writer.wait_closed()
    await until(lambda: len(closed) == 5, "it hears that they left")
    gate.open()
    await until(lambda: gate.waiting == 0, "the door opens")
    await nothing_behind(house, before)
    async with asyncio.timeout(1):
        await house.server.open_sockets.dismiss(Unavailable("stopping"))


@pytest.mark.parametrize(
    ("kind", "owner", "method"),
    [
        ("desk", Launch, "resolve"),
        ("desk", Sessions, "get"),
        ("caller", InvitationLinks, "enter"),
        ("observer", Observers, "enter"),
    ],
)
async def test_who_leaves_while_its_hello_waits_takes_no_place_from_its_successor(
    house: Running, monkeypatch: pytest.MonkeyPatch, kind: str, owner: type, method: str
) -> None:
    """A network that blinks: the old socket's hello is read when the page is back on a new one, in the same seat."""
    all_ = await everybody(house)
    before = left_behind(house)
    closed = count_closes(monkeypatch)
    gate = Gate(monkeypatch, owner, method, first=1)
    hello = all_.hellos[kind] | ({"launch": "x" * 27} if kind == "desk" else {})
    page = await house.connect(f"/ws/{kind}", all_.browsers[kind])
    await page.say("hello", **hello)
    await until(lambda: gate.waiting == 1, "its hello waits")
    page.socket.close()
    await until(lambda: closed == [kind], "the server hears that it left")
    gate.open()
    house.pages.remove(page)
    del page
    await nothing_behind(house, before)
    await in_place(house, all_)


async def in_place(house: Running, all_: Everybody) -> None:
    desk, caller, observer, session = all_.desk, all_.caller, all_.observer, all_.session
    await desk.say("signal.restart", session=session)
    await caller.hear("signal.restart", peer="desk-peer-1")
    await observer.say("signal.restart", session=session)
    assert (await caller.hear("signal.restart"))["peer"].startswith("o-")
    await caller.say("media.report", camera="muted")
    await desk.hear("caller.state", state="muted")
    other = await house.desk(await house.signed_in("arm", "202"), "desk-peer-2")
    await other.say("station.list", id="command-list")
    [station] = (await other.hear("done", id="command-list"))["result"]["stations"]
    assert (station["extension"], station["who"]) == ("201", "Prénom regulator")
