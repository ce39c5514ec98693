"""An SMS gateway that answers like Kannel, takes its time, and reports what became of each message.

Receipts are asked for by `dlr-url`, and repeated until somebody answers, as Kannel does with `http-request-retry`.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import tornado.httpserver
import tornado.web
from tornado.httpclient import HTTPClientError
from tornado.iostream import StreamClosedError
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from server.core.tasks import cancel_and_wait, create_task
from tests.lab.ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ANSWER = (0.02, 0.3)  # seconds until it answers
HANDED = (0.05, 0.3)  # until the SMS centre has it
DELIVERED = (0.3, 3.0)  # and then the phone
REPEAT = 1.0
REPEATS = 15
RECEIPTS = ("repeated", "once", "none")


@dataclass
class Carrier:
    """What it took, in order: number and text."""

    receipts: str
    chance: random.Random
    port: int = field(default_factory=free_port)
    taken: list[tuple[str, str]] = field(default_factory=list)
    _reports: list[asyncio.Task[None]] = field(default_factory=list)
    _client: SimpleAsyncHTTPClient = field(
        default_factory=lambda: SimpleAsyncHTTPClient(force_instance=True, max_clients=200)
    )

    def settings(self) -> dict[str, object]:
        """Return the product's setting for it."""
        receipt = "" if self.receipts == "none" else "&dlr-mask=31&dlr-url={receipt_url}"
        return {
            "url": f"http://127.0.0.1:{self.port}/cgi-bin/sendsms?to={{to}}&text={{text}}{receipt}"
        }

    def copies(self) -> dict[str, list[str]]:
        """Return the texts each number got."""
        found: dict[str, list[str]] = {}
        for number, text in self.taken:
            found.setdefault(number, []).append(text)
        return found

    async def take(self, number: str, text: str, receipt: str) -> None:
        """The message is accepted now, whether the answer reaches anybody or not."""
        self.taken.append((number, text))
        if receipt:
            self._reports.append(create_task(self._report(receipt), "carrier.receipts"))
        await asyncio.sleep(self.chance.uniform(*ANSWER))

    async def _report(self, url: str) -> None:
        for status, wait in ((8, HANDED), (1, DELIVERED)):
            await asyncio.sleep(self.chance.uniform(*wait))
            for _ in range(REPEATS if self.receipts == "repeated" else 1):
                with suppress(OSError, HTTPClientError):
                    await self._client.fetch(url.replace("%d", str(status)))
                    break
                await asyncio.sleep(REPEAT)

    async def close(self) -> None:
        """Report no more."""
        await cancel_and_wait(*self._reports)
        self._client.close()


class _SendSms(tornado.web.RequestHandler):
    def initialize(self, carrier: Carrier) -> None:
        self.carrier = carrier

    async def get(self) -> None:
        asked = {name: self.get_query_argument(name, "") for name in ("to", "text", "dlr-url")}
        await self.carrier.take(asked["to"], asked["text"], asked["dlr-url"])
        self.set_status(202)
        with suppress(StreamClosedError):
            await self.finish("0: Accepted for delivery")

    def on_connection_close(self) -> None:
        """Whoever asked died; the message was taken all the same."""


@asynccontextmanager
async def carrier(receipts: str, chance: random.Random) -> AsyncIterator[Carrier]:
    """Run one on this loop."""
    made = Carrier(receipts, chance)
    app = tornado.web.Application(
        [("/cgi-bin/sendsms", _SendSms, {"carrier": made})], log_function=lambda _handler: None
    )
    server = tornado.httpserver.HTTPServer(app)
    server.listen(made.port, "127.0.0.1")
    try:
        yield made
    finally:
        server.stop()
        await server.close_all_connections()
        await made.close()
