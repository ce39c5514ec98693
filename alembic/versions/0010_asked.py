"""Since when a message is being handed over, and to whom: what a crash interrupted is known by it (docs/adr/0019).

Revision ID: 0010
"""

import sqlalchemy as sa

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message", sa.Column("asked", sa.DateTime(timezone=True), nullable=True))
    op.add_column("message", sa.Column("asked_of", sa.String(length=64), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("message") as batch:
        batch.drop_column("asked_of")
        batch.drop_column("asked")
