"""Remote help on the sockets: orders reach the phone once, answers come back, floods and hostile values do not pass."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from server.identity.domain.access import Role
from tests.lab.process import until
from tests.server.running import Page, Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.databases import Furnished

ABLE: dict[str, Any] = {
    "cameras": 3,
    "lens": "wide",
    "place": 3,
    "facing": "environment",
    "width": 1280,
    "height": 720,
    "fps": 30,
    "torch": True,
    "lit": False,
    "zoom": {"min": 1, "max": 8, "step": 0.1, "value": 1},
    "prefer": "motion",
}


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def written(house: Running, *actions: str) -> list[dict[str, Any]]:
    """What the audit holds of these actions: their data, in order."""
    rows = await house.rows("SELECT action, data FROM audit ORDER BY seq")
    return [
        {"action": r["action"], **json.loads(r["data"])} for r in rows if r["action"] in actions
    ]


async def test_an_order_is_written_down_done_and_answered(house: Running) -> None:
    desk, phone, session = await house.connected()
    order = {"id": "order-0001", "session": session}
    await desk.say("help.torch", **order, on=True)
    assert (await phone.hear("help"))["value"] is True
    await desk.hear("done", id="order-0001")
    await phone.say("help.done", order="order-0001", outcome="done")
    told = await desk.hear("help.done", order="order-0001")
    assert (told["outcome"], told["why"], told["session"]) == ("done", None, session)
    await desk.say("help.camera", id="order-0002", session=session)
    await phone.hear("help", order="order-0002", do="camera", value=None)
    await phone.say("help.done", order="order-0002", outcome="refused", why="none")
    assert (await desk.hear("help.done", order="order-0002"))["why"] == "none"
    # Zooming leaves nothing behind.
    await desk.say("help.zoom", id="order-0003", session=session, zoom=2)
    await phone.hear("help", do="zoom", value=2)
    await phone.say("help.done", order="order-0003", outcome="done")
    await desk.hear("help.done", order="order-0003")

    async def settled() -> bool:
        return len(await written(house, "help.refused")) == 1

    await until(settled, "the answers are written down")
    assert await written(house, "help.asked", "help.done", "help.refused") == [
        {"action": "help.asked", "do": "torch", "value": True},
        {"action": "help.done", "do": "torch"},
        {"action": "help.asked", "do": "camera"},
        {"action": "help.refused", "do": "camera", "why": "none"},
    ]


async def test_an_order_said_twice_is_done_once(house: Running) -> None:
    desk, phone, session = await house.connected()
    for _ in range(2):
        await desk.say("help.camera", id="order-0001", session=session)
        await desk.hear("done", id="order-0001")
    await phone.hear("help", order="order-0001")
    await phone.say("help.done", order="order-0001", outcome="done")
    await desk.hear("help.done", order="order-0001")
    # Its answer was lost with the desk's socket: asked again, it is told again.
    await desk.say("help.camera", id="order-0001", session=session)
    await desk.hear("help.done", order="order-0001")
    # An answer nobody waits for, or that comes twice, moves nothing.
    await phone.say("help.done", order="order-0001", outcome="refused", why="failed")
    await phone.say("help.done", order="order-none", outcome="done")
    await phone.refused("message_out_of_order")
    await desk.say("help.message", id="order-0002", session=session, message="message_closer")
    assert (await phone.hear("help"))["order"] == "order-0002"
    assert [row["do"] for row in await written(house, "help.asked")] == ["camera", "message"]


async def test_what_the_camera_can_do_reaches_every_desk_also_later(house: Running) -> None:
    desk, phone, session = await house.connected()
    await phone.say("abilities", **ABLE)
    told = await desk.hear("caller.abilities", session=session)
    assert told["abilities"] == ABLE
    later = await house.desk(await house.signed_in("arm"), "desk-peer-2", watch=session, take=True)
    view = await (await later.say("session.watch", id="watch-0001", session=session)).hear("view")
    assert view["sessions"][0]["caller"]["abilities"] == ABLE
    assert view["site"]["snapshots"] == "none"


HOSTILE: list[tuple[str, dict[str, Any]]] = [
    ("help.point", {"x": 1e9, "y": 0}),
    ("help.point", {"x": float("nan"), "y": 0.5}),
    ("help.point", {"x": 0.5, "y": float("inf")}),
    ("help.point", {"x": -0.001, "y": 0.5}),
    ("help.point", {"x": "0.5", "y": 0.5}),
    ("help.point", {"x": True, "y": 0.5}),
    ("help.point", {"x": 0.5}),
    ("help.zoom", {"id": "order-0001", "zoom": -1}),
    ("help.zoom", {"id": "order-0001", "zoom": float("nan")}),
    ("help.zoom", {"id": "order-0001", "zoom": 1e308}),
    ("help.torch", {"id": "order-0001", "on": "yes"}),
    ("help.torch", {"id": "order-0001", "on": 1}),
    ("help.prefer", {"id": "order-0001", "prefer": "sound"}),
    ("help.message", {"id": "order-0001", "message": "<img src=x onerror=alert(1)>"}),
    ("help.message", {"id": "order-0001", "message": "message_closer", "text": "free text"}),
    ("help.camera", {"id": "no", "facing": "user"}),
]


async def test_hostile_orders_are_refused_and_never_reach_the_phone(house: Running) -> None:
    _desk, phone, session = await house.connected()
    for start in range(0, len(HOSTILE), 8):
        peer = f"desk-peer-h{start}"
        page = await house.desk(await house.signed_in("regulator"), peer, watch=session)
        for kind, fields in HOSTILE[start : start + 8]:
            await page.say(kind, **{"session": session, **fields})
            await page.refused("message_malformed")
        await page.alive()
    await phone.say("are you there")
    await phone.hear("error", code="message_unknown")
    assert {message["type"] for message in phone.told} <= {"watch", "viewers"}
    assert await written(house, "help.asked") == []


async def test_hostile_answers_of_a_phone_change_nothing(house: Running) -> None:
    _desk, phone, _session = await house.connected()
    for changes in (
        {"cameras": -1},
        {"cameras": 1e9},
        {"torch": "<b>"},
        {"zoom": {"min": 1, "max": float("inf"), "step": 0, "value": 1}},
        {"width": 10**9},
        {"facing": "sideways"},
        {"lens": "<b>"},
        {"extra": "x" * 1000},
    ):
        await phone.say("abilities", **{**ABLE, **changes})
        await phone.refused("message_malformed")
    await phone.say("help.done", order="order-0001", outcome="done", why="<script>")
    await phone.refused("message_malformed")
    await phone.alive()


async def test_another_sites_session_is_out_of_reach(house: Running) -> None:
    """I7: neither orders nor pointing, though the id of the session is known."""
    _desk, phone, session = await house.connected()
    neighbour = house.users["voisin"] = await house.admin.add_user(
        "voisin",
        "une phrase assez longue 15",
        site_key="montagne",
        name="Voisin",
        role=Role.REGULATOR,
        email="voisin@example.org",
        mobile=None,
    )
    # One of another site, and one of this site that does not watch: under the very name of the one that does.
    for identifier, station in ((neighbour.identifier, "301"), ("arm", "202")):
        thief = await house.desk(await house.signed_in(identifier, station), "desk-peer-1")
        await thief.say("session.watch", id="watch-0001", session="unknown-session")
        await thief.refused("not_found")
        for kind, fields in (("camera", {"id": "order-0001"}), ("point", {"x": 0.5, "y": 0.5})):
            await thief.say(f"help.{kind}", session=session, **fields)
            await thief.refused("message_out_of_order")
    await phone.alive()
    assert await written(house, "help.asked") == []


async def test_a_phone_that_is_away_is_told_at_once(house: Running) -> None:
    desk, phone, session = await house.connected()
    phone.socket.close()
    await desk.hear("caller.state", state="offline")
    await desk.say("help.torch", id="order-0001", session=session, on=True)
    assert (await desk.refused("phone_away"))["id"] == "order-0001"
    await desk.say("help.point", session=session, x=0.5, y=0.5)
    await desk.alive()
    assert await written(house, "help.asked") == []


async def test_orders_that_nobody_answers_do_not_pile_up(house: Running) -> None:
    desk, phone, session = await house.connected()
    for number in range(10):
        await desk.say("help.zoom", id=f"order-{number:04}", session=session, zoom=1 + number)
        await desk.hear("done", id=f"order-{number:04}")
    await desk.say("help.zoom", id="order-0010", session=session, zoom=3)
    await desk.refused("help_flood")
    house.clock.pass_(seconds=16)
    await desk.say("help.zoom", id="order-0011", session=session, zoom=3)
    await desk.hear("done", id="order-0011")
    await phone.alive()


async def test_a_flood_of_places_is_thinned_and_its_last_place_arrives(house: Running) -> None:
    desk, phone, session = await house.connected()
    for number in range(90):
        await desk.say("help.point", session=session, x=number / 100, y=0.5)
    places = [await phone.hear("help.point")]
    while places[-1]["x"] != 0.89:
        places.append(await phone.hear("help.point"))
    assert len(places) <= 32
    assert [p["x"] for p in places] == sorted(p["x"] for p in places)
    assert house.counted("pointer_flood") >= 55
    await desk.alive()


async def caller_alone(house: Running) -> Page:
    desk = await house.desk(await house.signed_in("regulator"))
    await house.invite(desk)
    [token] = await house.tokens()
    return await house.caller(token, await house.tapped(token))


async def test_a_phone_that_nobody_watches_may_tell_what_it_can(house: Running) -> None:
    phone = await caller_alone(house)
    await phone.say("abilities", **ABLE)
    await phone.alive()
