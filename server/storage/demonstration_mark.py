"""Whether a database was made by the demonstration: it is marked when it is made, and no other may serve one.

SQLite keeps the mark in its header (application_id), PostgreSQL as a comment on a table; copies carry it along.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import inspect, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from server.core.errors import StorageUnavailable
from server.storage import schema
from server.storage.engine import make_engine
from server.storage.errors import DemonstrationRefused

APPLICATION_ID: Final = 0x56313544  # "V15D"
COMMENT: Final = "visio15 demonstration"


async def check_demonstration(engine: AsyncEngine) -> None:
    """Raise DemonstrationRefused when the database holds a site and was not made by the demonstration."""
    if not schema.exists(engine):
        return
    try:
        async with engine.connect() as connection:
            fits = await _marked(connection) or not await _holds_sites(connection)
    except (SQLAlchemyError, OSError) as fault:
        raise StorageUnavailable(type(fault).__name__) from fault
    if not fits:
        raise DemonstrationRefused


async def mark_demonstration(engine: AsyncEngine) -> None:
    """Mark a migrated database as made by the demonstration, so that it may serve one for ever."""
    async with engine.connect() as connection:
        if engine.url.get_backend_name() == "sqlite":
            await connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        else:
            await connection.execute(text(f"COMMENT ON TABLE site IS '{COMMENT}'"))
        await connection.commit()


@asynccontextmanager
async def demonstration_of(url: str, *, known: bool = False) -> AsyncIterator[None]:
    """Refuse a database that is none of the demonstration's; mark it after the body has brought it up.

    `known`: it is one, made by a release that marked none.
    """
    engine = make_engine(url)
    try:
        if not known:
            await check_demonstration(engine)
        yield
        await mark_demonstration(engine)
    finally:
        await engine.dispose()


async def _marked(connection: AsyncConnection) -> bool:
    if connection.engine.url.get_backend_name() == "sqlite":
        found = (await connection.exec_driver_sql("PRAGMA application_id")).scalar()
        return found == APPLICATION_ID
    query = text("SELECT obj_description(to_regclass('site'), 'pg_class')")
    return (await connection.execute(query)).scalar() == COMMENT


async def _holds_sites(connection: AsyncConnection) -> bool:
    tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    if "site" not in tables:
        return False
    return (await connection.execute(text("SELECT 1 FROM site LIMIT 1"))).first() is not None
