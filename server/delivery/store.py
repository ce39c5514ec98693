"""Outgoing messages as rows: written before the answer, sent after, at least once (I3)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    func,
    insert,
    select,
)

from server.core.db.metadata import ID, SLUG, UtcDateTime, metadata
from server.core.db.rows import checked, save_version
from server.core.db.sealing import by_token, everywhere
from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import NotFound
from server.delivery.domain.messages import LONGEST_RETRY, DeliveryEvent, Message, MessageState

message = Table(
    "message",
    metadata,
    Column("id", ID, primary_key=True),
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("kind", SLUG, nullable=False),  # invitation | code | feedback
    Column("channel", SLUG, nullable=False),  # sms | email
    Column("invitation", ForeignKey("invitation.id")),
    Column("sealed", LargeBinary),  # recipient and body; NULL once erased
    Column("state", SLUG, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", UtcDateTime),
    Column("receipt_ref", String(64), nullable=False, unique=True),
    Column("carrier_ref", String(128)),
    Column("error", SLUG),
    Column("created", UtcDateTime, nullable=False),
    Column("handed", UtcDateTime),
    Column("delivered", UtcDateTime),
    Column("expires", UtcDateTime, nullable=False),
    Column("version", Integer, nullable=False),
    Column("carrier", SLUG),  # who has it, or was asked last
    # tries: carrier, outcome, at, ref
    Column("history", JSON, nullable=False, server_default="[]"),
    Column("asked", UtcDateTime),  # being handed over since then, written before the request leaves
    Column("asked_of", SLUG),  # to this carrier; smtp: the relay
    Index("ix_message_carrier", "carrier", "carrier_ref"),
    Index("ix_message_due", "state", "due"),
    Index("ix_message_invitation", "invitation"),
)

# Also what a carrier took: when its receipt is overdue, the next carrier follows.
WAITING = (MessageState.QUEUED.value, MessageState.HANDED.value, MessageState.BUFFERED.value)
RECENT = 20


class MessageStore:
    """What must leave: a row first, sent after, at least once (I3)."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Work in the transaction of `uow`."""
        self._db = uow.connection

    async def add(self, value: Message) -> None:
        """Insert a message."""
        await self._db.execute(insert(message).values(**_row(value)))

    async def get(self, site: str, id_: str) -> Message:
        """Return one message of this site or raise NotFound (I7)."""
        found = await self._load(message.c.id == id_, message.c.site == site)
        if not found:
            raise NotFound("message")
        return found[0]

    @by_token
    async def by_receipt(self, ref: str) -> Message | None:
        """Return the message a carrier's receipt speaks of."""
        found = await self._load(message.c.receipt_ref == ref)
        return found[0] if found else None

    @by_token
    async def by_carrier(self, carrier: str, ref: str) -> Message | None:
        """Return the message a carrier knows under `ref`, also when another one has followed since."""
        now = message.c.carrier == carrier
        if found := await self._load(now, message.c.carrier_ref == ref):
            return found[-1]
        followed = await self._load(
            message.c.carrier.is_not(None),
            message.c.history.cast(String).contains(json.dumps(ref), autoescape=True),
            limit=RECENT,
        )
        known = (
            m
            for m in reversed(followed)
            for h in m.history
            if h.carrier == carrier and h.ref == ref
        )
        return next(known, None)

    async def of_invitation(self, site: str, invitation: str) -> Sequence[Message]:
        """Return an invitation's messages, oldest first."""
        return await self.of_invitations(site, [invitation])

    async def of_invitations(self, site: str, invitations: Sequence[str]) -> Sequence[Message]:
        """Return the messages of several invitations, oldest first, in one query."""
        mine = checked(message.c.site, site)
        return await self._load(message.c.invitation.in_(invitations), mine, limit=None)

    @everywhere
    async def due_everywhere(
        self, now: datetime, limit: int, channel: str | None = None, beside: Sequence[str] = ()
    ) -> Sequence[Message]:
        """Return what should be sent now, oldest first, but for those `beside` that are being sent.

        Nothing queued waits longer than the longest retry: what seems to was queued before the clock went back.
        """
        queued = message.c.state == MessageState.QUEUED.value
        late = (message.c.due <= now) | (queued & (message.c.due > now + LONGEST_RETRY))
        return await self._load(*_waiting(channel, beside), late, limit=limit)

    @everywhere
    async def next_due_everywhere(
        self, channel: str | None = None, beside: Sequence[str] = ()
    ) -> datetime | None:
        """Return when the next message wants to leave."""
        query = select(func.min(message.c.due)).where(*_waiting(channel, beside))
        found: datetime | None = (await self._db.execute(query)).scalar()
        return found

    async def save(self, value: Message) -> Message:
        """Update if nobody was faster; Conflict otherwise."""
        values = _row(value)
        id_, version = values.pop("id"), values.pop("version")
        mine = message.c.site == value.site
        version = await save_version(self._db, message, id_, version, values, mine)
        return replace(value, version=version)

    async def _load(self, *where: ColumnElement[bool], limit: int | None = 200) -> list[Message]:
        query = select(message).where(*where).order_by(message.c.created).limit(limit)
        rows = (await self._db.execute(query)).mappings()
        return [_message(row) for row in rows]


def _row(value: Message) -> dict[str, Any]:
    history = [{**asdict(h), "at": h.at.isoformat()} for h in value.history]
    return {**asdict(value), "history": history}


def _message(row: Mapping[Any, Any]) -> Message:
    tries = ({**each, "at": datetime.fromisoformat(each["at"])} for each in row["history"])
    history = tuple(DeliveryEvent(**each) for each in tries)
    return Message(**{**row, "state": MessageState(row["state"]), "history": history})


def _waiting(channel: str | None, beside: Sequence[str]) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [
        message.c.state.in_(WAITING),
        message.c.id.not_in(beside),
    ]
    return where if channel is None else [*where, message.c.channel == channel]
