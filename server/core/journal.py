"""TODO."""

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from server.core.db.metadata import ID, SLUG, UtcDateTime, metadata

audit = Table(
    "audit",
    metadata,
    Column("site", ForeignKey("site.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("source", SLUG, nullable=False),  # server | desk | phone | feed | gateway | cli
    Column("action", SLUG, nullable=False),  # past tense: invitation.created
    Column("subject", String(128), nullable=False),  # kind:id
    Column("session", ID),
    Column("call", ID),
    Column("actor", ID),
    Column("data", JSON, nullable=False),  # ids, slugs, numbers of things; never personal
    Column("commitment", String(64), nullable=False),
    Column("prev", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ix_audit_session", "session"),
    Index("ix_audit_call", "call"),
)

audit_payload = Table(
    "audit_payload",
    metadata,
    Column("site", ForeignKey("site.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("salt", LargeBinary),  # NULL once erased: the commitment can no longer be guessed at
    Column("sealed", LargeBinary),  # NULL once erased
)
