"""The first schema: sites and people, line-15 calls, videos and their links, messages, and the audit chain (I4).

Revision ID: 0001
"""

import sqlalchemy as sa

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "site",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("sms_sender", sa.String(length=16), nullable=False),
        sa.Column("referent_email", sa.String(length=254), nullable=False),
        sa.Column("policy", sa.JSON(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_site"),
        sa.UniqueConstraint("key", name="uq_site_key"),
    )
    op.create_table(
        "throttle",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_throttle"),
    )
    op.create_table(
        "audit",
        sa.Column("site", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("session", sa.String(length=40), nullable=True),
        sa.Column("call", sa.String(length=40), nullable=True),
        sa.Column("actor", sa.String(length=40), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("prev", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.id"], name="fk_audit_site_site"),
        sa.PrimaryKeyConstraint("site", "seq", name="pk_audit"),
    )
    op.create_index("ix_audit_call", "audit", ["call"])
    op.create_index("ix_audit_session", "audit", ["session"])

    op.create_table(
        "audit_payload",
        sa.Column("site", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["site.id"], name="fk_audit_payload_site_site"),
        sa.PrimaryKeyConstraint("site", "seq", name="pk_audit_payload"),
    )
    op.create_table(
        "call_fact",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("site", sa.String(length=40), nullable=False),
        sa.Column("call", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("received", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.id"], name="fk_call_fact_site_site"),
        sa.PrimaryKeyConstraint("id", name="pk_call_fact"),
    )
    op.create_index("ix_call_fact_call", "call_fact", ["call"])

    op.create_table(
        "launch",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=40), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.id"], name="fk_launch_site_site"),
        sa.PrimaryKeyConstraint("id", name="pk_launch"),
    )
    op.create_table(
        "personal",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("site", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("lookup", sa.String(length=64), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["site.id"], name="fk_personal_site_site"),
        sa.PrimaryKeyConstraint("id", name="pk_personal"),
    )
    op.create_index("ix_personal_lookup", "personal", ["site", "lookup"])

    op.create_table(
        "station",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("site", sa.String(length=40), nullable=False),
        sa.Column("extension", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("webcam", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.id"], name="fk_station_site_site"),
        sa.PrimaryKeyConstraint("id", name="pk_station"),
        sa.UniqueConstraint("site", "extension", name="uq_station_site"),
    )
    op.create_table(
        "user",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("site", sa.String(length=40), nullable=False),
        sa.Column("identifier", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("password_hash", sa.String(length=256), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("mobile", sa.String(length=20), nullable=True),
        sa.Column("disabled", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.id"], name="fk_user_site_site"),
        sa.PrimaryKeyConstraint("id", name="pk_user"),
        sa.UniqueConstraint("identifier", name="uq_user_identifier"),
    )
    op.create_table(
        "call",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("site", sa.String(length=40), nullable=False),
        sa.Column("caller", sa.String(length=40), nullable=True),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_certain", sa.Boolean(), nullable=False),
        sa.Column("certain", sa.Boolean(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("merged_into", sa.String(length=40), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["caller"], ["personal.id"], name="fk_call_caller_personal"),
        sa.ForeignKeyConstraint(["site"], ["site.id"], name="fk_call_site_site"),
        sa.PrimaryKeyConstraint("id", name="pk_call"),
    )
    op.create_index("ix_call_caller", "call", ["caller"])
    op.create_index("ix_call_day", "call", ["site", "started"])

    op.create_table(
        "feedback",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("site", sa.String(length=40), nullable=False),
        sa.Column("user", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("remark", sa.String(length=40), nullable=False),
        sa.Column("context", sa.JSON(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["remark"], ["personal.id"], name="fk_feedback_remark_personal"),
        sa.ForeignKeyConstraint(["site"], ["site.id"], name="fk_feedback_site_site"),
        sa.ForeignKeyConstraint(["user"], ["user.id"], name="fk_feedback_user_user"),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
    )
    op.create_table(
        "login_challenge",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("user", sa.String(length=40), nullable=True),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next", sa.String(length=256), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user"], ["user.id"], name="fk_login_challenge_user_user"),
        sa.PrimaryKeyConstraint("id", name="pk_login_challenge"),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("site", sa.String(length=40), nullable=False),
        sa.Column("station", sa.String(length=32), nullable=True),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("command", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("marks", sa.JSON(), nullable=False),
        sa.Column("camera", sa.String(length=64), nullable=True),
        sa.Column("language", sa.String(length=64), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=64), nullable=True),
        sa.Column("end_reason", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["user.id"], name="fk_session_created_by_user"),
        sa.ForeignKeyConstraint(["site"], ["site.id"], name="fk_session_site_site"),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
        sa.UniqueConstraint("site", "created_by", "command", name="uq_session_site"),
    )
    op.create_index("ix_session_state", "session", ["state"])
    op.create_index("ix_session_station", "session", ["site", "station", "created"])

    op.create_table(
        "web_session",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("user", sa.String(length=40), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user"], ["user.id"], name="fk_web_session_user_user"),
        sa.PrimaryKeyConstraint("id", name="pk_web_session"),
    )
    op.create_table(
        "call_alias",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("site", sa.String(length=40), nullable=False),
        sa.Column("call", sa.String(length=40), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("why", sa.String(length=255), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["call"], ["call.id"], name="fk_call_alias_call_call"),
        sa.ForeignKeyConstraint(["site"], ["site.id"], name="fk_call_alias_site_site"),
        sa.PrimaryKeyConstraint("id", name="pk_call_alias"),
    )
    op.create_index("ix_call_alias_call", "call_alias", ["call"])
    op.create_index("ix_call_alias_value", "call_alias", ["site", "value"])

    op.create_table(
        "call_span",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("call", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["call"], ["call.id"], name="fk_call_span_call_call"),
        sa.PrimaryKeyConstraint("id", name="pk_call_span"),
    )
    op.create_index("ix_call_span_call", "call_span", ["call"])
    op.create_index("ix_call_span_value", "call_span", ["kind", "value", "start"])

    op.create_table(
        "invitation",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("session", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("contact", sa.String(length=40), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tapped", sa.DateTime(timezone=True), nullable=True),
        sa.Column("browser_hash", sa.String(length=64), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("revoked", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact"], ["personal.id"], name="fk_invitation_contact_personal"
        ),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name="fk_invitation_session_session"),
        sa.PrimaryKeyConstraint("id", name="pk_invitation"),
        sa.UniqueConstraint("token_hash", name="uq_invitation_token_hash"),
    )
    op.create_index("ix_invitation_session", "invitation", ["session"])

    op.create_table(
        "session_link",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("session", sa.String(length=40), nullable=False),
        sa.Column("call", sa.String(length=40), nullable=True),
        sa.Column("certainty", sa.String(length=64), nullable=False),
        sa.Column("evidence", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=40), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["call"], ["call.id"], name="fk_session_link_call_call"),
        sa.ForeignKeyConstraint(
            ["session"], ["session.id"], name="fk_session_link_session_session"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_session_link"),
    )
    op.create_index("ix_session_link_call", "session_link", ["call"])
    op.create_index("ix_session_link_session", "session_link", ["session"])

    op.create_table(
        "message",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("site", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("invitation", sa.String(length=40), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receipt_ref", sa.String(length=64), nullable=False),
        sa.Column("carrier_ref", sa.String(length=128), nullable=True),
        sa.Column("error", sa.String(length=64), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["invitation"], ["invitation.id"], name="fk_message_invitation_invitation"
        ),
        sa.ForeignKeyConstraint(["site"], ["site.id"], name="fk_message_site_site"),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
        sa.UniqueConstraint("receipt_ref", name="uq_message_receipt_ref"),
    )
    op.create_index("ix_message_due", "message", ["state", "due"])
    op.create_index("ix_message_invitation", "message", ["invitation"])


def downgrade() -> None:
    op.drop_index("ix_message_invitation", table_name="message")
    op.drop_index("ix_message_due", table_name="message")

    op.drop_table("message")
    op.drop_index("ix_session_link_session", table_name="session_link")
    op.drop_index("ix_session_link_call", table_name="session_link")

    op.drop_table("session_link")
    op.drop_index("ix_invitation_session", table_name="invitation")

    op.drop_table("invitation")
    op.drop_index("ix_call_span_value", table_name="call_span")
    op.drop_index("ix_call_span_call", table_name="call_span")

    op.drop_table("call_span")
    op.drop_index("ix_call_alias_value", table_name="call_alias")
    op.drop_index("ix_call_alias_call", table_name="call_alias")

    op.drop_table("call_alias")
    op.drop_table("web_session")
    op.drop_index("ix_session_station", table_name="session")
    op.drop_index("ix_session_state", table_name="session")

    op.drop_table("session")
    op.drop_table("login_challenge")
    op.drop_table("feedback")
    op.drop_index("ix_call_day", table_name="call")
    op.drop_index("ix_call_caller", table_name="call")

    op.drop_table("call")
    op.drop_table("user")
    op.drop_table("station")
    op.drop_index("ix_personal_lookup", table_name="personal")

    op.drop_table("personal")
    op.drop_table("launch")
    op.drop_index("ix_call_fact_call", table_name="call_fact")

    op.drop_table("call_fact")
    op.drop_table("audit_payload")
    op.drop_index("ix_audit_session", table_name="audit")
    op.drop_index("ix_audit_call", table_name="audit")

    op.drop_table("audit")
    op.drop_table("throttle")
    op.drop_table("site")
