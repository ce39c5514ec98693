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
    insert,
    select,
)

from server.core.db.metadata import ID, SLUG, UtcDateTime, metadata
from server.core.db.rows import save_version
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
        """Insert a new invitation."""
        await self._db.execute(insert(invitation).values(**asdict(value)))

    async def get(self, id_: str) -> Invitation:
        """Return one invitation or raise NotFound."""
        found = await self._load(invitation.c.id == id_)
        if not found:
            raise NotFound("invitation")
        return found[0]

    async def by_token(self, token_hash: str) -> Invitation | None:
        """Return the invitation of a token."""
        found = await self._load(invitation.c.token_hash == token_hash)
        return found[0] if found else None

    async def of_session(self, session: str) -> Sequence[Invitation]:
        """Return a session's invitations, oldest first."""
        return await self._load(invitation.c.session == session)

    async def of_sessions(self, sessions: Sequence[str]) -> Sequence[Invitation]:
        """Return the invitations of several sessions, oldest first, in one query."""
        return await self._load(invitation.c.session.in_(sessions))

    async def save(self, value: Invitation) -> Invitation:
        """Update if nobody was faster; Conflict otherwise."""
        values = asdict(value)
        id_, version = values.pop("id"), values.pop("version")
        version = await save_version(self._db, invitation, id_, version, values)
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
        query = select(invitation).where(*where).order_by(invitation.c.created, invitation.c.id)
        return [Invitation(**row) for row in (await self._db.execute(query)).mappings()]
