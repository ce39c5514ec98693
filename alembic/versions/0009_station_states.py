"""A station's stretch says whether the call rang or was talked on there; a call says whether it is confirmed.

Stretches of before have no state: the station had the call, and whether it only rang is not known. Calls of before
count as confirmed; the first start of the server marks those that live.

Revision ID: 0009
"""

import sqlalchemy as sa

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("call_span", sa.Column("state", sa.String(length=8), nullable=True))
    op.add_column(
        "call", sa.Column("confirmed", sa.Boolean(), nullable=False, server_default=sa.true())
    )


def downgrade() -> None:
    op.drop_column("call", "confirmed")
    op.drop_column("call_span", "state")
