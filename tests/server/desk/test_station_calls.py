"""Which calls a desk is shown and an invitation chooses from: every one that lives, whatever else came and went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.process import until
from tests.server.line15.signed import Cti
from tests.server.running import Running, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.databases import Furnished
    from tests.server.running import Page

FIRST = "+33612345678"
SECOND = "+33698765432"
OTHERS = 13


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def view_of(
    house: Running, wanted: Callable[[dict[str, Any]], bool], station: str = "201"
) -> tuple[Page, dict[str, Any]]:
    """A desk, and the first view of it that is wanted."""
    desk = await house.connect("/ws/desk", await house.signed_in("regulator", station))
    await desk.say("hello", peer="desk-peer-1")
    view: dict[str, Any] = await desk.hear("view")
    while not wanted(view):
        view = await desk.hear("view")
    return desk, view


async def come_and_gone(cti: Cti, count: int = OTHERS) -> None:
    """Other calls of the station, each over before the next."""
    for number in range(count):
        name = f"other-{number}"
        cti.house.clock.pass_(seconds=2)
        await cti.tell(cti.event("answered", call=name, caller="+33700000000", station="201"))
        cti.house.clock.pass_(seconds=1)
        await cti.tell(cti.event("ended", call=name))


async def until_stored(house: Running, talking: int) -> None:
    """Wait until line 15 has written down what it was told."""

    async def written() -> bool:
        rows = await house.rows("SELECT state FROM call")
        found = [row["state"] for row in rows]
        return (found.count("talking"), found.count("ended")) == (talking, OTHERS)

    await until(written, f"{talking} talking calls are stored")


async def link_of(desk: Page, session: str) -> dict[str, Any]:
    while True:
        view = await desk.hear("view")
        for one in view["sessions"]:
            if one["id"] == session:
                link: dict[str, Any] = one["link"]
                return link


def states(view: dict[str, Any]) -> list[str]:
    return sorted(call["state"] for call in view["calls"])


async def test_a_call_that_waits_long_stays_on_the_desk_and_is_linked(house: Running) -> None:
    cti = await Cti.of(house)
    await cti.tell(cti.event("answered", call="first", caller=FIRST, station="201"))
    await come_and_gone(cti)
    await until_stored(house, talking=1)
    desk, view = await view_of(house, lambda view: "talking" in states(view))
    assert states(view) == ["ended"] * 12 + ["talking"]
    session = await house.invite(desk)
    link = await link_of(desk, session)
    assert (link["certainty"], link["evidence"]) == ("inferred", "sole_talking_call")
    assert link["number"] == "06 12 34 56 78"


async def test_two_talking_calls_are_two_however_old_one_is(house: Running) -> None:
    """The younger is never taken for the only one: the doctor is asked."""
    cti = await Cti.of(house)
    await cti.tell(cti.event("answered", call="first", caller=FIRST, station="201"))
    await come_and_gone(cti)
    await cti.tell(cti.event("answered", call="second", caller=SECOND, station="201"))
    await until_stored(house, talking=2)
    desk, view = await view_of(house, lambda view: "talking" in states(view))
    session = await house.invite(desk, mobile=SECOND)
    link = await link_of(desk, session)
    assert (link["call"], link["evidence"], link["pick"]) == (None, "several_calls", True)
    assert states(view) == ["ended"] * 12 + ["talking"] * 2


async def test_a_live_video_stays_on_the_desk_whatever_ended_since(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    first = await house.invite(desk)
    for number in range(11):
        house.clock.pass_(minutes=1, seconds=1)
        other = await house.invite(desk, f"command-1{number:03}", mobile=f"06 12 34 57 {number:02}")
        await desk.say("session.end", id=f"command-2{number:03}", session=other)
        await desk.hear("done", id=f"command-2{number:03}")
    _, view = await view_of(house, lambda view: len(view["sessions"]) > 10)
    lived = [one["id"] for one in view["sessions"] if one["state"] != "ended"]
    assert lived == [first]
    assert len(view["sessions"]) == 11


async def test_a_video_says_what_became_of_its_call(house: Running) -> None:
    """Its number, and when it ended: the desk says so while that is true."""
    cti = await Cti.of(house)
    await cti.tell(cti.event("answered", call="first", caller=FIRST, station="201"))
    desk, _ = await view_of(house, lambda view: bool(view["calls"]))
    session = await house.invite(desk, mobile=SECOND)
    link = await link_of(desk, session)
    assert (link["number"], link["ended"]) == ("06 12 34 56 78", None)
    house.clock.pass_(seconds=30)
    ended = cti.at()
    await cti.tell(cti.event("ended", call="first"))
    while link["ended"] is None:
        link = await link_of(desk, session)
    assert link["ended"] == ended
    await desk.say("link.none", id="command-0009", session=session)
    await desk.hear("done", id="command-0009")
    while link["call"] is not None:
        link = await link_of(desk, session)
    assert (link["number"], link["ended"]) == (None, None)
