"""What operators and machines see: alive, ready, counted; started only on the right schema, stopped in order."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sqlite3
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from server.storage import schema
from server.storage.engine import make_engine
from tests.fakes import gateway
from tests.lab.ports import free_port
from tests.lab.process import Part, launch, until
from tests.lab.server import ROOT, VISIO15, visio15
from tests.server.house import SECRET
from tests.server.running import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def house(io_loop: Any, furnished_database: Path, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


# --- alive, ready, counted -------------------------------------------------------------------------
async def test_alive_and_ready(house: Running) -> None:
    browser = house.browser()
    alive = await browser.get("/healthz")
    assert (alive.code, json.loads(alive.body)) == (200, {"status": "ok"})

    async def ready() -> bool:
        answer = await browser.get("/readyz")
        parts = {"database": True, "delivery": True, "loops": True}
        whole = {"status": "ready", "parts": parts, "away": []}
        return bool(json.loads(answer.body) == whole)

    await until(ready, "database and delivery are ready")


@pytest.mark.parametrize("revision", ["0000_other", None])
async def test_another_schema_is_not_ready(house: Running, revision: str | None) -> None:
    changed = f"UPDATE alembic_version SET version_num = '{revision}'"  # noqa: S608
    async with house.server.engine.begin() as other:
        await other.exec_driver_sql(changed if revision else "DELETE FROM alembic_version")
    with capture_logs() as logged:
        for _ in range(3):
            answer = await house.browser().get("/readyz")
            assert answer.code == 503
            assert json.loads(answer.body)["parts"]["database"] is False
    told = [line for line in logged if line["event"] == "readiness.database_away"]
    assert len(told) == 1, "why is told once an outage, however often it is asked"


async def metrics(house: Running) -> dict[str, float]:
    answer = await house.browser().get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = [line for line in answer.body.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def test_what_happens_is_counted(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    await desk.say("nonsense")
    await desk.refused("message_unknown")
    await house.invite(desk)
    await until(lambda: house.messages_counted("sms", "retried") >= 1, "a try is counted")
    await house.browser().get("/kiosk")
    found = await metrics(house)
    assert found['visio15_sockets{kind="desk"}'] == 1
    assert found['visio15_socket_messages_total{kind="desk",type="invite"}'] == 1
    assert found['visio15_refused_total{code="message_unknown"}'] == 1
    assert found['visio15_request_seconds_count{handler="Kiosk",status="302"}'] == 1
    desk.socket.close()

    async def none() -> bool:
        return (await metrics(house))['visio15_sockets{kind="desk"}'] == 0

    await until(none, "the closed socket is counted out")


async def test_a_database_that_hangs_holds_up_no_scrape(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await metrics(house))['visio15_ready{part="database"}'] == 1
    monkeypatch.setattr("server.app.runtime.scrape.SCRAPE_SECONDS", 0)
    assert (await metrics(house))['visio15_ready{part="database"}'] == 0


async def test_metrics_name_nobody(house: Running) -> None:
    browser = await house.signed_in("regulator")
    desk = await house.desk(browser)
    session = await house.invite(desk)
    [token] = await house.tokens()
    await house.tapped(token)
    await desk.say("unknown-type-jeanne")
    await desk.refused("message_unknown")
    await browser.get("/nowhere/jeanne?number=0612345678")
    text = "\n".join(await metrics(house))
    for personal in (
        token,
        session,
        browser.cookies["v15_session"],
        "12345678",
        "jeanne",
    ):
        assert personal not in text
    assert set(re.findall(r"(\w+)=\"", text)) <= {
        *("code", "handler", "status", "le", "kind", "type", "channel", "outcome"),
        *("site", "feed", "reason", "carrier", "part", "loop", "job", "why"),
    }


# --- starting --------------------------------------------------------------------------------------
def environment(folder: Path, **more: str) -> dict[str, str]:
    database = f"sqlite+aiosqlite:///{folder}/visio15.db"
    port = str(free_port())
    own = {"VISIO15_SECRET_KEY": SECRET, "VISIO15_DATABASE": database, "VISIO15_PORT": port}
    return {**own, "PATH": "/usr/bin:/bin", **more}


def serve(folder: Path, env: dict[str, str]) -> Part:
    return launch(
        "server", (*VISIO15, "serve"), folder=folder, env={**env, "PYTHONPATH": "."}, cwd=ROOT
    )


async def ended(part: Part) -> tuple[int, str]:
    try:
        return await part.wait(30), part.output()
    finally:
        part.kill()


async def test_without_a_database_it_does_not_start(tmp_path: Path) -> None:
    status, said = await ended(serve(tmp_path, environment(tmp_path)))
    assert status == 3
    assert "visio15 migrate" in said
    assert "Traceback" not in said
    assert not (tmp_path / "visio15.db").exists()


@pytest.mark.parametrize(
    ("change", "what", "todo"),
    [
        ("UPDATE alembic_version SET version_num = '9999_future'", "newer", "installez"),
        ("DROP TABLE alembic_version", "empty", "visio15 migrate"),
    ],
)
async def test_on_another_schema_it_does_not_start(
    tmp_path: Path, change: str, what: str, todo: str
) -> None:
    env = environment(tmp_path)
    await visio15("migrate", env=env)
    with sqlite3.connect(tmp_path / "visio15.db") as database:
        database.execute(change)
    database.close()
    status, said = await ended(serve(tmp_path, env))
    assert status == 3
    assert f"schema_mismatch ({what})" in said
    assert todo in said


async def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "visio15.db").write_bytes(b"this is no database" * 1_000)
    status, said = await ended(serve(tmp_path, environment(tmp_path)))
    assert status == 3
    assert "storage_unavailable" in said
    assert "Traceback" not in said


async def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    env = environment(tmp_path)
    await visio15("migrate", env=env)
    taken = await asyncio.start_server(
        lambda _r, w: w.close(), "127.0.0.1", int(env["VISIO15_PORT"])
    )
    status, said = await ended(serve(tmp_path, env))
    taken.close()
    await taken.wait_closed()
    assert status == 4
    assert env["VISIO15_PORT"] in said
    assert "Traceback" not in said


# --- stopping --------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_in_order(tmp_path: Path, name: signal.Signals) -> None:
    env = environment(tmp_path)
    await visio15("migrate", env=env)
    part = serve(tmp_path, env)
    await until(lambda: "server.started" in part.output(), "it listens", explain=part.tail)
    part.popen.send_signal(name)
    status, said = await ended(part)
    assert status == 0
    words = [json.loads(line)["event"] for line in said.splitlines() if line.startswith("{")]
    assert words[-2:] == ["server.stopping", "server.stopped"]
    assert "Traceback" not in said


async def test_a_stopping_server_tells_its_pages(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    await house.invite(desk)
    [token] = await house.tokens()
    caller = await house.caller(token, await house.tapped(token))
    stopping = asyncio.gather(house.server.stop(), desk.closed(), caller.closed())
    _, of_desk, of_caller = await stopping
    assert of_desk == of_caller == (4503, "unavailable")


async def test_what_is_on_its_way_lands_before_the_end(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with gateway() as there:
        carrier = there.carrier()
        monkeypatch.setattr(house.server.delivery._carriers, "_sms", defaultdict(lambda: carrier))
        desk = await house.desk(await house.signed_in("regulator"))
        there.answering.clear()
        await house.invite(desk)
        await until(lambda: len(there.asked) == 1, "the gateway has it")
        stopping = asyncio.gather(house.server.stop(), desk.closed())
        await until(lambda: not house.server.open_sockets.anybody, "the pages are gone")
        there.answering.set()
        await stopping
        carrier.close()
    assert await house.rows("SELECT state FROM message") == [{"state": "handed"}]


async def test_the_schema_can_be_asked_for(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite+aiosqlite:///{tmp_path}/none.db")
    assert await schema.current(engine) is None
    assert not (tmp_path / "none.db").exists()
    await engine.dispose()
