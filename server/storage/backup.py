"""Copies of the whole database that can be trusted, taken while the server works, and put back.

SQLite through its online backup API, PostgreSQL through pg_dump and pg_restore. A copy is of one moment: its audit
chain is a beginning of the live one. Putting back never destroys what is there before the copy proved readable.
"""

import asyncio
import os
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Final

from sqlalchemy import inspect, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from server.core.errors import AppError, Conflict, Invalid, StorageUnavailable
from server.core.journal.append import audit
from server.core.sites import sites
from server.storage import schema
from server.storage.engine import make_engine
from server.storage.file_modes import OWN_FOLDER, make_private

SQLITE_MAGIC: Final = b"SQLite format 3\0"
POSTGRES_MAGIC: Final = b"PGDMP"
FORMER: Final = "visio15_former"  # PostgreSQL: what was there, until the copy proved whole
Heads = Mapping[str, tuple[int, str]]


class BackupRefused(Invalid):
    """A copy cannot be made or put back; nothing was changed. Facts: what its sentence at the shell names."""

    code = "backup_refused"


async def backup(url: str, file: Path) -> Heads:
    """Write a copy to `file`, which must not exist; return the copy's audit head (seq, hash) of each site key."""
    if await asyncio.to_thread(file.exists):
        raise BackupRefused("exists", file=file)
    part = file.with_name(f".{file.name}.partial")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
        heads = await (_backup_sqlite if _is_sqlite(url) else _backup_postgres)(url, part)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.rename(file)
    except OSError as fault:
        raise BackupRefused("file", file=file, why=fault.strerror or fault) from fault
    finally:
        part.unlink(missing_ok=True)
    return heads


@asynccontextmanager
async def restored(url: str, file: Path, *, force: bool) -> AsyncIterator[str]:
    """Put the copy back; the body checks it at the URL it is given, and when it raises nothing has changed.

    Raises BackupRefused when the target holds anything (unless `force`), or when the file is not a copy of this kind
    of database, or of a schema this release does not know.
    """
    _check_kind(url, file)
    if not force and await _tables(url):
        raise BackupRefused("not_empty")
    restore = _restored_sqlite if _is_sqlite(url) else _restored_postgres
    async with restore(url, file) as staged:
        yield staged


def _is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def _check_kind(url: str, file: Path) -> None:
    try:
        with file.open("rb") as copy:
            start = copy.read(len(SQLITE_MAGIC))
    except OSError as fault:
        raise BackupRefused("file", file=file, why=fault.strerror) from fault
    magic = SQLITE_MAGIC if _is_sqlite(url) else POSTGRES_MAGIC
    if not start.startswith(magic):
        raise BackupRefused("other_kind", file=file)


async def _tables(url: str) -> list[str]:
    engine = make_engine(url)
    try:
        if await schema.current(engine) is None and not schema.exists(engine):
            return []
        async with engine.connect() as connection:
            return await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    finally:
        await engine.dispose()


async def _heads(connection: AsyncConnection) -> Heads:
    heads: dict[str, tuple[int, str]] = {}
    for one in (await connection.execute(select(sites.c.id, sites.c.key))).all():
        last = (
            select(audit.c.seq, audit.c.hash)
            .where(audit.c.site == one.id)
            .order_by(audit.c.seq.desc())
            .limit(1)
        )
        if found := (await connection.execute(last)).first():
            heads[one.key] = (found.seq, found.hash)
    return heads


async def _to_this_release(url: str) -> None:
    """Bring a copy of an earlier release to this one's schema; refuse any other."""
    engine = make_engine(url)
    try:
        found = await schema.current(engine)
    finally:
        await engine.dispose()
    if found not in schema.known():
        raise BackupRefused("schema", found=found or "absent")
    await schema.upgrade(url)


# --- SQLite
def _sqlite_file(url: str) -> Path:
    return Path(make_url(url).database or "")


def _sqlite_url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file.absolute()}"


def _copy_sqlite(source: Path, target: Path) -> None:
    """Copy through the online API: all pages of one moment, whoever writes meanwhile."""
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as live,
            closing(sqlite3.connect(target, timeout=30)) as copy,
        ):
            live.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
            (sound,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as fault:
        raise StorageUnavailable(f"{type(fault).__name__}: {fault}") from fault
    if sound != "ok":
        raise BackupRefused("damaged", file=source, why=sound)


async def _backup_sqlite(url: str, file: Path) -> Heads:
    source = _sqlite_file(url)
    if not source.exists():
        raise BackupRefused("absent", file=source)
    await asyncio.to_thread(_copy_sqlite, source, file)
    engine = make_engine(_sqlite_url(file))
    try:
        async with engine.connect() as connection:
            heads = await _heads(connection)
            await connection.rollback()
            await connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
    finally:
        await engine.dispose()
    return heads


@asynccontextmanager
async def _restored_sqlite(url: str, file: Path) -> AsyncIterator[str]:
    target = _sqlite_file(url)
    target.parent.mkdir(parents=True, exist_ok=True, mode=OWN_FOLDER)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=target.parent) as folder:
        staged = Path(folder) / "visio15.db"
        await asyncio.to_thread(_copy_sqlite, file, staged)
        staged_url = _sqlite_url(staged)
        await _to_this_release(staged_url)
        yield staged_url
        make_private(target)
        # Into the database, not over its file: its -wal is never mixed with other pages, its owner stays.
        await asyncio.to_thread(_copy_sqlite, staged, target)


# --- PostgreSQL
def _client(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise BackupRefused("no_client", program=name)
    return found


def _environment(url: URL) -> dict[str, str]:
    """Connection as libpq reads it; a password never stands in the arguments, which others can read."""
    host = url.host or url.query.get("host")
    values = {
        "PGHOST": host,
        "PGPORT": str(url.port) if url.port else url.query.get("port"),
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        "PGSSLMODE": url.query.get("ssl") or url.query.get("sslmode"),
    }
    ours = {name: str(value) for name, value in values.items() if value}
    return {**os.environ, **ours, "PGAPPNAME": "visio15 backup"}


async def _run(url: str, name: str, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        _client(name),
        *arguments,
        env=_environment(make_url(url)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await process.communicate()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    if process.returncode:
        last = err.decode(errors="replace").strip().splitlines()[-1:]
        raise StorageUnavailable(f"{name}: {''.join(last) or process.returncode}")
    return out.decode(errors="replace")


async def _backup_postgres(url: str, file: Path) -> Heads:
    """Dump the very moment whose heads are read: the snapshot is exported to pg_dump."""
    _client("pg_dump")
    engine = make_engine(url)
    try:
        async with engine.connect() as connection:
            await connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            snapshot = (await connection.execute(text("SELECT pg_export_snapshot()"))).scalar_one()
            heads = await _heads(connection)
            options = ("--format=custom", "--no-owner", "--no-privileges", "--schema=public")
            await _run(url, "pg_dump", *options, f"--snapshot={snapshot}", f"--file={file}")
    finally:
        await engine.dispose()
    return heads


@asynccontextmanager
async def _restored_postgres(url: str, file: Path) -> AsyncIterator[str]:
    """Put what is there aside under another name; it is dropped when the copy proved whole, else it comes back."""
    _client("pg_restore")
    engine = make_engine(url)
    try:
        await _statements(engine, f"ALTER SCHEMA public RENAME TO {FORMER}", "CREATE SCHEMA public")
        try:
            options = ("--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error")
            await _load(url, file, options)
            await _to_this_release(url)
            yield url
        except BaseException:
            await _statements(
                engine, "DROP SCHEMA public CASCADE", f"ALTER SCHEMA {FORMER} RENAME TO public"
            )
            raise
        await _statements(engine, f"DROP SCHEMA {FORMER} CASCADE")
    finally:
        await engine.dispose()


async def _load(url: str, file: Path, options: Sequence[str]) -> None:
    name = make_url(url).database or ""
    await _run(url, "pg_restore", *options, "--schema=public", f"--dbname={name}", str(file))


async def _statements(engine: AsyncEngine, *statements: str) -> None:
    try:
        async with engine.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))
    except AppError:
        raise
    except Exception as fault:
        state = getattr(getattr(fault, "orig", fault), "sqlstate", "")
        if state == "42P06":  # duplicate_schema: an earlier restore was killed half-way
            raise Conflict("former_schema", schema=FORMER) from fault
        raise StorageUnavailable(f"{type(fault).__name__} {state}".strip()) from fault
