"""What calls were named and where they were, as rows that are only ever added: an end comes as a newer row."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, select

from server.core.db.rows import checked, insert_all_where, insert_where, kept
from server.core.db.unit_of_work import UnitOfWork
from server.line15.domain.calls import AliasRow, SpanRow, settled
from server.line15.errors import CallUnknown
from server.line15.store.call_tables import call, call_alias, call_span
from telephony import Alias, DatedAlias

_STRETCH = ("kind", "value", "start")
_SPAN = (*_STRETCH, "end", "state")


def _is_of(site: str, id_: str) -> ColumnElement[bool]:
    return select(call.c.id).where(call.c.id == id_, call.c.site == site).exists()


class HistoryStore:
    """The names (aliases) and the stretches (spans) of calls."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Work in the transaction of `uow`."""
        self._db = uow.connection

    async def aliases(self, site: str, ids: Sequence[str]) -> list[tuple[str, AliasRow]]:
        """Return the names of these calls, each with its call's id, as they were written."""
        mine = (call_alias.c.call.in_(ids), checked(call_alias.c.site, site))
        query = select(call_alias).where(*mine).order_by(call_alias.c.id)
        rows = (await self._db.execute(query)).mappings()
        return [
            (
                r["call"],
                AliasRow(
                    type=r["type"],
                    value=r["value"],
                    source=r["source"],
                    why=r["why"],
                    valid_from=r["valid_from"],
                    valid_to=r["valid_to"],
                ),
            )
            for r in rows
        ]

    async def spans(self, site: str, ids: Sequence[str]) -> list[tuple[str, SpanRow]]:
        """Return the stretches of these calls as they are believed now, each with its call's id."""
        query = (
            select(call_span)
            .join(call, call.c.id == call_span.c.call)
            .where(call_span.c.call.in_(ids), checked(call.c.site, site))
            .order_by(call_span.c.id)
        )
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
        rows = () if new else await self.aliases(site, [id_])
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
        await insert_all_where(self._db, call_alias, fresh, _is_of(site, id_))
        return len(fresh)

    async def name(
        self, site: str, id_: str, alias: Alias, source: str, why: str, at: datetime
    ) -> None:
        """Append a name that somebody told too late for the correlator; told again, it changes nothing.

        CallUnknown when this site has no such call.
        """
        value = kept(alias.value)
        known = {(r.type, r.value, r.source) for _, r in await self.aliases(site, [id_])}
        if (alias.type.value, value, source) in known:
            return
        row = {
            "site": site,
            "call": id_,
            "type": alias.type.value,
            "value": value,
            "source": source,
            "why": kept(why),
            "valid_from": at,
            "valid_to": None,
        }
        if not await insert_where(self._db, call_alias, row, _is_of(site, id_)):
            raise CallUnknown

    async def inherit(self, site: str, younger: str, surviving: str) -> None:
        """Give a call the names of another one that became it."""
        mine = (call_alias.c.call.in_([younger, surviving]), checked(call_alias.c.site, site))
        query = select(call_alias).where(*mine)
        rows = (await self._db.execute(query.order_by(call_alias.c.id))).mappings().all()
        known = {(r["type"], r["value"], r["source"]) for r in rows if r["call"] == surviving}
        fresh = [
            {**{key: r[key] for key in r if key != "id"}, "call": surviving}
            for r in rows
            if r["call"] == younger and (r["type"], r["value"], r["source"]) not in known
        ]
        await insert_all_where(self._db, call_alias, fresh, _is_of(site, surviving))

    async def add_spans(
        self,
        site: str,
        id_: str,
        wanted: Iterable[SpanRow],
        *,
        new: bool = False,
        whole: bool = False,
    ) -> int:
        """Append the stretches that are not there yet, and say how many; a `new` call has none.

        CallUnknown when this site has no such call. `whole`: these are all there are, as they are now. Then one that
        the newest row tells otherwise is written again: a call that had expired goes on.
        """
        rows = () if new else await self._written(site, id_)
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
        await insert_all_where(self._db, call_span, added, _is_of(site, id_))
        return len(added)

    async def _written(self, site: str, id_: str) -> Sequence[RowMapping]:
        query = (
            select(call.c.id.label("of"), call_span)
            .outerjoin(call_span, call_span.c.call == call.c.id)
            .where(call.c.id == id_, call.c.site == site)
            .order_by(call_span.c.id)
        )
        rows = (await self._db.execute(query)).mappings().all()
        if not rows:
            raise CallUnknown
        return [row for row in rows if row["id"] is not None]
