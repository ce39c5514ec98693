"""Users as rows; two administrators never overwrite each other (`version`)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Integer, String, Table, insert, select
from sqlalchemy.exc import IntegrityError

from server.core.db.metadata import ID, SLUG, UtcDateTime, metadata
from server.core.db.rows import save_version
from server.core.db.sealing import by_token
from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import Conflict, NotFound
from server.identity.domain.access import Role
from server.identity.domain.users import User

users = Table(
    "user",
    metadata,
    Column("id", ID, primary_key=True),
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("identifier", String(64), nullable=False, unique=True),
    Column("name", String(128), nullable=False),
    Column("role", SLUG, nullable=False),
    Column("password_hash", String(256), nullable=False),
    Column("email", String(254)),
    Column("mobile", String(20)),
    Column("disabled", UtcDateTime),
    Column("version", Integer, nullable=False),
    Column("created", UtcDateTime, nullable=False),
)


def _user(row: Mapping[str, Any]) -> User:
    return User(
        id=row["id"],
        site=row["site"],
        identifier=row["identifier"],
        name=row["name"],
        role=Role(row["role"]),
        password_hash=row["password_hash"],
        email=row["email"],
        mobile=row["mobile"],
        disabled=row["disabled"],
        version=row["version"],
    )


def _values(user: User) -> dict[str, Any]:
    return {
        "site": user.site,
        "identifier": user.identifier,
        "name": user.name,
        "role": user.role.value,
        "password_hash": user.password_hash,
        "email": user.email,
        "mobile": user.mobile,
        "disabled": user.disabled,
    }


class UserStore:
    """Users of all sites; the identifier is unique."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Work in the transaction of `uow`."""
        self._connection = uow.connection

    async def get(self, site: str, id_: str) -> User:
        """Return the user; NotFound when this site has none."""
        query = select(users).where(users.c.id == id_, users.c.site == site)
        if (row := (await self._connection.execute(query)).mappings().first()) is None:
            raise NotFound("user")
        return _user(dict(row))

    @by_token
    async def by_identifier(self, identifier: str) -> User | None:
        """Return the user who signs in with this identifier, disabled or not."""
        query = select(users).where(users.c.identifier == identifier)
        row = (await self._connection.execute(query)).mappings().first()
        return _user(dict(row)) if row is not None else None

    async def of_site(self, site: str) -> Sequence[User]:
        """Return the users of a site by identifier."""
        query = select(users).where(users.c.site == site).order_by(users.c.identifier)
        return [_user(dict(row)) for row in (await self._connection.execute(query)).mappings()]

    async def add(self, user: User, created: datetime) -> None:
        """Add a user; Conflict when the identifier is taken, on any site."""
        row = {"id": user.id, "version": user.version, "created": created, **_values(user)}
        try:
            await self._connection.execute(insert(users).values(row))
        except IntegrityError as taken:
            raise Conflict("user_identifier") from taken

    async def save(self, user: User) -> User:
        """Save over the version that was loaded; Conflict when another writer was first."""
        values, mine = _values(user), users.c.site == user.site
        version = await save_version(self._connection, users, user.id, user.version, values, mine)
        return replace(user, version=version)
