"""One-time codes on their way and signed-in browsers as rows; only hashes of what a browser holds are stored."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    Select,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)

from server.core.db.metadata import SLUG, UtcDateTime, metadata
from server.core.db.rows import insert_where
from server.core.db.sealing import by_token, everywhere
from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import NotFound
from server.identity.domain.login import LoginChallenge
from server.identity.domain.sign_in import StoredSignIn
from server.identity.store.users import users

challenges = Table(
    "login_challenge",
    metadata,
    Column("id", String(64), primary_key=True),  # SHA-256 of the browser's opaque value
    Column("user", ForeignKey("user.id")),  # NULL: unknown user or wrong password, same answers
    Column("account", String(64), nullable=False),  # throttle key of the identifier as typed
    Column("code_hash", String(64), nullable=False),
    Column("channel", SLUG, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next", String(256), nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
)

web_sessions = Table(
    "web_session",
    metadata,
    Column("id", String(64), primary_key=True),  # SHA-256 of the cookie
    Column("user", ForeignKey("user.id"), nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("seen", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Column("revoked", UtcDateTime),
)

KEPT = timedelta(hours=2)  # a code that is over is dropped long after it can decide anything

_WITH_SITE = select(web_sessions, users.c.site).join(users, users.c.id == web_sessions.c.user)


def _users_of(site: str) -> Select[tuple[str]]:
    return select(users.c.id).where(users.c.site == site)


class LoginStore:
    """Challenges and signed-in browsers. Rows are read to be changed in units of work that write: one at a time."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Work in the transaction of `uow`."""
        self._connection = uow.connection

    @by_token
    async def add_challenge(self, challenge: LoginChallenge) -> None:
        """Store a new challenge."""
        row = {
            "id": challenge.id,
            "user": challenge.user,
            "account": challenge.account,
            "code_hash": challenge.code_hash,
            "channel": challenge.channel,
            "tries": challenge.tries,
            "next": challenge.next,
            "created": challenge.created,
            "expires": challenge.expires,
        }
        await self._connection.execute(insert(challenges).values(row))

    @by_token
    async def challenge(self, id_: str) -> LoginChallenge | None:
        """Return the challenge, with the site of its user."""
        owned = challenges.outerjoin(users, users.c.id == challenges.c.user)
        query = select(challenges, users.c.site).select_from(owned).where(challenges.c.id == id_)
        row = (await self._connection.execute(query)).mappings().first()
        return LoginChallenge(**dict(row)) if row is not None else None

    @by_token
    async def save_challenge(self, challenge: LoginChallenge) -> None:
        """Save the tries; nothing else of a challenge ever changes."""
        query = (
            update(challenges).where(challenges.c.id == challenge.id).values(tries=challenge.tries)
        )
        await self._connection.execute(query)

    @by_token
    async def drop_challenge(self, id_: str) -> None:
        """Forget a challenge: a code works once."""
        await self._connection.execute(delete(challenges).where(challenges.c.id == id_))

    async def add_web_session(self, session: StoredSignIn) -> None:
        """Store a browser that signed in; NotFound when its site has no such user."""
        row = {
            "id": session.id,
            "user": session.user,
            "created": session.created,
            "seen": session.seen,
            "expires": session.expires,
            "revoked": session.revoked,
        }
        mine = _users_of(session.site).where(users.c.id == session.user).exists()
        if not await insert_where(self._connection, web_sessions, row, mine):
            raise NotFound("user")

    @by_token
    async def web_session(self, id_: str) -> StoredSignIn | None:
        """Return the signed-in browser, revoked and expired ones included, with its user's site."""
        query = _WITH_SITE.where(web_sessions.c.id == id_)
        row = (await self._connection.execute(query)).mappings().first()
        return StoredSignIn(**dict(row)) if row is not None else None

    @by_token
    async def touch(self, id_: str, seen: datetime) -> None:
        """Note activity in a session that is still in force; a revoked one stays revoked."""
        query = (
            update(web_sessions)
            .where(web_sessions.c.id == id_, web_sessions.c.revoked.is_(None))
            .values(seen=seen)
        )
        await self._connection.execute(query)

    @everywhere
    async def quiet_web_sessions_everywhere(
        self, quiet_since: datetime, now: datetime, since: datetime
    ) -> Sequence[StoredSignIn]:
        """Return those in force that were quiet since then, or whose end has come, but not before `since`."""
        query = _WITH_SITE.where(
            web_sessions.c.revoked.is_(None),
            web_sessions.c.expires >= since,
            (web_sessions.c.seen <= quiet_since) | (web_sessions.c.expires <= now),
        )
        rows = (await self._connection.execute(query)).mappings()
        return [StoredSignIn(**dict(row)) for row in rows]

    @by_token
    async def revoke(self, id_: str, at: datetime) -> None:
        """End one session; the first end stays."""
        query = (
            update(web_sessions)
            .where(web_sessions.c.id == id_, web_sessions.c.revoked.is_(None))
            .values(revoked=at)
        )
        await self._connection.execute(query)

    async def revoke_user(self, site: str, user: str, at: datetime) -> None:
        """End every session of a user of this site, and the codes on their way."""
        mine = _users_of(site).where(users.c.id == user)
        query = (
            update(web_sessions)
            .where(web_sessions.c.user.in_(mine), web_sessions.c.revoked.is_(None))
            .values(revoked=at)
        )
        await self._connection.execute(query)
        await self._connection.execute(delete(challenges).where(challenges.c.user.in_(mine)))

    @everywhere
    async def forget_everywhere(self, now: datetime) -> None:
        """Drop challenges that can no longer decide anything."""
        before = now - KEPT
        await self._connection.execute(delete(challenges).where(challenges.c.expires < before))
