"""Invitations as rows; the token itself is never stored, only its SHA-256 (I5)."""

from collections.abc import Sequence
from dataclasses import asdict, replace

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    select,
)

from server.core.db.metadata import ID, SLUG, UtcDateTime, metadata
from server.core.db.rows import checked, insert_where, save_version
from server.core.db.sealing import by_token
from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import NotFound
from server.core.personal import personal
from server.invitations.domain.invitation import Invitation
from server.video.domain.session import Session
from server.video.store.sessions import SessionStore, session

invitation = Table(
    "invitation",
    metadata,
    Column("id", ID, primary_key=True),
    Column("session", ForeignKey("session.id"), nullable=False),
    Column("channel", SLUG, nullable=False),
    Column("contact", ForeignKey("personal.id")),  # NULL: a code read aloud
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Column("opened", UtcDateTime),
    Column("tapped", UtcDateTime),
    Column("browser_hash", String(64)),
    Column("active", Boolean, nullable=False),  # False: the session moved to another token
    Column("revoked", UtcDateTime),
    Column("version", Integer, nullable=False),
    Index("ix_invitation_session", "session"),
)

MOST_RUNNING = 100  # sessions with a link to one contact; nobody has so many open


class InvitationStore:
    """Links sent to phones."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Work in the transaction of `uow`."""
        self._uow = uow
        self._db = uow.connection

    async def add(self, value: Invitation) -> None:
        """Insert a new invitation; NotFound when its site has no such session."""
        row = asdict(value)
        mine = select(session.c.id).where(
            session.c.id == value.session, session.c.site == row.pop("site")
        )
        if not await insert_where(self._db, invitation, row, mine.exists()):
            raise NotFound("session")

    async def get(self, site: str, id_: str) -> Invitation:
        """Return one invitation of this site or raise NotFound (I7)."""
        found = await self._load(invitation.c.id == id_, checked(session.c.site, site))
        if not found:
            raise NotFound("invitation")
        return found[0]

    @by_token
    async def by_token(self, token_hash: str) -> Invitation | None:
        """Return the invitation of a token."""
        found = await self._load(invitation.c.token_hash == token_hash)
        return found[0] if found else None

    async def of_session(self, site: str, session: str) -> Sequence[Invitation]:
        """Return a session's invitations, oldest first."""
        return await self.of_sessions(site, [session])

    async def of_sessions(self, site: str, sessions: Sequence[str]) -> Sequence[Invitation]:
        """Return the invitations of several sessions, oldest first, in one query."""
        return await self._load(invitation.c.session.in_(sessions), checked(session.c.site, site))

    async def save(self, value: Invitation) -> Invitation:
        """Update if nobody was faster; Conflict otherwise."""
        values = asdict(value)
        id_, version = values.pop("id"), values.pop("version")
        mine = select(session.c.id).where(
            session.c.id == invitation.c.session, session.c.site == values.pop("site")
        )
        version = await save_version(self._db, invitation, id_, version, values, mine.exists())
        return replace(value, version=version)

    async def sessions(self, site: str, lookups: Sequence[str]) -> Sequence[Session]:
        """Return the open sessions with a link, not revoked, to one of these contacts, newest first."""
        sent = (
            select(invitation.c.id)
            .join(personal, personal.c.id == invitation.c.contact)
            .where(
                invitation.c.session == session.c.id,
                invitation.c.revoked.is_(None),
                personal.c.lookup.in_(lookups),
            )
        )
        return await SessionStore(self._uow).open_where(site, sent.exists(), MOST_RUNNING)

    async def _load(self, *where: ColumnElement[bool]) -> list[Invitation]:
        owned = select(invitation, session.c.site).join(
            session, session.c.id == invitation.c.session
        )
        query = owned.where(*where).order_by(invitation.c.created, invitation.c.id)
        return [Invitation(**row) for row in (await self._db.execute(query)).mappings()]
