"""Fixtures for the tests of the server: the real application, furnished, and a way to open browsers on it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from server.app.settings.settings import Settings
from server.app.wiring import build
from server.storage import schema
from tests.databases import Furnished
from tests.server.house import SECRET, Browser, FakeClock, House

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tornado.web import Application

    from tests.databases import Databases


def _house(url: str, folder: Path) -> House:
    """Build a server on a database."""
    settings = Settings(data_dir=folder, database=url, secret_key=SECRET)
    clock = FakeClock()
    return House(build(settings, clock), clock)


async def _furnished(url: str, folder: Path) -> None:
    await schema.upgrade(url)
    house = _house(url, folder)
    await house.furnish()
    await house.server.engine.dispose()


@pytest.fixture(scope="session")
def furnished_database(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    """A migrated database with sites and people, made once: hashing passwords is slow on purpose."""
    url = databases.empty()
    loop = asyncio.new_event_loop()  # not asyncio.run, which forgets the test's own loop
    loop.run_until_complete(_furnished(url, tmp_path_factory.mktemp("furnished")))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    return Furnished(databases, url)


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[House]:
    """A furnished server on a database of its own."""
    with furnished_database.copied() as url:
        house = _house(url, tmp_path)
        io_loop.run_sync(house.look_around)
        yield house
        io_loop.run_sync(house.server.engine.dispose)


@pytest.fixture
def app(house: House) -> Application:
    """What pytest-tornasync serves."""
    return house.server.app


@pytest.fixture
def open_browser(http_server_client: Any) -> Callable[[], Browser]:
    """Open one more browser, without a past."""
    return lambda: Browser(http_server_client)


@pytest.fixture
def browser(open_browser: Callable[[], Browser]) -> Browser:
    """One browser."""
    return open_browser()


@pytest.fixture
def until() -> Callable[[Callable[[], Any]], Any]:
    """Wait for a condition, never for a time."""

    async def wait(condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(60):
            while not await condition():  # noqa: ASYNC110 - the condition is a row in the database
                await asyncio.sleep(0.01)

    return wait
