"""The mail server: a real SMTP server that keeps what it accepts, and fails on demand."""

from __future__ import annotations

import asyncio
import email
import email.policy
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import SMTP

from tests.lab.ports import free_port
from tests.lab.process import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass(frozen=True)
class Mail:
    """One message as the server accepted it."""

    sender: str
    to: tuple[str, ...]
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    def _body(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        assert part is not None, f"the mail to {self.to} has no {kind} body"
        return str(part.get_content())

    @property
    def text(self) -> str:
        return self._body("plain")

    @property
    def html(self) -> str:
        return self._body("html")


@dataclass
class Smtp:
    """A running mail server. Set `answer` or `delay` while it runs to make it fail or be slow."""

    host: str
    port: int
    mails: list[Mail] = field(default_factory=list)
    attempts: int = 0
    answer: str | None = (
        None  # such as "451 try later" or "550 no such box": said after each message
    )
    delay: float = 0  # seconds before each answer
    _taken: set[int] = field(default_factory=set)
    _healed: asyncio.Event = field(default_factory=asyncio.Event)

    async def next(self, *, to: str | None = None, timeout: float = PATIENCE) -> Mail:
        """Wait for the first mail (to this address) that was not given before."""
        found: list[Mail] = []

        def arrived() -> bool:
            for index, mail in enumerate(self.mails):
                if index not in self._taken and (to is None or to in mail.to):
                    self._taken.add(index)
                    found.append(mail)
                    return True
            return False

        await until(
            arrived,
            f"a mail to {to or 'anyone'}",
            timeout=timeout,
            explain=lambda: f"so far: {[(mail.to, mail.subject) for mail in self.mails]}",
        )
        return found[0]

    # The method's name is aiosmtpd's.
    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.attempts += 1
        if self.delay:
            await asyncio.sleep(self.delay)
        if self.answer is not None:
            return self.answer
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append(Mail(envelope.mail_from, tuple(envelope.rcpt_tos), message))
        return "250 OK"


@asynccontextmanager
async def smtp(*, port: int | None = None) -> AsyncIterator[Smtp]:
    """Run the mail server on the test's loop."""
    box = Smtp("127.0.0.1", port or free_port())
    open_: set[asyncio.BaseTransport] = set()

    class Protocol(SMTP):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            open_.add(transport)
            super().connection_made(transport)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Protocol(box, hostname="mail.lab", enable_SMTPUTF8=True, loop=loop),
        box.host,
        box.port,
    )
    try:
        yield box
    finally:
        server.close()
        for transport in open_:
            transport.close()
        await server.wait_closed()
        # One turn of the loop lets the closed connections say so.
        await asyncio.sleep(0)
