"""Secrets shared with call-centre software, sealed; a retired one keeps its row and loses its value."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import (
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    insert,
    select,
    update,
)

from server.core.db.metadata import ID, UtcDateTime, metadata
from server.core.db.unit_of_work import UnitOfWork
from server.line15.domain.signing import SiteSecret

site_secret = Table(
    "site_secret",
    metadata,
    Column("id", ID, primary_key=True),  # the key id (kid)
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("sealed", LargeBinary),  # NULL once retired
    Column("created", UtcDateTime, nullable=False),
    Column("retired", UtcDateTime),
    Index("ix_site_secret_site", "site"),
)


class SecretStore:
    """Secrets a site shares with its call-centre software; newest first."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Work in the transaction of `uow`."""
        self._connection = uow.connection
        self._seal = uow.seal

    async def active(self, site: str) -> Sequence[SiteSecret]:
        """Return those that may sign."""
        return await self._load(site_secret.c.site == site, site_secret.c.retired.is_(None))

    async def all(self, site: str) -> Sequence[SiteSecret]:
        """Return every one there ever was."""
        return await self._load(site_secret.c.site == site)

    async def _load(self, *where: ColumnElement[bool]) -> list[SiteSecret]:
        query = select(site_secret).where(*where)
        query = query.order_by(site_secret.c.created.desc(), site_secret.c.id)
        rows = (await self._connection.execute(query)).mappings()
        return [
            SiteSecret(
                id=row["id"],
                site=row["site"],
                value=self._seal.open(row["sealed"]) if row["sealed"] else None,
                created=row["created"],
                retired=row["retired"],
            )
            for row in rows
        ]

    async def add(self, secret: SiteSecret) -> None:
        """Keep a new secret."""
        row = {
            "id": secret.id,
            "site": secret.site,
            "sealed": self._seal.close(secret.value or ""),
            "created": secret.created,
            "retired": secret.retired,
        }
        await self._connection.execute(insert(site_secret).values(row))

    async def retire(self, site: str, id_: str, at: datetime) -> None:
        """Let it sign nothing more."""
        query = update(site_secret).where(site_secret.c.site == site, site_secret.c.id == id_)
        await self._connection.execute(query.values(retired=at, sealed=None))
