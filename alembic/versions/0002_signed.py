"""What the call-centre software signs: its secrets, what was used once, and answers that are given again.

Revision ID: 0002
"""

import sqlalchemy as sa

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "site_secret",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("site", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["site"], ["site.id"], name="fk_site_secret_site_site"),
        sa.PrimaryKeyConstraint("id", name="pk_site_secret"),
    )
    op.create_index("ix_site_secret_site", "site_secret", ["site"])

    op.create_table(
        "used_once",
        sa.Column("site", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.id"], name="fk_used_once_site_site"),
        sa.PrimaryKeyConstraint("site", "kind", "key", name="pk_used_once"),
    )
    op.create_index("ix_used_once_expires", "used_once", ["expires"])

    op.create_table(
        "webhook_answer",
        sa.Column("site", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("body", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.id"], name="fk_webhook_answer_site_site"),
        sa.PrimaryKeyConstraint("site", "key", name="pk_webhook_answer"),
    )
    op.create_index("ix_webhook_answer_expires", "webhook_answer", ["expires"])


def downgrade() -> None:
    op.drop_index("ix_webhook_answer_expires", table_name="webhook_answer")
    op.drop_table("webhook_answer")
    op.drop_index("ix_used_once_expires", table_name="used_once")
    op.drop_table("used_once")
    op.drop_index("ix_site_secret_site", table_name="site_secret")
    op.drop_table("site_secret")
