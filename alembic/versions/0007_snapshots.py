"""Pictures that a desk stores where its site allows it: sealed, erasable (I4).

Revision ID: 0007
"""

import sqlalchemy as sa

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "snapshot",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("site", sa.String(40), nullable=False),
        sa.Column("session", sa.String(40), nullable=False),
        sa.Column("by", sa.String(40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot")),
        sa.ForeignKeyConstraint(["site"], ["site.id"], name=op.f("fk_snapshot_site_site")),
        sa.ForeignKeyConstraint(
            ["session"], ["session.id"], name=op.f("fk_snapshot_session_session")
        ),
        sa.ForeignKeyConstraint(["by"], ["user.id"], name=op.f("fk_snapshot_by_user")),
    )
    op.create_index("ix_snapshot_session", "snapshot", ["session"])


def downgrade() -> None:
    op.drop_index("ix_snapshot_session", table_name="snapshot")
    op.drop_table("snapshot")
