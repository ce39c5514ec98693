"""What calls were named and where they were, as rows that are only ever added: an end comes as a newer row."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, insert, select

from server.core.db.metadata import SLUG, UtcDateTime, metadata
from server.core.db.rows import kept
from server.core.db.unit_of_work import UnitOfWork
from server.line15.domain.calls import AliasRow, SpanRow, settled
from telephony import Alias, DatedAlias

call_alias = Table(
    "call_alias",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("call", ForeignKey("call.id"), nullable=False),
    Column("type", SLUG, nullable=False),
    Column("value", String(255), nullable=False),
    Column("source", SLUG, nullable=False),
    Column("why", String(255), nullable=False),
    Column("valid_from", UtcDateTime, nullable=False),
    # the end comes as a newer row of the same (type, value, source)
    Column("valid_to", UtcDateTime),
    Index("ix_call_alias_value", "site", "value"),
    Index("ix_call_alias_call", "call"),
)

call_span = Table(
    "call_span",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("call", ForeignKey("call.id"), nullable=False),
    Column("kind", SLUG, nullable=False),  # station | hold | recording | related
    Column("value", String(255), nullable=False),
    Column("start", UtcDateTime, nullable=False),
    Column("end", UtcDateTime),  # the end comes as a newer row of the same (kind, value, start)
    # of a station: ringing | talking; null: stored by 0.1, which did not tell them apart
    Column("state", String(8)),
    Index("ix_call_span_call", "call"),
    Index("ix_call_span_value", "kind", "value", "start"),
)

_STRETCH = ("kind", "value", "start")
_SPAN = (*_STRETCH, "end", "state")


class HistoryStore:
    """The names (aliases) and the stretches (spans) of calls."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Work in the transaction of `uow`."""
        self._db = uow.connection

    async def aliases(self, ids: Sequence[str]) -> list[tuple[str, AliasRow]]:
        """Return the names of these calls, each with its call's id, as they were written."""
        query = select(call_alias).where(call_alias.c.call.in_(ids)).order_by(call_alias.c.id)
        rows = (await self._db.execute(query)).mappings()
        return [
            (
                r["call"],
                AliasRow(
                    r["type"], r["value"], r["source"], r["why"], r["valid_from"], r["valid_to"]
                ),
            )
            for r in rows
        ]

    async def spans(self, ids: Sequence[str]) -> list[tuple[str, SpanRow]]:
        """Return the stretches of these calls as they are believed now, each with its call's id."""
        query = select(call_span).where(call_span.c.call.in_(ids)).order_by(call_span.c.id)
        newest: dict[str, dict[tuple[str, str, datetime], SpanRow]] = {}
        for r in (await self._db.execute(query)).mappings():
            mine = newest.setdefault(r["call"], {})
            key = (r["kind"], r["value"], r["start"])
            # The row with the end replaces its open one, and is the newest word.
            mine.pop(key, None)
            mine[key] = SpanRow(*key, r["end"], state=r["state"])
        return [(id_, span) for id_, mine in newest.items() for span in settled([*mine.values()])]

    async def add_aliases(
        self, site: str, id_: str, aliases: Iterable[DatedAlias], *, new: bool = False
    ) -> int:
        """Append the names that are not there yet, and say how many; a `new` call has none."""
        rows = () if new else await self.aliases([id_])
        known = {(r.type, r.value, r.source, r.valid_from, r.valid_to) for _, r in rows}
        fresh = [
            {
                "site": site,
                "call": id_,
                "type": r.alias.type.value,
                "value": kept(r.alias.value),
                "source": r.source,
                "why": kept(r.why),
                "valid_from": r.valid_from,
                "valid_to": r.valid_to,
            }
            for r in aliases
            if (r.alias.type.value, kept(r.alias.value), r.source, r.valid_from, r.valid_to)
            not in known
        ]
        if fresh:
            await self._db.execute(insert(call_alias), fresh)
        return len(fresh)

    async def name(
        self, site: str, id_: str, alias: Alias, source: str, why: str, at: datetime
    ) -> None:
        """Append a name that somebody told too late for the correlator; told again, it changes nothing."""
        value = kept(alias.value)
        known = {(r.type, r.value, r.source) for _, r in await self.aliases([id_])}
        if (alias.type.value, value, source) in known:
            return
        row = {"type": alias.type.value, "value": value, "source": source, "why": kept(why)}
        await self._db.execute(
            insert(call_alias).values(site=site, call=id_, valid_from=at, valid_to=None, **row)
        )

    async def inherit(self, younger: str, surviving: str) -> None:
        """Give a call the names of another one that became it."""
        query = select(call_alias).where(call_alias.c.call.in_([younger, surviving]))
        rows = (await self._db.execute(query.order_by(call_alias.c.id))).mappings().all()
        known = {(r["type"], r["value"], r["source"]) for r in rows if r["call"] == surviving}
        fresh = [
            {**{key: r[key] for key in r if key != "id"}, "call": surviving}
            for r in rows
            if r["call"] == younger and (r["type"], r["value"], r["source"]) not in known
        ]
        if fresh:
            await self._db.execute(insert(call_alias), fresh)

    async def add_spans(
        self, id_: str, wanted: Iterable[SpanRow], *, new: bool = False, whole: bool = False
    ) -> int:
        """Append the stretches that are not there yet, and say how many; a `new` call has none.

        `whole`: these are all there are, as they are now. Then one that the newest row tells otherwise is written
        again: a call that had expired goes on.
        """
        query = select(call_span).where(call_span.c.call == id_).order_by(call_span.c.id)
        rows = () if new else (await self._db.execute(query)).mappings().all()
        known = {tuple(r[each] for each in _SPAN) for r in rows}
        told = {tuple(r[each] for each in _STRETCH): tuple(r[each] for each in _SPAN) for r in rows}
        now: dict[tuple[object, ...], tuple[object, ...]] = {}
        fresh: dict[tuple[object, ...], None] = {}
        for span in wanted:
            row = tuple(getattr(span, each) for each in _SPAN)
            now[tuple(getattr(span, each) for each in _STRETCH)] = row
            if row not in known:
                fresh[row] = None
        if whole:
            fresh |= dict.fromkeys(
                row for key, row in now.items() if key in told and told[key] != row
            )
        added = [{"call": id_, **dict(zip(_SPAN, row, strict=True))} for row in fresh]
        if added:
            await self._db.execute(insert(call_span), added)
        return len(added)
