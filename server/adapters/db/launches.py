"""Launch contexts, sealed, under the hash of the opaque id that stands in the URL (I5)."""

from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.adapters.db.tables import launch
from server.ports import Seal


class SqlLaunches:
    """Short-lived; expired ones are dropped by the next insert."""

    def __init__(self, connection: AsyncConnection, seal: Seal) -> None:
        """Use the transaction's connection."""
        self._db = connection
        self._seal = seal

    async def add(self, id_: str, context: str, created: datetime, expires: datetime) -> None:
        """Keep `context` (JSON)."""
        await self._db.execute(delete(launch).where(launch.c.expires < created))
        sealed = self._seal.close(context)
        await self._db.execute(
            insert(launch).values(id=id_, sealed=sealed, created=created, expires=expires)
        )

    async def get(self, id_: str, now: datetime, site: str) -> str | None:
        """Return the context while it is fresh, and only to the site that asked first (I7)."""
        fresh = (launch.c.id == id_, launch.c.expires > now)
        row = (await self._db.execute(select(launch.c.sealed, launch.c.site).where(*fresh))).first()
        if row is None or row.site not in {None, site}:
            return None
        if row.site is None:
            await self._db.execute(update(launch).where(launch.c.id == id_).values(site=site))
        return self._seal.open(row.sealed)
