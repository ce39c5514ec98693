"""The audit chain in SQL: appended under the site's lock, never updated; personal payloads sealed beside it (I4)."""

import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.audit.domain.chain import UNREADABLE
from server.core.db.rows import checked
from server.core.entries import GENESIS, Actor, AuditEvent, AuditRow, canonical, commitment, digest
from server.core.errors import Invalid
from server.core.journal import audit, audit_payload
from server.core.sites import sites
from server.ports import Seal

SALT_BYTES = 16
BATCH = 100  # rows hashed between two turns of the event loop


def _row(row: Mapping[str, Any]) -> AuditRow:
    return AuditRow(**{column.name: row[column.name] for column in audit.columns})


class SqlAudit:
    """Implements `AuditRepository`."""

    def __init__(self, connection: AsyncConnection, seal: Seal) -> None:
        """Work on the open transaction of `connection`."""
        self._connection = connection
        self._seal = seal
        self._ends: dict[
            str, tuple[int, str]
        ] = {}  # where this transaction has put the chain's end

    async def append(self, actor: Actor, event: AuditEvent, at: datetime) -> AuditRow:
        """Put `event` at the end of the chain of the actor's site."""
        seq, prev = await self._end(actor.site)
        payload = canonical({**event.personal, "address": actor.address})
        salt = os.urandom(SALT_BYTES)
        row = AuditRow(
            site=actor.site,
            seq=seq + 1,
            at=at.astimezone(UTC),
            source=actor.source,
            action=event.action,
            subject=event.subject,
            session=event.session,
            call=event.call,
            actor=actor.user,
            data=json.loads(canonical(event.data)),
            commitment=commitment(salt, payload),
            prev=prev,
            hash="",
        )
        row = replace(row, hash=digest(row))
        values = {column.name: getattr(row, column.name) for column in audit.columns}
        await self._connection.execute(insert(audit).values(values))
        sealed = {
            "site": row.site,
            "seq": row.seq,
            "salt": salt,
            "sealed": self._seal.close(payload),
        }
        await self._connection.execute(insert(audit_payload).values(sealed))
        self._ends[row.site] = (row.seq, row.hash)
        return row

    async def _end(self, site: str) -> tuple[int, str]:
        """Return (seq, hash) of the last row; one writer at a time a site (SQLite: BEGIN IMMEDIATE has seen to it)."""
        if site in self._ends:
            return self._ends[site]
        if self._connection.dialect.name == "postgresql":
            await self._connection.execute(
                select(sites.c.id).where(sites.c.id == site).with_for_update()
            )
        query = (
            select(audit.c.seq, audit.c.hash)
            .where(audit.c.site == site)
            .order_by(audit.c.seq.desc())
            .limit(1)
        )
        last = (await self._connection.execute(query)).first()
        return (last.seq, last.hash) if last is not None else (0, GENESIS)

    async def of_session(self, site: str, session: str) -> Sequence[AuditRow]:
        """Return what happened to a session, in order."""
        return await self._of(site, audit.c.session == session)

    async def of_call(self, site: str, call: str) -> Sequence[AuditRow]:
        """Return what happened to a call, in order."""
        return await self._of(site, audit.c.call == call)

    async def _of(self, site: str, condition: ColumnElement[bool]) -> Sequence[AuditRow]:
        query = select(audit).where(checked(audit.c.site, site), condition).order_by(audit.c.seq)
        return [_row(dict(row)) for row in (await self._connection.execute(query)).mappings()]

    async def chain(self, site: str) -> AsyncIterator[AuditRow]:
        """Walk the whole chain in order, without holding it in memory."""
        async for row, _ in self.opened_chain(site):
            yield row

    async def opened_chain(
        self, site: str, first: int = 1
    ) -> AsyncIterator[tuple[AuditRow, tuple[bytes, str] | None]]:
        """Walk rows from seq `first` on with their payloads (None: erased; UNREADABLE: damaged or missing)."""
        joined = audit.outerjoin(
            audit_payload,
            and_(audit_payload.c.site == audit.c.site, audit_payload.c.seq == audit.c.seq),
        )
        query = (
            select(
                audit,
                audit_payload.c.seq.label("kept"),
                audit_payload.c.salt,
                audit_payload.c.sealed,
            )
            .select_from(joined)
            .where(audit.c.site == site, audit.c.seq >= first)
            .order_by(audit.c.seq)
        )
        result = await self._connection.stream(query)
        async for batch in result.mappings().partitions(BATCH):
            for row in batch:
                yield _row(dict(row)), self._open(row["kept"], row["salt"], row["sealed"])

    async def payload(self, site: str, seq: int) -> tuple[bytes, str] | None:
        """Return (salt, payload) of one row; None once erased, UNREADABLE when damaged or missing."""
        query = select(audit_payload.c.seq, audit_payload.c.salt, audit_payload.c.sealed).where(
            audit_payload.c.site == site, audit_payload.c.seq == seq
        )
        row = (await self._connection.execute(query)).first()
        return self._open(row.seq, row.salt, row.sealed) if row is not None else UNREADABLE

    def _open(
        self, kept: int | None, salt: bytes | None, sealed: bytes | None
    ) -> tuple[bytes, str] | None:
        if kept is not None and salt is None and sealed is None:
            return None
        if salt is None or sealed is None:
            return UNREADABLE
        try:
            return salt, self._seal.open(sealed)
        except Invalid:
            return UNREADABLE
