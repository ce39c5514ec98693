"""The real server for a measurement: furnished from inside, started as a program, spoken to from outside."""

from __future__ import annotations

import asyncio
import hashlib
import html
import json
import re
import urllib.request
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from server.app.command_services import command_services
from server.identity.domain.access import Role
from server.identity.domain.sign_in import StoredSignIn
from server.identity.store.login import LoginStore
from server.identity.web.signed_in import SESSION_COOKIE, STATION_COOKIE
from server.identity.wire.accounts import wire_accounts
from server.storage import schema
from server.storage.demonstration_mark import mark_demonstration
from server.storage.wire import lay_foundation
from tests.lab.ports import free_port
from tests.lab.process import own_folder, until
from tests.lab.server import VISIO15, Server, server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from playwright.async_api import Page

    from server.administration.service.admin import Admin
    from server.identity.domain.users import User
    from server.storage.wire import Foundation

SITE = "samu37"
STATION = "1601"
PASSWORD = "une phrase assez longue 15"
SECRET = "0123456789abcdef" * 4
CODE = re.compile(r"\b(\d{6})\b")
TEXTS = re.compile(r'<p class="text">(.*?)</p>', re.DOTALL)


@dataclass
class House:
    """What is measured."""

    server: Server
    hep_port: int
    cookies: Mapping[str, str]  # of a signed-in browser, by identifier

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.server.url

    @property
    def pid(self) -> int:
        """Which process it is."""
        return self.server.part.pid

    def signed_in(self, identifier: str = "regulateur", station: str | None = None) -> str:
        """Return the Cookie header of this user's browser at a station."""
        cookie = f"{SESSION_COOKIE}={self.cookies[identifier]}"
        return f"{cookie}; {STATION_COOKIE}={station}" if station else cookie

    async def texts(self) -> list[str]:
        """Return the texts in the outbox, newest first."""

        def get() -> str:
            with urllib.request.urlopen(f"{self.url}/outbox", timeout=5) as answer:  # noqa: S310 - our own server
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
        await page.goto(f"{self.url}/login")
        await page.fill("input[name=identifier]", "regulateur")
        await page.fill("input[name=password]", PASSWORD)
        await page.click("button[type=submit]:has-text('Recevoir mon code')")
        await page.fill("input[name=code]", await self.newest(CODE))
        await page.press("input[name=code]", "Enter")
        await page.click("a:has-text('Visiorégulation')")
        await page.select_option("select[name=station]", STATION)
        await page.click("form[action='/desk/station'] button")
        await page.wait_for_selector("#server-state[data-state=open]")


@dataclass
class Furnisher:
    """Fills an empty database through the product's own use cases."""

    base: Foundation

    @cached_property
    def admin(self) -> Admin:
        """The administrator's use cases."""
        return command_services(self.base, wire_accounts(self.base)).admin

    async def furnish(self, stations: Sequence[str]) -> dict[str, str]:
        """Make a site, its stations, a regulator and an auditor; return a cookie of each."""
        await self.admin.add_site(SITE, "SAMU 37", "r@samu37.example", "SAMU37")
        for extension in stations:
            await self.admin.add_station(SITE, extension, f"Poste {extension}", webcam=False)
        regulator = await self._user("regulateur", Role.REGULATOR)
        auditor = await self._user("auditeur", Role.AUDITOR)
        return {user.identifier: await self._session(user) for user in (regulator, auditor)}

    async def _user(self, identifier: str, role: Role) -> User:
        return await self.admin.add_user(
            identifier,
            PASSWORD,
            site_key=SITE,
            name="Dr Banc",
            role=role,
            email=f"{identifier}@samu37.example",
            mobile=None,
        )

    async def _session(self, user: User) -> str:
        cookie, now = self.base.ids.token(), self.base.clock.now()
        id_ = hashlib.sha256(cookie.encode()).hexdigest()
        async with self.base.transactions() as uow:
            session = StoredSignIn(
                id_, user.site, user.id, now, now, now + timedelta(hours=14), None
            )
            await LoginStore(uow).add_web_session(session)
            await uow.commit()
        return cookie


async def furnished(url: str, stations: Sequence[str] = (STATION,)) -> dict[str, str]:
    """Make the schema and furnish it; return the cookies."""
    await schema.upgrade(url)
    async with aclosing(lay_foundation(url, SECRET)) as base:
        await mark_demonstration(base.engine)
        return await Furnisher(base).furnish(stations)


def settings(folder: Path, port: int, database: str, host: str) -> dict[str, str]:
    """Return what every measured server is told."""
    return {
        "VISIO15_DATA_DIR": str(folder),
        "VISIO15_DATABASE": database,
        "VISIO15_SECRET_KEY": SECRET,
        "VISIO15_PUBLIC_URL": f"http://{host}:{port}",
        "VISIO15_LISTEN": "127.0.0.1" if host == "localhost" else host,
        "VISIO15_PORT": str(port),
        "VISIO15_DEMO": "true",
        "VISIO15_LOG_LEVEL": "WARNING",
    }


@asynccontextmanager
async def house(
    *,
    stations: Sequence[str] = (STATION,),
    extra: Mapping[str, str] | None = None,
    database: str | None = None,
    host: str = "localhost",
    fill: Callable[[str], Awaitable[object]] | None = None,
    program: Sequence[str] = VISIO15,
) -> AsyncIterator[House]:
    """Start it; stop it by its process id.

    Args:
        stations: extensions of the site.
        extra: VISIO15_… settings beyond the usual ones.
        database: an empty database's URL; a new SQLite file without it.
        host: where it listens.
        fill: awaited with the URL of the furnished database before the server starts.
        program: what runs the command that serves.
    """
    async with own_folder("bench") as folder:
        port, hep_port = free_port(), free_port()
        feed = {"kind": "hep", "site": SITE, "host": "127.0.0.1", "port": hep_port}
        database = database or f"sqlite+aiosqlite:///{folder}/visio15.db"
        env = settings(folder, port, database, host) | {"VISIO15_FEEDS": json.dumps([feed])}
        cookies = await furnished(database, stations)
        if fill:
            await fill(database)
        env |= extra or {}
        async with server(env["VISIO15_PUBLIC_URL"], env, prepare=(), program=program) as up:
            yield House(up, hep_port, cookies)
