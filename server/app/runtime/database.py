"""What the server asks of its database before it serves from it."""

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from server.storage import schema
from server.storage.database_guard import file_of
from server.storage.demonstration_mark import check_demonstration
from server.storage.file_modes import close_to_others

_log = structlog.get_logger("server")


async def check_database(engine: AsyncEngine, *, demo: bool) -> None:
    """Close its files to others. Raises SchemaMismatch, DemonstrationRefused or StorageUnavailable."""
    file = file_of(engine.url)
    if file is not None and (closed := close_to_others(file)):
        # An earlier release left them open.
        _log.warning("database.closed_to_others", files=len(closed))
    await schema.check(engine)
    if demo:
        await check_demonstration(engine)
