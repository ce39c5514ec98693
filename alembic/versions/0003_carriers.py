"""Several SMS carriers: which one has a message, and every try with each of them (F11).

Revision ID: 0003
"""

import sqlalchemy as sa

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message", sa.Column("carrier", sa.String(length=64), nullable=True))
    op.add_column(
        "message", sa.Column("history", sa.JSON(), nullable=False, server_default=sa.text("'[]'"))
    )
    op.create_index("ix_message_carrier", "message", ["carrier", "carrier_ref"])


def downgrade() -> None:
    op.drop_index("ix_message_carrier", table_name="message")
    op.drop_column("message", "history")
    op.drop_column("message", "carrier")
