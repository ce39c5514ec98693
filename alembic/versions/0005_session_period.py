"""Sessions of a site by period: what an auditor reads by day, and what is matched with its call afterwards (I2).

Revision ID: 0005
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_session_period", "session", ["site", "created"])


def downgrade() -> None:
    op.drop_index("ix_session_period", table_name="session")
