"""Pages without a browser: they speak to the server's own sockets, and cost this process as little as can be."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.lab.process import until

if TYPE_CHECKING:
    from collections.abc import Callable

AT_ONCE = 20  # sockets opened beside each other
TYPE = re.compile(r'"type": ?"([a-z0-9_.]+)"')


@dataclass
class Socket:
    """One open socket; what it is told goes to `heard`, as text, and `gone` is called when it is closed."""

    wire: WebSocketClientConnection
    counts: dict[str, int] = field(default_factory=dict)
    heard: Callable[[str], None] | None = None
    gone: Callable[[], None] | None = None

    def say(self, type_: str, /, **fields: Any) -> None:
        """Send one message."""
        self.send(json.dumps({"type": type_, **fields}))

    def send(self, frame: str) -> None:
        """Send one frame."""
        _ = self.wire.write_message(frame)

    async def told(self, type_: str, times: int = 1) -> Self:
        """Wait until it was told something of this type so often."""
        await until(
            lambda: self.counts.get(type_, 0) >= times,
            f"{times} × {type_}",
            timeout=60,
            explain=lambda: str(self.counts),
        )
        return self

    def _hear(self, frame: str | bytes | None) -> None:
        if frame is None:
            self.counts["closed"] = 1
            if self.gone is not None:
                self.gone()
            return
        text = str(frame)
        if self.heard is not None:
            self.heard(text)
        elif found := TYPE.search(text):
            self.counts[found.group(1)] = self.counts.get(found.group(1), 0) + 1


async def connect(url: str, cookie: str = "") -> Socket:
    """Open one socket at an http address."""
    made: list[Socket] = []
    early: list[str | bytes | None] = []

    def hear(frame: str | bytes | None) -> None:
        if made:
            made[0]._hear(frame)
        else:
            early.append(frame)

    headers = {"Origin": "/".join(url.split("/")[:3]), **({"Cookie": cookie} if cookie else {})}
    request = HTTPRequest(url.replace("http", "ws", 1), headers=headers)
    made.append(Socket(await websocket_connect(request, on_message_callback=hear)))
    for frame in early:
        made[0]._hear(frame)
    return made[0]


async def desk(url: str, cookie: str, peer: str) -> Socket:
    """Open page B's socket; it has been shown its first view."""
    socket = await connect(f"{url}/ws/desk", cookie)
    socket.say("hello", peer=peer)
    return await socket.told("view")


async def desks(url: str, cookie: str, many: int, prefix: str = "idle") -> list[Socket]:
    """Open many desks that only listen, without a station."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> Socket:
        async with gate:
            return await desk(url, cookie, f"{prefix}-peer-{number}")

    return await asyncio.gather(*(one(number) for number in range(many)))


async def listeners(url: str, many: int) -> list[Socket]:
    """Open many bare sockets that only listen."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> Socket:
        async with gate:
            return await connect(url)

    return await asyncio.gather(*(one() for _ in range(many)))


async def close(sockets: list[Socket]) -> None:
    """Close them, and wait until they are."""
    for socket in sockets:
        socket.wire.close()
    await until(lambda: all("closed" in each.counts for each in sockets), "the sockets close")


class Phone:
    """A caller's browser: it keeps its cookies, opens its link and taps."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = SimpleAsyncHTTPClient(force_instance=True)
        self.cookies: dict[str, str] = {}

    async def tap(self, token: str) -> Socket:
        """Open the link, touch the big button, and be welcomed by the socket."""
        await self._fetch(f"/v/{token}")
        headers = {"Content-Type": "application/json", "X-Xsrftoken": self.cookies["_xsrf"]}
        await self._fetch(f"/v/{token}/tap", method="POST", body="{}", headers=headers)
        self._client.close()
        socket = await connect(f"{self._url}/ws/caller", self._cookie())
        socket.say("hello", token=token, page="phone-page-1")
        return await socket.told("welcome")

    def _cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    async def _fetch(self, path: str, **options: Any) -> HTTPResponse:
        headers = {**options.pop("headers", {}), "Cookie": self._cookie()}
        request = HTTPRequest(self._url + path, headers=headers, **options)
        response = await self._client.fetch(request)
        for line in response.headers.get_list("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return response
