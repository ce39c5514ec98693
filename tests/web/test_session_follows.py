"""A call is transferred: its video is on the desk that has the call now, with no second message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.web.running import Running, running
from tests.web.signed import Cti

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def house(io_loop: Any, furnished_database: Path, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def shown(desk: Any, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    view: dict[str, Any] = await desk.hear("view")
    while not wanted(view):
        view = await desk.hear("view")
    return view


async def command(desk: Any, kind: str, session: str) -> dict[str, Any]:
    name = kind.replace(".", "-")
    await desk.say(kind, id=name, session=session)
    result: dict[str, Any] = (await desk.hear("done", id=name))["result"]
    return result


async def test_the_session_follows_its_call_and_only_the_new_desk_ends_it(house: Running) -> None:
    cti = await Cti.of(house)
    arm = await house.desk(await house.signed_in("arm"), "desk-peer-1")
    doctor = await house.desk(await house.signed_in("regulator", "202"), "desk-peer-2")
    await cti.tell(cti.event("answered", caller="+33612345678", station="201"))
    await shown(arm, lambda view: bool(view["calls"]))
    session = await house.invite(arm)
    sent = await house.rows("SELECT id FROM message")
    await cti.tell(cti.event("moved", station="202", seconds=5))
    view = await shown(doctor, lambda view: bool(view["sessions"]))
    (mine,) = view["sessions"]
    assert (mine["id"], mine["station"], mine["moved"]) == (session, "201", [])
    assert mine["link"]["call"] == view["calls"][0]["id"]
    gone = await shown(arm, lambda view: view["sessions"] and view["sessions"][0]["moved"])
    assert gone["sessions"][0]["moved"] == ["202"]
    assert gone["calls"][0]["stations"] == ["202"]
    assert await house.rows("SELECT id FROM message") == sent, "no second message"

    # Both watch; the ARM leaves, and the doctor's picture goes on.
    await command(doctor, "session.watch", session)
    await command(arm, "session.watch", session)
    assert (await command(arm, "session.end", session))["ended"] is False
    assert await house.rows("SELECT state FROM session") == [{"state": "invited"}]
    assert (await command(doctor, "session.end", session))["ended"] is True
    assert await house.rows("SELECT state FROM session") == [{"state": "ended"}]

    actions = [row["action"] for row in await house.rows("SELECT action FROM audit ORDER BY seq")]
    assert actions.count("session.followed") == 1
    assert actions.index("session.followed") < actions.index("session.handed_over")
    assert actions.index("session.handed_over") < actions.index("session.left")


async def test_a_session_of_a_call_at_another_station_stays_there(house: Running) -> None:
    cti = await Cti.of(house)
    arm = await house.desk(await house.signed_in("arm"), "desk-peer-1")
    doctor = await house.desk(await house.signed_in("regulator", "202"), "desk-peer-2")
    await cti.tell(cti.event("answered", caller="+33612345678", station="201"))
    await cti.tell(cti.event("answered", call="18", caller="+33698765432", station="202"))
    await shown(arm, lambda view: bool(view["calls"]))
    await house.invite(arm)
    await shown(arm, lambda view: bool(view["sessions"]))
    view = await shown(doctor, lambda view: bool(view["calls"]))
    assert view["sessions"] == []
