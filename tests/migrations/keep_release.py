"""Keeps a small database of the present release, for the next releases to be upgraded from.

Run once at each release, before the version number changes: `.venv/bin/python -m tests.migrations.keep_release`.
Writes releases/VERSION.sql.gz (SQLite) and releases/VERSION.postgres.sql.gz; files kept earlier are never made again.
`tests.migrations.keep_filled_release` keeps one with every kind of row.
"""

from __future__ import annotations

import asyncio
import gzip
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url

from server import __version__
from server.app.settings.settings import Settings
from server.app.wiring import build
from server.storage import schema
from tests.lab.postgres import postgres
from tests.server.house import PASSWORD, SECRET, FakeClock, House, a_call, a_video

FOLDER = Path(__file__).with_name("releases")


async def fill(url: str, folder: Path) -> None:
    """Two sites with people, a call with its names, a linked and an unlinked video, messages, audit rows."""
    await schema.upgrade(url)
    clock = FakeClock()
    house = House(build(Settings(data_dir=folder, database=url, secret_key=SECRET), clock), clock)
    await house.furnish()
    await a_call(house)
    await a_video(house)
    await a_video(house, id_="video2", call=None)
    await a_call(house, "montagne", "call2")
    await a_video(house, "montagne", "video3", "call2")
    for identifier in ("regulator", "nobody"):
        await house.login.request_code(identifier, PASSWORD, "email", "192.0.2.9", None)
    await house.server.engine.dispose()


def keep(name: str, sql: str) -> None:
    """Write one file, the same bytes for the same text."""
    file = FOLDER / name
    with file.open("xb") as raw, gzip.GzipFile("", "wb", mtime=0, fileobj=raw) as packed:
        packed.write(sql.encode())
    print(f"{file}: {file.stat().st_size} bytes")  # noqa: T201 - talks to a person


async def main() -> None:
    """Fill one database of each kind and write it down."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{folder}/visio15.db"
        await fill(url, Path(folder))
        with closing(sqlite3.connect(make_url(url).database or "")) as connection:
            keep(f"{__version__}.sql.gz", "\n".join(connection.iterdump()))
        async with postgres() as cluster:
            await fill(cluster.create("release"), Path(folder))
            keep(f"{__version__}.postgres.sql.gz", cluster.dump("release"))


if __name__ == "__main__":
    asyncio.run(main())
