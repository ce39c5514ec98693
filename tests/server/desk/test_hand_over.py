"""A session goes to another station by hand: one offers, one takes; two who act at once meet a decision, not luck."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.server.line15.signed import Cti
from tests.server.running import Running, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.server.running import Page


@pytest.fixture
def house(io_loop: Any, furnished_database: Path, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def shown(desk: Page, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    view: dict[str, Any] = await desk.hear("view")
    while not wanted(view):
        view = await desk.hear("view")
    return view


async def ask(desk: Page, kind: str, command: str, **fields: Any) -> dict[str, Any]:
    """Send a command; its result, or {"refused": code}."""
    answer = await desk.answer(kind, command, **fields)
    return dict(answer["result"]) if answer["type"] == "done" else {"refused": answer["code"]}


async def offered(house: Running) -> tuple[Page, Page, Page, str]:
    """The ARM at 201 watches a video, and offered it to the doctor at 202."""
    arm, caller, session = await house.connected()
    doctor = await house.desk(await house.signed_in("arm", "202"), "desk-peer-2")
    stations = await ask(arm, "station.list", "command-list")
    assert [(s["extension"], s["who"]) for s in stations["stations"]] == [("202", "Prénom arm")]
    assert await ask(arm, "session.offer_to", "command-offer", session=session, station="202") == {}
    view = await shown(doctor, lambda view: bool(view["sessions"]))
    [one] = view["sessions"]
    assert one["offer"] == {"to": "202", "from": "201", "by": "Prénom regulator"}
    return arm, doctor, caller, session


async def test_offered_taken_and_left(house: Running) -> None:
    arm, doctor, caller, session = await offered(house)
    assert await ask(doctor, "session.accept", "command-take", session=session) == {
        "session": session
    }
    # The same word again, as after a lost answer.
    assert await ask(doctor, "session.accept", "command-take", session=session) == {
        "session": session
    }
    await ask(doctor, "session.watch", "command-watch", session=session)
    view = await shown(doctor, lambda view: view["watching"] == session)
    assert (view["sessions"][0]["station"], view["sessions"][0]["moved"]) == ("202", [])
    # The giver goes on seeing it, reads where it is, and leaves it living.
    gone = await shown(arm, lambda view: view["sessions"] and view["sessions"][0]["moved"])
    assert (gone["sessions"][0]["id"], gone["sessions"][0]["moved"]) == (session, ["202"])
    await caller.hear("viewers", count=2)
    assert await ask(arm, "session.end", "command-quit", session=session) == {"ended": False}
    await shown(arm, lambda view: view["sessions"] == [])
    assert await ask(doctor, "session.end", "command-end", session=session) == {"ended": True}
    await caller.hear("ended")
    rows = await house.rows("SELECT action, data FROM audit ORDER BY seq")
    by_hand = [row for row in rows if row["action"] == "session.handed_over"]
    assert len(by_hand) == 1
    data = json.loads(by_hand[0]["data"])
    assert (data["from"], data["to"]) == ("201", ["202"])
    assert data["giver"] == house.users["regulator"].id
    actions = [row["action"] for row in rows if row["action"].startswith("session.")]
    assert actions[-4:] == [
        "session.offered",
        "session.handed_over",
        "session.released",
        "session.left",
    ]


async def test_the_audit_shows_a_session_that_was_handed_over(house: Running) -> None:
    cti = await Cti.of(house)
    await cti.tell(cti.event("answered", caller="+33612345678", station="201"))
    arm, doctor, _, session = await offered(house)
    await ask(doctor, "session.accept", "command-take", session=session)
    await ask(arm, "session.end", "command-quit", session=session)
    await ask(doctor, "session.end", "command-end", session=session)
    [call] = await house.rows("SELECT id FROM call")
    auditor = await house.signed_in("auditor", None)
    for page in (f"/audit/sessions/{session}", f"/audit/calls/{call['id']}"):
        shown_page = await auditor.get(page)
        assert shown_page.code == 200, page
        assert "session.handed_over" in shown_page.body.decode()
    answer = await auditor.get(f"/api/v1/calls?alias={call['id']}")
    assert answer.code == 200
    [record] = json.loads(answer.body)["calls"]
    [video] = record["sessions"]
    assert [phase["state"] for phase in video["phases"]] == ["invited", "tapped", "connecting"]
    [handed] = [one for one in record["events"] if one["action"] == "session.handed_over"]
    assert (handed["data"]["from"], handed["data"]["to"]) == ("201", ["202"])


@pytest.mark.parametrize("taker_first", [True, False])
@pytest.mark.parametrize("other", ["session.end", "session.offer_to"])
async def test_two_who_act_at_once(house: Running, other: str, *, taker_first: bool) -> None:
    """Taking while the giver quits, or takes the offer back: either order is a whole story."""
    arm, doctor, _, session = await offered(house)
    taking = ask(doctor, "session.accept", "command-take", session=session)
    fields = {} if other == "session.end" else {"station": None}
    giving = ask(arm, other, "command-give", session=session, **fields)
    pair = (taking, giving) if taker_first else (giving, taking)
    answers = await asyncio.gather(*pair)
    took, gave = answers if taker_first else reversed(answers)
    [row] = await house.rows("SELECT state, station, offered_to FROM session")
    if took == {"session": session}:
        assert row["station"] == "202"
        assert gave in ({"ended": False}, {})
        assert row["state"] != "ended"
    elif other == "session.end":
        assert (took, gave) == ({"refused": "session_ended"}, {"ended": True})
        assert row["state"] == "ended"
    else:
        assert (took, gave) == ({"refused": "offer_gone"}, {})
        assert (row["station"], row["offered_to"]) == ("201", None)


async def test_what_may_not_be_offered_or_taken(house: Running) -> None:
    arm, doctor, _, session = await offered(house)
    for station in ("201", "301", "999"):
        refused = await ask(
            arm, "session.offer_to", f"command-{station}", session=session, station=station
        )
        assert refused == {"refused": "station_unknown"}, station
    # Taken back: nobody takes it.
    await ask(arm, "session.offer_to", "command-back", session=session, station=None)
    assert await ask(doctor, "session.accept", "command-take", session=session) == {
        "refused": "offer_gone"
    }
    # Who does not see it has nothing to say of it.
    await shown(doctor, lambda view: view["sessions"] == [])
    assert await ask(
        doctor, "session.offer_to", "command-foreign", session=session, station="201"
    ) == {"refused": "message_out_of_order"}
    actions = [a for a in await house.actions() if "offer" in a]
    assert actions == ["session.offered", "session.offer_withdrawn"]


async def test_a_hand_goes_before_the_call(house: Running) -> None:
    """The call stays at 201; the session that 202 took is 202's to end, and does not go back by itself."""
    cti = await Cti.of(house)
    arm = await house.desk(await house.signed_in("regulator"), "desk-peer-1")
    doctor = await house.desk(await house.signed_in("arm", "202"), "desk-peer-2")
    await cti.tell(cti.event("answered", caller="+33612345678", station="201"))
    await shown(arm, lambda view: bool(view["calls"]))
    session = await house.invite(arm)
    await shown(arm, lambda view: bool(view["sessions"]))
    await ask(arm, "session.offer_to", "command-offer", session=session, station="202")
    await ask(doctor, "session.accept", "command-take", session=session)
    view = await shown(arm, lambda view: view["sessions"] and view["sessions"][0]["moved"])
    assert view["sessions"][0]["moved"] == ["202"]
    assert await ask(arm, "session.end", "command-quit", session=session) == {"ended": False}
    assert await ask(doctor, "session.end", "command-end", session=session) == {"ended": True}


async def test_a_second_phone_is_a_second_video_of_the_same_call(house: Running) -> None:
    cti = await Cti.of(house)
    desk = await house.desk(await house.signed_in("regulator"), "desk-peer-1")
    await cti.tell(cti.event("answered", caller="+33612345678", station="201"))
    call = (await shown(desk, lambda view: bool(view["calls"])))["calls"][0]["id"]
    await house.invite(desk)
    await desk.say("invite", id="command-0002", mobile="06 98 76 54 32", call=call)
    await desk.hear("done", id="command-0002")
    await desk.say("code.make", id="command-0003", call=call)
    await desk.hear("done", id="command-0003")
    view = await shown(desk, lambda view: len(view["sessions"]) == 3)
    links = [(s["link"]["call"], s["link"]["evidence"]) for s in view["sessions"]]
    assert sorted(links) == [(call, "chosen"), (call, "chosen"), (call, "sole_talking_call")]
    made = await house.rows("SELECT call FROM audit WHERE action = 'session.created'")
    assert [row["call"] for row in made] == [call] * 3
