"""The real program with wrong settings and certificates, and with a right renewal: what it says and serves."""

from __future__ import annotations

import asyncio
import grp
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.lab.ports import free_port, tcp_port_open
from tests.lab.process import Part, until
from tests.lab.server import ROOT, VISIO15, visio15
from tests.server.app.runtime.test_tls import issue, served
from tests.server.app.test_health import ended, environment, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOOK = ROOT / "contrib" / "certbot-deploy-hook.sh"
WRONG = """
public_url = "visio15.example"
port = "huit mille"
grace_seconds = 1
lnik_minutes = 15

[ice]
turn = ["turn:turn.example"]

[[feeds]]
kind = "hep"
allow = ["tout le monde"]
"""


def test_a_wrong_file_is_told_whole(tmp_path: Path) -> None:
    """Every problem at once, each a sentence with its key; nothing is started, no trace is shown."""
    file = tmp_path / "visio15.toml"
    file.write_text(WRONG)
    env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "VISIO15_CONFIG": str(file)}
    for command, status in (("serve", 2), ("doctor", 1)):
        done = subprocess.run(
            [*VISIO15, command], env=env, capture_output=True, text=True, check=False, cwd=ROOT
        )
        said = done.stdout + done.stderr
        assert done.returncode == status, said
        for key in (
            *("secret_key", "public_url", "port", "grace_seconds", "lnik_minutes"),
            *("ice.turn_secret", "feeds.0.hep.site", "feeds.0.hep.allow.0"),
        ):
            [line] = [line for line in said.splitlines() if f" {key}: " in line]
            assert len(line.partition(f" {key}: ")[2].split()) >= 3, line
        assert "Traceback" not in said
        assert "tout le monde" not in said


async def secured(folder: Path) -> dict[str, str]:
    """The environment of a server that speaks TLS itself, its database made."""
    more = {"VISIO15_TLS_CERTIFICATE": f"{folder}/cert.pem", "VISIO15_TLS_KEY": f"{folder}/key.pem"}
    env = environment(folder)
    await visio15("migrate", env=env)
    return {**env, **more, "VISIO15_PUBLIC_URL": "https://visio15.example"}


@pytest.mark.parametrize("wrong", ["missing", "mismatched", "unreadable"])
async def test_it_does_not_start_with_such_a_certificate(tmp_path: Path, wrong: str) -> None:
    env = await secured(tmp_path)
    certificate, key = issue(tmp_path, "visio15.example")
    if wrong == "missing":
        key.unlink()
    elif wrong == "mismatched":
        issue(tmp_path, "visio15.example", key=False)
    else:
        certificate.write_text("-----BEGIN CERTIFICATE-----")
    status, said = await ended(serve(tmp_path, env))
    assert status == 2
    assert "tls_key" in said if wrong == "missing" else f"{certificate}" in said
    assert "Traceback" not in said


@pytest.fixture
def started() -> Iterator[list[Part]]:
    parts: list[Part] = []
    yield parts
    for part in parts:
        part.kill()


async def up(folder: Path, env: dict[str, str], started: list[Part]) -> Part:
    part = serve(folder, env)
    started.append(part)
    port = int(env["VISIO15_PORT"])
    await until(lambda: tcp_port_open(port), "it listens", explain=part.tail)
    return part


async def test_an_expired_certificate_is_served_and_told(
    tmp_path: Path, started: list[Part]
) -> None:
    """A restart at night must not end what still works: it starts, and log and doctor say why phones refuse."""
    env = await secured(tmp_path)
    issue(tmp_path, "visio15.example", days=-1)
    part = await up(tmp_path, env, started)
    assert await served(int(env["VISIO15_PORT"])) == "CN=visio15.example"
    assert '"tls.expired"' in part.output()
    told = await asyncio.to_thread(
        subprocess.run,
        [*VISIO15, "doctor"],
        env={**env, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert told.returncode == 1
    assert "✗ certificat : expiré" in told.stdout


async def test_certbot_s_hook_renews_without_a_restart(tmp_path: Path, started: list[Part]) -> None:
    """The renewed pair is put in its place, whole and closed, and the running server is told by `systemctl reload`."""
    lineage, target, programs = (tmp_path / name for name in ("live", "tls", "bin"))
    for folder in (lineage, programs):
        folder.mkdir()
    systemctl, pid = programs / "systemctl", tmp_path / "pid"
    systemctl.write_text(
        f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\ncase "$*" in\n'
        f'"is-active --quiet visio15") test -e {pid} ;;\n'
        f'"reload visio15") kill -HUP $(cat {pid}) ;;\n*) exit 3 ;;\nesac\n'
    )
    systemctl.chmod(0o755)
    run = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "RENEWED_LINEAGE": str(lineage),
        "TLS_TARGET": str(target),
        "TLS_GROUP": grp.getgrgid(os.getegid()).gr_name,
    }

    def renewed(name: str) -> None:
        for made, called in zip(issue(tmp_path, name), ("fullchain", "privkey"), strict=True):
            shutil.move(made, lineage / f"{called}.pem")
        subprocess.run([HOOK], env=run, check=True)

    await asyncio.to_thread(renewed, "first.example")
    env = await secured(tmp_path)
    env |= {
        "VISIO15_TLS_CERTIFICATE": f"{target}/fullchain.pem",
        "VISIO15_TLS_KEY": f"{target}/privkey.pem",
        "VISIO15_PORT": str(free_port()),
    }
    part = await up(tmp_path, env, started)
    pid.write_text(str(part.pid))
    port = int(env["VISIO15_PORT"])
    assert await served(port) == "CN=first.example"
    await asyncio.to_thread(renewed, "second.example")
    assert "reload visio15" in (tmp_path / "asked").read_text()
    await until(lambda: '"tls.reloaded"' in part.output(), "it is read", explain=part.tail)
    assert await served(port) == "CN=second.example"
    assert part.running
    assert sorted(file.name for file in target.iterdir()) == [
        *("fullchain.pem", "privkey.pem", "visio15.pem")
    ]
    assert {file.stat().st_mode & 0o777 for file in target.iterdir()} == {0o640}
    both = (target / "visio15.pem").read_text()
    assert both.index("BEGIN CERTIFICATE") < both.index("PRIVATE KEY")
