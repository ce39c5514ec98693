"""Where the audio of a call is: a reference to each recording, never the sound itself (F5).

Revision ID: 0004
"""

import sqlalchemy as sa

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recording",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("site", sa.String(length=40), nullable=False),
        sa.Column("call", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("slack", sa.Float(), nullable=False),
        sa.Column("sureness", sa.String(length=64), nullable=False),
        sa.Column("why", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["call"], ["call.id"], name=op.f("fk_recording_call_call")),
        sa.ForeignKeyConstraint(["site"], ["site.id"], name=op.f("fk_recording_site_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recording")),
        sa.UniqueConstraint("site", "key", "call", name=op.f("uq_recording_site")),
    )
    op.create_index("ix_recording_call", "recording", ["call"])
    op.create_index("ix_recording_checked", "recording", ["checked"])


def downgrade() -> None:
    op.drop_table("recording")
