"""The other database: a real PostgreSQL of our own, without what makes it slow and safe on a disk."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab.ports import free_port, tcp_port_open
from tests.lab.process import Part, launch, own_folder, started, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

OWNER = "visio15"
SYSTEM_USER = "postgres"  # initdb and postgres refuse to run as root


def programs() -> Path:
    """Return the folder of the newest installed server."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda file: int(file.parts[-3])
    )
    assert found, "PostgreSQL's server is not installed: scripts/setup test"
    return found[-1].parent


@dataclass
class Postgres:
    """A running cluster; databases in it are made and dropped at will."""

    host: str
    port: int
    part: Part
    argv: list[str]
    folder: Path

    async def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Switch it off: SIGINT ("fast") writes everything down first, SIGQUIT ("immediate") is its crash."""
        self.part.popen.send_signal(how)
        await self.part.wait(30)

    async def start(self) -> None:
        """Switch it on again: same port, same data."""
        self.part = launch("postgres", self.argv, folder=self.folder)
        await until(self.ready, "PostgreSQL is back", explain=self.part.tail)

    def ready(self) -> bool:
        """Tell whether it takes connections."""
        where = ("--host", self.host, "--port", str(self.port))
        ask = [str(programs() / "pg_isready"), "--quiet", *where]
        return (
            tcp_port_open(self.port, self.host) and not subprocess.run(ask, check=False).returncode
        )

    def url(self, database: str) -> str:
        """Return the product's URL of one database."""
        return f"postgresql+asyncpg://{OWNER}@{self.host}:{self.port}/{database}"

    def sql(self, *statements: str, database: str = "postgres") -> str:
        """Run statements one by one; return what was printed, fail if one fails."""
        argv = [
            *("psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align"),
            *("--set", "ON_ERROR_STOP=1", "--host", self.host, "--port", str(self.port)),
            *("--username", OWNER, "--dbname", database),
        ]
        for statement in statements:
            argv += ["--command", statement]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def load(self, database: str, sql: str) -> None:
        """Run a script against one database."""
        argv = [
            *("psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--host", self.host),
            *("--port", str(self.port), "--username", OWNER, "--dbname", database),
        ]
        done = subprocess.run(argv, input=sql, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def dump(self, database: str) -> str:
        """Return one database as SQL."""
        argv = [
            *("pg_dump", "--inserts", "--no-owner", "--host", self.host, "--port", str(self.port)),
            *("--username", OWNER, database),
        ]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def create(self, database: str, template: str = "template0") -> str:
        """Make a database, empty or a copy, and return its URL."""
        self.sql(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def drop(self, database: str) -> None:
        """Drop a database, whoever is still connected."""
        self.sql(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')


def _as_owner() -> list[str]:
    """Return what runs a program as a user who is not root, ended by the kernel when we die."""
    argv = ["setpriv", "--pdeathsig", "QUIT"]
    if os.geteuid() == 0:
        user = pwd.getpwnam(SYSTEM_USER)
        argv += [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return argv


@asynccontextmanager
async def postgres(
    host: str = "127.0.0.1", *, port: int | None = None, durable: bool = False
) -> AsyncIterator[Postgres]:
    """Run a cluster in a folder of its own; it is gone, with its data, after the block.

    Args:
        host: where it listens.
        port: a free one unless given.
        durable: keep what makes it safe on a disk, as in production: for tests that switch it off.
    """
    port = port or free_port(host)
    async with own_folder("postgres") as folder:
        data = folder / "data"
        data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            for path in (folder, data):
                shutil.chown(path, SYSTEM_USER, SYSTEM_USER)
        make = [
            *(
                str(programs() / "initdb"),
                "--pgdata",
                str(data),
                "--username",
                OWNER,
                "--auth",
                "trust",
            ),
            *("--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"),
        ]
        subprocess.run(  # noqa: ASYNC221 - two seconds, before anything runs
            [*_as_owner(), *make], check=True, capture_output=True, cwd=folder
        )
        settings = {
            "listen_addresses": host,
            "port": str(port),
            "unix_socket_directories": str(folder),
            "shared_buffers": "32MB",
            "log_min_messages": "warning",
        }
        if not durable:
            settings |= dict.fromkeys(("fsync", "full_page_writes", "synchronous_commit"), "off")
        argv = [*_as_owner(), str(programs() / "postgres"), "-D", str(data)]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        made: list[Postgres] = []

        def ready(part: Part) -> bool:
            made[:] = [Postgres(host, port, part, argv, folder)]
            return made[0].ready()

        async with started("postgres", argv, folder=folder, ready=ready):
            [cluster] = made
            try:
                yield cluster
            finally:
                # SIGTERM would wait for whoever is connected; SIGQUIT ends its children too, at once.
                if cluster.part.running:
                    await cluster.stop(signal.SIGQUIT)
