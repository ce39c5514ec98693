"""Incidents and remarks in SQL; the remark itself is personal and stands sealed elsewhere."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from server.adapters.db.tables import feedback


class SqlFeedback:
    """Implements `FeedbackRepository`."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Work on the open transaction of `connection`."""
        self._connection = connection

    async def add(
        self,
        *,
        id_: str,
        site: str,
        user: str,
        kind: str,
        remark: str,
        context: Mapping[str, object],
        at: datetime,
    ) -> None:
        """Store one; `remark` is the id of its personal row."""
        row = {
            "id": id_,
            "site": site,
            "user": user,
            "kind": kind,
            "remark": remark,
            "context": dict(context),
            "created": at,
        }
        await self._connection.execute(insert(feedback).values(row))
