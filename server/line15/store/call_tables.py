"""The tables of calls: their state, which is updated; their names and where they were, which are only ever added."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, true

from server.core.db.metadata import ID, SLUG, UtcDateTime, metadata

call = Table(
    "call",
    metadata,
    Column("id", ID, primary_key=True),
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("caller", ForeignKey("personal.id")),
    Column("state", SLUG, nullable=False),
    Column("started", UtcDateTime, nullable=False),
    Column("answered", UtcDateTime),
    Column("ended", UtcDateTime),
    Column("end_certain", Boolean, nullable=False),
    Column("certain", Boolean, nullable=False),
    # False: nothing heard of it since a restart, or since a feed that told of it was lost
    Column("confirmed", Boolean, nullable=False, server_default=true()),
    Column("evidence", JSON, nullable=False),
    Column("merged_into", ID),
    Column("version", Integer, nullable=False),
    Index("ix_call_day", "site", "started"),
    Index("ix_call_caller", "caller"),
)

call_alias = Table(
    "call_alias",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("call", ForeignKey("call.id"), nullable=False),
    Column("type", SLUG, nullable=False),
    Column("value", String(255), nullable=False),
    Column("source", SLUG, nullable=False),
    Column("why", String(255), nullable=False),
    Column("valid_from", UtcDateTime, nullable=False),
    # the end comes as a newer row of the same (type, value, source)
    Column("valid_to", UtcDateTime),
    Index("ix_call_alias_value", "site", "value"),
    Index("ix_call_alias_call", "call"),
)

call_span = Table(
    "call_span",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("call", ForeignKey("call.id"), nullable=False),
    Column("kind", SLUG, nullable=False),  # station | hold | recording | related
    Column("value", String(255), nullable=False),
    Column("start", UtcDateTime, nullable=False),
    Column("end", UtcDateTime),  # the end comes as a newer row of the same (kind, value, start)
    # of a station: ringing | talking; null: stored by 0.1, which did not tell them apart
    Column("state", String(8)),
    Index("ix_call_span_call", "call"),
    Index("ix_call_span_value", "kind", "value", "start"),
)
