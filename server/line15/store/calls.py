"""Calls as rows: the state is updated, the history (aliases, spans) only ever grows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    RowMapping,
    Select,
    String,
    Table,
    insert,
    select,
    true,
    update,
)

from server.core.db.metadata import ID, SLUG, UtcDateTime, metadata
from server.core.db.rows import checked, kept
from server.core.db.unit_of_work import UnitOfWork
from server.core.personal import PersonalStore, personal
from server.line15.domain.calls import (
    CDR,
    AliasRow,
    CallHistory,
    CallSummary,
    SpanRow,
    places,
    settled,
)
from server.line15.errors import CallUnknown
from telephony import (
    Alias,
    AliasType,
    Call,
    CallState,
    DatedAlias,
)

call = Table(
    "call",
    metadata,
    Column("id", ID, primary_key=True),
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("caller", ForeignKey("personal.id")),
    Column("state", SLUG, nullable=False),
    Column("started", UtcDateTime, nullable=False),
    Column("answered", UtcDateTime),
    Column("ended", UtcDateTime),
    Column("end_certain", Boolean, nullable=False),
    Column("certain", Boolean, nullable=False),
    # False: nothing heard of it since a restart, or since a feed that told of it was lost
    Column("confirmed", Boolean, nullable=False, server_default=true()),
    Column("evidence", JSON, nullable=False),
    Column("merged_into", ID),
    Column("version", Integer, nullable=False),
    Index("ix_call_day", "site", "started"),
    Index("ix_call_caller", "caller"),
)

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

ASSERTED = "asserted"
_MERGE_DEPTH = 8
_LISTED = 50
_NAMED = 2_000  # rows of one name: a name that a faulty switchboard gives to every call ends here
_DAY = 5_000  # calls of one day, or of one number, that an auditor is shown
_LONGEST_CALL = timedelta(hours=12)
_STRETCH = ("kind", "value", "start")
_SPAN = (*_STRETCH, "end", "state")


class CallStore:
    """Logical calls as the correlator sees them, with append-only aliases and spans."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Work in the transaction of `uow`."""
        self._uow = uow
        self._db = uow.connection
        self._seal = uow.seal

    async def save(self, site: str, value: Call, at: datetime) -> str | None:
        """Write the call as the correlator sees it now; new names and spans become new rows.

        Return the state it was stored with before, None when it is new.
        """
        row = (await self._db.execute(select(call).where(call.c.id == value.id))).mappings().first()
        columns = {
            "state": value.state.value,
            "started": value.started,
            "answered": value.answered,
            "ended": value.ended,
            "end_certain": value.end_certain,
            "certain": value.certain,
            "confirmed": value.confirmed,
            "evidence": [kept(why) for why in value.evidence],
        }
        number = value.number
        if number is not None and (row is None or row["caller"] is None):
            people = PersonalStore(self._uow)
            columns["caller"] = await people.add(site, "number", number.e164, at)
        if row is None:
            await self._db.execute(
                insert(call).values(id=value.id, site=site, version=1, **columns)
            )
        else:
            await self._db.execute(
                update(call)
                .where(call.c.id == value.id)
                .values(version=row["version"] + 1, **columns)
            )
        await self._grow_aliases(site, value, new=row is None)
        await self._grow_spans(value, new=row is None)
        return None if row is None else str(row["state"])

    async def _grow_aliases(self, site: str, value: Call, *, new: bool = False) -> int:
        rows = () if new else await self._aliases([value.id])
        known = {(r.type, r.value, r.source, r.valid_from, r.valid_to) for r in rows}
        fresh = [
            {
                "site": site,
                "call": value.id,
                "type": r.alias.type.value,
                "value": kept(r.alias.value),
                "source": r.source,
                "why": kept(r.why),
                "valid_from": r.valid_from,
                "valid_to": r.valid_to,
            }
            for r in value.aliases
            if (r.alias.type.value, kept(r.alias.value), r.source, r.valid_from, r.valid_to)
            not in known
        ]
        if fresh:
            await self._db.execute(insert(call_alias), fresh)
        return len(fresh)

    async def _grow_spans(self, value: Call, *, new: bool) -> None:
        wanted = [
            *(
                SpanRow("station", s.station, s.start, s.end, state=s.state.value)
                for s in value.stations
            ),
            *(SpanRow("hold", "", s.start, s.end) for s in value.holds),
            *(SpanRow("recording", kept(s.ref), s.start, s.end) for s in value.recordings),
            *(
                SpanRow("related", kept(f"{r.call} {r.why}"), r.start or value.started, r.end)
                for r in value.related
            ),
        ]
        await self._append_spans(value.id, wanted, new=new, whole=True)

    async def _append_spans(
        self, id_: str, wanted: Iterable[SpanRow], *, new: bool = False, whole: bool = False
    ) -> int:
        """Append the stretches that are not there yet. `whole`: these are all there are, as they are now.

        Then one that the newest row tells otherwise is written again: a call that had expired goes on.
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

    async def merged(self, younger: str, surviving: str) -> None:
        """Two calls turned out to be one: the younger id leads to the survivor, which keeps its names."""
        await self._db.execute(
            update(call).where(call.c.id == younger).values(merged_into=surviving)
        )
        query = select(call_alias).where(call_alias.c.call.in_([younger, surviving]))
        rows = (await self._db.execute(query.order_by(call_alias.c.id))).mappings().all()
        known = {(r["type"], r["value"], r["source"]) for r in rows if r["call"] == surviving}
        kept = [
            {**{key: r[key] for key in r if key != "id"}, "call": surviving}
            for r in rows
            if r["call"] == younger and (r["type"], r["value"], r["source"]) not in known
        ]
        if kept:
            await self._db.execute(insert(call_alias), kept)

    async def assert_call(self, site: str, id_: str, alias: Alias, at: datetime) -> None:
        """Keep a call id that somebody gave and no feed has reported yet."""
        await self._db.execute(
            insert(call).values(
                id=id_,
                site=site,
                state=ASSERTED,
                started=at,
                end_certain=False,
                certain=False,
                confirmed=True,
                evidence=[],
                version=1,
            )
        )
        await self._db.execute(
            insert(call_alias).values(
                site=site,
                call=id_,
                type=alias.type.value,
                value=alias.value,
                source="desk",
                why="asserted",
                valid_from=at,
            )
        )

    async def name(
        self, site: str, id_: str, alias: Alias, source: str, why: str, at: datetime
    ) -> None:
        """Append a name that somebody told too late for the correlator; told again, it changes nothing."""
        value = kept(alias.value)
        known = {(r.type, r.value, r.source) for r in await self._aliases([id_])}
        if (alias.type.value, value, source) in known:
            return
        row = {"type": alias.type.value, "value": value, "source": source, "why": kept(why)}
        await self._db.execute(
            insert(call_alias).values(site=site, call=id_, valid_from=at, valid_to=None, **row)
        )

    async def get(self, site: str, id_: str) -> CallSummary:
        """Return a call of this site, following merges; CallUnknown for any other."""
        for _ in range(_MERGE_DEPTH):
            found = await self._load(call.c.id == id_, call.c.site == site)
            if not found:
                raise CallUnknown
            if found[0].merged_into is None:
                return found[0]
            id_ = found[0].merged_into
        raise CallUnknown("merge_depth")

    async def get_all(self, site: str, ids: Sequence[str]) -> dict[str, CallSummary]:
        """Return several calls of this site by the id that was asked for, following merges."""
        if not ids:
            return {}
        found = await self._load(checked(call.c.site, site), call.c.id.in_(ids), limit=None)
        return {c.id: c if c.merged_into is None else await self.get(site, c.id) for c in found}

    async def find(self, site: str, value: str) -> Sequence[CallSummary]:
        """Return the calls of this site that ever had this name, or this very id, newest first."""
        named = select(call_alias.c.call).where(
            call_alias.c.site == site, call_alias.c.value == value
        )
        newest = named.order_by(call_alias.c.id.desc()).limit(_NAMED)
        # Two steps: asked for "this id, or one of those", PostgreSQL reads every call of the site.
        ids = {value, *(await self._db.execute(newest)).scalars()}
        found = await self._load(checked(call.c.site, site), call.c.id.in_(ids))
        followed = [c if c.merged_into is None else await self.get(site, c.id) for c in found]
        return list({c.id: c for c in followed}.values())

    async def by_number(self, site: str, lookup: str) -> Sequence[CallSummary]:
        """Return the calls of a number, found by its keyed hash."""
        people = select(personal.c.id).where(personal.c.site == site, personal.c.lookup == lookup)
        return await self._load(checked(call.c.site, site), call.c.caller.in_(people), limit=_DAY)

    async def by_day(self, site: str, start: datetime, end: datetime) -> Sequence[CallSummary]:
        """Return the calls that started in [start, end)."""
        return await self._load(
            call.c.site == site,
            call.c.started >= start,
            call.c.started < end,
            call.c.merged_into.is_(None),
            limit=_DAY,
        )

    async def at_station(
        self, site: str, extension: str, since: datetime, *, ended: int = 0
    ) -> Sequence[CallSummary]:
        """Return every live call that came to this station since `since`, newest first.

        Then the `ended` calls that ended last: what is over never takes the place of what lives.
        """
        spans = select(call_span.c.call).where(
            call_span.c.kind == "station",
            call_span.c.value == extension,
            call_span.c.start >= since,
        )
        here = (checked(call.c.site, site), call.c.id.in_(spans), call.c.merged_into.is_(None))
        live = await self._load(*here, call.c.ended.is_(None), limit=None)
        if not ended:
            return live
        over = await self._load(*here, call.c.ended.is_not(None), newest=call.c.ended, limit=ended)
        return [*live, *over]

    async def around(
        self,
        site: str,
        station: str | None,
        lookups: Sequence[str],
        start: datetime,
        end: datetime,
        limit: int,
    ) -> Sequence[CallHistory]:
        """Return the calls a feed or a CDR told of that lived in [start, end], at this station or of these numbers."""
        earliest = start - _LONGEST_CALL
        there = select(call_span.c.call).where(
            call_span.c.kind.in_(["station", CDR]),
            call_span.c.value == station,
            call_span.c.start >= earliest,
            call_span.c.start <= end,
        )
        people = select(personal.c.id).where(
            personal.c.site == site, personal.c.lookup.in_(lookups)
        )
        found = await self._load(
            call.c.site == site,
            call.c.merged_into.is_(None),
            call.c.state != ASSERTED,
            call.c.started >= earliest,
            call.c.started <= end,
            call.c.ended.is_(None) | (call.c.ended >= start),
            call.c.id.in_(there) | call.c.caller.in_(people),
            limit=limit,
        )
        spans: dict[str, list[SpanRow]] = {each.id: [] for each in found}
        for id_, span in await self._spans(list(spans)):
            spans[id_].append(span)
        return [CallHistory(each, tuple(spans[each.id])) for each in found]

    async def supplement(
        self,
        call_: CallSummary,
        aliases: Sequence[AliasRow],
        spans: Sequence[SpanRow],
        at: datetime,
        number: str | None,
    ) -> bool:
        """Append names and stretches that are not there yet, and a number where there was none; say whether any was."""
        value = Call(id=call_.id, caller=None, state=CallState.ENDED, started=call_.started)
        names = tuple(
            DatedAlias(Alias(AliasType(a.type), a.value), a.source, a.valid_from, a.valid_to, a.why)
            for a in aliases
        )
        added = await self._grow_aliases(call_.site, replace(value, aliases=names))
        added += await self._append_spans(call_.id, spans)
        if number is not None and call_.number is None:
            people = PersonalStore(self._uow)
            caller = await people.add(call_.site, "number", number, at)
            done = await self._db.execute(
                update(call)
                .where(call.c.id == call_.id, call.c.caller.is_(None))
                .values(caller=caller)
            )
            added += done.rowcount
        return added > 0

    async def record(self, site: str, id_: str) -> CallHistory:
        """Return everything stored of one call, and which other calls say that they are related to it."""
        found = await self.get(site, id_)
        rows = await self._spans([found.id])
        query = (
            select(call_span.c.call, call_span.c.value)
            .join(call, call.c.id == call_span.c.call)
            .where(
                call.c.site == site,
                call_span.c.kind == "related",
                call_span.c.value.startswith(f"{found.id} ", autoescape=True),
            )
            .order_by(call_span.c.id)
        )
        naming = [(r.call, r.value.partition(" ")[2]) for r in await self._db.execute(query)]
        spans = tuple(span for _, span in rows)
        return CallHistory(found, spans, tuple(dict.fromkeys(naming)))

    async def _load(
        self,
        *where: ColumnElement[bool],
        limit: int | None = _LISTED,
        newest: Column[datetime] = call.c.started,
    ) -> list[CallSummary]:
        """Return calls, newest first; where there are more than `limit`, those that live are kept."""
        query: Select[tuple[object, ...]] = (
            select(call, personal.c.sealed.label("number"))
            .outerjoin(personal, personal.c.id == call.c.caller)
            .where(*where)
            .order_by(call.c.ended.is_not(None), newest.desc())
            .limit(limit)
        )
        found = (await self._db.execute(query)).mappings().all()
        if not found:
            return []
        rows = sorted(found, key=lambda row: row[newest.name], reverse=True)
        ids = [row["id"] for row in rows]
        aliases: dict[str, list[AliasRow]] = {}
        for id_, alias in await self._alias_rows(ids):
            aliases.setdefault(id_, []).append(alias)
        spans: dict[str, list[SpanRow]] = {}
        for id_, span in await self._spans(ids):
            if span.kind == "station":
                spans.setdefault(id_, []).append(span)
        return [self._call(row, aliases, spans) for row in rows]

    def _call(
        self,
        row: RowMapping,
        aliases: Mapping[str, list[AliasRow]],
        spans: Mapping[str, list[SpanRow]],
    ) -> CallSummary:
        return CallSummary(
            id=row["id"],
            site=row["site"],
            number=self._seal.open(row["number"]) if row["number"] else None,
            state=row["state"],
            started=row["started"],
            answered=row["answered"],
            ended=row["ended"],
            end_certain=row["end_certain"],
            certain=row["certain"],
            evidence=tuple(row["evidence"]),
            merged_into=row["merged_into"],
            aliases=_superseded(aliases.get(row["id"], [])),
            places=places(spans.get(row["id"], [])),
            confirmed=row["confirmed"],
        )

    async def _aliases(self, ids: Sequence[str]) -> list[AliasRow]:
        return [alias for _, alias in await self._alias_rows(ids)]

    async def _alias_rows(self, ids: Sequence[str]) -> list[tuple[str, AliasRow]]:
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

    async def _spans(self, ids: Sequence[str]) -> list[tuple[str, SpanRow]]:
        query = select(call_span).where(call_span.c.call.in_(ids)).order_by(call_span.c.id)
        newest: dict[str, dict[tuple[str, str, datetime], SpanRow]] = {}
        for r in (await self._db.execute(query)).mappings():
            mine = newest.setdefault(r["call"], {})
            key = (r["kind"], r["value"], r["start"])
            # The row with the end replaces its open one, and is the newest word.
            mine.pop(key, None)
            mine[key] = SpanRow(*key, r["end"], state=r["state"])
        return [(id_, span) for id_, mine in newest.items() for span in settled([*mine.values()])]


def _superseded(rows: Iterable[AliasRow]) -> tuple[AliasRow, ...]:
    """Keep the newest row of each (type, value, source): it carries the end when there is one."""
    newest: dict[tuple[str, str, str], AliasRow] = {}
    for row in rows:
        key = (row.type, row.value, row.source)
        earlier = newest.get(key)
        newest[key] = (
            row
            if earlier is None
            else replace(row, valid_from=min(earlier.valid_from, row.valid_from))
        )
    return tuple(newest.values())
