"""References to recordings as rows: the path is sealed, for names of files hold numbers (I4)."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import (
    Column,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    RowMapping,
    String,
    Table,
    UniqueConstraint,
    func,
    insert,
    or_,
    select,
    update,
)

from server.core.db.metadata import ID, SLUG, UtcDateTime, metadata
from server.core.db.rows import kept
from server.core.db.sealing import everywhere
from server.core.db.unit_of_work import UnitOfWork
from server.core.sites import sites
from server.line15.store.call_tables import call
from server.recordings.domain.recordings import Recording, RecordingCertainty, RecordingStatus
from server.recordings.errors import RecordingUnknown

recording = Table(
    "recording",
    metadata,
    Column("id", ID, primary_key=True),
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("call", ForeignKey("call.id"), nullable=False),
    Column("source", SLUG, nullable=False),
    Column("key", String(64), nullable=False),  # keyed hash of the path: names hold numbers
    Column("sealed", LargeBinary),  # the path as the recorder calls it; NULL once erased
    Column("started", UtcDateTime, nullable=False),
    Column("stopped", UtcDateTime),
    Column("seconds", Float),  # how long the file sounds
    Column("slack", Float, nullable=False),  # by how many seconds the times may be wrong
    Column("sureness", SLUG, nullable=False),  # certain | inferred | offered | withdrawn
    Column("why", String(255), nullable=False),
    Column("status", SLUG, nullable=False),  # present | missing | unknown
    Column("since", UtcDateTime),
    Column("checked", UtcDateTime),
    Column("created", UtcDateTime, nullable=False),
    UniqueConstraint("site", "key", "call"),
    Index("ix_recording_call", "call"),
    Index("ix_recording_checked", "checked"),
)

_MERGE_DEPTH = 8


class RecordingStore:
    """References to the audio of calls; a site's own only."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Work in the transaction of `uow`."""
        self._db = uow.connection
        self._seal = uow.seal

    async def get(self, site: str, id_: str) -> Recording:
        """Return one; RecordingUnknown for another site's (I7)."""
        found = await self._load(recording.c.site == site, recording.c.id == id_)
        if not found:
            raise RecordingUnknown
        return found[0]

    async def of_call(self, site: str, call: str) -> Sequence[Recording]:
        """Return those of a call and of the calls it swallowed, each file once, the first to begin first."""
        calls = await self._with_swallowed(site, call)
        found = await self._load(recording.c.site == site, recording.c.call.in_(calls))
        # The survivor's own word on a file outweighs that of a call it swallowed.
        mine = sorted(found, key=lambda one: (one.call == call, one.started))
        once = {one.key: one for one in mine}
        return sorted(once.values(), key=lambda one: one.started)

    async def of_key(self, site: str, key: str) -> Sequence[Recording]:
        """Return what is known of one file."""
        return await self._load(recording.c.site == site, recording.c.key == key)

    async def add(self, value: Recording, at: datetime) -> None:
        """Keep a new one."""
        row = {"id": value.id, "site": value.site, "call": value.call, "key": value.key}
        sealed = None if value.ref is None else self._seal.close(value.ref)
        await self._db.execute(
            insert(recording).values(**row, sealed=sealed, created=at, **_columns(value))
        )

    async def save(self, value: Recording) -> None:
        """Write what became of one; its call and its file stay."""
        await self._db.execute(
            update(recording)
            .where(recording.c.id == value.id, recording.c.site == value.site)
            .values(**_columns(value))
        )

    @everywhere
    async def longest_unchecked_everywhere(
        self, before: datetime, limit: int
    ) -> Sequence[Recording]:
        """Return those of every site to look at next: never looked at, then the longest ago."""
        due = or_(recording.c.checked.is_(None), recording.c.checked < before)
        query = (
            select(recording)
            .where(due, recording.c.sealed.is_not(None))
            .order_by(recording.c.checked.is_not(None), recording.c.checked)
            .limit(limit)
        )
        return [self._value(row) for row in (await self._db.execute(query)).mappings()]

    @everywhere
    async def counts_everywhere(self) -> Mapping[tuple[str, str], int]:
        """Return how many files each site (by key) has in each status."""
        query = (
            select(sites.c.key, recording.c.status, func.count(recording.c.key.distinct()))
            .join(sites, sites.c.id == recording.c.site)
            .where(
                recording.c.sureness != RecordingCertainty.WITHDRAWN.value,
                recording.c.sealed.is_not(None),
            )
            .group_by(sites.c.key, recording.c.status)
        )
        return {(key, status): count for key, status, count in await self._db.execute(query)}

    async def _with_swallowed(self, site: str, id_: str) -> set[str]:
        calls = {id_}
        for _ in range(_MERGE_DEPTH):
            query = select(call.c.id).where(call.c.site == site, call.c.merged_into.in_(calls))
            found = {*(await self._db.execute(query)).scalars()} - calls
            if not found:
                break
            calls |= found
        return calls

    async def _load(self, *where: ColumnElement[bool]) -> list[Recording]:
        query = select(recording).where(*where).order_by(recording.c.started, recording.c.id)
        return [self._value(row) for row in (await self._db.execute(query)).mappings()]

    def _value(self, row: RowMapping) -> Recording:
        return Recording(
            id=row["id"],
            site=row["site"],
            call=row["call"],
            source=row["source"],
            key=row["key"],
            ref=None if row["sealed"] is None else self._seal.open(row["sealed"]),
            started=row["started"],
            stopped=row["stopped"],
            seconds=row["seconds"],
            slack=row["slack"],
            sureness=RecordingCertainty(row["sureness"]),
            why=row["why"],
            status=RecordingStatus(row["status"]),
            since=row["since"],
            checked=row["checked"],
        )


def _columns(value: Recording) -> dict[str, object]:
    return {
        "source": value.source,
        "started": value.started,
        "stopped": value.stopped,
        "seconds": value.seconds,
        "slack": value.slack,
        "sureness": value.sureness.value,
        "why": kept(value.why),
        "status": value.status.value,
        "since": value.since,
        "checked": value.checked,
    }
