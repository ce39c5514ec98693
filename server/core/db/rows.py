"""Rows written and read as every store does it: of one site, and of the version that was loaded."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.core.errors import Conflict


async def save_version(
    connection: AsyncConnection,
    table: Table,
    id_: str,
    version: int,
    values: dict[str, Any],
    mine: ColumnElement[bool],
) -> int:
    """Update the row if it is of its site (`mine`) and still has `version`; return the next one, or raise Conflict."""
    query = (
        update(table)
        .where(table.c.id == id_, table.c.version == version, mine)
        .values(version=version + 1, **values)
    )
    result = await connection.execute(query)
    if result.rowcount != 1:
        raise Conflict(table.name)
    return version + 1


async def insert_where(
    connection: AsyncConnection, table: Table, row: Mapping[str, object], mine: ColumnElement[bool]
) -> bool:
    """Insert a row into a table without a site, if what it belongs to is of its site; say whether it was."""
    values = [literal(value, table.c[name].type) for name, value in row.items()]
    query = insert(table).from_select(list(row), select(*values).where(mine))
    return (await connection.execute(query)).rowcount == 1


async def insert_all_where(
    connection: AsyncConnection,
    table: Table,
    rows: Sequence[Mapping[str, object]],
    mine: ColumnElement[bool],
) -> None:
    """Insert rows with the same columns, if what they belong to is of its site."""
    if not rows:
        return
    values = [bindparam(f"new_{name}", type_=table.c[name].type) for name in rows[0]]
    query = insert(table).from_select(list(rows[0]), select(*values).where(mine))
    told = [{f"new_{name}": value for name, value in row.items()} for row in rows]
    await connection.execute(query, told)


def checked(column: ColumnElement[str], site: str) -> ColumnElement[bool]:
    """Check the site of rows that are found by something else (I7).

    With a plain equality SQLite, which keeps no statistics here, would read all rows of the site by its index.
    """
    return func.coalesce(column, "") == site


def kept(text: str) -> str:
    """Make a name from outside storable: PostgreSQL takes no NUL, and a column has its width."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")[:255]
