"""The whole house with real parts: Kamailio, Kannel, SMTP, the server, Chromium; and the gestures of its people."""

from __future__ import annotations

import json
import re
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.e2e.gate import Gate, gate
from tests.e2e.layout import PASSWORD, SAMU37, Samu, furnish
from tests.e2e.seen import KEEP_SOCKETS
from tests.lab.browsers.browser import PIXEL, Browser, browser, moving_picture
from tests.lab.kannel import Kannel, kannel
from tests.lab.ports import free_port
from tests.lab.process import PATIENCE, own_folder, until
from tests.lab.server import Server, server
from tests.lab.smtp import Smtp, smtp
from tests.lab.switchboard.kamailio import HEP_AUTH_KEY, Kamailio, kamailio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from playwright.async_api import Page

CALLER = "+33612345678"
CALLER_SHOWN = "06 12 34 56 78"
STATION = "1601"
CODE = re.compile(r"\b(\d{6})\b")
LINK = re.compile(r"https?://\S+/v/[A-Za-z0-9_-]+")
SPACES = re.compile(r"\s")


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
    folder: Path
    samus: tuple[Samu, ...] = (SAMU37,)
    gate: Gate | None = None

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
        mail = await self.smtp.next(to=self.mailbox(identifier))
        code = CODE.search(mail.text)
        assert code, mail.text
        await page.fill("input[name=code]", code.group(1))
        await page.press("input[name=code]", "Enter")
        await page.wait_for_url(lambda url: "/login" not in url)

    async def open_desk(
        self,
        page: Page,
        *,
        identifier: str = "regulateur",
        station: str = STATION,
        free: bool = True,
    ) -> None:
        """Sign in, click on Visiorégulation in the kiosk, choose the station of this PC; `free`: nobody sits there."""
        await self.sign_in(page, identifier)
        await page.click("a:has-text('Visiorégulation')")
        await page.wait_for_url("**/desk")
        await page.select_option("select[name=station]", station)
        await page.click("form[action='/desk/station'] button")
        await page.wait_for_selector("#server-state[data-state=open]" if free else "#seat[open]")

    def mailbox(self, identifier: str) -> str:
        """Where this person's codes go."""
        return next(
            samu.mailbox(identifier)
            for samu in self.samus
            if identifier in {person for person, _ in samu.people}
        )

    async def desk(
        self,
        identifier: str = "regulateur",
        *,
        station: str = STATION,
        name: str | None = None,
        free: bool = True,
    ) -> Page:
        """Open page B in a browser of its own."""
        client = await self.browser.desk(name or f"desk of {identifier}")
        await client.context.add_init_script(KEEP_SOCKETS)
        page = await client.context.new_page()
        await self.open_desk(page, identifier=identifier, station=station, free=free)
        return page

    async def phone(
        self, link: str, device: str = PIXEL, *, script: str = "", **options: Any
    ) -> Page:
        """Open the link in a browser of its own, changed by `script`; the script of the page runs."""
        client = await self.browser.caller(device, **options)
        for each in filter(None, (KEEP_SOCKETS, script)):
            await client.context.add_init_script(each)
        page = await client.open(link)
        await page.wait_for_selector("body[data-ready=true]")
        return page

    async def invite(self, desk: Page, mobile: str = CALLER) -> str:
        """Send an SMS; return the link in it."""
        await desk.fill("#mobile", mobile)
        await desk.click("#invite")
        return await self.sms_link(mobile)

    async def film(self, desk: Page, mobile: str = CALLER, *, script: str = "") -> Page:
        """Invite, open, tap; return the caller's page once the regulator sees a moving picture."""
        phone = await self.phone(await self.invite(desk, mobile), script=script)
        await phone.tap("#tap")
        await moving_picture(desk, "#patient")
        return phone

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


@asynccontextmanager
async def house(
    *,
    extra: Mapping[str, Any] | None = None,
    flags: Sequence[str] = (),
    switchboard: Mapping[str, Any] | None = None,
    routes: Mapping[str, str] | None = None,
    samus: tuple[Samu, ...] = (SAMU37,),
    gated: bool = False,
    host: str = "127.0.0.1",
) -> AsyncIterator[House]:
    """Start everything; stop everything, whatever happens.

    Args:
        extra: further settings of the server, or others than the usual ones.
        flags: further flags of Chromium.
        switchboard: further arguments of the switchboard.
        routes: called number → phone, others than the usual 15 → 1601.
        samus: the sites; the first one has the switchboard.
        gated: put a gate before the carrier (House.gate).
        host: where the server listens; pages from elsewhere than loopback are trusted with the camera all the same.
    """
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        folder = await enter(own_folder("house"))
        port, hep_port, uas_port = free_port(), free_port(), free_port()
        carrier = await enter(kannel())
        mail = await enter(smtp())
        env = settings(
            folder, port=port, carrier=carrier, mail=mail, hep_port=hep_port, host=host, extra=extra
        )
        guard = None
        if gated:
            gateway = urlsplit(carrier.sendsms).port or 0
            guard = await enter(gate(gateway))
            env["VISIO15_SMS"] = env["VISIO15_SMS"].replace(f":{gateway}/", f":{guard.port}/")
        await furnish(env, folder, samus, copied="VISIO15_DATABASE" not in env)
        exchange = await enter(
            kamailio(
                routes or {"15": f"{STATION}@127.0.0.1:{uas_port}"},
                **{"hep": ("127.0.0.1", hep_port), **(switchboard or {})},
            )
        )
        running = await enter(server(f"http://{host}:{port}", env, prepare=()))
        chromium = await enter(browser(*trusting(running.url), *flags))
        try:
            yield House(
                *(running, exchange, carrier, mail, chromium, hep_port, uas_port, folder),
                samus=samus,
                gate=guard,
            )
        except BaseException:
            print("the server's last words:", running.logs()[-6000:], sep="\n")  # noqa: T201
            for client in chromium.clients:
                print(client.name, client.problems)  # noqa: T201
            raise


def trusting(url: str) -> tuple[str, ...]:
    """Return the flags by which Chromium gives its camera to a page without TLS that is not on loopback."""
    if urlsplit(url).hostname == "127.0.0.1":
        return ()
    return (f"--unsafely-treat-insecure-origin-as-secure={url}",)


async def until_text(page: Page, selector: str, text: str, *, timeout: float = PATIENCE) -> None:
    """Wait until an element holds a text; spaces that keep words together are spaces."""
    seen: list[str | None] = [None]

    async def there() -> bool:
        seen[0] = await page.text_content(selector)
        return text in SPACES.sub(" ", seen[0] or "")

    await until(there, f"{text!r} in {selector}", timeout=timeout, explain=lambda: repr(seen[0]))
