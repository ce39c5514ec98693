"""What every test stands on: one loop, seeded Hypothesis, and sockets that cannot leave the machine."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import ipaddress
import os
import socket
from typing import TYPE_CHECKING, Any

import pytest
import tornado.ioloop
from hypothesis import HealthCheck, settings

from tests.databases import Databases, PostgresDatabases, SqliteDatabases
from tests.lab.postgres import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

ALLOWED_NETWORKS = (
    ipaddress.ip_network("127.0.0.0/8"),
    ipaddress.ip_network("::1/128"),
    ipaddress.ip_network("10.99.0.0/24"),  # the isolated interface of scripts/netns
)


class ForbiddenAddressError(RuntimeError):
    """A test tried to talk to something that is not on this machine."""


def _refuse_outside(address: Any) -> None:
    if not isinstance(address, tuple):
        return  # a unix socket's path
    host = address[0]
    if host in {"", "localhost"}:
        return
    try:
        ip = ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        ip = None
    if ip is None or not any(ip in network for network in ALLOWED_NETWORKS):
        msg = f"tests may only reach loopback and 10.99.0.0/24, not {host}"
        raise ForbiddenAddressError(msg)


class _GuardedSocket(socket.socket):
    """Guards every way an address can be given to a socket."""

    def connect(self, address: Any) -> None:
        _refuse_outside(address)
        super().connect(address)

    def connect_ex(self, address: Any) -> int:
        _refuse_outside(address)
        return super().connect_ex(address)

    def sendto(self, data: Any, *args: Any) -> int:
        _refuse_outside(args[-1])
        return super().sendto(data, *args)


socket.socket = _GuardedSocket  # type: ignore[misc]


@pytest.fixture
def io_loop() -> Iterator[tornado.ioloop.IOLoop]:
    """One new loop a test; pytest-tornasync runs the test on it, and closes nothing behind our back."""
    loop = tornado.ioloop.IOLoop(make_current=False)
    asyncio.set_event_loop(loop.asyncio_loop)
    yield loop
    aio: asyncio.AbstractEventLoop = loop.asyncio_loop
    left = asyncio.all_tasks(aio)
    for task in left:
        # After a time-out: where each coroutine stood.
        task.print_stack()
        task.cancel()
    aio.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    aio.run_until_complete(aio.shutdown_asyncgens())
    aio.run_until_complete(aio.shutdown_default_executor())
    asyncio.set_event_loop(None)
    loop.close(all_fds=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The same tests on the other database: scripts/test storage."""
    parser.addoption("--database", choices=["sqlite", "postgres"], default="sqlite")


@pytest.fixture(scope="session")
def databases(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Databases]:
    """Makes databases of the kind the tests were asked to run on."""
    if request.config.getoption("--database") == "sqlite":
        yield SqliteDatabases(tmp_path_factory.mktemp("databases"))
        return
    loop = asyncio.new_event_loop()  # not asyncio.run, which forgets the test's own loop
    cluster = contextlib.AsyncExitStack()
    try:
        yield PostgresDatabases(loop.run_until_complete(cluster.enter_async_context(postgres())))
    finally:
        loop.run_until_complete(cluster.aclose())
        loop.close()


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """An empty database of the test's own."""
    url = databases.empty()
    yield url
    databases.drop(url)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Every coroutine test runs on the fixture's loop; what only a file can suffer, on no other database.

    On the other database only tests that ask for one run: the rest would be the same again.
    """
    if config.getoption("--database") != "sqlite":
        asks = {id(item) for item in items if "databases" in getattr(item, "fixturenames", ())}
        config.hook.pytest_deselected(items=[item for item in items if id(item) not in asks])
        items[:] = [item for item in items if id(item) in asks]
    other = pytest.mark.skip(reason="only a file can suffer it")
    for item in items:
        if item.get_closest_marker("sqlite") and config.getoption("--database") != "sqlite":
            item.add_marker(other)
        if (
            isinstance(item, pytest.Function)
            and inspect.iscoroutinefunction(item.obj)
            and "io_loop" not in item.fixturenames
        ):
            item.fixturenames.insert(0, "io_loop")
