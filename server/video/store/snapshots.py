"""Stored pictures as rows, sealed (I4); another site's are simply not there (I7)."""

from collections.abc import Sequence

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    RowMapping,
    String,
    Table,
    insert,
    select,
)

from server.core.db.metadata import ID, UtcDateTime, metadata
from server.core.db.unit_of_work import UnitOfWork
from server.video.domain.snapshots import Snapshot
from server.video.errors import SnapshotUnknown

snapshot = Table(
    "snapshot",
    metadata,
    Column("id", ID, primary_key=True),
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("session", ForeignKey("session.id"), nullable=False),
    Column("by", ForeignKey("user.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),  # when the picture was seen, not when it came
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),  # of the JPEG as it was stored
    Column("sealed", LargeBinary),  # the JPEG as base64; NULL once erased
    Index("ix_snapshot_session", "session"),
)

_KNOWN = [column for column in snapshot.c if column.name != "sealed"]


class SnapshotStore:
    """Pictures that desks stored; a site's own only, the picture itself as base64."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Work in the transaction of `uow`."""
        self._db = uow.connection
        self._seal = uow.seal

    async def add(self, value: Snapshot, picture: str) -> None:
        """Keep one, with its picture as text."""
        row = {
            "id": value.id,
            "site": value.site,
            "session": value.session,
            "by": value.by,
            "at": value.at,
            "width": value.width,
            "height": value.height,
            "sha256": value.sha256,
            "sealed": self._seal.close(picture),
        }
        await self._db.execute(insert(snapshot).values(row))

    async def get(self, site: str, id_: str) -> tuple[Snapshot, str | None]:
        """Return one and its picture, None once erased; SnapshotUnknown for another site's."""
        query = select(snapshot).where(snapshot.c.site == site, snapshot.c.id == id_)
        row = (await self._db.execute(query)).mappings().first()
        if row is None:
            raise SnapshotUnknown
        sealed = row["sealed"]
        return _value(row, erased=sealed is None), sealed and self._seal.open(sealed)

    async def of_session(self, site: str, session: str) -> Sequence[Snapshot]:
        """Return those of one video, the oldest first, without their pictures."""
        query = (
            select(*_KNOWN, snapshot.c.sealed.is_(None).label("erased"))
            .where(snapshot.c.site == site, snapshot.c.session == session)
            .order_by(snapshot.c.at, snapshot.c.id)
        )
        rows = (await self._db.execute(query)).mappings()
        return [_value(row, erased=bool(row["erased"])) for row in rows]


def _value(row: RowMapping, *, erased: bool) -> Snapshot:
    return Snapshot(
        id=row["id"],
        site=row["site"],
        session=row["session"],
        by=row["by"],
        at=row["at"],
        width=row["width"],
        height=row["height"],
        sha256=row["sha256"],
        erased=erased,
    )
