"""A server that listens, with its real limits, its delivery loop and its sockets; and pages that speak to it."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import logging
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from tornado.httpclient import HTTPRequest
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.websocket import WebSocketClientConnection, websocket_connect

from server.app.logs import configure
from server.app.runtime.lifecycle import State
from server.app.settings.settings import load
from server.app.wiring import build
from server.core.clock import Ids
from server.identity.domain.sign_in import StoredSignIn
from server.identity.store.login import LoginStore
from server.identity.web.signed_in import SESSION_COOKIE, STATION_COOKIE
from server.storage.demonstration_mark import mark_demonstration
from tests.lab.process import until
from tests.server.house import SECRET, Browser, FakeClock, House
from tests.server.told import Told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tornado.ioloop import IOLoop

    from server.app.server import Server
    from tests.databases import Furnished

STATION = "201"
MOBILE = "06 12 34 56 78"
LINK = re.compile(r"/v/([A-Za-z0-9_-]{20,64})")


class _Client(SimpleAsyncHTTPClient):
    """What tests.server.house.Browser asks of a client."""

    address = ""

    def get_url(self, path: str) -> str:
        return self.address + path


@dataclass
class Page(Told):
    """One open socket, and everything it was told."""

    socket: WebSocketClientConnection

    async def raw(self, frame: str | bytes, /) -> None:
        await self.socket.write_message(frame, binary=isinstance(frame, bytes))

    async def answer(self, kind: str, command: str, /, **fields: Any) -> dict[str, Any]:
        """Send a command and read its answer, whatever it is: `done` or `error`."""
        await self.say(kind, id=command, **fields)
        async with asyncio.timeout(60):
            while True:
                answer = await self.hear_any("done", "error")
                if answer.get("id") == command:
                    return answer

    async def hear_any(self, *types: str) -> dict[str, Any]:
        """Read until a message of one of these types."""
        async with asyncio.timeout(60):
            while True:
                for index, message in enumerate(self.told):
                    if message["type"] in types:
                        return self.told.pop(index)
                await self.read()

    async def refused(self, code: str) -> dict[str, Any]:
        """Hear this very refusal and no other before it."""
        error = await self.hear("error")
        assert error["code"] == code, error
        return error

    async def closed(self) -> tuple[int | None, str | None]:
        """Read to the end; how it was closed."""
        async with asyncio.timeout(60):
            while await self.read():
                pass
        return self.socket.close_code, self.socket.close_reason

    async def read(self) -> bool:
        frame = await self.socket.read_message()
        if frame is None:
            assert self.socket.close_code is not None or self.socket.close_reason is None
            if not self.told or self.told[-1]["type"] != "closed":
                self.told.append({"type": "closed", "code": self.socket.close_code})
            return False
        if isinstance(frame, bytes):  # a still: its head, and the picture
            end = 2 + int.from_bytes(frame[:2], "big")
            self.told.append({**json.loads(frame[2:end]), "bytes": frame[end:]})
            return True
        message = json.loads(frame)
        if message["type"] != "tick":
            self.told.append(message)
        return True

    async def alive(self) -> None:
        """Say something unknown and be refused for it: the connection lives on."""
        self.told.clear()
        await self.say("are you there")
        await self.hear("error", code="message_unknown")


@dataclass
class Running(House):
    """A furnished house that listens."""

    pages: list[Page] = field(default_factory=list)
    clients: list[_Client] = field(default_factory=list)
    phones: list[Browser] = field(default_factory=list)  # those that tapped

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def browser(self) -> Browser:
        """One more browser, without a past."""
        client = _Client(force_instance=True)
        client.address = self.url
        self.clients.append(client)
        return Browser(client)

    async def signed_in(self, identifier: str, station: str | None = STATION) -> Browser:
        """A browser with a session of this user, as after the code."""
        browser = self.browser()
        cookie, now = Ids().token(), self.clock.now()
        id_ = hashlib.sha256(cookie.encode()).hexdigest()
        session = StoredSignIn(
            id_,
            self.users[identifier].site,
            self.users[identifier].id,
            now,
            now,
            now + timedelta(hours=14),
            None,
        )
        async with self.server.transactions() as uow:
            await LoginStore(uow).add_web_session(session)
            await uow.commit()
        browser.cookies[SESSION_COOKIE] = cookie
        if station:
            browser.cookies[STATION_COOKIE] = station
        return browser

    async def connect(
        self, path: str, browser: Browser | None = None, *, origin: str | None = "", **headers: str
    ) -> Page:
        """Open a socket; the origin is our own unless another (or None) is given."""
        if origin is not None:
            headers["Origin"] = origin or self.url
        if browser and browser.cookies:
            headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in browser.cookies.items())
        address = self.url.replace("http:", "ws:") + path
        request = HTTPRequest(address, headers=headers)
        page = Page(await websocket_connect(request, max_message_size=64 * 1024 * 1024))
        self.pages.append(page)
        return page

    async def desk(self, browser: Browser, peer: str = "desk-peer-1", **hello: Any) -> Page:
        """Page B, greeted and shown its first view."""
        page = await self.connect("/ws/desk", browser)
        await page.say("hello", peer=peer, **hello)
        await page.hear("view")
        return page

    async def invite(
        self,
        desk: Page,
        command: str = "command-0001",
        *,
        new_session: bool = False,
        **contact: str,
    ) -> str:
        """Invite and return the session's id; `new_session`: though another for this contact runs."""
        wanted = {"new_session": True} if new_session else {}
        await desk.say("invite", id=command, **wanted, **(contact or {"mobile": MOBILE}))
        done = await desk.hear("done", id=command)
        return str(done["result"]["session"])

    async def tokens(self) -> list[str]:
        """The tokens in the messages, oldest first."""
        rows = await self.rows(
            "SELECT sealed FROM message WHERE sealed IS NOT NULL ORDER BY created"
        )
        texts = [json.loads(self.seal.open(row["sealed"]))["text"] for row in rows]
        return [found.group(1) for text in texts if (found := LINK.search(text))]

    async def tapped(self, token: str) -> Browser:
        """A phone that has touched the big button."""
        phone = self.browser()
        await phone.get(f"/v/{token}")
        answer = await phone.post_json(f"/v/{token}/tap", {})
        assert answer.code == 200, answer.body
        self.phones.append(phone)
        return phone

    async def tapped_elsewhere(self, token: str) -> Browser:
        """A second phone that touches the button of a link already bound."""
        phone = self.browser()
        await phone.get(f"/v/{token}")
        answer = await phone.post_json(f"/v/{token}/tap", {})
        assert json.loads(answer.body)["error"]["code"] == "open_elsewhere"
        assert answer.code == 409
        return phone

    async def caller(self, token: str, phone: Browser, page: str = "phone-page-1") -> Page:
        """The phone's socket, welcomed."""
        socket = await self.connect("/ws/caller", phone)
        await socket.say("hello", token=token, page=page)
        await socket.hear("welcome")
        await socket.hear("viewers")
        return socket

    async def connected(self) -> tuple[Page, Page, str]:
        """A desk that watches a video whose phone is there."""
        desk = await self.desk(await self.signed_in("regulator"))
        session = await self.invite(desk)
        await desk.say("session.watch", id="command-0002", session=session)
        await desk.hear("done", id="command-0002")
        [token] = await self.tokens()
        caller = await self.caller(token, await self.tapped(token))
        await caller.say("camera", state="granted")
        await desk.hear("caller.state", state="online")
        return desk, caller, session

    def counted(self, code: str) -> float:
        """How often this refusal was counted."""
        return self._sample("visio15_refused_total", code=code)

    def messages_counted(self, channel: str, outcome: str) -> float:
        """How many messages came to this."""
        return self._sample("visio15_messages_total", channel=channel, outcome=outcome)

    def _sample(self, name: str, **labels: str) -> float:
        metrics = self.server.web.metrics
        return metrics.registry.get_sample_value(name, labels) or 0.0

    async def close(self) -> None:
        """Close every page, then the server, and wait until its sockets are gone."""
        for page in self.pages:
            page.socket.close()
        for client in self.clients:
            client.close()
        looked = self.server.runtime.life.state is State.STOPPED  # at what a stop leaves, maybe
        await self.server.stop()
        await until(lambda: not _socket_tasks(), "the sockets of the server end")
        pool: Any = self.server.engine.pool
        assert looked or pool.checkedin() + pool.checkedout() == 0, "connections outlive the stop"


def _socket_tasks() -> list[str]:
    names = (task.get_name() for task in asyncio.all_tasks())
    return [name for name in names if name.startswith(("desk.", "caller.", "selftest."))]


async def _furnish(house: Running) -> None:
    await house.look_around()
    for site, extension, webcam in (("rivage", STATION, True), ("rivage", "202", False)):
        await house.admin.add_station(site, extension, f"Poste {extension}", webcam=webcam)
    await house.admin.add_station("montagne", "301", "Poste 301", webcam=False)


@contextmanager
def running(
    io_loop: IOLoop,
    database: Furnished,
    folder: Path,
    *,
    before: Callable[[Server], object] = lambda _: None,
    **settings: Any,
) -> Iterator[Running]:
    """Run a server on a copy of `database`; `before` sees it built and not yet started."""
    with database.copied() as url:
        yield from _run(io_loop, url, folder, before, settings)


def _run(
    io_loop: IOLoop,
    url: str,
    folder: Path,
    before: Callable[[Server], object],
    settings: dict[str, Any],
) -> Iterator[Running]:
    configured = load(
        **{"data_dir": folder, "database": url, "secret_key": SECRET, "port": 0, **settings}
    )
    clock = FakeClock()
    house = Running(build(configured, clock), clock)
    io_loop.run_sync(lambda: _furnish(house))
    if configured.demo:
        io_loop.run_sync(lambda: mark_demonstration(house.server.engine))
    before(house.server)
    io_loop.run_sync(house.server.start)
    try:
        yield house
    finally:
        io_loop.run_sync(house.close)
        io_loop.run_sync(house.server.engine.dispose)  # who looked after a stop opened it again


@contextmanager
def written_logs() -> Iterator[io.StringIO]:
    """What the server writes to its log meanwhile, at the most talkative level, as it writes it."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    configure("DEBUG")
    text = io.StringIO()
    for handler in root.handlers:
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(text)
    try:
        yield text
    finally:
        root.handlers, root.level = before
        structlog.reset_defaults()
