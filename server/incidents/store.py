"""Incidents and remarks as rows; the remark and the notes are personal and stand sealed elsewhere."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Index,
    Integer,
    RowMapping,
    Table,
    UniqueConstraint,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from server.core.db.metadata import ID, SLUG, UtcDateTime, metadata
from server.core.db.rows import checked
from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import NotFound
from server.incidents.domain import Incident, IncidentState, IncidentStep
from server.incidents.errors import IncidentChanged

feedback = Table(
    "feedback",
    metadata,
    Column("id", ID, primary_key=True),
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("user", ForeignKey("user.id"), nullable=False),
    Column("kind", SLUG, nullable=False),
    Column("remark", ForeignKey("personal.id"), nullable=False),
    Column("context", JSON, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("number", Integer, nullable=False),  # year × 1,000,000 + how many of that year
    Column("state", SLUG, nullable=False),  # new | acknowledged | forwarded | closed
    Column("steps", Integer, nullable=False),  # rows in feedback_step: the version that was seen
    Column("mail", ForeignKey("message.id")),
    UniqueConstraint("site", "number"),
    Index("ix_feedback_state", "site", "state", "number"),
    Index("ix_feedback_user", "user", "created"),
)

feedback_step = Table(
    "feedback_step",
    metadata,
    Column("feedback", ForeignKey("feedback.id"), primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("state", SLUG, nullable=False),
    Column("user", ForeignKey("user.id"), nullable=False),
    Column("note", ForeignKey("personal.id")),
    Column("at", UtcDateTime, nullable=False),
)


class IncidentStore:
    """Incidents and remarks, and what became of them."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Work in the transaction of `uow`."""
        self._connection = uow.connection

    async def add(self, incident: Incident) -> None:
        """Store a new one."""
        row = {
            "id": incident.id,
            "site": incident.site,
            "user": incident.user,
            "kind": incident.kind,
            "remark": incident.remark,
            "context": incident.context,
            "created": incident.created,
            "number": incident.number,
            "state": incident.state.value,
            "steps": incident.steps,
            "mail": incident.mail,
        }
        await self._connection.execute(insert(feedback).values(row))

    async def last_number(self, site: str, first: int, last: int) -> int | None:
        """Return the highest number given between two; None when none was."""
        query = select(func.max(feedback.c.number)).where(
            feedback.c.site == site, feedback.c.number.between(first, last)
        )
        found = (await self._connection.execute(query)).scalar_one()
        return None if found is None else int(found)

    async def sent_since(self, site: str, user: str, since: datetime) -> int:
        """Count what this person sent lately."""
        query = select(func.count()).where(
            checked(feedback.c.site, site), feedback.c.user == user, feedback.c.created >= since
        )
        return int((await self._connection.execute(query)).scalar_one())

    async def count(self, site: str, state: IncidentState) -> int:
        """Count those in one state."""
        query = select(func.count()).where(feedback.c.site == site, feedback.c.state == state.value)
        return int((await self._connection.execute(query)).scalar_one())

    async def get(self, site: str, id_: str) -> Incident:
        """Return one; NotFound for another site's (I7)."""
        query = select(feedback).where(feedback.c.id == id_, feedback.c.site == site)
        found = (await self._connection.execute(query)).mappings().one_or_none()
        if found is None:
            raise NotFound("incident")
        return _incident(found)

    async def listed(
        self,
        site: str,
        *,
        limit: int,
        below: int | None = None,
        state: IncidentState | None = None,
        kind: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Sequence[Incident]:
        """Return those of a site, the newest first, with numbers below `below`."""
        query = select(feedback).where(feedback.c.site == site)
        if below is not None:
            query = query.where(feedback.c.number < below)
        if state is not None:
            query = query.where(feedback.c.state == state.value)
        if kind is not None:
            query = query.where(feedback.c.kind == kind)
        if start is not None:
            query = query.where(feedback.c.created >= start)
        if end is not None:
            query = query.where(feedback.c.created < end)
        query = query.order_by(feedback.c.number.desc()).limit(limit)
        rows = (await self._connection.execute(query)).mappings()
        return [_incident(row) for row in rows]

    async def of_user(self, site: str, user: str, limit: int) -> Sequence[Incident]:
        """Return what one person sent, the newest first."""
        query = select(feedback).where(checked(feedback.c.site, site), feedback.c.user == user)
        query = query.order_by(feedback.c.created.desc(), feedback.c.number.desc()).limit(limit)
        rows = (await self._connection.execute(query)).mappings()
        return [_incident(row) for row in rows]

    async def steps(self, site: str, ids: Sequence[str]) -> Sequence[IncidentStep]:
        """Return every change of these, in order."""
        query = (
            select(feedback_step)
            .join(feedback, feedback.c.id == feedback_step.c.feedback)
            .where(feedback_step.c.feedback.in_(ids), checked(feedback.c.site, site))
            .order_by(feedback_step.c.feedback, feedback_step.c.step)
        )
        rows = (await self._connection.execute(query)).mappings()
        return [_step(row) for row in rows]

    async def add_step(self, site: str, step: IncidentStep) -> None:
        """Append a change to one of this site; IncidentChanged when somebody else's came first."""
        query = (
            update(feedback)
            .where(
                feedback.c.id == step.incident,
                feedback.c.site == site,
                feedback.c.steps == step.step - 1,
            )
            .values(state=step.state.value, steps=step.step)
        )
        if (await self._connection.execute(query)).rowcount != 1:
            raise IncidentChanged
        row: dict[str, Any] = {
            "feedback": step.incident,
            "step": step.step,
            "state": step.state.value,
            "user": step.user,
            "note": step.note,
            "at": step.at,
        }
        try:
            await self._connection.execute(insert(feedback_step).values(row))
        except IntegrityError as taken:
            raise IncidentChanged from taken


def _incident(row: RowMapping) -> Incident:
    return Incident(
        id=row["id"],
        site=row["site"],
        user=row["user"],
        kind=row["kind"],
        remark=row["remark"],
        context=row["context"],
        created=row["created"],
        number=row["number"],
        state=IncidentState(row["state"]),
        steps=row["steps"],
        mail=row["mail"],
    )


def _step(row: RowMapping) -> IncidentStep:
    return IncidentStep(
        incident=row["feedback"],
        step=row["step"],
        state=IncidentState(row["state"]),
        user=row["user"],
        note=row["note"],
        at=row["at"],
    )
