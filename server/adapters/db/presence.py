"""Whether the database can be relied on: its file is still the one we opened, and the last write reached it.

SQLite goes on writing into a file that was deleted or replaced, and nothing of it survives the process.
"""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import delete, insert
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from server.adapters.db.tables import launch
from server.errors import StorageUnavailable

FRESH: Final = 60.0  # seconds for which a write proves that one can write
PROBE: Final = 65_536  # bytes: more than the pages at hand


class Presence:
    """Watches one engine's database."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Know nothing yet."""
        self._engine = engine
        self._file = file_of(engine.url)
        self._identity: tuple[int, int] | None = None
        self._wrote = 0.0

    async def check(self) -> None:
        """Raise StorageUnavailable when the file is gone; turn to the new one when another took its place."""
        if self._file is None:
            return
        try:
            found = self._file.stat()
        except OSError:
            raise StorageUnavailable("gone") from None
        identity = found.st_dev, found.st_ino
        if self._identity not in {None, identity}:
            await self._engine.dispose()
        self._identity = identity

    def wrote(self) -> None:
        """Note that a write was committed."""
        self._wrote = time.monotonic()

    def failed(self) -> None:
        """Note that one was not."""
        self._wrote = 0.0

    @property
    def proven(self) -> bool:
        """Whether a write was committed of late, and none failed since."""
        return self._wrote > 0 and time.monotonic() - self._wrote < FRESH


async def write_and_take_back(connection: AsyncConnection) -> None:
    """Write more than fits into the pages at hand, and take it back: fails where the next command would."""
    now = datetime.now(UTC)
    row = {"id": "probe", "sealed": b"\x00" * PROBE, "created": now, "expires": now}
    await connection.execute(delete(launch).where(launch.c.id == "probe"))
    await connection.execute(insert(launch).values(**row))
    await connection.execute(delete(launch).where(launch.c.id == "probe"))


def file_of(url: URL) -> Path | None:
    """Return the file of an SQLite database; None for servers and memory."""
    if url.get_backend_name() != "sqlite" or url.database in {None, "", ":memory:"}:
        return None
    return Path(str(url.database))
