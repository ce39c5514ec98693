"""An exception of ours in a socket: told as "unavailable", logged with its trace, and the page lives on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from server.desk.service.view import DeskView
from server.identity.service.sign_ins import SignIns
from server.identity.web.signed_in import SESSION_COOKIE
from server.line15.service.launch import Launch
from server.observers.service import Observers
from tests.lab.process import until
from tests.server.observers.test_observers import invite, joined, links, looks
from tests.server.running import Running, running, written_logs

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.databases import Furnished


@pytest.fixture
def house(
    io_loop: Any, furnished_database: Furnished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Running]:
    monkeypatch.setattr("server.web.sockets.page_socket.TICK", 0.05)
    monkeypatch.setattr("server.web.sockets.page_socket.GREET_AGAIN", 0.05)
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


class OurMistakeError(Exception):
    """What nobody expected."""


def broken(monkeypatch: pytest.MonkeyPatch, owner: type, method: str) -> Callable[[], None]:
    """Make a method fail as only a mistake of ours can; the result mends it."""
    real = getattr(owner, method)

    async def fail(*_args: Any, **_kwargs: Any) -> None:
        raise OurMistakeError

    monkeypatch.setattr(owner, method, fail)
    return lambda: monkeypatch.setattr(owner, method, real)


def traces(log: io.StringIO) -> list[str]:
    """The traces of our mistake, each as one text."""
    lines = [json.loads(line) for line in log.getvalue().splitlines() if line.startswith("{")]
    return [
        line["exception"]
        for line in lines
        if line["event"] == "socket.failed" and "OurMistakeError" in line.get("exception", "")
    ]


async def test_a_view_that_cannot_be_made_is_logged_once_and_made_again(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    with written_logs() as log:
        mend = broken(monkeypatch, DeskView, "of")
        before = house.counted("unavailable")
        await house.invite(desk)
        await desk.refused("unavailable")
        await until(lambda: house.counted("unavailable") >= before + 2, "each try is counted")
        mend()
        view = await desk.hear("view")
    assert len(view["sessions"]) == 1
    [trace] = traces(log)
    assert "_send_view" in trace


async def test_a_hello_that_fails_on_our_mistake_is_logged_and_done_later(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await house.connect("/ws/desk", await house.signed_in("regulator"))
    with written_logs() as log:
        mend = broken(monkeypatch, Launch, "resolve")
        await page.say("hello", peer="desk-peer-1", launch="x" * 27)
        await page.refused("unavailable")
        mend()
        await page.hear("view")
    assert len(traces(log)) == 1


async def test_a_command_that_fails_on_our_mistake_is_logged_with_its_trace(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    with written_logs() as log:
        broken(monkeypatch, type(house.server.sessions), "quit")
        await desk.say("session.end", id="command-0001", session="x" * 32)
        assert (await desk.refused("unavailable"))["id"] == "command-0001"
        await desk.alive()
    assert len(traces(log)) == 1


async def test_a_page_is_still_checked_after_a_check_that_failed(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = await house.signed_in("regulator")
    desk = await house.desk(browser)
    with written_logs() as log:
        mend = broken(monkeypatch, SignIns, "look")
        await desk.refused("unavailable")
        mend()
        await house.login.logout(browser.cookies[SESSION_COOKIE])
        assert await desk.closed() == (4401, "not_signed_in")
    assert len(traces(log)) == 1


async def test_an_observer_hears_of_the_end_after_our_mistake(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, _, session = await house.connected()
    await invite(desk, session)
    [token] = await links(house)
    observer = await looks(house, token, await joined(house, token))
    await observer.hear("participants")
    with written_logs() as log:
        mend = broken(monkeypatch, Observers, "state")
        await observer.refused("unavailable")
        mend()
        await desk.say("session.end", id="command-0005", session=session)
        assert await observer.closed() == (4409, "session_ended")
    assert len(traces(log)) == 1
