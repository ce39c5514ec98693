"""An SMS gateway that answers like Kannel, in a process of its own, and knows to the microsecond when it did.

Usage: python -m tests.bench.gateway PORT

`GET /cgi-bin/sendsms?to=…&text=…&dlr-url=…` is accepted at once; with a dlr-url its receipts follow as Kannel's do:
8 (handed to the SMS centre), then 1 (delivered). `GET /taken` gives the time (CLOCK_MONOTONIC, which all processes
share) and the text of each number's message.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time

import tornado.httpserver
import tornado.web
from tornado.httpclient import AsyncHTTPClient

from server.core.tasks import create_task

ANSWER = "0: Accepted for delivery"
AFTER = 0.05  # seconds until the SMS centre has it, and again until the phone has


class SendSms(tornado.web.RequestHandler):
    """Kannel's sendsms."""

    def initialize(self, taken: dict[str, tuple[float, str]]) -> None:
        self.taken = taken

    def get(self) -> None:
        receipt = self.get_query_argument("dlr-url", "")
        self.set_status(202)
        self.set_header("Content-Type", "text/html")
        self.finish(ANSWER)
        number = self.get_query_argument("to")
        self.taken[number] = (time.monotonic(), self.get_query_argument("text", ""))
        if receipt:
            create_task(self._report(receipt), "receipts")

    async def _report(self, url: str) -> None:
        client = AsyncHTTPClient()
        for status in (8, 1):
            await asyncio.sleep(AFTER)
            await client.fetch(url.replace("%d", str(status)), raise_error=False)


class Taken(tornado.web.RequestHandler):
    """What was accepted."""

    def initialize(self, taken: dict[str, tuple[float, str]]) -> None:
        self.taken = taken

    def get(self) -> None:
        self.finish(json.dumps(self.taken))


async def main(port: int) -> None:
    taken: dict[str, tuple[float, str]] = {}
    app = tornado.web.Application(
        [
            ("/cgi-bin/sendsms", SendSms, {"taken": taken}),
            ("/taken", Taken, {"taken": taken}),
        ],
        log_function=lambda _handler: None,
    )
    tornado.httpserver.HTTPServer(app).listen(port, "127.0.0.1")
    gc.freeze()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
