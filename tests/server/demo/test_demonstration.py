"""A demonstration shows codes and links to whoever opens its page: it starts nowhere where that would matter."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from server.app.settings.settings import ConfigurationError, load
from server.demo import run as demo
from server.storage import schema
from server.storage.demonstration_mark import (
    check_demonstration,
    demonstration_of,
    mark_demonstration,
)
from server.storage.engine import make_engine
from server.storage.errors import DemonstrationRefused
from tests.lab.ports import free_port, tcp_port_open
from tests.lab.process import launch, until
from tests.lab.server import ROOT, VISIO15
from tests.server.house import SECRET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.databases import Furnished

LAN = "10.99.0.1"
KANNEL = {
    "preset": "kannel",
    "name": "k",
    "username": "u",
    "password": "p",
    "url": "http://127.0.0.1:13013/cgi-bin/sendsms",
}


def problems(**given: Any) -> list[str]:
    try:
        load(secret_key=SECRET, demo=True, **given)
    except ConfigurationError as wrong:
        return wrong.problems
    return []


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"sms": {"url": "http://127.0.0.1:13013/{to}{text}"}}, "sms"),
        ({"carriers": [KANNEL]}, "carriers"),
        ({"smtp": {"host": "127.0.0.1"}}, "smtp"),
        ({"public_url": "https://visio15.chu.example"}, "public_url"),
        ({"public_url": "http://8.8.8.8:8015"}, "public_url"),
        ({"public_url": "https://[2a00:1450::1]"}, "public_url"),
        ({"spoken_address": "samu37.fr/c"}, "spoken_address"),
        ({"extra_origins": ["https://visio15.chu.example"]}, "extra_origins"),
        ({"allowed_hosts": ["visio15.chu.example"]}, "allowed_hosts"),
        ({"listen": ""}, "listen"),
        ({"listen": "0.0.0.0"}, "listen"),  # noqa: S104 - what is refused
        ({"listen": "::"}, "listen"),
        ({"listen": "8.8.8.8"}, "listen"),
        ({"trusted_proxies": ["127.0.0.1"]}, "trusted_proxies"),
    ],
)
def test_what_a_real_site_has_is_refused_with_a_demonstration(
    given: dict[str, Any], key: str
) -> None:
    [problem] = problems(**given)
    assert problem.startswith("demo: ")
    assert key in problem
    assert load(secret_key=SECRET, **given).demo is False


def test_all_is_told_at_once() -> None:
    told = problems(
        smtp={"host": "mail.chu.example"},
        carriers=[KANNEL],
        public_url="https://visio15.chu.example",
        listen="",
    )
    assert len(told) == 4


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"public_url": "http://127.0.0.1:8015"},
        {"public_url": "https://192.168.1.20:8016", "listen": "192.168.1.20"},
        {"public_url": "https://[fd00::20]:8016", "listen": "fd00::20"},
        {"public_url": "https://poste.local:8016", "allowed_hosts": ["poste"]},
    ],
)
def test_this_machine_and_its_network_are_fine(given: dict[str, Any]) -> None:
    assert problems(**given) == []


def run(*command: str, program: Sequence[str | Path] = VISIO15, **env: str) -> tuple[int, str]:
    """Run the program to its end; return its status and what it said."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("VISIO15_")}
    done = subprocess.run(
        [*program, *command],
        env={**clean, "PYTHONPATH": str(ROOT), "VISIO15_SECRET_KEY": SECRET, **env},
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def test_the_program_does_not_start_and_the_doctor_says_why() -> None:
    env = {"VISIO15_DEMO": "true", "VISIO15_PUBLIC_URL": "https://visio15.chu.example"}
    env["VISIO15_SMTP"] = '{"host": "mail.chu.example"}'
    for command, status in (("serve", 2), ("migrate", 2), ("demo", 2), ("doctor", 1)):
        code, said = run(command, **env)
        assert code == status, said
        assert "retirez smtp, ou demo = true" in said
    assert "✗ configuration : demo: " in said


def script(text: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(text), *arguments]


async def test_it_says_in_a_sentence_that_a_site_cannot_be_read(tmp_path: Path) -> None:
    made = await demo.prepare(tmp_path, 8015, None)
    engine = make_engine(made.settings.database_url)
    try:
        async with engine.begin() as connection:
            await connection.exec_driver_sql("UPDATE site SET policy = '{\"colour\": 1}'")
    finally:
        await engine.dispose()
    code, said = run("demo", "--port", str(free_port()), "--data", str(tmp_path))
    assert code == 3, said
    assert "Démarrage impossible. site_policy_unreadable" in said


UNREADABLE_KEY = """
    import asyncio, pathlib, sys
    from server.demo import run
    folder, port, address = sys.argv[1:]
    made = asyncio.run(run.prepare(pathlib.Path(folder), int(port), address))
    made.certificates.key.write_text("no key")
    sys.exit(run._serve(made))
"""


def test_it_says_in_a_sentence_that_its_certificate_cannot_be_used(tmp_path: Path) -> None:
    code, said = run(program=script(UNREADABLE_KEY, str(tmp_path), str(free_port()), LAN))
    assert code == 2, said
    assert "Démarrage impossible. certificate_unusable (key_unreadable): " in said


HELD = """
    import asyncio
    from server.app import wiring
    from server.demo.run import demo
    build = wiring.build

    async def hold():
        print("held", flush=True)
        await asyncio.Event().wait()

    def held(settings):
        server = build(settings)
        server.runtime._starting = (*server.runtime._starting, hold)
        return server

    wiring.build = held
    demo()
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
async def test_a_stop_while_it_starts_is_heard_at_once(tmp_path: Path, name: str) -> None:
    options = ["--port", str(free_port()), "--data", str(tmp_path / "d")]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("VISIO15_")}
    env = {**clean, "PYTHONPATH": str(ROOT)}
    part = launch("demo", script(HELD, *options), folder=tmp_path, env=env, cwd=ROOT)
    try:
        await until(lambda: "held" in part.output(), "it starts", explain=part.tail)
        os.kill(part.pid, signal.Signals[name])
        assert await part.wait() == 0
        said = part.output()
        assert "Arrêté." in said
        assert "Ctrl-C arrête tout" not in said
        assert "Traceback" not in said
    finally:
        await part.stop(grace=0)


def content(database: Furnished, url: str) -> str:
    """Everything that stands in the database; pg_dump puts a random word into two of its lines."""
    lines = database.databases.content(url).splitlines()
    return hashlib.sha256(b"\n".join(x for x in lines if b"restrict " not in x)).hexdigest()


def test_a_database_that_somebody_works_with_serves_no_demonstration(
    furnished_database: Furnished, tmp_path: Path
) -> None:
    with furnished_database.copied() as url:
        before = content(furnished_database, url)
        env = {"VISIO15_DATABASE": url, "VISIO15_DATA_DIR": str(tmp_path)}
        for command in (
            ("serve",),
            ("migrate",),
            ("demo", "--data", str(tmp_path / "d")),
            ("doctor",),
        ):
            given = env if command[0] == "demo" else {**env, "VISIO15_DEMO": "true"}
            code, said = run(*command, **given)
            assert code, said
            assert "Cette base n'a pas été faite par la démonstration" in said
        assert "✗ démonstration : " in said
        assert not (tmp_path / "d" / "password").exists()
        assert content(furnished_database, url) == before


async def test_a_database_is_marked_when_it_is_made_and_only_then(database_url: str) -> None:
    async with demonstration_of(database_url):
        await schema.upgrade(database_url)
    engine = make_engine(database_url)
    try:
        await check_demonstration(engine)
        async with engine.begin() as connection:
            await connection.exec_driver_sql(
                "INSERT INTO site (id, key, name, referent_email, sms_sender, policy, created)"
                " VALUES ('s', 's', 'S', 'r@s.example', 'S', '{}', '2026-03-01')"
            )
        await check_demonstration(engine)
    finally:
        await engine.dispose()


async def test_a_mark_is_needed_once_there_is_a_site(furnished_database: Furnished) -> None:
    with furnished_database.copied() as url:
        engine = make_engine(url)
        try:
            with pytest.raises(DemonstrationRefused):
                await check_demonstration(engine)
            await mark_demonstration(engine)
            await check_demonstration(engine)
        finally:
            await engine.dispose()


async def test_a_demonstration_of_an_earlier_release_goes_on(tmp_path: Path) -> None:
    made = await demo.prepare(tmp_path, 8015, None)
    engine = make_engine(made.settings.database_url)
    try:
        if engine.url.get_backend_name() == "sqlite":
            async with engine.connect() as connection:
                await connection.exec_driver_sql("PRAGMA application_id = 0")
        assert (await demo.prepare(tmp_path, 8015, None)).password == made.password
        await check_demonstration(engine)
    finally:
        await engine.dispose()


@pytest.mark.parametrize("asked", ["", "--http", "--lan"])
async def test_it_listens_on_this_machine_only_unless_asked(tmp_path: Path, asked: str) -> None:
    lan = asked == "--lan"
    port = free_port()
    options = ["--port", str(port), "--data", str(tmp_path / "d"), *([asked] if asked else [])]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("VISIO15_")}
    env = {**clean, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    part = launch("demo", [*VISIO15, "demo", *options], folder=tmp_path, env=env, cwd=ROOT)
    try:
        await until(lambda: "Ctrl-C arrête tout" in part.output(), "it runs", explain=part.tail)
        assert tcp_port_open(port)
        assert tcp_port_open(port, LAN) is lan
        assert tcp_port_open(port + 1, LAN) is lan
        assert not tcp_port_open(port, "127.0.0.9")
        assert ("--lan" in part.output()) is not lan
    finally:
        await part.stop()
