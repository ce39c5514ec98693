"""What the feeds said of calls, sealed and in order: a restarted server folds the same calls again."""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, insert, select

from server.core.db.metadata import ID, UtcDateTime, metadata
from server.core.db.rows import checked
from server.core.db.unit_of_work import UnitOfWork
from server.line15.store.call_tables import call
from telephony import Fact, fact_from_json, fact_to_json

call_fact = Table(
    "call_fact",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("call", ID, nullable=False),
    Column("sealed", LargeBinary),  # the fact as a feed reported it; NULL once erased
    Column("received", UtcDateTime, nullable=False),
    Index("ix_call_fact_call", "call"),
)


class FactStore:
    """The facts of calls, with the id of the call that each was folded into."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Work in the transaction of `uow`."""
        self._db = uow.connection
        self._seal = uow.seal

    async def add(self, site: str, facts: Sequence[tuple[str, Fact]], at: datetime) -> None:
        """Append facts, in order."""
        rows = [
            {
                "site": site,
                "call": call_id,
                "sealed": self._seal.close(json.dumps(fact_to_json(fact))),
                "received": at,
            }
            for call_id, fact in facts
        ]
        if rows:
            await self._db.execute(insert(call_fact), rows)

    async def of_live(self, site: str, since: datetime) -> Sequence[tuple[str, Fact]]:
        """Return the facts of calls that have not ended, with the call's id, oldest first."""
        live = select(call.c.id).where(
            call.c.site == site, call.c.ended.is_(None), call.c.started >= since
        )
        query = (
            select(call_fact.c.call, call_fact.c.sealed)
            .where(
                call_fact.c.call.in_(live),
                checked(call_fact.c.site, site),
                call_fact.c.sealed.is_not(None),
            )
            .order_by(call_fact.c.id)
        )
        rows = await self._db.execute(query)
        return [(r.call, fact_from_json(json.loads(self._seal.open(r.sealed)))) for r in rows]
