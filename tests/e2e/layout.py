"""Who works where: sites, stations and people, made through the command line once and copied for each house."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab.server import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COMMANDS = (sys.executable, "-m", "tests.e2e.commands")
PASSWORD = "une phrase assez longue 15"


@dataclass(frozen=True)
class Samu:
    """One site: its stations (extension, name, flags) and its people (identifier, role)."""

    key: str
    name: str
    stations: tuple[tuple[str, ...], ...]
    people: tuple[tuple[str, str], ...]

    @property
    def referent(self) -> str:
        return f"referent@{self.key}.example"

    def mailbox(self, identifier: str) -> str:
        return f"{identifier}@{self.key}.example"


SAMU37 = Samu(
    "samu37",
    "SAMU 37",
    (
        ("1601", "Poste médecin 1", "--webcam"),
        ("1602", "Poste médecin 2"),
        ("1501", "Poste ARM"),
    ),
    (
        ("regulateur", "regulator"),
        ("arm", "arm"),
        ("auditeur", "auditor"),
        ("admin", "admin"),
        ("referent", "referent"),
    ),
)
SAMU45 = Samu(
    "samu45",
    "SAMU 45",
    # On purpose the same extension as at the other site: a number of a station means nothing without its site.
    (("1601", "Poste médecin d'Orléans"), ("4502", "Poste ARM d'Orléans")),
    (("regulateur45", "regulator"), ("auditeur45", "auditor")),
)

_furnished: dict[tuple[Samu, ...], Path] = {}


async def furnish(
    env: Mapping[str, str], folder: Path, samus: Sequence[Samu], *, copied: bool = True
) -> None:
    """Give a new house its database: made by an administrator's commands the first time, copied afterwards.

    One that is no file (`copied` False) is made each time.
    """
    wanted = tuple(samus)
    if not copied:
        await _make(env, wanted)
        return
    if wanted not in _furnished:
        known = Path(tempfile.mkdtemp(prefix="v15-furnished-", dir="/tmp"))
        atexit.register(shutil.rmtree, known, ignore_errors=True)
        begun = max((one for one in _furnished if wanted[: len(one)] == one), key=len, default=())
        if begun:
            shutil.copytree(_furnished[begun], known, dirs_exist_ok=True)
        await _make({**env, "VISIO15_DATA_DIR": str(known)}, wanted[len(begun) :])
        _furnished[wanted] = known
    shutil.copytree(_furnished[wanted], folder, dirs_exist_ok=True)


async def _make(env: Mapping[str, str], samus: Sequence[Samu]) -> None:
    commands: list[tuple[tuple[str, ...], str]] = [(("migrate",), "")]
    for samu in samus:
        referent, sender = ("--referent", samu.referent), ("--sms-sender", samu.key.upper())
        commands.append((("site", "add", samu.key, samu.name, *referent, *sender), ""))
        commands += [(("station", "add", samu.key, *station), "") for station in samu.stations]
        for identifier, role in samu.people:
            who = ("--name", f"Dr {identifier.title()}", "--email", samu.mailbox(identifier))
            add = ("user", "add", identifier, "--site", samu.key, "--role", role, *who)
            commands.append(((*add, "--password-stdin"), PASSWORD + "\n"))
    process = await asyncio.create_subprocess_exec(
        *COMMANDS,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        cwd=ROOT,
    )
    said, _ = await process.communicate(json.dumps(commands).encode())
    assert process.returncode == 0, said.decode(errors="replace")
