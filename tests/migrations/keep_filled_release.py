"""Keeps a filled database of the present release: a shift of the demonstration that leaves every kind of row.

Run once at each release, before the version number changes (seven minutes):
`scripts/netns .venv/bin/python -m tests.migrations.keep_filled_release`.
Writes releases/VERSION-filled.sql.gz and releases/VERSION-filled.postgres.sql.gz, and prints what it did not reach.
Numbers are of the range reserved for fiction; `SECRET` (hospital.py) opens what is sealed.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url

from server import __version__
from tests.fakes import Gateway
from tests.lab.ports import free_port
from tests.lab.postgres import postgres
from tests.lab.process import own_folder
from tests.migrations import kinds, shift
from tests.migrations.hospital import PASSWORD, SECRET, commands, running
from tests.migrations.keep_release import FOLDER, keep


async def fill(url: str, folder: Path) -> None:
    """Play the shift on an empty database."""
    recorder = folder / "monitor"
    recorder.mkdir()
    (folder / "secret.key").write_text(SECRET)
    (folder / "password").write_text(PASSWORD)
    recordings = {
        "site": "samu37",
        "root": str(recorder),
        "prefix": f"{shift.PBX}/",
        "timezone": "UTC",
        "scan_seconds": 1,
    }
    env = {
        "VISIO15_DATA_DIR": str(folder),
        "VISIO15_DATABASE": url,
        "VISIO15_SECRET_KEY": SECRET,
        "VISIO15_DEMO": "true",
        "VISIO15_RECORDINGS": json.dumps([recordings]),
    }
    await commands(env, *shift.PREPARED)
    async with running(folder, env, demo=True) as hospital:
        await shift.day(hospital)
    alpha, beta = Gateway(), Gateway()
    alpha.start()
    beta.start()
    try:
        settings = shift.night_settings(alpha, beta, free_port())
        async with running(folder, {**env, **settings}, hospital, demo=False) as later:
            await shift.night(later, alpha, beta)
    finally:
        await alpha.stop()
        await beta.stop()
    for one in await kinds.missing(url):
        print(f"not reached: {one}")  # noqa: T201 - talks to a person


async def sqlite() -> None:
    """Fill a file and write it down."""
    async with own_folder("filled") as folder:
        url = f"sqlite+aiosqlite:///{folder}/visio15.db"
        await fill(url, folder)
        with closing(sqlite3.connect(make_url(url).database or "")) as connection:
            keep(f"{__version__}-filled.sql.gz", "\n".join(connection.iterdump()))


async def server() -> None:
    """Fill a database of a server and write it down."""
    async with postgres() as cluster, own_folder("filled") as folder:
        await fill(cluster.create("release"), folder)
        keep(f"{__version__}-filled.postgres.sql.gz", cluster.dump("release"))


async def main() -> None:
    """Fill both side by side: most of the time is waiting."""
    FOLDER.mkdir(exist_ok=True)
    async with asyncio.TaskGroup() as both:
        both.create_task(sqlite())
        both.create_task(server())


if __name__ == "__main__":
    asyncio.run(main())
