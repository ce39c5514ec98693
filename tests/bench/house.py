"""The real server for a measurement: outbox instead of a carrier, one HEP feed, one signed-in desk."""

from __future__ import annotations

import asyncio
import html
import json
import re
import urllib.request
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.lab.ports import free_port
from tests.lab.process import own_folder, until
from tests.lab.server import Server, server, visio15

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

STATION = "1601"
PASSWORD = "une phrase assez longue 15"
CODE = re.compile(r"\b(\d{6})\b")
TEXTS = re.compile(r'<p class="text">(.*?)</p>', re.DOTALL)
SITE = ("site", "add", "samu37", "SAMU 37", "--referent", "r@samu37.example", "--sms-sender")


@dataclass
class House:
    """What is measured."""

    server: Server
    hep_port: int

    async def texts(self) -> list[str]:
        """Return the texts in the outbox, newest first."""

        def get() -> str:
            with urllib.request.urlopen(f"{self.server.url}/outbox", timeout=5) as answer:  # noqa: S310 - our own server
                return str(answer.read().decode())

        return [html.unescape(text) for text in TEXTS.findall(await asyncio.to_thread(get))]

    async def newest(self, pattern: re.Pattern[str], known: frozenset[str] = frozenset()) -> str:
        """Wait for a text that matches and was not known; return the match."""
        found: list[str] = []

        async def there() -> bool:
            matches = [
                match.group(0) for text in await self.texts() if (match := pattern.search(text))
            ]
            found[:] = [each for each in matches if each not in known]
            return bool(found)

        await until(there, f"{pattern.pattern} in the outbox", explain=self.server.part.tail)
        return found[0]

    async def open_desk(self, page: Page) -> None:
        """Sign in and sit down at the station."""
        await page.goto(f"{self.server.url}/login")
        await page.fill("input[name=identifier]", "regulateur")
        await page.fill("input[name=password]", PASSWORD)
        await page.click("button[type=submit]:has-text('Recevoir mon code')")
        await page.fill("input[name=code]", await self.newest(CODE))
        await page.press("input[name=code]", "Enter")
        await page.click("a:has-text('Visiorégulation')")
        await page.select_option("select[name=station]", STATION)
        await page.click("form[action='/desk/station'] button")
        await page.wait_for_selector("#server-state[data-state=open]")


@asynccontextmanager
async def house() -> AsyncIterator[House]:
    """Start it; stop it by its process id."""
    async with own_folder("bench") as folder:
        port, hep_port = free_port(), free_port()
        url = f"http://localhost:{port}"
        feed = {"kind": "hep", "site": "samu37", "host": "127.0.0.1", "port": hep_port}
        env = {
            "VISIO15_DATA_DIR": str(folder),
            "VISIO15_SECRET_KEY": "0123456789abcdef" * 4,
            "VISIO15_PUBLIC_URL": url,
            "VISIO15_PORT": str(port),
            "VISIO15_DEMO": "true",
            "VISIO15_LOG_LEVEL": "WARNING",
            "VISIO15_FEEDS": json.dumps([feed]),
        }
        await visio15("migrate", env=env)
        await visio15(*SITE, "SAMU37", env=env)
        await visio15("station", "add", "samu37", STATION, "Poste 1", env=env)
        user = ("user", "add", "regulateur", "--site", "samu37", "--name", "Dr Banc", "--role")
        mail = ("regulator", "--email", "regulateur@samu37.example", "--password-stdin")
        await visio15(*user, *mail, env=env, stdin=PASSWORD + "\n")
        async with server(url, env, prepare=()) as running:
            yield House(running, hep_port)
