"""The audit log, appended to: under the site's lock, never updated; personal payloads sealed beside it (I4)."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    insert,
    select,
)

from server.core.audit_entries import (
    GENESIS,
    Actor,
    AuditRow,
    canonical,
    commitment,
    digest,
)
from server.core.db.metadata import ID, SLUG, UtcDateTime, metadata
from server.core.db.rows import checked
from server.core.db.unit_of_work import UnitOfWork
from server.core.journal.entries import Entry
from server.core.journal.payloads import Address
from server.core.journal.verbs import Held, Verb
from server.core.sites import sites

audit = Table(
    "audit",
    metadata,
    Column("site", ForeignKey("site.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("source", SLUG, nullable=False),  # server | desk | phone | feed | gateway | cli
    Column("action", SLUG, nullable=False),  # past tense: invitation.created
    Column("subject", String(128), nullable=False),  # kind:id
    Column("session", ID),
    Column("call", ID),
    Column("actor", ID),
    Column("data", JSON, nullable=False),  # ids, slugs, numbers of things; never personal
    Column("commitment", String(64), nullable=False),
    Column("prev", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ix_audit_session", "session"),
    Index("ix_audit_call", "call"),
)

audit_payload = Table(
    "audit_payload",
    metadata,
    Column("site", ForeignKey("site.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("salt", LargeBinary),  # NULL once erased: the commitment can no longer be guessed at
    Column("sealed", LargeBinary),  # NULL once erased
)

SALT_BYTES: Final = 16


class Journal:
    """Appends to the chain of the actor's site, in the transaction of what it tells of."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Work in the transaction of `uow`."""
        self._uow = uow

    async def append(self, actor: Actor, entry: Entry, at: datetime) -> AuditRow:
        """Put `entry` at the end of the chain of the actor's site."""
        seq, prev = await self._end(actor.site)
        payload = canonical({**entry.personal.data(), **Address(address=actor.address).data()})
        salt = os.urandom(SALT_BYTES)
        row = AuditRow(
            site=actor.site,
            seq=seq + 1,
            at=at.astimezone(UTC),
            source=actor.source,
            action=entry.verb.action,
            subject=entry.subject,
            session=entry.session,
            call=entry.call,
            actor=actor.user,
            data=json.loads(canonical(entry.payload.data())),
            commitment=commitment(salt, payload),
            prev=prev,
            hash="",
        )
        row = replace(row, hash=digest(row))
        values = {column.name: getattr(row, column.name) for column in audit.columns}
        await self._uow.connection.execute(insert(audit).values(values))
        sealed = {
            "site": row.site,
            "seq": row.seq,
            "salt": salt,
            "sealed": self._uow.seal.close(payload),
        }
        await self._uow.connection.execute(insert(audit_payload).values(sealed))
        self._uow.chain_ends[row.site] = (row.seq, row.hash)
        return row

    async def told(self, site: str, session: str, verb: Verb[Held]) -> Sequence[Held]:
        """Return what a video's rows of one verb hold, so that something can be written only once."""
        query = select(audit.c.data).where(
            checked(audit.c.site, site),
            audit.c.session == session,
            audit.c.action == verb.action,
        )
        return [verb.payload.read(one) for one in await self._uow.connection.scalars(query)]

    async def _end(self, site: str) -> tuple[int, str]:
        """Return (seq, hash) of the last row; one writer at a time a site (SQLite: BEGIN IMMEDIATE has seen to it)."""
        if site in self._uow.chain_ends:
            return self._uow.chain_ends[site]
        if self._uow.connection.dialect.name == "postgresql":
            await self._uow.connection.execute(
                select(sites.c.id).where(sites.c.id == site).with_for_update()
            )
        query = (
            select(audit.c.seq, audit.c.hash)
            .where(audit.c.site == site)
            .order_by(audit.c.seq.desc())
            .limit(1)
        )
        last = (await self._uow.connection.execute(query)).first()
        return (last.seq, last.hash) if last is not None else (0, GENESIS)
