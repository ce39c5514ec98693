"""A call is transferred: its video is on the desk that has the call now, with no second message."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from server.core.errors import StorageUnavailable
from server.line15.wire.calls import wire_ingests
from server.video.service.following import accompany
from telephony import CallsChanged, StationSpan
from tests.server.house import a_call, a_video
from tests.server.line15.signed import Cti
from tests.server.running import Running, running

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


async def test_that_it_followed_is_written_once_whatever_becomes_of_the_first_try(
    house: Running,
) -> None:
    """The database went away before the commit: the runner hands the same change over again."""
    call = await a_call(house)
    await a_video(house)
    start, moved = call.started, call.started + timedelta(seconds=5)
    spans = (StationSpan("201", start, moved), StationSpan("202", moved))
    change = CallsChanged((replace(call, stations=spans),))
    away = [True]

    async def fail_once(*_: object) -> None:
        if away:
            away.clear()
            raise StorageUnavailable

    ingest_for = wire_ingests(house.server.base, on_merged=(), on_folded=(accompany, fail_once))
    line = ingest_for(house.sites["rivage"].id)
    with pytest.raises(StorageUnavailable):
        await line.receive([change])
    for _ in range(2):
        await line.receive([change])
        told = await house.rows("SELECT data FROM audit WHERE action = 'session.followed'")
        assert [json.loads(row["data"]) for row in told] == [{"from": "201", "to": "202"}]


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


def here(view: dict[str, Any]) -> tuple[str, list[str], list[str]]:
    (call,) = view["calls"]
    return call["state"], call["stations"], call["ringing"]


async def test_of_two_stations_that_ring_only_who_answers_has_the_call(house: Running) -> None:
    """The other desk reads that it rings, then that it is elsewhere; it never is offered the video."""
    cti = await Cti.of(house)
    arm = await house.desk(await house.signed_in("arm"), "desk-peer-1")
    doctor = await house.desk(await house.signed_in("regulator", "202"), "desk-peer-2")
    for station in ("201", "202"):
        await cti.tell(cti.event("ringing", caller="+33612345678", station=station))
    both = ["201", "202"]
    for desk in (arm, doctor):
        assert here(await shown(desk, lambda v: v["calls"] and len(here(v)[2]) == 2)) == (
            "ringing",
            both,
            both,
        )
    await cti.tell(cti.event("answered", station="202", seconds=3))
    view = await shown(doctor, lambda v: here(v)[0] == "talking")
    assert here(view) == ("talking", ["202"], [])
    await shown(arm, lambda v: here(v)[1] == ["202"])
    session = await house.invite(arm, "command-arm")
    mine = await house.invite(doctor, "command-doctor", new_session=True)
    links = {
        row["session"]: row["evidence"]
        for row in await house.rows("SELECT session, evidence FROM session_link")
    }
    assert links == {session: "no_call", mine: "sole_talking_call"}
    view = await shown(arm, lambda v: bool(v["sessions"]))
    assert [one["id"] for one in view["sessions"]] == [session]


async def test_a_session_does_not_go_where_its_call_only_rings(house: Running) -> None:
    """The ARM's call rings at the doctor's, too: there it rings, and the video stays until it is taken."""
    cti = await Cti.of(house)
    arm = await house.desk(await house.signed_in("arm"), "desk-peer-1")
    doctor = await house.desk(await house.signed_in("regulator", "202"), "desk-peer-2")
    await cti.tell(cti.event("answered", caller="+33612345678", station="201"))
    await shown(arm, lambda view: bool(view["calls"]))
    session = await house.invite(arm)
    await cti.tell(cti.event("ringing", station="202", seconds=5))
    view = await shown(doctor, lambda view: bool(view["calls"]))
    assert here(view) == ("ringing", ["201", "202"], ["202"])
    assert view["sessions"] == []
    view = await shown(arm, lambda view: bool(view["sessions"]) and here(view)[2])
    assert here(view) == ("talking", ["201", "202"], ["202"])
    assert view["sessions"][0]["moved"] == []
    assert await house.rows("SELECT seq FROM audit WHERE action = 'session.followed'") == []
    await cti.tell(cti.event("answered", station="202", seconds=8))
    view = await shown(doctor, lambda view: bool(view["sessions"]))
    assert [one["id"] for one in view["sessions"]] == [session]
    assert here(view) == ("talking", ["202"], [])


async def test_a_launch_reads_where_its_call_rings_and_where_it_is(house: Running) -> None:
    cti = await Cti.of(house)
    browser = await house.signed_in("regulator", "202")

    async def notice(once: str) -> str | None:
        target = (await browser.get(cti.launch(once))).headers["Location"]
        desk = await house.connect("/ws/desk", browser)
        await desk.say("hello", peer="desk-peer-1", launch=target.partition("=")[2])
        said: str | None = (await desk.hear("view"))["launch"]["notice"]
        desk.socket.close()
        return said

    await cti.tell(cti.event("ringing", "pop-17", caller="+33612345678", station="201"))
    assert await notice("nonce-0001") == "Cet appel sonne au poste 201."
    await cti.tell(cti.event("answered", "pop-17", 2, station="201"))
    assert await notice("nonce-0002") == "Cet appel est au poste 201."
    await cti.tell(cti.event("ringing", "pop-17", 4, station="202"))
    assert await notice("nonce-0003") is None, "it rings here"
