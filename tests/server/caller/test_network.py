"""What a phone says of its network: shown, written down once, bounded; and credentials that do not run out under it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from server.audit.store.audit import AuditStore
from server.video.domain.preflight import CAUSES, Way
from server.video.service import signalling
from server.video.service.ice import IceServers
from server.web.sockets import page_socket as sockets
from tests.lab.process import until
from tests.server.running import Page, Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.databases import Furnished

SHUT = {"socket": 12, "stun": None, "udp": False, "tcp": False, "tls": 48}
OPEN = {"socket": 12, "stun": 20, "udp": 31, "tcp": 35, "tls": 48}


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def written(house: Running) -> list[dict[str, Any]]:
    async with house.server.transactions(write=False) as uow:
        rows = [row async for row in AuditStore(uow).chain(house.sites["rivage"].id)]
    return [dict(row.data) for row in rows if row.action == "network.preflight"]


async def shown(desk: Page, session: str, way: str) -> dict[str, Any]:
    """The session, once the desk is shown this way."""
    while True:
        view = await desk.hear("view")
        for one in view["sessions"]:
            if one["id"] == session and (one["caller"]["network"] or {}).get("way") == way:
                return dict(one)


async def test_the_desk_learns_what_blocks_the_picture(house: Running) -> None:
    desk, caller, session = await house.connected()
    await caller.say("camera", state="granted")
    await caller.say("network", **SHUT)
    seen = await shown(desk, session, "tls")
    assert seen["caller"]["network"]["cause"] == CAUSES[Way.TLS]
    assert seen["say"]["cause"] == CAUSES[Way.TLS]
    # Said again at each hello: written down once; another finding is another row.
    await caller.say("network", **SHUT)
    await caller.say("network", **OPEN)
    await shown(desk, session, "udp")
    assert await written(house) == [{**SHUT, "way": "tls"}, {**OPEN, "way": "udp"}]


async def test_a_phone_that_finds_something_else_all_the_time_is_not_written_down_for_ever(
    house: Running,
) -> None:
    _, caller, _ = await house.connected()
    for number in range(signalling.EXPLORED + 15):
        await caller.say("network", **{**OPEN, "socket": number})

    async def full() -> bool:
        return len(await written(house)) == signalling.EXPLORED

    await until(full, "the audit is full")
    await caller.alive()
    assert await full()


@pytest.mark.parametrize(
    "wrong",
    [
        {"udp": True},
        {"udp": -1},
        {"udp": 60_001},
        {"udp": "31"},
        {"udp": 1.5},
        {"address": "192.0.2.1"},
        {"stun": {"ms": 3}},
    ],
)
async def test_nothing_but_milliseconds_is_taken(house: Running, wrong: dict[str, Any]) -> None:
    _, caller, _ = await house.connected()
    await caller.say("network", **{**OPEN, **wrong})
    await caller.refused("message_malformed")
    await caller.alive()
    assert await written(house) == []


async def test_the_relays_credentials_are_renewed_under_a_living_video(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(IceServers, "due", lambda _ice, _age: True)
    monkeypatch.setattr(sockets, "TICK", 0.05)
    _, caller, _ = await house.connected()
    renewed = await caller.hear("ice")
    assert set(renewed["ice"]) == {"iceServers", "iceTransportPolicy"}
