"""What stands for the world outside: carriers that keep what they are given and fail on demand, and clocks."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from server.core.errors import AppError
from server.delivery.carriers.raw import HttpSms, SmsSettings
from tests.lab.ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from server.delivery.domain.outgoing import OutgoingMail, OutgoingSms

ACCEPTED = "0: Accepted for delivery id={}"


@dataclass
class FakeSms:
    """The Sms port: keeps every message; raises `trouble` while it is set."""

    sent: list[OutgoingSms] = field(default_factory=list)
    trouble: AppError | None = None

    async def send(self, sms: OutgoingSms) -> str | None:
        if self.trouble is not None:
            raise self.trouble
        self.sent.append(sms)
        return f"ref-{len(self.sent)}"


@dataclass
class FakeMailer:
    """The Mailer port: keeps every mail; raises `trouble` while it is set."""

    sent: list[OutgoingMail] = field(default_factory=list)
    trouble: AppError | None = None

    async def send(self, mail: OutgoingMail) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.sent.append(mail)


@dataclass
class Gateway:
    """A real HTTP gateway on this machine: keeps what it is asked, answers what the test wants."""

    port: int = field(default_factory=free_port)
    status: int = 200
    body: str = ACCEPTED
    asked: list[dict[str, str]] = field(default_factory=list)
    accepted: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answering: asyncio.Event = field(default_factory=asyncio.Event)  # cleared: hangs
    _server: HTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/send"

    @property
    def settings(self) -> dict[str, Any]:
        """What VISIO15_SMS would say; the address holds a password."""
        query = "password=hush&to={to}&text={text}&from={sender}&dlr={receipt_url}"
        accepted = r"^0: Accepted(?:.*id=(\w+))?"
        return {"url": f"{self.url}?{query}", "accepted": accepted, "timeout": 2.0}

    def carrier(self) -> HttpSms:
        """The real adapter on this gateway."""
        return HttpSms(SmsSettings.model_validate(self.settings))

    def start(self) -> None:
        """Be there."""
        self.answering.set()
        self._server = HTTPServer(Application([(r"/send", _Send, {"gateway": self})]))
        self._server.listen(self.port, "127.0.0.1")

    async def stop(self) -> None:
        """Be gone."""
        if self._server is not None:
            self._server.stop()
            await self._server.close_all_connections()
            self._server = None


class _Send(RequestHandler):
    def initialize(self, gateway: Gateway) -> None:
        self.gateway = gateway

    async def get(self) -> None:
        fields = ("to", "text", "from", "dlr", "body")
        asked = {name: self.get_argument(name, "", strip=False) for name in fields}
        asked["body"] = self.request.body.decode()
        gateway = self.gateway
        gateway.asked.append(asked)
        gateway.headers.append(dict(self.request.headers))
        await gateway.answering.wait()
        self.set_status(gateway.status)
        if gateway.status == 200 and gateway.body == ACCEPTED:
            gateway.accepted.append(asked)
        self.finish(gateway.body.format(len(gateway.asked)))

    post = get


@asynccontextmanager
async def gateway() -> AsyncIterator[Gateway]:
    """Run a gateway on the test's loop."""
    made = Gateway()
    made.start()
    try:
        yield made
    finally:
        made.answering.set()
        await made.stop()


@asynccontextmanager
async def rude_server(answer: bytes, *, greets: bool = False) -> AsyncIterator[int]:
    """A program that answers anything (or greets anybody) with these bytes and hangs up; gives its port."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not greets:
            await reader.read(10)
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
