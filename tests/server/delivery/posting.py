"""A house with carriers that fail on demand, and ways to wait for what becomes of a message."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from server.app.settings.settings import load
from server.app.wiring import build
from server.desk.web.services import DeskServices
from tests.fakes import Gateway
from tests.lab.process import until
from tests.lab.smtp import Smtp, smtp
from tests.server.house import SECRET, FakeClock, House
from tests.server.running import Page, Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tornado.ioloop import IOLoop

    from server.invitations.service.invitations import Invitations
    from tests.databases import Furnished


@dataclass
class Post:
    """The house, its SMS gateway and its mail relay."""

    house: Running
    gateway: Gateway
    relay: Smtp


@contextmanager
def house_with(
    io_loop: IOLoop, database: Furnished, folder: Path, **settings: Any
) -> Iterator[House]:
    """A server of these settings that does not listen; its delivery is asked by hand."""
    with database.copied() as url:
        configured = load(
            data_dir=folder,
            database=url,
            secret_key=SECRET,
            public_url="https://v.example",
            **settings,
        )
        clock = FakeClock()
        made = House(build(configured, clock), clock)
        io_loop.run_sync(made.look_around)
        yield made
        io_loop.run_sync(made.server.stop)


def invitations_of(house: House) -> Invitations:
    """The use cases as the handlers have them."""
    rules = house.server.app.wildcard_router.rules
    given = [rule.target_kwargs.get("services") for rule in rules]
    return next(services.invitations for services in given if isinstance(services, DeskServices))


@contextmanager
def post_office(
    io_loop: IOLoop, database: Path, folder: Path, patience: float = 2.0
) -> Iterator[Post]:
    """Run the three of them; the server gives a carrier that many seconds to answer."""
    gateway, box = Gateway(), smtp()

    async def open_() -> Smtp:
        gateway.start()
        return await box.__aenter__()

    async def close() -> None:
        gateway.answering.set()
        await gateway.stop()
        await box.__aexit__(None, None, None)

    relay: Smtp = io_loop.run_sync(open_)
    there = {"host": relay.host, "port": relay.port, "timeout": patience}
    sms = {**gateway.settings, "timeout": patience}
    try:
        with running(io_loop, database, folder, sms=sms, smtp=there) as house:
            yield Post(house, gateway, relay)
    finally:
        io_loop.run_sync(close)


async def message(house: Running, channel: str = "sms") -> dict[str, Any]:
    [row] = await house.rows(f"SELECT * FROM message WHERE channel = '{channel}'")  # noqa: S608 - ours
    return row


async def in_state(house: Running, state: str, channel: str = "sms") -> dict[str, Any]:
    """Wait until the message is there, passing the time of its retries."""
    found: dict[str, Any] = {}

    async def there() -> bool:
        found.update(await message(house, channel))
        if found["state"] == "queued" and found["attempts"]:
            house.clock.pass_(seconds=1)
            house.server.delivery.wake()
        return bool(found["state"] == state)

    await until(there, f"the {channel} is {state}", explain=lambda: str(found))
    return found


async def tried(house: Running, times: int) -> None:
    async def there() -> bool:
        return bool((await message(house))["attempts"] >= times)

    await until(there, f"{times} tries")


async def shown(desk: Page, text: str) -> dict[str, Any]:
    """Wait for a view whose sentence has this text."""
    while True:
        view = await desk.hear("view")
        if view["sessions"] and text in view["sessions"][0]["say"]["text"]:
            return dict(view["sessions"][0])


async def desk(house: Running) -> Page:
    return await house.desk(await house.signed_in("regulator"))
