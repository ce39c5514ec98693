"""What the server does by itself decides on what is so when it writes, and one thing that fails holds up no other."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from server.core.errors import StorageUnavailable
from server.core.housekeeping import STORAGE_AWAY, Rounds
from server.core.tasks import create_task
from server.invitations.service.links import InvitationLinks
from server.invitations.store.spoken import SpokenCodeStore
from server.reconcile.service.reconciler import Reconciler
from server.video.service.sessions import Sessions
from server.video.store.sessions import SessionStore
from tests.lab.process import until
from tests.server.invitations.test_spoken_codes import make, type_code
from tests.server.running import Running, running, written_logs
from tests.server.web.test_our_own_mistakes import OurMistakeError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from server.core.db.unit_of_work import UnitOfWork
    from tests.databases import Furnished

GRACE = timedelta(minutes=30)
LONGER = GRACE.total_seconds() + 60


@pytest.fixture
def house(
    io_loop: Any, furnished_database: Furnished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Running]:
    """A server whose housekeeping is done by the tests alone."""
    for pause in ("SWEEP_SECONDS", "RECONCILE_SECONDS"):
        monkeypatch.setattr(f"server.app.loops.{pause}", 3600)
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


def note_reads(monkeypatch: pytest.MonkeyPatch, owner: type, method: str) -> list[str]:
    """Note each time a query has been answered."""
    read: list[str] = []
    real = getattr(owner, method)

    async def noted(*args: Any, **kwargs: Any) -> Any:
        answer = await real(*args, **kwargs)
        read.append(method)
        return answer

    monkeypatch.setattr(owner, method, noted)
    return read


def failing(monkeypatch: pytest.MonkeyPatch, owner: type, method: str, which: str) -> None:
    """Make a method of ours fail for whoever names `which` in any of its arguments."""
    real = getattr(owner, method)

    async def fail(*args: Any, **kwargs: Any) -> Any:
        if which in str(args):
            raise OurMistakeError
        return await real(*args, **kwargs)

    monkeypatch.setattr(owner, method, fail)


def failed(house: Running, job: str) -> float:
    return house._sample("visio15_items_failed_total", job=job)


async def states(house: Running) -> dict[str, str]:
    return {row["id"]: row["state"] for row in await house.rows("SELECT id, state FROM session")}


async def test_a_phone_that_comes_back_while_the_sweep_waits_is_not_ended(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, caller, session = await house.connected()
    await house.invite(desk, "command-0009", mobile="0612345679")  # nobody ever touches it
    caller.socket.close()
    await desk.hear("caller.state", state="offline")
    house.clock.pass_(seconds=LONGER)
    read = note_reads(monkeypatch, SessionStore, "running")
    [token, _] = await house.tokens()
    async with house.server.transactions():  # another writer has its turn
        sweep = create_task(house.server.sessions.sweep(GRACE), "sweep")
        await until(
            lambda: len(read) == len(house.sites),
            "the sweep has seen that nothing was heard for long",
        )
        back = await house.caller(token, house.phones[0])
    assert await sweep == 1
    assert await states(house) == {
        session: "connecting",
        **{other: "ended" for other in await states(house) if other != session},
    }
    await desk.say("session.watch", id="command-0010", session=session)
    await back.hear("watch")


async def test_a_phone_that_comes_while_its_end_is_written_is_told(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was admitted before the end, and enters after everybody was sent away."""
    desk, caller, session = await house.connected()
    caller.socket.close()
    await desk.hear("caller.state", state="offline")
    [token] = await house.tokens()
    real = InvitationLinks.enter

    async def slow(self: InvitationLinks, token: str, browser: str | None) -> Any:
        admitted = await real(self, token, browser)
        await desk.say("session.end", id="command-0011", session=session)
        await desk.hear("done", id="command-0011")
        return admitted

    monkeypatch.setattr(InvitationLinks, "enter", slow)
    page = await house.connect("/ws/caller", house.phones[0])
    await page.say("hello", token=token, page="phone-page-1")
    assert await page.closed() == (4409, "session_ended")


@pytest.mark.parametrize("owner", [Sessions, SessionStore], ids=["ours", "the storage"])
async def test_a_session_that_cannot_be_ended_keeps_no_other_waiting(
    house: Running, monkeypatch: pytest.MonkeyPatch, owner: type
) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    sessions = []
    for number in range(3):
        mobile = f"061234567{number}"
        sessions.append(await house.invite(desk, f"command-{number:04}", mobile=mobile))
        house.clock.pass_(seconds=1)
    house.clock.pass_(seconds=LONGER)
    bad = sessions[-1]  # the sweep begins with the newest
    failing(monkeypatch, owner, "apply" if owner is Sessions else "save", bad)
    with written_logs() as log:
        for _ in range(2):
            await house.server.sessions.sweep(GRACE)
    assert await states(house) == {each: "invited" if each == bad else "ended" for each in sessions}
    assert failed(house, "sweep") == 2
    assert log.getvalue().count("Traceback") == 1, "one trace tells enough"
    assert bad in log.getvalue()


async def test_a_code_that_cannot_be_swept_keeps_no_other_waiting(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    first = await make(desk)
    await make(desk, "command-0002")
    house.clock.pass_(minutes=10)
    failing(monkeypatch, SessionStore, "get", first["session"])
    assert await house.server.spoken.sweep() == 1
    assert [row["session"] for row in await house.all_of("spoken_code")] == [first["session"]]
    assert failed(house, "spoken") == 1


async def test_a_code_typed_while_the_sweep_waits_is_not_swept(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    code = (await make(desk))["code"]
    read = note_reads(monkeypatch, SpokenCodeStore, "expired_everywhere")
    house.clock.pass_(minutes=10)
    async with house.server.transactions():
        sweep = create_task(house.server.spoken.sweep(), "sweep")
        await until(lambda: bool(read), "the sweep has seen it")
        house.clock.pass_(minutes=-10)
    assert await sweep == 0
    assert (await type_code(house.browser(), code))[0] == 303


async def test_a_site_or_a_session_that_cannot_be_reconciled_keeps_no_other_waiting(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    mobiles = ("0612345678", "0612345679")
    bad, good = [await house.invite(desk, f"command-{mobile}", mobile=mobile) for mobile in mobiles]
    linked: list[str] = []

    async def link(_self: Reconciler, _actor: object, session: str) -> bool:
        if session == bad:
            raise OurMistakeError
        linked.append(session)
        return True

    async def sure(_self: Reconciler, _uow: UnitOfWork, _session: object) -> bool:
        return True

    monkeypatch.setattr(Reconciler, "_link", link)
    monkeypatch.setattr(Reconciler, "_seems_sure", sure)
    sites = ["no such site", *(site.id for site in house.sites.values())]
    failing(monkeypatch, Reconciler, "sweep", "no such site")
    assert await house.server.reconciler.due(sites) == 1
    assert linked == [good]
    assert failed(house, "reconcile") == 2


async def test_the_storage_being_away_ends_the_round() -> None:
    asked: list[str] = []
    counted: list[str] = []

    async def away(item: str) -> int:
        asked.append(item)
        raise StorageUnavailable("test")

    rounds = Rounds("sweep", counted.append)
    with pytest.raises(StorageUnavailable):
        await rounds.each({str(n): str(n) for n in range(10)}, away)
    assert len(asked) == len(counted) == STORAGE_AWAY


async def test_three_that_the_storage_always_refuses_hold_up_nobody_for_long() -> None:
    done: list[str] = []

    async def work(item: str) -> int:
        if item in {"0", "1", "2"}:
            raise StorageUnavailable("test")
        done.append(item)
        return 1

    rounds, items = Rounds("sweep"), {str(n): str(n) for n in range(6)}
    with pytest.raises(StorageUnavailable):
        await rounds.each(items, work)
    with pytest.raises(StorageUnavailable):
        await rounds.each(items, work)
    assert done == ["3", "4", "5"], "the second round begins where the first one ended"


async def test_a_batch_that_fails_is_done_one_by_one() -> None:
    done: list[int] = []

    async def work(several: Any) -> None:
        if 3 in several:
            raise OurMistakeError
        done.extend(several)

    counted: list[str] = []
    with written_logs() as log:
        await Rounds("recordings", counted.append).batches({str(n): n for n in range(10)}, 4, work)
    assert sorted(done) == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert counted == ["recordings"]
    [line] = [json.loads(x) for x in log.getvalue().splitlines() if "rounds.failed" in x]
    assert line["item"] == "3"
