"""Runs migrations on the connection the product hands over, or, for developers, on VISIO15_DATABASE_URL."""

import asyncio
import os
from typing import Any, Literal

from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, func, select

from alembic import context
from server.app.all_tables import metadata
from server.core.db.metadata import UtcDateTime
from server.storage.engine import make_engine
from server.storage.transactions import WRITERS


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Write our column type as the plain one it is stored as: old migrations do not import today's code."""
    del autogen
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def migrate(connection: Connection) -> None:
    """Run the migrations in one transaction: a migration that fails half-way leaves nothing behind.

    SQLite changes a table by copying it, so foreign keys sleep meanwhile and are checked before the end.
    """
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    if connection.dialect.name == "postgresql":
        # The writers' turn, so that nobody writes meanwhile and two migrations queue; a copy of a table takes its time.
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.execute(select(func.pg_advisory_xact_lock(WRITERS)))
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=sqlite,
        render_item=render_item,
    )
    with context.begin_transaction():
        context.run_migrations()
    if sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        raise RuntimeError("this migration would break a foreign key")
    connection.commit()
    if sqlite:
        connection.exec_driver_sql("PRAGMA foreign_keys=ON")


async def online(url: str) -> None:
    """Open a connection of our own."""
    engine = make_engine(url)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
    finally:
        await engine.dispose()


def main() -> None:
    """Use the connection that was handed over; else open one."""
    handed: Connection | None = context.config.attributes.get("connection")
    if handed is not None:
        migrate(handed)
        return
    default = "sqlite+aiosqlite:///var/visio15.db"
    url = os.environ.get("VISIO15_DATABASE_URL") or os.environ.get("VISIO15_DATABASE") or default
    asyncio.run(online(url))


if context.is_offline_mode():
    message = "migrations need a connection: SQLite changes tables by copying them"
    raise SystemExit(message)
main()
