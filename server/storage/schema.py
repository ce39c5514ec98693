"""The database's revision: read, changed by Alembic, and checked before the server starts."""

from collections.abc import Callable
from functools import cache

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from alembic import command
from server.core.errors import StorageUnavailable
from server.core.resources import root
from server.storage.database_guard import file_of
from server.storage.engine import make_engine
from server.storage.errors import SchemaMismatch
from server.storage.file_modes import close_to_others, make_private


def config() -> Config:
    """Build Alembic's configuration without its ini file, which is for developers."""
    made = Config()
    made.set_main_option("script_location", str(root() / "alembic").replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    return made


@cache
def head() -> str:
    """Return the revision this release works with; the scripts are read once, not at each look at readiness."""
    found = ScriptDirectory.from_config(config()).get_current_head()
    if found is None:
        raise SchemaMismatch("no_revision")
    return found


async def current(engine: AsyncEngine) -> str | None:
    """Return the database's revision; None when it is empty. Raises StorageUnavailable when it cannot be opened."""
    if not exists(engine):
        return None  # asking SQLite would make an empty file
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(
                lambda sync: MigrationContext.configure(sync).get_current_revision()
            )
    except DBAPIError as fault:
        raise StorageUnavailable(type(fault.orig).__name__) from fault
    except (SQLAlchemyError, OSError) as fault:
        raise StorageUnavailable(type(fault).__name__) from fault


async def check(engine: AsyncEngine) -> None:
    """Raise SchemaMismatch unless the database is at this release's revision: never work on another one."""
    found, wanted = await current(engine), head()
    if found == wanted:
        return
    if found is None:
        raise SchemaMismatch("empty")
    raise SchemaMismatch("older" if found in known() else "newer")


@cache
def known() -> frozenset[str]:
    """Return every revision this release can start from."""
    scripts = ScriptDirectory.from_config(config()).walk_revisions()
    return frozenset(script.revision for script in scripts)


async def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database up to `revision`; an SQLite file is made when there is none."""
    if file := file_of(make_url(url)):
        make_private(file)
        close_to_others(file)
    await _run(url, lambda alembic: command.upgrade(alembic, revision))


async def downgrade(url: str, revision: str) -> None:
    """Bring the database down to `revision` (`base`: empty)."""
    await _run(url, lambda alembic: command.downgrade(alembic, revision))


async def _run(url: str, step: Callable[[Config], None]) -> None:
    """Run an Alembic command on a connection of ours, so that it meets the same pragmas as the server.

    Raises StorageUnavailable when the database cannot be opened, SchemaMismatch when a later release made it.
    """

    def on(connection: Connection) -> None:
        alembic = config()
        alembic.attributes["connection"] = connection
        step(alembic)

    engine = make_engine(url)
    try:
        if await current(engine) not in {None, *known()}:
            raise SchemaMismatch("newer")
        async with engine.connect() as connection:
            await connection.run_sync(on)
    finally:
        await engine.dispose()


def exists(engine: AsyncEngine) -> bool:
    """Tell whether there is a database to ask."""
    file = file_of(engine.url)
    return file is None or file.exists()
