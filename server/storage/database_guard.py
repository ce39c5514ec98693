"""Whether the database can be relied on: its file is still the one we opened, and the last write reached it.

SQLite goes on writing into a file that was deleted or replaced, and nothing of it survives the process. A connection to
such a file is closed when it is next asked for; one that is at work then ends what it does first.
"""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import LargeBinary, String, column, delete, event, insert, table
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from server.core.db.metadata import UtcDateTime
from server.core.errors import StorageUnavailable

FRESH: Final = 60.0  # seconds for which a write proves that one can write
#: The table of launches, by what a trial needs of it: its rows are short-lived, and hold bytes.
_TRIED: Final = table(
    "launch",
    column("id", String),
    column("sealed", LargeBinary),
    column("created", UtcDateTime),
    column("expires", UtcDateTime),
)
PROBE: Final = 65_536  # bytes: more than the pages at hand


class DatabaseGuard:
    """Watches one engine's database."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Know nothing yet."""
        self._file = file_of(engine.url)
        self._wrote = 0.0

    def check(self) -> None:
        """Raise StorageUnavailable when the file is gone."""
        if self._file is not None and _identity(self._file) is None:
            raise StorageUnavailable("gone")

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


def follow_file(engine: AsyncEngine) -> None:
    """Let no connection be used whose file was replaced: another is made in its place."""
    file = file_of(engine.url)
    if file is None:
        return

    def connected(_: object, record: Any) -> None:
        record.info["file"] = _identity(file)

    def taken(_: object, record: Any, __: object) -> None:
        now = _identity(file)
        if now is None:  # to connect would make an empty one
            raise StorageUnavailable("gone")
        if record.info.get("file") != now:
            raise DisconnectionError("replaced")

    event.listen(engine.sync_engine, "connect", connected)
    event.listen(engine.sync_engine, "checkout", taken)


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


async def write_and_take_back(connection: AsyncConnection) -> None:
    """Write more than fits into the pages at hand, and take it back: fails where the next command would."""
    now = datetime.now(UTC)
    row = {"id": "probe", "sealed": b"\x00" * PROBE, "created": now, "expires": now}
    await connection.execute(delete(_TRIED).where(_TRIED.c.id == "probe"))
    await connection.execute(insert(_TRIED).values(**row))
    await connection.execute(delete(_TRIED).where(_TRIED.c.id == "probe"))


def file_of(url: URL) -> Path | None:
    """Return the file of an SQLite database; None for servers and memory."""
    if url.get_backend_name() != "sqlite" or url.database in {None, "", ":memory:"}:
        return None
    return Path(str(url.database))
