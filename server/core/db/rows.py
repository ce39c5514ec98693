"""Saving an aggregate with optimistic concurrency, written once for every table that has a `version`."""

from typing import Any

from sqlalchemy import ColumnElement, Table, func, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.core.errors import Conflict


async def save_version(
    connection: AsyncConnection, table: Table, id_: str, version: int, values: dict[str, Any]
) -> int:
    """Update the row if it still has `version`; return the next version, or raise Conflict."""
    query = (
        update(table)
        .where(table.c.id == id_, table.c.version == version)
        .values(version=version + 1, **values)
    )
    result = await connection.execute(query)
    if result.rowcount != 1:
        raise Conflict(table.name)
    return version + 1


def checked(column: ColumnElement[str], site: str) -> ColumnElement[bool]:
    """Check the site of rows that are found by something else (I7).

    Written as an equality, SQLite, which keeps no statistics here, would rather walk everything of the site.
    """
    return func.coalesce(column, "") == site


def kept(text: str) -> str:
    """Make a name from outside storable: PostgreSQL takes no NUL, and a column has its width."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")[:255]
