"""Video sessions and their links to calls; a link is appended, never changed (I2)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    UniqueConstraint,
    func,
    insert,
    or_,
    select,
)

from server.core.db.metadata import ID, SLUG, UtcDateTime, metadata
from server.core.db.rows import checked, insert_where, save_version
from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import NotFound
from server.line15.domain.call_links import CallLink, Certainty, Evidence
from server.video.domain.session import Session, SessionState

session = Table(
    "session",
    metadata,
    Column("id", ID, primary_key=True),
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("station", String(32)),
    Column("created_by", ForeignKey("user.id"), nullable=False),
    Column("command", String(64), nullable=False),  # a repeated command is the same session
    Column("state", SLUG, nullable=False),
    Column("marks", JSON, nullable=False),  # first time of each step
    Column("camera", SLUG),
    Column("language", SLUG),
    Column("created", UtcDateTime, nullable=False),
    Column("changed", UtcDateTime, nullable=False),
    Column("ended", UtcDateTime),
    Column("ended_by", SLUG),
    Column("end_reason", SLUG),
    Column("offered_to", String(32)),  # the station it is offered to, by hand
    Column("offered_by", ForeignKey("user.id")),
    Column("handed", UtcDateTime),  # when a station took it: `station` is the one that has it now
    Column("version", Integer, nullable=False),
    UniqueConstraint("site", "created_by", "command"),
    Index("ix_session_station", "site", "station", "created"),
    Index("ix_session_period", "site", "created"),
    Index("ix_session_state", "state"),
)

session_link = Table(
    "session_link",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("session", ForeignKey("session.id"), nullable=False),
    Column("call", ForeignKey("call.id")),
    Column("certainty", SLUG, nullable=False),  # certain | inferred | unlinked
    Column("evidence", SLUG, nullable=False),
    Column("actor", ID),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_session_link_session", "session"),
    Index("ix_session_link_call", "call"),
)

# Named one by one: "not ended" would read every session there ever was, every five seconds.
OPEN = tuple(state.value for state in SessionState if state is not SessionState.ENDED)
ENDED_FOLLOWED = 10  # ended sessions of a desk's calls that are shown there
ENDED_OF_CALL = 200  # ended sessions of one call: a name typed by hand for every video ends here
LIVE = (SessionState.LIVE.value, SessionState.INTERRUPTED.value)


class SessionStore:
    """Video sessions and their links to calls (append-only), of one site (I7)."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Work in the transaction of `uow`."""
        self._db = uow.connection

    async def add(self, value: Session) -> None:
        """Insert a new session."""
        await self._db.execute(
            insert(session).values(
                id=value.id,
                site=value.site,
                created_by=value.created_by,
                command=value.command,
                created=value.created,
                version=value.version,
                **_values(value),
            )
        )

    async def get(self, site: str, id_: str) -> Session:
        """Return one session of this site or raise NotFound (I7)."""
        found = await self._load(session.c.id == id_, session.c.site == site)
        if not found:
            raise NotFound("session")
        return found[0]

    async def by_command(self, site: str, user: str, command: str) -> Session | None:
        """Return the session a repeated command already made."""
        found = await self._load(
            session.c.site == site, session.c.created_by == user, session.c.command == command
        )
        return found[0] if found else None

    async def save(self, value: Session) -> Session:
        """Update if nobody was faster; Conflict otherwise."""
        values, mine = _values(value), session.c.site == value.site
        version = await save_version(self._db, session, value.id, value.version, values, mine)
        return replace(value, version=version)

    async def at_station(self, site: str, extension: str, limit: int) -> Sequence[Session]:
        """Return a station's open sessions and the newest `limit` of the others, newest first."""
        # Open ones are found by their state: by their station, all that it ever had would be read.
        live = (checked(session.c.site, site), checked(session.c.station, extension))
        over = (session.c.site == site, session.c.station == extension)
        return await self._live_and_ended(live, over, limit)

    async def recent(
        self, site: str, extension: str, user: str, since: datetime, limit: int
    ) -> Sequence[Session]:
        """Return the sessions of a station or of a user since `since`, newest first; `limit` bounds the ended."""
        theirs = or_(session.c.station == extension, session.c.created_by == user)
        period = (session.c.site == site, session.c.created >= since, theirs)
        return await self._live_and_ended(period, period, limit)

    async def of_call(self, site: str, call: str) -> Sequence[Session]:
        """Return the sessions that are or were linked to this call, newest first."""
        linked = select(session_link.c.session).where(session_link.c.call == call)
        theirs = (checked(session.c.site, site), session.c.id.in_(linked))
        return await self._live_and_ended(theirs, theirs, ENDED_OF_CALL)

    async def linked_to(self, site: str, calls: Sequence[str]) -> dict[str, int]:
        """Count the sessions that are or were linked to each of these calls; a call without any is left out."""
        query = (
            select(
                session_link.c.call, func.count(session_link.c.session.distinct()).label("videos")
            )
            .join(session, session.c.id == session_link.c.session)
            .where(session_link.c.call.in_(calls), checked(session.c.site, site))
            .group_by(session_link.c.call)
        )
        return {row.call: row.videos for row in await self._db.execute(query)}

    async def of_calls(self, site: str, calls: Sequence[str]) -> Sequence[Session]:
        """Return the sessions that belong to one of these calls now, newest first; the ended are bounded."""
        ever = select(session_link.c.session).where(session_link.c.call.in_(calls))
        newest = (
            select(func.max(session_link.c.id))
            .where(session_link.c.session.in_(ever))
            .group_by(session_link.c.session)
        )
        linked = select(session_link.c.session).where(
            session_link.c.id.in_(newest), session_link.c.call.in_(calls)
        )
        theirs = (checked(session.c.site, site), session.c.id.in_(linked))
        return await self._live_and_ended(theirs, theirs, ENDED_FOLLOWED)

    async def offered(self, site: str, extension: str) -> Sequence[Session]:
        """Return the sessions that are offered to this station by hand."""
        return await self._load(
            session.c.state.in_(OPEN),
            checked(session.c.site, site),
            session.c.offered_to == extension,
            limit=None,
        )

    async def live_stations(self, site: str) -> frozenset[str]:
        """Return the stations where a video is on, or interrupted."""
        query = select(session.c.station).where(
            session.c.state.in_(LIVE), checked(session.c.site, site), session.c.station.is_not(None)
        )
        return frozenset(await self._db.scalars(query))

    async def unlinked(self, site: str, start: datetime, end: datetime) -> Sequence[Session]:
        """Return the sessions of a period whose newest link names no call."""
        return await self._by_link(site, start, end, session_link.c.call.is_(None))

    async def reviewed(self, site: str, start: datetime, end: datetime) -> Sequence[Session]:
        """Return the sessions of a period whose newest link was made afterwards."""
        afterwards = [Evidence.RECONCILED.value, Evidence.REVIEWED.value]
        return await self._by_link(site, start, end, session_link.c.evidence.in_(afterwards))

    async def _by_link(
        self, site: str, start: datetime, end: datetime, condition: ColumnElement[bool]
    ) -> Sequence[Session]:
        period = (session.c.site == site, session.c.created >= start, session.c.created < end)
        newest = (
            select(func.max(session_link.c.id))
            .where(session_link.c.session.in_(select(session.c.id).where(*period)))
            .group_by(session_link.c.session)
        )
        found = select(session_link.c.session).where(session_link.c.id.in_(newest), condition)
        return await self._load(*period, session.c.id.in_(found), limit=None)

    async def running(self, site: str) -> Sequence[Session]:
        """Return the sessions that have not ended."""
        return await self._load(
            session.c.state.in_(OPEN), checked(session.c.site, site), limit=None
        )

    async def add_link(self, site: str, link: CallLink) -> None:
        """Append a link; the newest is in force. NotFound when this site has no such session."""
        row = {
            "session": link.session,
            "call": link.call,
            "certainty": link.certainty.value,
            "evidence": link.evidence.value,
            "actor": link.actor,
            "at": link.at,
        }
        mine = select(session.c.id).where(session.c.id == link.session, session.c.site == site)
        if not await insert_where(self._db, session_link, row, mine.exists()):
            raise NotFound("session")

    async def links(self, site: str, id_: str) -> Sequence[CallLink]:
        """Return a session's link history, oldest first."""
        query = (
            select(session_link)
            .join(session, session.c.id == session_link.c.session)
            .where(session_link.c.session == id_, checked(session.c.site, site))
            .order_by(session_link.c.id)
        )
        rows = (await self._db.execute(query)).mappings()
        return [_link(row) for row in rows]

    async def newest_links(self, site: str, sessions: Sequence[str]) -> dict[str, CallLink]:
        """Return the link in force of each session, in one query."""
        newest = (
            select(func.max(session_link.c.id))
            .where(session_link.c.session.in_(sessions))
            .group_by(session_link.c.session)
        )
        query = (
            select(session_link)
            .join(session, session.c.id == session_link.c.session)
            .where(session_link.c.id.in_(newest), checked(session.c.site, site))
        )
        rows = (await self._db.execute(query)).mappings()
        return {row["session"]: _link(row) for row in rows}

    async def _live_and_ended(
        self, live: Sequence[ColumnElement[bool]], over: Sequence[ColumnElement[bool]], limit: int
    ) -> list[Session]:
        """Return every open session that is `live`, and the newest `limit` of those that are `over`.

        Both say the same; newest first. What is over never takes the place of what lives.
        """
        found = [
            *await self._load(session.c.state.in_(OPEN), *live, limit=None),
            *await self._load(session.c.state.not_in(OPEN), *over, limit=limit),
        ]
        return sorted(found, key=lambda one: one.created, reverse=True)

    async def open_where(
        self, site: str, condition: ColumnElement[bool], limit: int
    ) -> Sequence[Session]:
        """Return the open sessions of a site that meet a condition of a room above, newest first."""
        mine = (session.c.state.in_(OPEN), checked(session.c.site, site), condition)
        return await self._load(*mine, limit=limit)

    async def _load(self, *where: ColumnElement[bool], limit: int | None = 1) -> list[Session]:
        query = select(session).where(*where).order_by(session.c.created.desc()).limit(limit)
        return [_session(row) for row in (await self._db.execute(query)).mappings()]


def _link(row: RowMapping) -> CallLink:
    return CallLink(
        session=row["session"],
        call=row["call"],
        certainty=Certainty(row["certainty"]),
        evidence=Evidence(row["evidence"]),
        actor=row["actor"],
        at=row["at"],
    )


def _values(value: Session) -> dict[str, Any]:
    return {
        "station": value.station,
        "offered_to": value.offered_to,
        "offered_by": value.offered_by,
        "handed": value.handed,
        "state": value.state.value,
        "marks": {key: at.isoformat() for key, at in value.marks.items()},
        "camera": value.camera,
        "language": value.language,
        "changed": value.changed,
        "ended": value.ended,
        "ended_by": value.ended_by,
        "end_reason": value.end_reason,
    }


def _session(row: RowMapping) -> Session:
    return Session(
        id=row["id"],
        site=row["site"],
        station=row["station"],
        created_by=row["created_by"],
        command=row["command"],
        created=row["created"],
        changed=row["changed"],
        state=SessionState(row["state"]),
        marks={key: datetime.fromisoformat(at) for key, at in row["marks"].items()},
        camera=row["camera"],
        language=row["language"],
        ended=row["ended"],
        ended_by=row["ended_by"],
        end_reason=row["end_reason"],
        offered_to=row["offered_to"],
        offered_by=row["offered_by"],
        handed=row["handed"],
        version=row["version"],
    )
