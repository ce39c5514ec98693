"""Faults deep inside what the loops do: they come up to the supervisor, and what was on its way goes on."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import defaultdict
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from server.app.runtime.tls import Reloader
from server.core.errors import StorageUnavailable
from server.delivery.store import MessageStore
from server.identity.store.login import LoginStore
from server.invitations.store.spoken import SpokenCodeStore
from server.line15.service.lines import Lines
from server.reconcile.service.reconciler import Reconciler
from server.recordings.store import RecordingStore
from server.video.service.sessions import Sessions
from server.web.http.connections import Connections
from telephony import Rang
from telephony.correlate.correlation import Correlator
from telephony.runner import Runner
from telephony.sources.hep.feed import HepFeed
from telephony.sources.recordings.feed import RecordingsFeed
from telephony.sources.webhook.feed import WebhookFeed
from telephony.supervisor import RestartPolicy
from tests.fakes import gateway
from tests.lab.ports import free_port
from tests.lab.process import until
from tests.server.app.runtime.test_tls import issue
from tests.server.running import Running, running, written_logs

if TYPE_CHECKING:
    from collections.abc import Iterator

THREAD = RuntimeError("can't start new thread")
QUICK = RestartPolicy(first=0.01, most=0.05, steady=0.5, patience=3)
#: Each loop, and the method that does its work.
WORK: dict[str, tuple[type[Any], str]] = {
    "delivery.sms": (MessageStore, "due_everywhere"),
    "delivery.email": (MessageStore, "due_everywhere"),
    "sweep": (Sessions, "sweep"),
    "spoken": (SpokenCodeStore, "expired_everywhere"),
    "sign_ins": (LoginStore, "quiet_web_sessions_everywhere"),
    "reconcile": (Reconciler, "due"),
    "connections": (Connections, "close_late"),
    "line15.states": (Lines, "states"),
    "recordings": (RecordingStore, "longest_unchecked_everywhere"),
    "recordings.rivage.enregistrements": (RecordingsFeed, "look"),
    "line15.rivage.consumer": (Runner, "_fold"),
    "line15.rivage.clock": (Correlator, "expire"),
    "line15.rivage.feed.hep": (HepFeed, "run"),
    "line15.rivage.feed.webhook": (WebhookFeed, "run"),
    "line15.montagne.consumer": (Runner, "_fold"),
    "line15.montagne.clock": (Correlator, "expire"),
    "line15.montagne.feed.webhook": (WebhookFeed, "run"),
}


@dataclass
class Sore:
    """Lets one method of a class fail, as often as `times` says."""

    times: int
    fault: BaseException
    worked: int = 0

    def put(self, monkeypatch: pytest.MonkeyPatch, owner: type[Any], method: str) -> None:
        inner = getattr(owner, method)

        def failing(*args: Any, **kwargs: Any) -> Any:
            if self.times > 0:
                self.times -= 1
                raise self.fault.with_traceback(None)
            self.worked += 1
            return inner(*args, **kwargs)

        monkeypatch.setattr(owner, method, failing)


@pytest.fixture
def house(
    io_loop: Any, furnished_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Running]:
    for name in ("SWEEP", "SIGN_INS", "RECONCILE", "LINES", "RECORDINGS"):
        monkeypatch.setattr(f"server.app.loops.{name}_SECONDS", 0.01)
    monkeypatch.setattr("server.app.runtime.listener.LATE_SECONDS", 0.01)
    feed = {"kind": "hep", "site": "rivage", "port": free_port()}
    folder = {"site": "rivage", "root": str(tmp_path), "scan_seconds": 0.01}
    with running(io_loop, furnished_database, tmp_path, feeds=[feed], recordings=[folder]) as house:
        for standing in house.server.supervisor.standings.values():
            standing.pace = QUICK
        for line in house.server.lines._lines.values():
            line.runner._tick = 0.01
        yield house


async def readyz(house: Running) -> tuple[int, dict[str, Any]]:
    answer = await house.browser().get("/readyz")
    return answer.code, json.loads(answer.body)


def stir(house: Running) -> None:
    """Give every loop something to do."""
    house.server.delivery.wake()
    for line in house.server.lines._lines.values():
        fact = Rang("sip:stirred", house.clock.now(), "hep", station="201")
        line.runner.emit(fact)


async def until_stirred(house: Running, condition: Any, what: str) -> None:
    async def met() -> bool:
        stir(house)
        answer = condition()
        return bool(await answer if asyncio.iscoroutine(answer) else answer)

    await until(met, what)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        *[(name, MemoryError()) for name in ("delivery.sms", "sweep", "line15.rivage.consumer")],
        *[
            (name, OSError(24, "Too many open files"))
            for name in ("reconcile", "line15.rivage.clock")
        ],
        ("sweep", asyncio.CancelledError()),  # of something that it awaited
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
async def test_a_loop_that_fails_once_comes_back_and_does_its_work(
    house: Running, name: str, fault: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    standings = house.server.supervisor.standings
    sore = Sore(1, fault)
    sore.put(monkeypatch, *WORK[name])
    await until_stirred(house, lambda: sore.times == 0 and sore.worked >= 3, "it works again")
    assert sum(standing.restarts for standing in standings.values()) == 1
    assert (await readyz(house))[1]["away"] == []


async def test_what_does_the_work_of_a_loop_hides_no_fault_from_readiness(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault comes from where the work is done, below all that the loop itself may catch."""
    standings = house.server.supervisor.standings
    assert set(standings) == set(WORK), "a new loop has its line in the table"
    sores = {work: Sore(10**9, THREAD) for name, work in WORK.items() if standings[name].vital}
    for work, sore in sores.items():
        sore.put(monkeypatch, *work)

    async def away() -> bool:
        code, found = await readyz(house)
        vital = {name for name, standing in standings.items() if standing.vital}
        return code == 503 and set(found["away"]) == vital and not found["parts"]["loops"]

    await until_stirred(house, away, "readiness names them all")
    for sore in sores.values():
        sore.times = 0

    async def back() -> bool:
        worked = all(sore.worked for sore in sores.values())
        return worked and (await readyz(house))[0] == 200

    await until_stirred(house, back, "ready again once they work")


def test_a_feed_that_fails_for_ever_is_counted_and_leaves_the_server_ready(
    io_loop: Any, furnished_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dead feed never blocks a video: the desk says so, and the machine is not taken away."""
    sore = Sore(10**9, THREAD)
    sore.put(monkeypatch, HepFeed, "run")
    feed, name = {"kind": "hep", "site": "rivage", "port": free_port()}, "line15.rivage.feed.hep"
    with running(io_loop, furnished_database, tmp_path, feeds=[feed]) as house:
        supervisor = house.server.supervisor
        supervisor.standings[name].pace = QUICK

        async def scenario() -> None:
            await until(lambda: not supervisor.up()[name], "it fails again and again")
            assert (await readyz(house))[1]["parts"]["loops"] is True
            sore.times = 0
            site = house.sites["rivage"].id
            await until(lambda: house.server.lines.state(site) == "quiet", "it listens")

        io_loop.run_sync(scenario)


async def test_one_mistake_is_logged_once_with_its_trace(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    with written_logs() as written:
        sore = Sore(1, THREAD)
        sore.put(monkeypatch, *WORK["sweep"])
        await until(lambda: sore.worked > 1, "it works again")
    told = [json.loads(line) for line in written.getvalue().splitlines()]
    [failed] = [each for each in told if each["event"] == "loop.failed"]
    assert (failed["loop"], failed["error"], failed["failures"]) == ("sweep", "RuntimeError", 1)
    assert "can't start new thread" in failed["exception"]


async def test_an_accepted_sms_leaves_although_threads_ran_out(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with gateway() as there:
        carrier = there.carrier()
        monkeypatch.setattr(house.server.delivery._carriers, "_sms", defaultdict(lambda: carrier))
        regulator = await house.signed_in("regulator")
        desk = await house.desk(regulator)
        starts = threading.Thread.start

        def none_left(self: threading.Thread) -> None:
            del self
            raise THREAD

        async with AsyncExitStack() as held:

            async def delivery_sees_it() -> bool:
                """Hold the connections that are there: another one wants another thread."""
                with suppress(StorageUnavailable):
                    await held.enter_async_context(house.server.transactions(write=False))
                house.server.delivery.wake()
                return not house.server.delivery.ready

            monkeypatch.setattr(threading.Thread, "start", none_left)
            await until(delivery_sees_it, "the delivery sees it")

            async def page_says_it() -> bool:
                await delivery_sees_it()  # holds what somebody gave back meanwhile
                return (await regulator.get("/desk")).code == 503

            await until(page_says_it, "the database is away, and that is what is said")
            monkeypatch.setattr(threading.Thread, "start", starts)
        await house.invite(desk)
        await until(lambda: len(there.accepted) == 1, "the gateway has it")
        carrier.close()


async def test_what_is_on_its_way_stays_so_when_its_lane_fails(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that a carrier has in hand is neither cut off nor sent twice."""
    async with gateway() as there:
        carrier = there.carrier()
        monkeypatch.setattr(house.server.delivery._carriers, "_sms", defaultdict(lambda: carrier))
        desk = await house.desk(await house.signed_in("regulator"))
        there.answering.clear()
        await house.invite(desk)
        await until(lambda: len(there.asked) == 1, "the gateway has it")
        sore = Sore(2, THREAD)
        sore.put(monkeypatch, *WORK["delivery.sms"])
        await until_stirred(house, lambda: sore.worked > 2, "the lanes are back")
        there.answering.set()

        async def handed() -> bool:
            return await house.rows("SELECT state FROM message") == [{"state": "handed"}]

        await until(handed, "its outcome is written")
        assert len(there.asked) == 1
        carrier.close()


def test_the_watch_of_the_certificate(
    io_loop: Any, furnished_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = issue(tmp_path, "v.example")
    files = {"tls_certificate": certificate, "tls_key": key}
    with running(io_loop, furnished_database, tmp_path, **files) as house:
        supervisor = house.server.supervisor
        assert "tls.watch" in supervisor.standings
        supervisor.standings["tls.watch"].pace = QUICK
        house.server.certificate._seconds = 0.01  # type: ignore[union-attr]
        sore = Sore(10**9, OSError(24, "Too many open files"))
        sore.put(monkeypatch, Reloader, "_look")
        io_loop.run_sync(lambda: until(lambda: supervisor.away() == ("tls.watch",), "it is away"))
        sore.times = 0
        io_loop.run_sync(lambda: until(lambda: not supervisor.away(), "it is back"))
        assert sore.worked > 1
