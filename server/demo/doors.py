"""Two doors: the whole demonstration for this machine and over HTTPS; for plain HTTP from outside, how to get in."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.netutil import bind_sockets
from tornado.routing import Router
from tornado.web import Application, RequestHandler

from server.app.runtime.systemd import Notifier
from server.app.settings.settings import Settings
from server.demo import trust
from server.web.routing import Asked, path

LOCAL: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


class ToTls(RequestHandler):
    """Anything a phone asks of the plain port, but the explanation."""

    def __init__(self, *asked: *Asked, phone_url: str) -> None:
        super().__init__(*asked)
        self.phone_url = phone_url

    def prepare(self) -> None:
        """Send to the same path over HTTPS."""
        self.redirect(self.phone_url + self.request.path, status=307)


class Door(Router):
    """The plain port: everything for this machine, the explanation for the network."""

    def __init__(self, app: Application, phone_url: str) -> None:
        """`phone_url`: the HTTPS address."""
        self._app = app
        self._away = Application([path(r".*", ToTls, phone_url=phone_url)])

    def find_handler(
        self, request: HTTPServerRequest, **kwargs: object
    ) -> HTTPMessageDelegate | None:
        """Choose by the name the browser used: it decides what that browser takes for secure."""
        local = request.host.rsplit(":", 1)[0].lower() in LOCAL
        open_ = request.path == "/trust" or request.path.startswith(("/trust/", "/static/"))
        return (self._app if local or open_ else self._away).find_handler(request, **kwargs)


async def live(
    settings: Settings, plain: int | None, authority: Path | None, ready: Callable[[], None]
) -> None:
    """Serve until SIGTERM or Ctrl-C; OSError when a port is taken, and what else Server.start raises.

    `plain` and `authority`: the port of the plain door, and what it hands to phones, when the server speaks TLS.
    """
    from server.app.process import ServerProcess  # noqa: PLC0415 - only servers pay for the whole import
    from server.app.wiring import build  # noqa: PLC0415 - same

    server = build(settings)
    process = ServerProcess(server, Notifier(None, None), in_terminal=True)
    door: HTTPServer | None = None
    sockets: list[socket.socket] = []
    try:
        if plain is not None and authority is not None:
            sockets = [
                each for at in ("127.0.0.1", settings.listen) for each in bind_sockets(plain, at)
            ]
            web = server.web
            server.app.add_handlers(".*", trust.routes(web, authority, settings.public_url))
            door = HTTPServer(Door(server.app, settings.public_url), max_body_size=1024 * 1024)
        if await process.start():
            if door is not None:
                door.add_sockets(sockets)
            ready()
            await process.asked()
    finally:
        await _close(door)
        await server.stop()
    await process.stopped()


async def _close(door: HTTPServer | None) -> None:
    if door is not None:
        door.stop()
        with suppress(TimeoutError):
            await asyncio.wait_for(door.close_all_connections(), 5)
