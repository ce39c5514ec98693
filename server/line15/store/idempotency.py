"""Nonces, signed messages and answers, durable: a restart forgets none of them."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import JSON, Column, ForeignKey, Index, String, Table, delete, insert, select
from sqlalchemy.exc import IntegrityError

from server.core.db.metadata import SLUG, UtcDateTime, metadata
from server.core.db.unit_of_work import UnitOfWork
from server.line15.errors import WebhookBodyConflict

used_once = Table(
    "used_once",
    metadata,
    Column("site", ForeignKey("site.id"), primary_key=True),
    Column("kind", SLUG, primary_key=True),  # launch: nonces | webhook: signed messages | command
    Column("key", String(64), primary_key=True),
    Column("owner", String(64), nullable=False),  # who used it: only they may come again
    Column("expires", UtcDateTime, nullable=False),
    Index("ix_used_once_expires", "expires"),
)

webhook_answer = Table(
    "webhook_answer",
    metadata,
    Column("site", ForeignKey("site.id"), primary_key=True),
    Column("key", String(64), primary_key=True),  # SHA-256 of the Idempotency-Key
    Column("body", String(64), nullable=False),  # SHA-256 of the body it came with
    Column("answer", JSON, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Index("ix_webhook_answer_expires", "expires"),
)


class OnceStore:
    """What may be used once, and answers that are given again: signed requests are never believed twice."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Work in the transaction of `uow`."""
        self._connection = uow.connection

    async def owner(self, site: str, kind: str, key: str, now: datetime) -> str | None:
        """Return who used this; None when nobody did."""
        query = select(used_once.c.owner).where(
            used_once.c.site == site,
            used_once.c.kind == kind,
            used_once.c.key == key,
            used_once.c.expires > now,
        )
        found: str | None = (await self._connection.execute(query)).scalar()
        return found

    async def claim(
        self, site: str, kind: str, key: str, owner: str, now: datetime, expires: datetime
    ) -> str:
        """Use it, or return who was first."""
        await self._connection.execute(delete(used_once).where(used_once.c.expires <= now))
        first = await self.owner(site, kind, key, now)
        if first is not None:
            return first
        row = {"site": site, "kind": kind, "key": key, "owner": owner, "expires": expires}
        try:
            async with self._connection.begin_nested():
                await self._connection.execute(insert(used_once).values(row))
        except IntegrityError:  # another writer, on a database that lets two write at once
            return await self.owner(site, kind, key, now) or ""
        return owner

    async def answer(
        self, site: str, key: str, now: datetime
    ) -> tuple[str, Mapping[str, object]] | None:
        """Return the body's hash and the answer it got."""
        query = select(webhook_answer.c.body, webhook_answer.c.answer).where(
            webhook_answer.c.site == site,
            webhook_answer.c.key == key,
            webhook_answer.c.expires > now,
        )
        row = (await self._connection.execute(query)).first()
        return None if row is None else (row.body, dict(row.answer))

    async def keep_answer(
        self,
        site: str,
        key: str,
        body: str,
        answer: Mapping[str, object],
        now: datetime,
        expires: datetime,
    ) -> None:
        """Keep what was answered; the first answer stays. WebhookBodyConflict when it was for another body."""
        await self._connection.execute(
            delete(webhook_answer).where(webhook_answer.c.expires <= now)
        )
        if (known := await self.answer(site, key, now)) is None:
            row = {"site": site, "key": key, "body": body, "answer": answer, "expires": expires}
            try:
                async with self._connection.begin_nested():
                    await self._connection.execute(insert(webhook_answer).values(row))
            except IntegrityError:  # as above
                known = await self.answer(site, key, now)
        if known is not None and known[0] != body:
            raise WebhookBodyConflict
