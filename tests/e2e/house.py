"""The whole house with real parts: Kamailio, Kannel, SMTP, the server, Chromium; and the gestures of its people."""

from __future__ import annotations

import json
import re
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.lab.browser import Browser, browser
from tests.lab.kamailio import HEP_AUTH_KEY, Kamailio, kamailio
from tests.lab.kannel import Kannel, kannel
from tests.lab.ports import free_port
from tests.lab.process import own_folder, until
from tests.lab.server import Server, server, visio15
from tests.lab.smtp import Smtp, smtp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from playwright.async_api import Page

PASSWORD = "une phrase assez longue 15"
CALLER = "+33612345678"
CALLER_SHOWN = "06 12 34 56 78"
STATION = "1601"
CODE = re.compile(r"\b(\d{6})\b")
LINK = re.compile(r"https?://\S+/v/[A-Za-z0-9_-]+")


@dataclass
class House:
    """Everything that runs."""

    server: Server
    kamailio: Kamailio
    kannel: Kannel
    smtp: Smtp
    browser: Browser
    hep_port: int
    uas_port: int

    @property
    def url(self) -> str:
        return self.server.url

    async def sign_in(
        self, page: Page, identifier: str = "regulateur", *, target: str = "/login"
    ) -> None:
        """Go through the reference procedure's line 3: password, "Recevoir mon code", the code by mail."""
        await page.goto(self.url + target)
        await page.fill("input[name=identifier]", identifier)
        await page.fill("input[name=password]", PASSWORD)
        await page.click("button[type=submit]:has-text('Recevoir mon code')")
        mail = await self.smtp.next(to=f"{identifier}@samu37.example")
        code = CODE.search(mail.text)
        assert code, mail.text
        await page.fill("input[name=code]", code.group(1))
        await page.press("input[name=code]", "Enter")
        await page.wait_for_url(lambda url: "/login" not in url)

    async def open_desk(
        self, page: Page, *, identifier: str = "regulateur", station: str = STATION
    ) -> None:
        """Sign in, click on Visiorégulation in the kiosk, choose the station of this PC."""
        await self.sign_in(page, identifier)
        await page.click("a:has-text('Visiorégulation')")
        await page.wait_for_url("**/desk")
        await page.select_option("select[name=station]", station)
        await page.click("form[action='/desk/station'] button")
        await page.wait_for_selector("#server-state[data-state=open]")

    async def sms_link(self, to: str = CALLER) -> str:
        """Wait for the SMS at the carrier; return the link in it."""
        sms = await self.kannel.messages.next(to=to)
        found = LINK.search(sms.text)
        assert found, sms.text
        return found.group(0)

    async def mail_link(self, to: str) -> str:
        """Wait for the e-mail; return the link in it."""
        mail = await self.smtp.next(to=to)
        found = LINK.search(mail.text)
        assert found, mail.text
        return found.group(0)


SITE = (
    "site",
    "add",
    "samu37",
    "SAMU 37",
    "--referent",
    "referent@samu37.example",
    "--sms-sender",
    "SAMU37",
)
STATIONS = (
    ("station", "add", "samu37", "1601", "Poste médecin 1", "--webcam"),
    ("station", "add", "samu37", "1602", "Poste médecin 2"),
    ("station", "add", "samu37", "1501", "Poste ARM"),
)
USERS = {
    "regulateur": "regulator",
    "arm": "arm",
    "auditeur": "auditor",
    "admin": "admin",
    "referent": "referent",
}


def settings(
    folder: Path,
    *,
    port: int,
    carrier: Kannel,
    mail: Smtp,
    hep_port: int,
    host: str = "127.0.0.1",
    extra: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """Return the environment of a production-like server."""
    url = f"http://{host}:{port}"
    values: dict[str, Any] = {
        "data_dir": str(folder),
        "secret_key": "0123456789abcdef0123456789abcdef0123456789abcdef",
        "public_url": url,
        "listen": host,
        "port": port,
        "sms": {"url": carrier.url_template(""), "receipt_base": url},
        "smtp": {"host": mail.host, "port": mail.port, "sender": "visio15@samu37.example"},
        "feeds": [
            {
                "kind": "hep",
                "site": "samu37",
                "host": "127.0.0.1",
                "port": hep_port,
                "auth_key": HEP_AUTH_KEY,
            }
        ],
        "log_level": "DEBUG",
        **(extra or {}),
    }
    return {
        f"VISIO15_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
    }


async def seed(env: Mapping[str, str], *, users: Mapping[str, str] = USERS) -> None:
    """Make the site, its stations and its people, through the command line as an administrator would."""
    for command in (("migrate",), SITE, *STATIONS):
        await visio15(*command, env=env)
    for name, role in users.items():
        await visio15(
            "user",
            "add",
            name,
            "--site",
            "samu37",
            "--name",
            f"Dr {name.title()}",
            "--role",
            role,
            "--email",
            f"{name}@samu37.example",
            "--password-stdin",
            env=env,
            stdin=PASSWORD + "\n",
        )


@asynccontextmanager
async def house(
    *,
    extra: Mapping[str, Any] | None = None,
    flags: Sequence[str] = (),
    switchboard: Mapping[str, Any] | None = None,
) -> AsyncIterator[House]:
    """Start everything; stop everything, whatever happens."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        folder = await enter(own_folder("house"))
        port, hep_port, uas_port = free_port(), free_port(), free_port()
        carrier = await enter(kannel())
        mail = await enter(smtp())
        env = settings(
            folder, port=port, carrier=carrier, mail=mail, hep_port=hep_port, extra=extra
        )
        await seed(env)
        running = await enter(server(f"http://127.0.0.1:{port}", env, prepare=()))
        exchange = await enter(
            kamailio(
                {"15": f"{STATION}@127.0.0.1:{uas_port}"},
                hep=("127.0.0.1", hep_port),
                **(switchboard or {}),
            )
        )
        chromium = await enter(browser(*flags))
        try:
            yield House(running, exchange, carrier, mail, chromium, hep_port, uas_port)
        except BaseException:
            print("the server's last words:", running.logs()[-6000:], sep="\n")  # noqa: T201
            for client in chromium.clients:
                print(client.name, client.problems)  # noqa: T201
            raise


async def until_text(page: Page, selector: str, text: str, *, timeout: float = 15) -> None:
    """Wait until an element holds a text."""
    seen: list[str | None] = [None]

    async def there() -> bool:
        seen[0] = await page.text_content(selector)
        return text in (seen[0] or "")

    await until(there, f"{text!r} in {selector}", timeout=timeout, explain=lambda: repr(seen[0]))
