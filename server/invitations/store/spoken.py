"""Codes read aloud as rows; the digits are never stored, only a keyed hash that finds them."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)

from server.core.db.metadata import ID, UtcDateTime, metadata
from server.core.db.rows import checked
from server.core.db.sealing import by_token, everywhere
from server.core.db.unit_of_work import UnitOfWork
from server.invitations.domain.spoken import SpokenCode

spoken_code = Table(
    "spoken_code",
    metadata,
    Column("id", ID, primary_key=True),
    Column("code", String(64), nullable=False),  # keyed hash; unique among the live ones
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("session", ForeignKey("session.id"), nullable=False),
    Column("invitation", ForeignKey("invitation.id"), nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Column("used", UtcDateTime),
    Column("browser", String(64)),  # SHA-256 of the cookie of who typed it
    Column("tries", Integer, nullable=False),
    Index("ix_spoken_code_code", "code"),
    Index("ix_spoken_code_invitation", "invitation"),
    Index("ix_spoken_code_expires", "expires"),
)

KEPT = timedelta(days=1)  # a used one: what the desk shows of it


class SpokenCodeStore:
    """Codes read aloud."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Work in the transaction of `uow`."""
        self._db = uow.connection

    async def add(self, code: SpokenCode) -> None:
        """Insert a new code."""
        await self._db.execute(insert(spoken_code).values(**asdict(code)))

    async def save(self, code: SpokenCode) -> None:
        """Save when it ends, and who typed it."""
        changed = {
            "expires": code.expires,
            "used": code.used,
            "browser": code.browser,
            "tries": code.tries,
        }
        await self._db.execute(
            update(spoken_code)
            .where(spoken_code.c.id == code.id, spoken_code.c.site == code.site)
            .values(**changed)
        )

    @by_token
    async def by_hash(self, code: str) -> SpokenCode | None:
        """Return the newest code with this hash, of any site: who types it does not know his."""
        found = await self._load(spoken_code.c.code == code)
        return found[-1] if found else None

    async def of_invitations(self, site: str, invitations: Sequence[str]) -> Sequence[SpokenCode]:
        """Return the codes of several invitations, oldest first."""
        return await self._load(
            spoken_code.c.invitation.in_(invitations), checked(spoken_code.c.site, site)
        )

    @everywhere
    async def live_everywhere(self, now: datetime) -> int:
        """Count the codes that may still be typed, of all sites."""
        query = (
            select(func.count())
            .select_from(spoken_code)
            .where(spoken_code.c.expires > now, spoken_code.c.used.is_(None))
        )
        return int((await self._db.execute(query)).scalar_one())

    @everywhere
    async def expired_everywhere(self, now: datetime) -> Sequence[SpokenCode]:
        """Return the codes that nobody typed in time."""
        return await self._load(spoken_code.c.expires <= now, spoken_code.c.used.is_(None))

    async def forget(self, site: str, id_: str) -> None:
        """Drop a code: the audit knows of it."""
        mine = (spoken_code.c.id == id_, spoken_code.c.site == site)
        await self._db.execute(delete(spoken_code).where(*mine))

    @everywhere
    async def forget_everywhere(self, now: datetime) -> None:
        """Drop the codes used long ago: the audit knows of them."""
        await self._db.execute(delete(spoken_code).where(spoken_code.c.used < now - KEPT))

    async def _load(self, *where: ColumnElement[bool]) -> list[SpokenCode]:
        query = select(spoken_code).where(*where).order_by(spoken_code.c.created, spoken_code.c.id)
        return [SpokenCode(**row) for row in (await self._db.execute(query)).mappings()]
