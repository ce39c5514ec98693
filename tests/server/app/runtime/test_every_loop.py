"""Every loop of a built server, whoever declares it: a fault of any kind is counted, told by readiness, and survived.

The loops are found in the server itself: a new one is tried here without a word about it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from tornado.httpclient import HTTPRequest
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from server.app.runtime.loops import pace
from server.app.runtime.systemd import Notifier
from server.core.errors import AppError, Conflict, StorageUnavailable
from server.core.loops import Loop
from telephony.supervisor import LoopState, RestartPolicy, SupervisedLoop, Supervisor
from tests.lab.ports import free_port
from tests.lab.process import until
from tests.server.app.runtime.test_tls import issue
from tests.server.running import running, written_logs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from server.app.server import Server
    from tests.databases import Furnished
    from tests.server.running import Running

QUICK = RestartPolicy(first=0.001, most=0.02, steady=0.5, patience=3)
FAULTS = [AppError("stub"), Conflict("stub"), RuntimeError("can't start new thread"), MemoryError()]
ALWAYS = 10**9


@dataclass
class Stub:
    """Stands before a loop's work: fails so many times, then lets the real work be done."""

    fault: Exception
    times: int
    worked: int = 0

    def before(self, work: Callable[[], Any]) -> Callable[[], Any]:
        def do() -> Any:
            if self.times > 0:
                self.times -= 1
                raise self.fault.with_traceback(None)
            self.worked += 1
            return work()

        return do


@dataclass
class Stubs:
    """One stub a loop; those that the sites' runners start by themselves get theirs from the supervisor."""

    monkeypatch: pytest.MonkeyPatch
    fault: Exception
    times: int
    database: bool = True
    by_name: dict[str, Stub] = field(default_factory=dict)

    def put(self, server: Server) -> None:
        server.runtime.add(Loop(name="watchdog", work=Notifier(None, 0.03).run))
        server.runtime.loops = tuple(
            replace(loop, work=self._before(loop.name, loop.work), pace=QUICK, every=quick(loop))
            for loop in server.runtime.loops
        )
        self.monkeypatch.setattr("server.app.runtime.loops.REFUSED_SECONDS", 0)
        if not self.database:
            server.runtime._storage_works = away
        start = Supervisor.start

        def started(supervisor: Supervisor, name: str, work: Any, **how: Any) -> Any:
            if name not in self.by_name:
                work, how["pace"] = self._before(name, work), QUICK
            return start(supervisor, name, work, **how)

        self.monkeypatch.setattr(Supervisor, "start", started)

    def _before(self, name: str, work: Callable[[], Any]) -> Callable[[], Any]:
        self.by_name[name] = Stub(self.fault, self.times)
        return self.by_name[name].before(work)

    def heal(self) -> None:
        for stub in self.by_name.values():
            stub.times = 0

    def left(self) -> list[str]:
        """The loops that have not yet worked."""
        return [name for name, stub in self.by_name.items() if not stub.worked]


def quick(loop: Loop) -> float | None:
    return loop.every and 0.005


@dataclass
class Tried:
    """A server whose loops have stubs."""

    house: Running
    stubs: Stubs

    @property
    def supervisor(self) -> Supervisor:
        return self.house.server.supervisor

    async def ask(self, path: str) -> tuple[int, str]:
        url = f"https://127.0.0.1:{self.house.server.port}{path}"
        client = SimpleAsyncHTTPClient(force_instance=True)
        answer = await client.fetch(HTTPRequest(url, validate_cert=False), raise_error=False)
        client.close()
        return answer.code, answer.body.decode()

    async def readyz(self) -> tuple[int, set[str]]:
        code, body = await self.ask("/readyz")
        return code, set(json.loads(body)["away"])


@pytest.fixture
def trying(
    io_loop: Any, furnished_database: Furnished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Iterator[Tried]]:
    """Run a server with every kind of loop, each of which fails so often."""
    certificate, key = issue(tmp_path, "v.example")
    settings = {
        "feeds": [{"kind": "hep", "site": "rivage", "port": free_port()}],
        "recordings": [{"site": "rivage", "root": str(tmp_path), "scan_seconds": 0.01}],
        "tls_certificate": certificate,
        "tls_key": key,
    }

    def run(fault: Exception, times: int, **how: Any) -> Iterator[Tried]:
        stubs = Stubs(monkeypatch, fault, times, **how)
        with running(io_loop, furnished_database, tmp_path, before=stubs.put, **settings) as house:
            yield Tried(house, stubs)

    return run


@pytest.fixture(params=FAULTS, ids=lambda fault: type(fault).__name__)
def once(trying: Any, request: pytest.FixtureRequest) -> Iterator[Tried]:
    yield from trying(request.param, 1)


@pytest.fixture(params=FAULTS, ids=lambda fault: type(fault).__name__)
def for_ever(trying: Any, request: pytest.FixtureRequest) -> Iterator[Tried]:
    yield from trying(request.param, ALWAYS)


@pytest.fixture
def refused(trying: Any) -> Iterator[Tried]:
    yield from trying(StorageUnavailable("stub"), ALWAYS)


@pytest.fixture
def outage(trying: Any) -> Iterator[Tried]:
    yield from trying(StorageUnavailable("stub"), 0, database=False)


async def away() -> bool:
    """What readiness says of a database that is away."""
    return False


async def test_a_loop_that_starts_with_a_fault_comes_back_and_is_counted(once: Tried) -> None:
    await until(lambda: not once.stubs.left(), "all work", explain=lambda: str(once.stubs.left()))
    standings = once.supervisor.standings
    assert set(standings) == set(once.stubs.by_name)
    assert {name: standing.restarts for name, standing in standings.items()} == dict.fromkeys(
        standings, 1
    )
    assert {standing.state for standing in standings.values()} == {LoopState.RUNNING}
    _, counted = await once.ask("/metrics")
    for name in standings:
        assert f'visio15_loop_restarts_total{{loop="{name}"}} 1.0' in counted
        assert f'visio15_loop_up{{loop="{name}"}} 1.0' in counted
    assert (await once.readyz())[1] == set()


async def test_a_loop_that_fails_for_ever_is_told_by_readiness_until_it_comes_back(
    for_ever: Tried,
) -> None:
    standings = for_ever.supervisor.standings
    vital = {name for name, standing in standings.items() if standing.vital}
    assert {name for name in standings if name not in vital} == {
        name for name in standings if ".feed." in name
    }, "a feed that is down never blocks a video"

    async def told() -> bool:
        return await for_ever.readyz() == (503, vital)

    await until(told, "readiness names them all")
    _, counted = await for_ever.ask("/metrics")
    for name in standings:
        assert f'visio15_loop_up{{loop="{name}"}} 0.0' in counted
        assert standings[name].restarts >= QUICK.patience
    assert (await for_ever.ask("/healthz"))[0] == 200, "the process lives"
    for_ever.stubs.heal()

    async def back() -> bool:
        return await for_ever.readyz() == (200, set())

    await until(back, "ready again")
    assert all(for_ever.supervisor.up().values())


async def test_a_storage_that_refuses_only_the_loops_is_told_too(refused: Tried) -> None:
    """Turn after turn refused, while readiness finds the database in order: that is no outage."""
    standings = refused.supervisor.standings
    vital = {name for name, standing in standings.items() if standing.vital}

    async def told() -> bool:
        return await refused.readyz() == (503, vital)

    await until(told, "readiness names them all")


async def test_a_database_that_is_away_is_held_against_no_loop_with_turns(outage: Tried) -> None:
    """Readiness says so itself, and is ready again as soon as the database is."""
    turns = [loop.name for loop in outage.house.server.runtime.loops if loop.every]
    with written_logs() as written:
        for name in turns:
            outage.stubs.by_name[name].times = 10

        def refused() -> bool:
            return all(outage.stubs.by_name[name].times == 0 for name in turns)

        await until(refused, "ten turns of each")
    standings = outage.supervisor.standings
    assert {name: standings[name].restarts for name in turns} == dict.fromkeys(turns, 0)
    events = [json.loads(line)["event"] for line in written.getvalue().splitlines()]
    for event in ("sweep", "reconcile", "line15", "recordings"):
        assert f"{event}.postponed" in events
    assert "loop.failed" not in events


def test_a_loop_fails_again_and_again_however_far_apart_its_turns_are(
    io_loop: Any, furnished_database: Furnished, tmp_path: Path
) -> None:
    """A run that ends at its first turn is no steady run, though it lasted a minute."""
    with running(io_loop, furnished_database, tmp_path) as house:
        for loop in house.server.runtime.loops:
            standing, now = SupervisedLoop(pace(loop)), 0.0
            for _ in range(loop.pace.patience):
                standing.started(now)
                now += loop.every or 0
                standing.failed(now)
            assert standing.away(now), loop.name


def test_two_loops_of_one_name_are_a_mistake_that_leaves_nothing_behind(
    io_loop: Any, furnished_database: Furnished, tmp_path: Path
) -> None:
    def twice(server: Server) -> None:
        server.runtime.add(Loop(name="sweep", work=partial(int)))

    with (
        pytest.raises(ValueError, match="sweep"),
        running(io_loop, furnished_database, tmp_path, before=twice),
    ):
        pytest.fail("it started")
