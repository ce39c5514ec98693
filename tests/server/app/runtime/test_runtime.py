"""Start, readiness, drain, stop: however far a server came, nothing of it is left behind."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

from server.app.process import ServerProcess
from server.app.runtime.lifecycle import LifeCycleMisused, State
from server.app.runtime.runtime import StartInterrupted
from server.app.runtime.systemd import Notifier
from server.app.runtime.tls import CertificateUnusable
from server.app.settings.settings import load
from server.app.wiring import build
from server.core.loops import Loop
from server.line15.store.facts import FactStore
from server.storage.errors import SchemaMismatch
from telephony.supervisor import LoopState
from tests.lab.ports import free_port
from tests.lab.process import own_folder, until
from tests.server.app.runtime.test_systemd import heard, systemd
from tests.server.app.runtime.test_tls import issue
from tests.server.house import SECRET, FakeClock
from tests.server.running import Running, _furnish, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from server.app.runtime.runtime import Runtime
    from tests.databases import Furnished

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def left() -> set[str]:
    """The tasks and descriptors of this process."""
    names = {f"task {task.get_name()}" for task in asyncio.all_tasks()}
    for one in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # of the listing itself
            names.add(f"{one.name} {one.readlink()}")
    return names


@dataclass
class Gate:
    """A step that waits, as a slow database does."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self) -> None:
        self.reached.set()
        await self.open.wait()


@dataclass
class Built(Running):
    """A server that is not started; its application is served beside it, so that it can be asked in every state."""

    side: HTTPServer = field(init=False)
    side_port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.side_port}"

    @property
    def runtime(self) -> Runtime:
        return self.server.runtime

    def serve(self) -> None:
        listening, self.side_port = bind_unused_port()
        self.side = HTTPServer(self.server.app)
        self.side.add_socket(listening)

    async def status(self) -> tuple[int, str]:
        answer = await self.browser().get("/readyz")
        return answer.code, json.loads(answer.body)["status"]


#: Tornado leaves the socket that it could not bind to the collector; it never listened.
unbound = pytest.mark.filterwarnings(r"ignore:unclosed .*laddr=\('0\.0\.0\.0', 0\):ResourceWarning")


@pytest.fixture
def built(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Callable[..., Any]:
    """Build a server of these settings."""

    @contextmanager
    def make(**settings: Any) -> Iterator[Built]:
        with furnished_database.copied() as url:
            told = {"data_dir": tmp_path, "database": url, "secret_key": SECRET, "port": 0}
            clock = FakeClock()
            house = Built(build(load(**{**told, **settings}), clock), clock)
            io_loop.run_sync(lambda: _furnish(house))
            io_loop.run_sync(house.server.engine.dispose)
            yield house
            io_loop.run_sync(house.server.stop)

    return make


# --- a start that fails ----------------------------------------------------------------------------
def taken_port(_house: Built, _monkeypatch: pytest.MonkeyPatch) -> None:
    """The listener meets it, when all loops run."""


def other_schema(house: Built, _monkeypatch: pytest.MonkeyPatch) -> None:
    async def change() -> None:
        async with house.server.engine.begin() as other:
            await other.exec_driver_sql("UPDATE alembic_version SET version_num = 'other'")
        await house.server.engine.dispose()

    house.runtime._starting = (change, *house.runtime._starting)


def broken_certificate(house: Built, _monkeypatch: pytest.MonkeyPatch) -> None:
    house.server.settings.tls_certificate.write_text("no certificate")  # type: ignore[union-attr]


def second_site(_house: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first site's runner is going by then."""
    real, asked = FactStore.of_live, []

    async def fail(*args: Any) -> Any:
        asked.append(args)
        if len(asked) == 2:
            raise RuntimeError("of a stub")
        return await real(*args)

    monkeypatch.setattr(FactStore, "of_live", fail)


@unbound
@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (taken_port, OSError),
        (other_schema, SchemaMismatch),
        (broken_certificate, CertificateUnusable),
        (second_site, RuntimeError),
    ],
    ids=lambda value: value.__name__,
)
def test_a_start_that_fails_leaves_nothing_behind(
    io_loop: Any,
    built: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wrong: Callable[[Built, pytest.MonkeyPatch], None],
    fault: type[Exception],
) -> None:
    certificate, key = issue(tmp_path, "v.example")
    feed, closed = {"kind": "hep", "site": "rivage", "port": free_port()}, []
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1] if wrong is taken_port else 0
        files = {"tls_certificate": certificate, "tls_key": key}
        with built(port=port, listen="127.0.0.1", feeds=[feed], **files) as house:

            async def scenario() -> None:
                wrong(house, monkeypatch)
                house.runtime._closing = (*house.runtime._closing, lambda: closed.append("closed"))
                before = left()
                with pytest.raises(fault):
                    await house.server.start()
                assert left() == before
                assert house.runtime.life.state is State.FAILED
                assert not house.server.supervisor._tasks
                await house.server.stop()
                assert closed == ["closed"]
                with pytest.raises(LifeCycleMisused):
                    await house.server.start()

            io_loop.run_sync(scenario)


def test_a_start_that_is_cancelled_leaves_nothing_behind(io_loop: Any, built: Any) -> None:
    with built() as house:

        async def scenario() -> None:
            gate = Gate()
            house.runtime._starting = (*house.runtime._starting, gate)
            before = left()
            starting = asyncio.gather(house.server.start())
            await gate.reached.wait()
            starting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await starting
            assert left() == before
            assert house.runtime.life.state is State.FAILED

        io_loop.run_sync(scenario)


# --- what readiness says of each state -------------------------------------------------------------
def test_readiness_tells_each_state(io_loop: Any, built: Any) -> None:
    with built() as house:

        async def scenario() -> None:
            house.serve()
            assert await house.status() == (503, "built")
            up, down = Gate(), Gate()
            house.runtime._starting = (*house.runtime._starting, up)
            house.runtime._draining = (down, *house.runtime._draining)
            starting = asyncio.gather(house.server.start())
            await up.reached.wait()
            assert await house.status() == (503, "starting")
            up.open.set()
            await starting

            async def ready() -> bool:
                return await house.status() == (200, "ready")

            await until(ready, "it is ready")
            stopping = asyncio.gather(house.server.stop())
            await down.reached.wait()
            assert await house.status() == (503, "draining")
            assert (await house.browser().get("/healthz")).code == 200, "the process lives"
            down.open.set()
            await stopping
            assert (await house.status())[1] == "stopped"
            house.side.stop()
            await house.server.engine.dispose()  # the last question opened it again
            for client in house.clients:
                client.close()

        io_loop.run_sync(scenario)


# --- stopping --------------------------------------------------------------------------------------
def test_it_drains_before_it_closes(
    io_loop: Any, furnished_database: Furnished, tmp_path: Path
) -> None:
    seen: list[str] = []
    landed = asyncio.Event()

    def land() -> None:
        seen.append("land")
        assert not house.server.open_sockets.anybody, "nobody queues anything any more"
        landed.set()

    lane = Loop(name="lane", work=landed.wait, close=land)
    with running(
        io_loop, furnished_database, tmp_path, before=lambda server: server.runtime.add(lane)
    ) as house:
        runtime = house.server.runtime
        standings = runtime.supervisor.standings

        async def draining() -> None:
            seen.append("drain")
            assert not house.server.open_sockets.anybody, "the pages are gone"
            with pytest.raises(OSError, match="Connect call failed"):
                await asyncio.open_connection("127.0.0.1", house.server.port)
            assert {standings[n].state for n in standings if n.startswith("delivery.")} == {
                LoopState.ENDED
            }, "the lanes returned by themselves"
            assert "line15.rivage.consumer" in runtime.supervisor._tasks, "facts are still folded"

        def closing() -> None:
            seen.append("close")
            assert not runtime.supervisor._tasks, "no loop is left"

        runtime._draining = (draining, *runtime._draining)
        runtime._closing = (closing, *runtime._closing)

        async def scenario() -> None:
            desk = await house.desk(await house.signed_in("regulator"))
            await asyncio.gather(house.server.stop(), house.server.stop(), desk.closed())
            await house.server.stop()

        io_loop.run_sync(scenario)
        assert seen == ["land", "drain", "close"], "each once, whoever asks again"
        assert runtime.life.state is State.STOPPED


def test_what_cannot_be_closed_keeps_nothing_else_open(io_loop: Any, built: Any) -> None:
    with built() as house:

        async def scenario() -> None:
            before = left()
            await house.server.start()

            async def fail() -> None:
                raise OSError("of a stub")

            house.runtime._draining = (fail, *house.runtime._draining)
            with pytest.raises(OSError, match="of a stub"):
                await house.server.stop()
            assert left() == before

        io_loop.run_sync(scenario)


def test_a_server_that_was_never_started_can_be_stopped(io_loop: Any, built: Any) -> None:
    with built() as house:
        io_loop.run_sync(house.server.stop)
        assert house.runtime.life.state is State.STOPPED


def test_a_stop_during_the_start_ends_it(io_loop: Any, built: Any) -> None:
    with built() as house:

        async def scenario() -> None:
            gate, seen = Gate(), []

            async def slow() -> None:
                try:
                    await gate()
                finally:
                    for _ in range(1000):  # turns of the loop
                        await asyncio.sleep(0)
                    seen.append("given back")

            house.runtime._starting = (*house.runtime._starting, slow)
            house.runtime._closing = (lambda: seen.append("close"), *house.runtime._closing)
            before = left()
            starting = asyncio.gather(house.server.start())
            await gate.reached.wait()
            await house.server.stop()
            assert seen == ["given back", "close"]
            with pytest.raises(StartInterrupted):
                await starting
            assert left() == before
            assert house.runtime.life.state is State.STOPPED

        io_loop.run_sync(scenario)


@dataclass
class LastStep:
    """The last step of a start: it ends as its future does."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    end: asyncio.Future[None] = field(default_factory=asyncio.Future)

    async def __call__(self) -> None:
        self.reached.set()
        await self.end

    def finish(self, fault: Exception | None) -> None:
        if fault is None:
            self.end.set_result(None)
        else:
            self.end.set_exception(fault)


the_last_step = pytest.mark.parametrize(
    "fault", [None, OSError("of a stub")], ids=["ends", "fails"]
)


@the_last_step
def test_a_stop_in_the_turn_of_the_last_step_interrupts_the_start(
    io_loop: Any,
    built: Any,
    capsys: pytest.CaptureFixture[str],
    fault: Exception | None,
) -> None:
    with built() as house:

        async def scenario() -> None:
            before, last = left(), LastStep()
            house.runtime._starting = (*house.runtime._starting, last)
            starting = asyncio.gather(house.server.start())
            await last.reached.wait()
            stopping = asyncio.gather(house.server.stop())
            last.finish(fault)  # no turn of the loop between
            with pytest.raises(StartInterrupted) as interrupted:
                await starting
            await stopping
            assert interrupted.value.__cause__ is fault
            assert left() == before
            assert house.runtime.life.state is State.STOPPED

        io_loop.run_sync(scenario)
    assert ("server.start_failed" in capsys.readouterr().out) is (fault is not None)


# --- the process -----------------------------------------------------------------------------------
@contextmanager
def signals() -> Iterator[None]:
    """Give the signals back to the tests at the end."""
    before = {name: signal.getsignal(name) for name in SIGNALS}
    try:
        yield
    finally:
        for name in SIGNALS:
            asyncio.get_running_loop().remove_signal_handler(name)
            signal.signal(name, before[name])


def without_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.app.server.warm_up", lambda _pages: None)
    monkeypatch.setattr("gc.freeze", lambda: None)


def test_systemd_hears_of_a_start_that_is_interrupted_only_its_end(
    io_loop: Any, built: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_warm_up(monkeypatch)
    with built() as house:

        async def scenario() -> None:
            async with own_folder("notify") as folder:
                with systemd(f"{folder}/notify") as listening, signals():
                    gate = Gate()
                    house.runtime._starting = (*house.runtime._starting, gate)
                    notifier = Notifier(f"{folder}/notify", None)
                    process = ServerProcess(house.server, notifier)
                    starting = asyncio.gather(process.start())
                    await gate.reached.wait()
                    signal.raise_signal(signal.SIGTERM)
                    await starting
                    await process.stopped()
                    assert heard(listening) == ["STOPPING=1"]
                    notifier.close()
            assert house.runtime.life.state is State.STOPPED

        io_loop.run_sync(scenario)


@the_last_step
def test_a_process_that_is_told_to_stop_in_the_turn_of_the_last_step_ends(
    io_loop: Any, built: Any, monkeypatch: pytest.MonkeyPatch, fault: Exception | None
) -> None:
    without_warm_up(monkeypatch)
    with built() as house:

        async def scenario() -> None:
            with signals():
                before, last = left(), LastStep()
                house.runtime._starting = (*house.runtime._starting, last)
                process = ServerProcess(house.server, Notifier(None, None))
                starting = asyncio.gather(process.start())
                await last.reached.wait()
                process._asked.set()  # as SIGTERM does
                last.finish(fault)  # no turn of the loop between
                assert await starting == [False]
                await process.stopped()
                assert left() == before
            assert house.runtime.life.state is State.STOPPED

        io_loop.run_sync(scenario)


def test_systemd_hears_ready_alive_and_stopping_in_this_order(
    io_loop: Any, built: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_warm_up(monkeypatch)
    with built() as house:

        async def scenario() -> None:
            async with own_folder("notify") as folder:
                with systemd(f"{folder}/notify") as listening, signals():
                    notifier = Notifier(f"{folder}/notify", 0.03)
                    process = ServerProcess(house.server, notifier)
                    await process.start()
                    said = heard(listening)
                    assert said.count("READY=1") == 1
                    assert "watchdog" in house.server.supervisor.standings
                    said = []
                    await until(lambda: bool(said.extend(heard(listening)) or said), "alive")
                    signal.raise_signal(signal.SIGTERM)
                    await process.stopped()
                    assert "STOPPING=1" in [*said, *heard(listening)]
                    notifier.close()

        io_loop.run_sync(scenario)


@unbound
def test_a_process_whose_start_fails_hears_no_signal_and_leaves_nothing_behind(
    io_loop: Any, built: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_warm_up(monkeypatch)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with built(port=port, listen="127.0.0.1") as house:

            async def scenario() -> None:
                with signals():
                    before = left()
                    process = ServerProcess(house.server, Notifier(None, None))
                    with pytest.raises(OSError, match="in use"):
                        await process.start()
                    assert {each for each in left() - before if each.startswith("task")} == set()

            io_loop.run_sync(scenario)
