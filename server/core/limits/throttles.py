"""TODO."""

from sqlalchemy import Column, Integer, String, Table

from server.core.db.metadata import UtcDateTime, metadata

throttles = Table(
    "throttle",
    metadata,
    Column("key", String(64), primary_key=True),  # keyed hash of account or address
    Column("count", Integer, nullable=False),
    Column("window_start", UtcDateTime, nullable=False),
    Column("blocked_until", UtcDateTime),
)
