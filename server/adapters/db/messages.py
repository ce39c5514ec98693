"""Outgoing messages as rows: written before the answer, sent after, at least once (I3)."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime

from sqlalchemy import ColumnElement, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.adapters.db.rows import save_version
from server.adapters.db.tables import message
from server.domain.messages import LONGEST_RETRY, Delivery, Message
from server.errors import NotFound


class SqlMessages:
    """The queue of what must leave."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Use the transaction's connection."""
        self._db = connection

    async def add(self, value: Message) -> None:
        """Insert a message."""
        await self._db.execute(insert(message).values(**asdict(value)))

    async def get(self, id_: str) -> Message:
        """Return one message or raise NotFound."""
        found = await self._load(message.c.id == id_)
        if not found:
            raise NotFound("message")
        return found[0]

    async def by_receipt(self, ref: str) -> Message | None:
        """Return the message a carrier's receipt speaks of."""
        found = await self._load(message.c.receipt_ref == ref)
        return found[0] if found else None

    async def of_invitation(self, invitation: str) -> Sequence[Message]:
        """Return an invitation's messages, oldest first."""
        return await self._load(message.c.invitation == invitation)

    async def of_invitations(self, invitations: Sequence[str]) -> Sequence[Message]:
        """Return the messages of several invitations, oldest first, in one query."""
        return await self._load(message.c.invitation.in_(invitations), limit=2_000)

    async def due(
        self, now: datetime, limit: int, channel: str | None = None, beside: Sequence[str] = ()
    ) -> Sequence[Message]:
        """Return what should be sent now, oldest first, but for those `beside` that are being sent.

        Nothing waits longer than the longest retry: what seems to was queued before the clock went back.
        """
        late = (message.c.due <= now) | (message.c.due > now + LONGEST_RETRY)
        return await self._load(*_waiting(channel, beside), late, limit=limit)

    async def next_due(
        self, channel: str | None = None, beside: Sequence[str] = ()
    ) -> datetime | None:
        """Return when the next message wants to leave."""
        query = select(func.min(message.c.due)).where(*_waiting(channel, beside))
        found: datetime | None = (await self._db.execute(query)).scalar()
        return found

    async def save(self, value: Message) -> Message:
        """Update if nobody was faster; Conflict otherwise."""
        values = asdict(value)
        id_, version = values.pop("id"), values.pop("version")
        version = await save_version(self._db, message, id_, version, values)
        return replace(value, version=version)

    async def _load(self, *where: ColumnElement[bool], limit: int = 200) -> list[Message]:
        query = select(message).where(*where).order_by(message.c.created).limit(limit)
        rows = (await self._db.execute(query)).mappings()
        return [Message(**{**row, "state": Delivery(row["state"])}) for row in rows]


def _waiting(channel: str | None, beside: Sequence[str]) -> list[ColumnElement[bool]]:
    where = [message.c.state == Delivery.QUEUED.value, message.c.id.not_in(beside)]
    return where if channel is None else [*where, message.c.channel == channel]
