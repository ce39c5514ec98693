"""The synthetic caller's page: what a phone's browser and the caller's page do together, in the same order.

The page, the visible open, the tap, the socket, the camera, one offer for each desk that waits; the socket comes back
by itself and the picture goes on meanwhile.
"""

import asyncio
import json
import random
import re
import secrets
import ssl
from collections.abc import Callable
from contextlib import suppress
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, Final

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

from server.core.tasks import create_task
from server.demo.synthetic.peer import SyntheticPeer

XSRF: Final = re.compile(r'<meta name="xsrf" content="([^"]+)"')
PHASE: Final = re.compile(r'<body data-phase="([a-z]+)"')
SILENCE: Final = 12.0  # the server ticks every 5 s
BACKOFF: Final = (0.3, 5.0)
PATIENCE: Final = 15  # attempts in a row without an open socket: a little over a minute
RESTART: Final = 3.0  # a connection younger than this is not made again because a desk is impatient
AGENT: Final = "Visio15 synthetic caller"


class SyntheticCallError(Exception):
    """The call cannot go on; carries the reason of its outcome."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SyntheticBrowser:
    """What a browser keeps for one origin: cookies, and which authorities it trusts."""

    def __init__(self, origin: str, ca: Path | None) -> None:
        """`ca`: PEM file trusted beside the system's authorities."""
        self.origin = origin
        self._cookies: dict[str, str] = {}
        self._tls = ssl.create_default_context()
        if ca is not None:
            self._tls.load_verify_locations(ca)

    async def fetch(self, method: str, path: str, **headers: str) -> HTTPResponse:
        """Send one request with the cookies, keep those of the answer; any status is an answer."""
        request = self._request(
            self.origin + path, method=method, body="" if method == "POST" else None
        )
        request.headers.update(headers)
        try:
            response = await AsyncHTTPClient().fetch(request, raise_error=False)
        except ssl.SSLCertVerificationError:
            raise SyntheticCallError("certificate") from None
        except (OSError, StreamClosedError):
            raise SyntheticCallError("unreachable") from None
        if response.code == 599:  # noqa: PLR2004 - tornado's own status: no answer
            raise SyntheticCallError("unreachable")
        for line in response.headers.get_list("Set-Cookie"):
            self._cookies.update({name: each.value for name, each in SimpleCookie(line).items()})
        return response

    async def socket(self, path: str) -> WebSocketClientConnection:
        """Open a WebSocket as a page of this origin would."""
        request = self._request(self.origin.replace("http", "ws", 1) + path)
        request.headers["Origin"] = self.origin
        return await websocket_connect(request, max_message_size=1_048_576)

    def _request(self, url: str, **options: Any) -> HTTPRequest:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        return HTTPRequest(
            url,
            headers={"Cookie": cookies, "User-Agent": AGENT, "Accept-Language": "fr"},
            ssl_options=self._tls,
            connect_timeout=5,
            request_timeout=10,
            follow_redirects=False,
            **options,
        )


class SyntheticPhone:
    """One call on one link: the page's life without the page."""

    def __init__(
        self, browser: SyntheticBrowser, token: str, on_state: Callable[[str], None]
    ) -> None:
        """Mint the page's id; nothing is sent yet."""
        self._browser = browser
        self._token = token
        self._page = secrets.token_hex(16)
        self._tell = on_state
        self._ice: dict[str, Any] = {}
        self._peers: dict[str, tuple[SyntheticPeer, float]] = {}
        self._watchers: set[str] = set()
        self._socket: WebSocketClientConnection | None = None
        self._refusal = ""
        self._filming = False
        self._over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.seen = False

    async def tap(self) -> None:
        """Load the page, look at it, touch the button; SyntheticCallError when the link does not work."""
        page = await self._browser.fetch("GET", f"/v/{self._token}", Accept="text/html")
        html = page.body.decode(errors="replace")
        found, phase = XSRF.search(html), PHASE.search(html)
        if found is None or phase is None:
            raise SyntheticCallError("page")
        if page.code != 200:  # noqa: PLR2004 - HTTP
            raise SyntheticCallError(phase[1])
        self._tell("page")
        for verb in ("open", "tap"):
            headers = {"X-Xsrftoken": found[1], "Accept": "application/json"}
            answer = await self._browser.fetch("POST", f"/v/{self._token}/{verb}", **headers)
            if answer.code != 200:  # noqa: PLR2004 - HTTP
                raise SyntheticCallError(_code(answer))
            self._tell(verb)

    async def talk(self) -> str:
        """Stay connected until the call is over; return why."""
        talking = create_task(self._stay(), "synthetic.talk")
        try:
            await asyncio.wait({talking, self._over}, return_when=asyncio.FIRST_COMPLETED)
            return self._over.result() if self._over.done() else talking.result()
        finally:
            talking.cancel()
            with suppress(asyncio.CancelledError, SyntheticCallError):
                await talking

    async def _stay(self) -> str:
        """Connect, and again after each cut; the picture goes on meanwhile."""
        attempt = 0
        while attempt < PATIENCE:
            try:
                self._socket = await self._browser.socket("/ws/caller")
                attempt = 0
                await self._converse(self._socket)
            except (OSError, HTTPClientError, StreamClosedError, WebSocketClosedError):
                self._tell("offline")
            closed = self._socket.close_code if self._socket else None
            self._socket = None
            if closed is not None and closed >= 4400:  # noqa: PLR2004 - docs/protocol.md: a refusal
                return self._refusal or "ended"
            first, most = BACKOFF
            await asyncio.sleep(min(most, first * 2**attempt) * random.uniform(0.5, 1))  # noqa: S311 - jitter
            attempt += 1
        return "unreachable"

    async def _converse(self, socket: WebSocketClientConnection) -> None:
        self._send({"type": "hello", "token": self._token, "page": self._page, "language": "fr"})
        if not self._filming:
            self._send({"type": "camera", "state": "asking"})
        self._send({"type": "camera", "state": "granted"})
        self._send({"type": "media.report", "camera": "live"})
        self._filming = True
        while True:
            try:
                frame = await asyncio.wait_for(_next(socket), SILENCE)
            except TimeoutError:
                socket.close()
                return
            if frame is None:
                return
            await self._receive(json.loads(frame))

    def _send(self, message: dict[str, Any]) -> None:
        """Send now or never: what still matters is said again after the next hello."""
        if self._socket is not None:
            with suppress(WebSocketClosedError, StreamClosedError):
                create_task(_write(self._socket, json.dumps(message)), "synthetic.send")

    async def _receive(self, message: dict[str, Any]) -> None:
        peer = str(message.get("peer", ""))
        match message.get("type"):
            case "welcome":
                await self._welcome(message)
            case "watch":
                self._watchers.add(peer)
                await self._connect(peer)
            case "unwatch":
                self._watchers.discard(peer)
                await self._drop(peer)
            case "signal.answer" | "signal.candidate" if peer in self._peers:
                await self._signal(self._peers[peer][0], message)
            case "signal.restart":
                await self._connect(peer, again=True)
            case "ended":
                self._finish("ended")
            case "error":
                self._refusal = str(message.get("code", ""))
                self._tell(f"error {self._refusal}")
            case _:
                pass

    async def _welcome(self, message: dict[str, Any]) -> None:
        self._tell(f"welcome {message['state']}")
        if message["state"] == "ended":
            self._finish("ended")
            return
        self._ice = message.get("ice") or {}
        self._watchers = set(message.get("watchers", ()))
        for peer in self._watchers:
            await self._connect(peer)

    async def _signal(self, peer: SyntheticPeer, message: dict[str, Any]) -> None:
        if message["type"] == "signal.answer":
            await peer.answer(str(message["sdp"]))
        else:
            await peer.candidate(message.get("candidate"))

    async def _connect(self, peer: str, *, again: bool = False) -> None:
        """Make a connection for this desk, unless one is alive; `again` even then, if it is not new."""
        now = asyncio.get_running_loop().time()
        if peer in self._peers:
            former, born = self._peers[peer]
            if former.alive and (not again or now - born < RESTART):
                former.resend()
                return
            await self._drop(peer)
        self._tell("offer")
        made = SyntheticPeer(
            self._ice, lambda message: self._send({**message, "peer": peer}), self._changed
        )
        self._peers[peer] = (made, now)

    async def _drop(self, peer: str) -> None:
        if former := self._peers.pop(peer, None):
            await former[0].close()

    def _changed(self, which: SyntheticPeer, state: str) -> None:
        self._tell(f"peer {state}")
        if state == "no_candidate":
            self._finish(state)
        if state == "connected":
            self.seen = True
        if state in {"failed", "closed"}:
            for peer in [name for name, (each, _) in self._peers.items() if each is which]:
                if peer in self._watchers:
                    create_task(self._connect(peer, again=True), "synthetic.rejoin")

    def _finish(self, reason: str) -> None:
        if not self._over.done():
            self._over.set_result(reason)

    async def leave(self) -> None:
        """Say goodbye if anybody listens, then release everything."""
        if self._socket is not None and not self._over.done():
            with suppress(WebSocketClosedError, StreamClosedError):
                await self._socket.write_message(json.dumps({"type": "leave"}))
        for peer in list(self._peers):
            await self._drop(peer)
        if self._socket is not None:
            self._socket.close()


async def _next(socket: WebSocketClientConnection) -> str | bytes | None:
    return await socket.read_message()


async def _write(socket: WebSocketClientConnection, frame: str) -> None:
    with suppress(WebSocketClosedError, StreamClosedError):
        await socket.write_message(frame)


def _code(answer: HTTPResponse) -> str:
    """Return the stable code of a JSON refusal."""
    try:
        return str(json.loads(answer.body)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return f"http_{answer.code}"
