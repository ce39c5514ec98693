"""Observers as rows; the token itself is never stored, only its SHA-256 (I5)."""

from collections.abc import Sequence
from dataclasses import asdict, replace

from sqlalchemy import (
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    insert,
    select,
)

from server.core.db.metadata import ID, SLUG, UtcDateTime, metadata
from server.core.db.rows import checked, save_version
from server.core.db.sealing import by_token
from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import NotFound
from server.observers.domain import Observer

observer = Table(
    "observer",
    metadata,
    Column("id", ID, primary_key=True),
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("session", ForeignKey("session.id"), nullable=False),
    Column("invited_by", ForeignKey("user.id"), nullable=False),
    Column("command", String(64), nullable=False),  # a repeated command is the same observer
    Column("channel", SLUG, nullable=False),
    Column("name", ForeignKey("personal.id"), nullable=False),
    Column("contact", ForeignKey("personal.id"), nullable=False),
    Column("message", ForeignKey("message.id"), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Column("joined", UtcDateTime),  # the first tap
    Column("browser_hash", String(64)),
    Column("removed", UtcDateTime),
    Column("version", Integer, nullable=False),
    UniqueConstraint("site", "invited_by", "command"),
    Index("ix_observer_session", "session"),
)


class ObserverStore:
    """Who else was invited to look."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Work in the transaction of `uow`."""
        self._db = uow.connection

    async def add(self, value: Observer) -> None:
        """Insert a new observer."""
        await self._db.execute(insert(observer).values(**asdict(value)))

    async def get(self, site: str, id_: str) -> Observer:
        """Return one observer of this site or raise NotFound (I7)."""
        found = await self._load(observer.c.id == id_, observer.c.site == site)
        if not found:
            raise NotFound("observer")
        return found[0]

    @by_token
    async def by_token(self, token_hash: str) -> Observer | None:
        """Return the observer of a token."""
        found = await self._load(observer.c.token_hash == token_hash)
        return found[0] if found else None

    async def by_command(self, site: str, user: str, command: str) -> Observer | None:
        """Return the observer a repeated command already invited."""
        found = await self._load(
            observer.c.site == site, observer.c.invited_by == user, observer.c.command == command
        )
        return found[0] if found else None

    async def of_sessions(self, site: str, sessions: Sequence[str]) -> Sequence[Observer]:
        """Return the observers of several sessions, oldest first."""
        return await self._load(checked(observer.c.site, site), observer.c.session.in_(sessions))

    async def save(self, value: Observer) -> Observer:
        """Update if nobody was faster; Conflict otherwise."""
        values = asdict(value)
        id_, version = values.pop("id"), values.pop("version")
        mine = observer.c.site == value.site
        version = await save_version(self._db, observer, id_, version, values, mine)
        return replace(value, version=version)

    async def _load(self, *where: ColumnElement[bool]) -> list[Observer]:
        query = select(observer).where(*where).order_by(observer.c.created, observer.c.id)
        return [Observer(**row) for row in (await self._db.execute(query)).mappings()]
