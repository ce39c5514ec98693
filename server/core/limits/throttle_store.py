"""Counted tries as rows, by keyed hash: nobody reads from them who tried (I4)."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Column, Integer, String, Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from server.core.db.metadata import UtcDateTime, metadata
from server.core.db.sealing import by_token, everywhere
from server.core.db.unit_of_work import UnitOfWork
from server.core.limits.throttle import Throttle

throttles = Table(
    "throttle",
    metadata,
    Column("key", String(64), primary_key=True),  # keyed hash of account or address
    Column("count", Integer, nullable=False),
    Column("window_start", UtcDateTime, nullable=False),
    Column("blocked_until", UtcDateTime),
)

#: The longest count runs an hour, and a block ends an hour after it began.
KEPT: Final = timedelta(hours=2)


class ThrottleStore:
    """Throttles by key, read to be changed in units of work that write: one at a time."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Work in the transaction of `uow`."""
        self._connection = uow.connection

    @by_token
    async def get(self, key: str) -> Throttle | None:
        """Return the failures counted under `key`."""
        query = select(throttles).where(throttles.c.key == key)
        row = (await self._connection.execute(query)).mappings().first()
        return Throttle(**dict(row)) if row is not None else None

    @by_token
    async def save(self, throttle: Throttle) -> None:
        """Insert or replace: two first failures at once must not collide."""
        changed = {
            "count": throttle.count,
            "window_start": throttle.window_start,
            "blocked_until": throttle.blocked_until,
        }
        if self._connection.dialect.name == "postgresql":
            await self._connection.execute(
                postgresql.insert(throttles)
                .values(key=throttle.key, **changed)
                .on_conflict_do_update(index_elements=["key"], set_=changed)
            )
            return
        await self._connection.execute(
            sqlite.insert(throttles)
            .values(key=throttle.key, **changed)
            .on_conflict_do_update(index_elements=["key"], set_=changed)
        )

    @everywhere
    async def forget_everywhere(self, now: datetime) -> None:
        """Drop those that can no longer decide anything."""
        before = now - KEPT
        await self._connection.execute(
            delete(throttles).where(
                throttles.c.window_start < before,
                throttles.c.blocked_until.is_(None) | (throttles.c.blocked_until < before),
            )
        )
