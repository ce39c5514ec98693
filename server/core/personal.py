"""Personal values, sealed and erasable (I4): everything else in the database refers to them by id."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, String, Table, insert, select, update

from server.core.db.metadata import ID, SLUG, UtcDateTime, metadata
from server.core.db.rows import checked
from server.core.db.unit_of_work import UnitOfWork
from server.core.seal import Seal
from telephony import parse_number

personal = Table(
    "personal",
    metadata,
    Column("id", ID, primary_key=True),
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("kind", SLUG, nullable=False),  # number | email | name | remark
    Column("sealed", LargeBinary),  # NULL once erased
    Column("lookup", String(64)),  # keyed hash; NULL once erased
    Column("created", UtcDateTime, nullable=False),
    Column("erased", UtcDateTime),
    Index("ix_personal_lookup", "site", "lookup"),
)


def lookup_of(seal: Seal, kind: str, value: str) -> str | None:
    """Keyed hash that finds a number (E.164) or an e-mail (lower case) again; other kinds are never searched."""
    match kind:
        case "number":
            number = parse_number(value)
            return seal.lookup(kind, number.e164 if number else value.strip())
        case "email":
            return seal.lookup(kind, value.strip().lower())
        case _:
            return None


class PersonalStore:
    """Erasable values: numbers, addresses, names, remarks."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Work in the transaction of `uow`."""
        self._connection = uow.connection
        self._seal = uow.seal

    async def add(self, site: str, kind: str, value: str, at: datetime) -> str:
        """Seal a value and return its id."""
        id_ = uuid.uuid4().hex
        row = {
            "id": id_,
            "site": site,
            "kind": kind,
            "sealed": self._seal.close(value),
            "lookup": lookup_of(self._seal, kind, value),
            "created": at,
            "erased": None,
        }
        await self._connection.execute(insert(personal).values(row))
        return id_

    async def get(self, site: str, id_: str) -> str | None:
        """Open a value; None once erased, or when this site never had one."""
        query = select(personal.c.sealed).where(personal.c.id == id_, personal.c.site == site)
        sealed = (await self._connection.execute(query)).scalar_one_or_none()
        return self._seal.open(sealed) if sealed is not None else None

    async def get_all(self, site: str, ids: Sequence[str]) -> dict[str, str | None]:
        """Open several values of a site in one query."""
        query = select(personal.c.id, personal.c.sealed).where(
            checked(personal.c.site, site), personal.c.id.in_(ids)
        )
        rows = await self._connection.execute(query)
        return {row.id: self._seal.open(row.sealed) if row.sealed else None for row in rows}

    async def erase(self, site: str, id_: str, at: datetime) -> None:
        """Erase the value and the hash that finds it; the row stays, so that references hold."""
        query = (
            update(personal)
            .where(personal.c.id == id_, personal.c.site == site, personal.c.erased.is_(None))
            .values(sealed=None, lookup=None, erased=at)
        )
        await self._connection.execute(query)
