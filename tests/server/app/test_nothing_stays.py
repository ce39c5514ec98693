"""What a session needed in memory is gone when it is over: the server's own containers are as before, one by one."""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from server.core.bus import SiteChanged
from tests.lab.process import until
from tests.server.delivery.posting import Post, desk, post_office
from tests.server.video.sdp_samples import OFFERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server.running import Page, Running

ROUNDS = 4
OURS = ("server.", "telephony.")
SMALL = (str, bytes, int, float, bool, type(None))


@pytest.fixture
def post(io_loop: Any, furnished_database: Path, tmp_path: Path) -> Iterator[Post]:
    with post_office(io_loop, furnished_database, tmp_path) as post:
        yield post


@pytest.fixture
def house(post: Post) -> Running:
    return post.house


def containers(*roots: object) -> dict[str, int]:
    """Return how many things stand in each container that our objects hold, by where it is."""
    found: dict[str, int] = {}
    seen: set[int] = set()
    waiting: deque[tuple[str, object]] = deque((type(root).__name__, root) for root in roots)
    while waiting:
        where, thing = waiting.popleft()
        if id(thing) in seen or isinstance(thing, (*SMALL, type)):
            continue
        seen.add(id(thing))
        if isinstance(thing, deque) and thing.maxlen is not None:
            continue  # can never hold more than that
        if isinstance(thing, dict | list | set | frozenset | tuple | deque):
            found[where] = found.get(where, 0) + len(thing)
            inside = list(thing.items()) if isinstance(thing, dict) else list(thing)
            waiting.extend((f"{where}[]", each) for each in inside)
        elif type(thing).__module__.startswith(OURS):
            waiting.extend((f"{type(thing).__name__}.{n}", value) for n, value in held(thing))
        elif (bound := getattr(thing, "__self__", None)) is not None:
            waiting.append((where, bound))
    return found


def held(thing: object) -> Iterator[tuple[str, object]]:
    """The fields of one object, whether it has a dict or slots."""
    yield from getattr(thing, "__dict__", {}).items()
    for kind in type(thing).__mro__:
        for name in getattr(kind, "__slots__", ()):
            if hasattr(thing, name):
                yield name, getattr(thing, name)


def everything(house: Running) -> dict[str, int]:
    """Look at all that the handlers and the server hold."""
    app = house.server.app
    given = [rule.target_kwargs for rule in app.wildcard_router.rules]
    return containers(house.server, app.settings, *given)


async def session(house: Running, doctor: Page, number: int) -> None:
    """One whole session, with what each side can say."""
    mobile = f"06 12 34 56 {number:02}"
    made = await house.invite(doctor, f"command-{number:04}", mobile=mobile)
    await doctor.say("session.watch", id=f"watching-{number:04}", session=made)
    await doctor.hear("done", id=f"watching-{number:04}")
    await until(lambda: is_handed(house, number), "the SMS has left")
    token = (await house.tokens())[-1]
    phone = await house.caller(token, await house.tapped(token), f"phone-page-{number}")
    await phone.say("camera", state="granted")
    await phone.say("signal.offer", peer="desk-peer-1", sdp=OFFERS["safari"])
    page = (await doctor.hear("signal.offer", session=made))["page"]
    await doctor.say("signal.answer", session=made, page=page, sdp=OFFERS["chromium"])
    await phone.hear("signal.answer")
    await phone.say("media.report", camera="live")
    await phone.say("visibility", hidden=True)
    await phone.say("ladder", rung="stills", why="slow")
    await doctor.say("ladder", session=made, rung="photo")
    told = {"session": made, "message": "message_closer"}
    await doctor.say("help.message", id=f"helping-{number:04}", **told)
    await doctor.say("session.end", id=f"ending-{number:04}", session=made)
    await doctor.hear("done", id=f"ending-{number:04}")
    await phone.hear("ended")
    phone.socket.close()
    await phone.closed()


async def is_handed(house: Running, number: int) -> bool:
    rows = await house.rows("SELECT state FROM message")
    return len(rows) == number and all(row["state"] != "queued" for row in rows)


async def test_a_session_that_is_over_leaves_nothing_in_memory(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "server.desk.service.view.ENDED_SESSIONS_SHOWN", 1
    )  # of those that are over, too
    doctor = await desk(house)
    numbers = iter(range(1, 2 + ROUNDS))
    await session(house, doctor, next(numbers))
    await settled(house)
    before = everything(house)
    for number in numbers:
        await session(house, doctor, number)
        await settled(house)

    def grown() -> dict[str, tuple[int, int]]:
        now = everything(house)
        return {w: (before.get(w, 0), n) for w, n in now.items() if n > before.get(w, 0)}

    await until(lambda: not grown(), "all is as before", explain=lambda: str(grown()))


async def settled(house: Running) -> None:
    """Nothing is on its way, nobody's bucket is short, and the loops have swept."""
    await until(lambda: not any(lane._flying for lane in house.server.delivery._lanes), "landed")
    await until(lambda: len(house.server.open_sockets._pages) == 1, "only the desk is left")
    await until(
        lambda: bool(house.server.features.line15.states.told), "the state of each line is known"
    )
    house.clock.pass_(minutes=45)  # five of them are less than the idle life of a sign-in
    await house.server.sessions.sweep(timedelta(seconds=30))
    await house.server.spoken.sweep()
    await house.server.reconciler.due(list(house.server.lines.states()))
    house.server.bus.publish(SiteChanged(house.sites["rivage"].id, frozenset()))
