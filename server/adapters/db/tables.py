"""The schema, stated once; `alembic check` proves that the migrations agree with it.

I4 shapes it: `audit` holds ids, times and salted commitments and is never updated; everything
personal stands sealed in `personal`,
`message` or `audit_payload`, in columns that erasure sets to NULL. Numbers and addresses are found
by a keyed hash (`lookup`).
Rows named append-only (`call_alias`, `call_span`, `session_link`, `feedback_step`, `audit`) get
corrections as new rows.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
    true,
)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in and out; SQLite forgets the zone, so it is put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; a naive time is our mistake."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            message = "naive datetime"
            raise ValueError(message)
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give UTC back."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)  # type: ignore[no-any-return]


NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)
ID = String(40)
SLUG = String(64)

site = Table(
    "site",
    metadata,
    Column("id", ID, primary_key=True),
    Column("key", SLUG, nullable=False, unique=True),
    Column("name", String(64), nullable=False),
    Column("sms_sender", String(16), nullable=False),
    Column("referent_email", String(254), nullable=False),
    Column("policy", JSON, nullable=False),
    Column("created", UtcDateTime, nullable=False),
)

station = Table(
    "station",
    metadata,
    Column("id", ID, primary_key=True),
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("extension", String(32), nullable=False),
    Column("name", String(64), nullable=False),
    Column("webcam", Boolean, nullable=False),
    UniqueConstraint("site", "extension"),
)

personal = Table(
    "personal",
    metadata,
    Column("id", ID, primary_key=True),
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("kind", SLUG, nullable=False),  # number | email | name | remark
    Column("sealed", LargeBinary),  # NULL once erased
    Column("lookup", String(64)),  # keyed hash; NULL once erased
    Column("created", UtcDateTime, nullable=False),
    Column("erased", UtcDateTime),
    Index("ix_personal_lookup", "site", "lookup"),
)

user = Table(
    "user",
    metadata,
    Column("id", ID, primary_key=True),
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("identifier", String(64), nullable=False, unique=True),
    Column("name", String(128), nullable=False),
    Column("role", SLUG, nullable=False),
    Column("password_hash", String(256), nullable=False),
    Column("email", String(254)),
    Column("mobile", String(20)),
    Column("disabled", UtcDateTime),
    Column("version", Integer, nullable=False),
    Column("created", UtcDateTime, nullable=False),
)

login_challenge = Table(
    "login_challenge",
    metadata,
    Column("id", String(64), primary_key=True),  # SHA-256 of the browser's opaque value
    Column("user", ForeignKey("user.id")),  # NULL: unknown user or wrong password, same answers
    Column("account", String(64), nullable=False),  # throttle key of the identifier as typed
    Column("code_hash", String(64), nullable=False),
    Column("channel", SLUG, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next", String(256), nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
)

throttle = Table(
    "throttle",
    metadata,
    Column("key", String(64), primary_key=True),  # keyed hash of account or address
    Column("count", Integer, nullable=False),
    Column("window_start", UtcDateTime, nullable=False),
    Column("blocked_until", UtcDateTime),
)

web_session = Table(
    "web_session",
    metadata,
    Column("id", String(64), primary_key=True),  # SHA-256 of the cookie
    Column("user", ForeignKey("user.id"), nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("seen", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Column("revoked", UtcDateTime),
)

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
    Column(
        "valid_to", UtcDateTime
    ),  # the end comes as a newer row of the same (type, value, source)
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

call_fact = Table(
    "call_fact",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("call", ID, nullable=False),
    Column("sealed", LargeBinary),  # the fact as a feed reported it; NULL once erased
    Column("received", UtcDateTime, nullable=False),
    Index("ix_call_fact_call", "call"),
)

recording = Table(
    "recording",
    metadata,
    Column("id", ID, primary_key=True),
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("call", ForeignKey("call.id"), nullable=False),
    Column("source", SLUG, nullable=False),
    Column(
        "key", String(64), nullable=False
    ),  # keyed hash of the path: names of files hold numbers
    Column("sealed", LargeBinary),  # the path as the recorder calls it; NULL once erased
    Column("started", UtcDateTime, nullable=False),
    Column("stopped", UtcDateTime),
    Column("seconds", Float),  # how long the file sounds
    Column("slack", Float, nullable=False),  # by how many seconds the times may be wrong
    Column("sureness", SLUG, nullable=False),  # certain | inferred | offered | withdrawn
    Column("why", String(255), nullable=False),
    Column("status", SLUG, nullable=False),  # present | missing | unknown
    Column("since", UtcDateTime),
    Column("checked", UtcDateTime),
    Column("created", UtcDateTime, nullable=False),
    UniqueConstraint("site", "key", "call"),
    Index("ix_recording_call", "call"),
    Index("ix_recording_checked", "checked"),
)

session = Table(
    "session",
    metadata,
    Column("id", ID, primary_key=True),
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("station", String(32)),
    Column("created_by", ForeignKey("user.id"), nullable=False),
    Column(
        "command", String(64), nullable=False
    ),  # the desk's command id: a repeated command is the same session
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

snapshot = Table(
    "snapshot",
    metadata,
    Column("id", ID, primary_key=True),
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("session", ForeignKey("session.id"), nullable=False),
    Column("by", ForeignKey("user.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),  # when the picture was seen, not when it came
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),  # of the JPEG as it was stored
    Column("sealed", LargeBinary),  # the JPEG as base64; NULL once erased
    Index("ix_snapshot_session", "session"),
)

invitation = Table(
    "invitation",
    metadata,
    Column("id", ID, primary_key=True),
    Column("session", ForeignKey("session.id"), nullable=False),
    Column("channel", SLUG, nullable=False),
    Column("contact", ForeignKey("personal.id")),  # NULL: a code read aloud
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Column("opened", UtcDateTime),
    Column("tapped", UtcDateTime),
    Column("browser_hash", String(64)),
    Column("active", Boolean, nullable=False),  # False: the session moved to another token
    Column("revoked", UtcDateTime),
    Column("version", Integer, nullable=False),
    Index("ix_invitation_session", "session"),
)

spoken_code = Table(
    "spoken_code",
    metadata,
    Column("id", ID, primary_key=True),
    Column("code", String(64), nullable=False),  # keyed hash; unique among the live ones
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("session", ForeignKey("session.id"), nullable=False),
    Column("invitation", ForeignKey("invitation.id"), nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Column("used", UtcDateTime),
    Column("browser", String(64)),  # SHA-256 of the cookie of who typed it
    Column("tries", Integer, nullable=False),
    Index("ix_spoken_code_code", "code"),
    Index("ix_spoken_code_invitation", "invitation"),
    Index("ix_spoken_code_expires", "expires"),
)

observer = Table(
    "observer",
    metadata,
    Column("id", ID, primary_key=True),
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("session", ForeignKey("session.id"), nullable=False),
    Column("invited_by", ForeignKey("user.id"), nullable=False),
    Column("command", String(64), nullable=False),  # a repeated command is the same observer
    Column("channel", SLUG, nullable=False),
    Column("name", ForeignKey("personal.id"), nullable=False),
    Column("contact", ForeignKey("personal.id"), nullable=False),
    Column("message", ForeignKey("message.id"), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Column("joined", UtcDateTime),  # the first tap
    Column("browser_hash", String(64)),
    Column("removed", UtcDateTime),
    Column("version", Integer, nullable=False),
    UniqueConstraint("site", "invited_by", "command"),
    Index("ix_observer_session", "session"),
)

message = Table(
    "message",
    metadata,
    Column("id", ID, primary_key=True),
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("kind", SLUG, nullable=False),  # invitation | code | feedback
    Column("channel", SLUG, nullable=False),  # sms | email
    Column("invitation", ForeignKey("invitation.id")),
    Column("sealed", LargeBinary),  # recipient and body; NULL once erased
    Column("state", SLUG, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", UtcDateTime),
    Column("receipt_ref", String(64), nullable=False, unique=True),
    Column("carrier_ref", String(128)),
    Column("error", SLUG),
    Column("created", UtcDateTime, nullable=False),
    Column("handed", UtcDateTime),
    Column("delivered", UtcDateTime),
    Column("expires", UtcDateTime, nullable=False),
    Column("version", Integer, nullable=False),
    Column("carrier", SLUG),  # who has it, or was asked last
    Column(
        "history", JSON, nullable=False, server_default="[]"
    ),  # tries: carrier, outcome, at, ref
    Column("asked", UtcDateTime),  # being handed over since then, written before the request leaves
    Column("asked_of", SLUG),  # to this carrier; smtp: the relay
    Index("ix_message_carrier", "carrier", "carrier_ref"),
    Index("ix_message_due", "state", "due"),
    Index("ix_message_invitation", "invitation"),
)

launch = Table(
    "launch",
    metadata,
    Column("id", String(64), primary_key=True),  # SHA-256 of the opaque id in the URL
    Column("site", ForeignKey("site.id")),  # empty in the probe of readiness, and before 0.2
    Column("sealed", LargeBinary, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
)

site_secret = Table(
    "site_secret",
    metadata,
    Column("id", ID, primary_key=True),  # the key id (kid)
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("sealed", LargeBinary),  # NULL once retired
    Column("created", UtcDateTime, nullable=False),
    Column("retired", UtcDateTime),
    Index("ix_site_secret_site", "site"),
)

used_once = Table(
    "used_once",
    metadata,
    Column("site", ForeignKey("site.id"), primary_key=True),
    Column("kind", SLUG, primary_key=True),  # launch: nonces | webhook: signed messages | command
    Column("key", String(64), primary_key=True),
    Column("owner", String(64), nullable=False),  # who used it: only they may come again
    Column("expires", UtcDateTime, nullable=False),
    Index("ix_used_once_expires", "expires"),
)

webhook_answer = Table(
    "webhook_answer",
    metadata,
    Column("site", ForeignKey("site.id"), primary_key=True),
    Column("key", String(64), primary_key=True),  # SHA-256 of the Idempotency-Key
    Column("body", String(64), nullable=False),  # SHA-256 of the body it came with
    Column("answer", JSON, nullable=False),
    Column("expires", UtcDateTime, nullable=False),
    Index("ix_webhook_answer_expires", "expires"),
)

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
