"""The SMS carrier: Kannel's bearerbox and smsbox, and its fake SMS centre that prints what it gets."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from tests.lab.ports import free_port, tcp_port_open
from tests.lab.process import PATIENCE, Part, own_folder, started, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FAKE_SMSC = "/usr/lib/kannel/test/fakesmsc"
USERNAME = "visio15"
PASSWORD = "carrier-secret"

CONFIG = """
group = core
admin-port = {admin}
admin-password = lab
admin-interface = 127.0.0.1
smsbox-port = {smsbox}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
dlr-storage = internal
log-level = 0

group = smsc
smsc = fake
smsc-id = carrier
host = localhost
port = {smsc}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {smsbox}
sendsms-port = {http}
sendsms-interface = 127.0.0.1
sendsms-chars = "0123456789 +-"
global-sender = 15
http-request-retry = 30
http-queue-delay = 1
log-level = 0

group = sendsms-user
username = {username}
password = {password}
max-messages = 3
concatenation = true
"""

PRINTED = re.compile(r"Got message \d+: <(?P<body>.*)>$", re.MULTILINE)


@dataclass(frozen=True)
class Sms:
    """One message as the carrier got it."""

    sender: str
    to: str
    text: str


@dataclass
class Messages:
    """What the carrier got, in order."""

    part: Part
    _taken: set[int] = field(default_factory=set)

    def all(self) -> list[Sms]:
        return [_parse(match["body"]) for match in PRINTED.finditer(self.part.output())]

    async def next(self, *, to: str | None = None, timeout: float = PATIENCE) -> Sms:
        """Wait for the first message (to this number, E.164) that was not given before."""
        found: list[Sms] = []

        def arrived() -> bool:
            for index, sms in enumerate(self.all()):
                if index not in self._taken and to in {None, sms.to}:
                    self._taken.add(index)
                    found.append(sms)
                    return True
            return False

        await until(arrived, f"an SMS to {to or 'anyone'}", timeout=timeout, explain=self.part.tail)
        return found[0]


def _parse(body: str) -> Sms:
    try:
        sender, to, kind, text = body.split(" ", 3)
    except ValueError:
        raise AssertionError(
            f"an SMS with a line end in it (the fake SMS centre splits it): {body}"
        ) from None
    if kind == "text":
        return Sms(sender, to, text)
    if kind == "data":
        return Sms(sender, to, unquote_plus(text, encoding="latin-1"))
    if kind == "ucs2":
        return Sms(sender, to, unquote_plus(text, encoding="utf-16-be"))
    raise AssertionError(f"the carrier got a kind of message the lab does not know: {body}")


@dataclass(frozen=True)
class Kannel:
    """A running carrier."""

    sendsms: str
    username: str
    password: str
    messages: Messages
    parts: tuple[Part, ...]

    def url_template(self, receipt_suffix: str = "%3Fstatus%3D%25d") -> str:
        """Return sendsms with {to}, {sender}, {text} and {receipt_url} to be filled in, URL-quoted.

        Kannel puts the status (1 delivered, 2 failed, 8 handed over …) in place of %d in `receipt_suffix`,
        which is URL-quoted already.
        """
        return (
            f"{self.sendsms}?username={self.username}&password={self.password}"
            "&to={to}&from={sender}&text={text}&charset=UTF-8&coding=0&dlr-mask=31&dlr-url={receipt_url}"
            + receipt_suffix
        )


@asynccontextmanager
async def kannel() -> AsyncIterator[Kannel]:
    """Run the carrier.

    `GET sendsms?username=&password=&to=%2B336…&from=…&text=…&dlr-mask=31&dlr-url=…` hands a message over;
    the answer is 202 "0: Accepted for delivery". Kannel then calls the dlr-url, with %d replaced:
    8 handed to the SMS centre, 1 delivered; again each second while nobody answers there. It speaks GSM-7: what that
    alphabet lacks arrives as "?".
    """
    admin, smsbox, smsc, http = (free_port() for _ in range(4))
    async with own_folder("kannel") as folder:
        config = folder / "kannel.conf"
        config.write_text(
            CONFIG.format(
                admin=admin,
                smsbox=smsbox,
                smsc=smsc,
                http=http,
                username=USERNAME,
                password=PASSWORD,
            )
        )
        async with (
            started(
                "bearerbox",
                ["bearerbox", "-v", "0", config],
                folder=folder,
                ready=lambda _part: tcp_port_open(smsbox) and tcp_port_open(admin),
                grace=0,  # it has nothing to keep, and takes seconds to say good-bye
            ) as box,
            started(
                "fakesmsc",
                [
                    FAKE_SMSC,
                    "-H",
                    "localhost",
                    "-r",
                    str(smsc),
                    "-m",
                    "0",
                    "-i",
                    "1",
                    "1 2 text hello",
                ],
                folder=folder,
                ready=lambda _part: "lient connected" in box.output(),
                grace=0,
            ) as carrier,
            started(
                "smsbox",
                ["smsbox", "-v", "0", config],
                folder=folder,
                ready=lambda _part: tcp_port_open(http),
                grace=0,
            ) as sender,
        ):
            yield Kannel(
                f"http://127.0.0.1:{http}/cgi-bin/sendsms",
                USERNAME,
                PASSWORD,
                Messages(carrier),
                (box, carrier, sender),
            )
