"""One async engine: SQLite gets WAL, foreign keys and a busy time-out; PostgreSQL gets limits on every wait.

No wait is without an end: whoever asks is told within seconds that the storage is away, and nothing was accepted.
"""

from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from server.core.errors import StorageUnavailable
from server.storage.database_guard import follow_file
from server.storage.one_hop import use_one_hop

BUSY_MS: Final = 5_000
#: Of pages, a connection: each fills its own as the file grows, and keeps it.
CACHE_KB: Final = 1_024
POOL: Final = 10  # connections kept
OVERFLOW: Final = 10  # and as many again for a rush; PostgreSQL's own limit is 100 for all clients
#: Connections to an SQLite file: all are kept, since a thread and its memory go with each.
FILES: Final = 12
CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 40.0  # after the server's own limit: for a network that swallows everything
LIMITS: Final = {
    "application_name": "visio15",
    "lock_timeout": str(BUSY_MS),
    "statement_timeout": "30000",
    # a process that hangs with the writers' turn loses it
    "idle_in_transaction_session_timeout": "60000",
    "timezone": "UTC",
}


def make_engine(url: str) -> AsyncEngine:
    """Build the engine for `sqlite+aiosqlite://` or `postgresql+asyncpg://`; nothing is opened yet.

    Raises StorageUnavailable when the driver is not installed.
    """
    if make_url(url).get_backend_name() == "postgresql":
        return _postgresql(url)
    engine = create_async_engine(
        url,
        pool_size=FILES,
        max_overflow=0,
        pool_timeout=CONNECT_SECONDS,
        hide_parameters=True,  # a fault is logged, and its values are personal
    )
    if url.startswith("sqlite"):
        use_one_hop(engine)
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        follow_file(engine)
    return engine


def _prepare_sqlite(connection: Any, record: object) -> None:
    """Set the pragmas on each new connection; transactions are begun by us, not by the driver."""
    del record
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_MS}",
        f"cache_size=-{CACHE_KB}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _postgresql(url: str) -> AsyncEngine:
    try:
        import asyncpg  # noqa: PLC0415 - the extra `postgres`
    except ModuleNotFoundError:
        raise StorageUnavailable("no_driver") from None

    async def connect(*args: Any, **options: Any) -> Any:
        """Tell every reason not to get a connection as one family, OSError: SQLAlchemy passes asyncpg's own on."""
        try:
            return await asyncpg.connect(*args, **options)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
            raise ConnectionError(type(fault).__name__) from fault

    return create_async_engine(
        url,
        pool_size=POOL,
        max_overflow=OVERFLOW,
        pool_timeout=CONNECT_SECONDS,
        hide_parameters=True,  # a fault is logged, and its values are personal
        pool_pre_ping=True,  # a restarted server leaves dead connections in the pool
        isolation_level="READ COMMITTED",
        connect_args={
            "async_creator_fn": connect,
            "timeout": CONNECT_SECONDS,
            "command_timeout": ANSWER_SECONDS,
            "server_settings": LIMITS,
        },
    )
