"""The audit chain, read: rows in order, and their payloads opened (I4); server/core/journal/append.py appends."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, select

from server.audit.domain.chain import UNREADABLE
from server.core.audit_entries import AuditRow
from server.core.db.rows import checked
from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import Invalid
from server.core.journal.append import audit, audit_payload

BATCH = 100  # rows hashed between two turns of the event loop


def _row(row: Mapping[str, Any]) -> AuditRow:
    return AuditRow(**{column.name: row[column.name] for column in audit.columns})


class AuditStore:
    """The chained log of one site, read."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Work in the transaction of `uow`."""
        self._connection = uow.connection
        self._seal = uow.seal

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
