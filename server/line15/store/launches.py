"""Launch contexts, sealed, under the hash of the opaque id that stands in the URL (I5)."""

from datetime import datetime

from sqlalchemy import (
    Column,
    ForeignKey,
    LargeBinary,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)

from server.core.db.metadata import UtcDateTime, metadata
from server.core.db.unit_of_work import UnitOfWork

launch = Table(
    "launch",
    metadata,
    Column("id", String(64), primary_key=True),  # SHA-256 of the opaque id in the URL
    Column("site", ForeignKey("site.id")),  # empty in the probe of readiness, and before 0.2
    Column("sealed", LargeBinary, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
)


class LaunchStore:
    """Launch contexts, exchanged at once for an opaque id (I5)."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Work in the transaction of `uow`."""
        self._db = uow.connection
        self._seal = uow.seal

    async def add(
        self, site: str, id_: str, context: str, created: datetime, expires: datetime
    ) -> None:
        """Keep `context` (JSON)."""
        await self._db.execute(delete(launch).where(launch.c.expires < created))
        sealed = self._seal.close(context)
        await self._db.execute(
            insert(launch).values(
                id=id_, site=site, sealed=sealed, created=created, expires=expires
            )
        )

    async def get(self, site: str, id_: str, now: datetime) -> str | None:
        """Return the context while it is fresh, and only to its site (I7)."""
        fresh = (launch.c.id == id_, launch.c.site == site, launch.c.expires > now)
        sealed = await self._db.scalar(select(launch.c.sealed).where(*fresh))
        return None if sealed is None else self._seal.open(sealed)

    async def change(self, site: str, id_: str, context: str) -> None:
        """Keep another `context` in its place."""
        sealed = self._seal.close(context)
        mine = (launch.c.id == id_, launch.c.site == site)
        await self._db.execute(update(launch).where(*mine).values(sealed=sealed))
