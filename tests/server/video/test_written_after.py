"""What a page says of the picture is relayed at once and written down once, whichever socket it came by."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.process import until
from tests.server.observers.test_observers import invite, joined, links, looks
from tests.server.running import Page, Running, running
from tests.server.video.sdp_samples import SMALL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.databases import Furnished

GOOD = "\r\n".join([*SMALL, ""])
AUDIO = GOOD + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
PEER, PAGE = "desk-peer-1", "phone-page-1"


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Any) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def rows(house: Running, *actions: str) -> list[tuple[str, dict[str, Any]]]:
    """Who wrote what of these actions, in order."""
    found = await house.rows("SELECT action, source, data FROM audit ORDER BY seq")
    return [(row["source"], json.loads(row["data"])) for row in found if row["action"] in actions]


async def three(house: Running) -> tuple[Page, Page, Page, str]:
    """A phone, its desk and an observer of the same video."""
    desk, phone, session = await house.connected()
    await invite(desk, session)
    [token] = await links(house)
    observer = await looks(house, token, await joined(house, token))
    await observer.hear("welcome")
    return phone, desk, observer, session


async def all_say(house: Running, sdp: str) -> tuple[Page, Page, Page]:
    phone, desk, observer, session = await three(house)
    await phone.say("signal.offer", peer=PEER, sdp=sdp)
    for page in (desk, observer):
        await page.say("signal.answer", session=session, page=PAGE, sdp=sdp)
    return phone, desk, observer


EACH = [("desk", "answer"), ("observer", "answer"), ("phone", "offer")]


async def test_each_description_leaves_one_row(house: Running) -> None:
    phone, desk, _ = await all_say(house, GOOD)
    await desk.hear("signal.offer")
    await phone.hear("signal.answer", peer=PEER)
    await phone.hear("signal.answer")

    async def written() -> bool:
        return len(await rows(house, "sdp.accepted")) >= len(EACH)

    await until(written, "three descriptions are in the audit")
    await house.close()  # whatever a page still had to do is done
    found = await rows(house, "sdp.accepted", "sdp.refused")
    assert sorted((source, data["kind"]) for source, data in found) == EACH
    assert all(data["media"] == ["video"] for _, data in found)


async def test_each_refusal_reaches_its_page_and_leaves_one_row(house: Running) -> None:
    for page in await all_say(house, AUDIO):
        await page.refused("sdp_audio")
    await house.close()
    found = await rows(house, "sdp.accepted", "sdp.refused")
    assert sorted((source, data["kind"]) for source, data in found) == EACH
    assert {data["code"] for _, data in found} == {"sdp_audio"}


async def test_rungs_and_answers_leave_one_row_each(house: Running) -> None:
    desk, phone, session = await house.connected()
    await desk.say("help.torch", id="order-0001", session=session, on=True)
    await phone.hear("help")
    await phone.say("help.done", order="order-0001", outcome="done")
    await phone.say("help.done", order="order-0001", outcome="done")
    await desk.hear("help.done", order="order-0001")
    await desk.say("ladder", session=session, rung="stills")
    await phone.hear("ladder", rung="stills")
    await phone.say("ladder", rung="stills", why="asked")
    await phone.say("ladder", rung="stills", why="asked")
    await phone.alive()
    await desk.alive()

    async def written() -> bool:
        return len(await rows(house, "help.done", "picture.asked", "picture.rung")) >= 3

    await until(written, "what was said is in the audit")
    await house.close()
    assert await rows(house, "help.done") == [("phone", {"do": "torch"})]
    assert await rows(house, "picture.asked") == [("desk", {"rung": "stills"})]
    [(source, data)] = await rows(house, "picture.rung")
    assert (source, data["rung"], data["why"]) == ("phone", "stills", "asked")
