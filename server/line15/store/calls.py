"""Calls as rows: their state, which is updated; what they were named and where they were stands in history.py."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    ColumnElement,
    RowMapping,
    Select,
    insert,
    select,
    update,
)

from server.core.db.rows import checked, kept
from server.core.db.unit_of_work import UnitOfWork
from server.core.personal import PersonalStore, personal
from server.line15.domain.calls import CDR, AliasRow, CallHistory, CallSummary, SpanRow, places
from server.line15.errors import CallUnknown
from server.line15.store.call_tables import call, call_alias, call_span
from server.line15.store.history import HistoryStore
from telephony import Alias, AliasType, Call, DatedAlias

ASSERTED = "asserted"
_MERGE_DEPTH = 8
_LISTED = 50
_NAMED = 2_000  # rows of one name: a name that a faulty switchboard gives to every call ends here
_DAY = 5_000  # calls of one day, or of one number, that an auditor is shown
_LONGEST_CALL = timedelta(hours=12)


class CallStore:
    """Logical calls as the correlator sees them, read with their history."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Work in the transaction of `uow`."""
        self._uow = uow
        self._db = uow.connection
        self._seal = uow.seal
        self._history = HistoryStore(uow)

    async def save(self, site: str, value: Call, at: datetime) -> str | None:
        """Write the call as the correlator sees it now; new names and spans become new rows.

        Return the state it was stored with before, None when it is new.
        """
        mine = (call.c.id == value.id, call.c.site == site)
        row = (await self._db.execute(select(call).where(*mine))).mappings().first()
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
                update(call).where(*mine).values(version=row["version"] + 1, **columns)
            )
        await self._history.add_aliases(site, value.id, value.aliases, new=row is None)
        await self._history.add_spans(site, value.id, _spans(value), new=row is None, whole=True)
        return None if row is None else str(row["state"])

    async def merged(self, site: str, younger: str, surviving: str) -> None:
        """Two calls turned out to be one: the younger id leads to the survivor, which keeps its names."""
        await self._db.execute(
            update(call)
            .where(call.c.id == younger, call.c.site == site)
            .values(merged_into=surviving)
        )
        await self._history.inherit(site, younger, surviving)

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
        asserted = DatedAlias(
            alias=alias, source="desk", valid_from=at, valid_to=None, why="asserted"
        )
        await self._history.add_aliases(site, id_, [asserted], new=True)

    async def get(self, site: str, id_: str) -> CallSummary:
        """Return a call of this site, following merges; CallUnknown for any other."""
        for _ in range(_MERGE_DEPTH):
            found = await self._load(site, call.c.id == id_, call.c.site == site)
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
        found = await self._load(site, checked(call.c.site, site), call.c.id.in_(ids), limit=None)
        return {c.id: c if c.merged_into is None else await self.get(site, c.id) for c in found}

    async def find(self, site: str, value: str) -> Sequence[CallSummary]:
        """Return the calls of this site that ever had this name, or this very id, newest first."""
        named = select(call_alias.c.call).where(
            call_alias.c.site == site, call_alias.c.value == value
        )
        newest = named.order_by(call_alias.c.id.desc()).limit(_NAMED)
        # Two steps: asked for "this id, or one of those", PostgreSQL reads every call of the site.
        ids = {value, *(await self._db.execute(newest)).scalars()}
        found = await self._load(site, checked(call.c.site, site), call.c.id.in_(ids))
        followed = [c if c.merged_into is None else await self.get(site, c.id) for c in found]
        return list({c.id: c for c in followed}.values())

    async def by_number(self, site: str, lookup: str) -> Sequence[CallSummary]:
        """Return the calls of a number, found by its keyed hash."""
        people = select(personal.c.id).where(personal.c.site == site, personal.c.lookup == lookup)
        return await self._load(
            site, checked(call.c.site, site), call.c.caller.in_(people), limit=_DAY
        )

    async def by_day(self, site: str, start: datetime, end: datetime) -> Sequence[CallSummary]:
        """Return the calls that started in [start, end)."""
        return await self._load(
            site,
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
        live = await self._load(site, *here, call.c.ended.is_(None), limit=None)
        if not ended:
            return live
        over = await self._load(
            site, *here, call.c.ended.is_not(None), newest=call.c.ended, limit=ended
        )
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
            site,
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
        for id_, span in await self._history.spans(site, list(spans)):
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
        names = [
            DatedAlias(
                alias=Alias(AliasType(a.type), a.value),
                source=a.source,
                valid_from=a.valid_from,
                valid_to=a.valid_to,
                why=a.why,
            )
            for a in aliases
        ]
        added = await self._history.add_aliases(call_.site, call_.id, names)
        added += await self._history.add_spans(call_.site, call_.id, spans)
        if number is not None and call_.number is None:
            people = PersonalStore(self._uow)
            caller = await people.add(call_.site, "number", number, at)
            done = await self._db.execute(
                update(call)
                .where(call.c.id == call_.id, call.c.site == call_.site, call.c.caller.is_(None))
                .values(caller=caller)
            )
            added += done.rowcount
        return added > 0

    async def record(self, site: str, id_: str) -> CallHistory:
        """Return everything stored of one call, and which other calls say that they are related to it."""
        found = await self.get(site, id_)
        rows = await self._history.spans(site, [found.id])
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
        site: str,
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
        for id_, alias in await self._history.aliases(site, ids):
            aliases.setdefault(id_, []).append(alias)
        spans: dict[str, list[SpanRow]] = {}
        for id_, span in await self._history.spans(site, ids):
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


def _spans(value: Call) -> list[SpanRow]:
    """Write the stretches of a call as the correlator sees it now."""
    return [
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
