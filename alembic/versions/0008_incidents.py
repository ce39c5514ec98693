"""Incidents and remarks become a list that is followed: a number, a state, and every change of it.

Revision ID: 0008
"""

import sqlalchemy as sa

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_YEAR = 1_000_000


def upgrade() -> None:
    with op.batch_alter_table("feedback") as batch:
        batch.add_column(sa.Column("number", sa.Integer(), nullable=True))
        batch.add_column(
            sa.Column("state", sa.String(length=64), nullable=False, server_default="new")
        )
        batch.add_column(sa.Column("steps", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("mail", sa.String(length=40), nullable=True))
    _number_those_there()
    with op.batch_alter_table("feedback") as batch:
        batch.alter_column("number", existing_type=sa.Integer(), nullable=False)
        batch.alter_column("state", existing_type=sa.String(length=64), server_default=None)
        batch.alter_column("steps", existing_type=sa.Integer(), server_default=None)
        batch.create_unique_constraint(op.f("uq_feedback_site"), ["site", "number"])
        batch.create_foreign_key(op.f("fk_feedback_mail_message"), "message", ["mail"], ["id"])
    op.create_index("ix_feedback_state", "feedback", ["site", "state", "number"])
    op.create_index("ix_feedback_user", "feedback", ["user", "created"])
    op.create_table(
        "feedback_step",
        sa.Column("feedback", sa.String(length=40), nullable=False),
        sa.Column("step", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("user", sa.String(length=40), nullable=False),
        sa.Column("note", sa.String(length=40), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["feedback"], ["feedback.id"], name=op.f("fk_feedback_step_feedback_feedback")
        ),
        sa.ForeignKeyConstraint(
            ["note"], ["personal.id"], name=op.f("fk_feedback_step_note_personal")
        ),
        sa.ForeignKeyConstraint(["user"], ["user.id"], name=op.f("fk_feedback_step_user_user")),
        sa.PrimaryKeyConstraint("feedback", "step", name=op.f("pk_feedback_step")),
    )


def _number_those_there() -> None:
    """Those sent before get the numbers of their year, in order."""
    feedback = sa.table(
        "feedback",
        sa.column("id", sa.String),
        sa.column("site", sa.String),
        sa.column("created", sa.DateTime(timezone=True)),
        sa.column("number", sa.Integer),
    )
    connection = op.get_bind()
    last: dict[tuple[str, int], int] = {}
    query = sa.select(feedback.c.id, feedback.c.site, feedback.c.created)
    for row in connection.execute(query.order_by(feedback.c.created, feedback.c.id)).all():
        key = (row.site, row.created.year)
        last[key] = last.get(key, row.created.year * _YEAR) + 1
        connection.execute(
            feedback.update().where(feedback.c.id == row.id).values(number=last[key])
        )


def downgrade() -> None:
    op.drop_table("feedback_step")
    op.drop_index("ix_feedback_user", table_name="feedback")
    op.drop_index("ix_feedback_state", table_name="feedback")
    with op.batch_alter_table("feedback") as batch:
        batch.drop_constraint(op.f("fk_feedback_mail_message"), type_="foreignkey")
        batch.drop_constraint(op.f("uq_feedback_site"), type_="unique")
        for name in ("mail", "steps", "state", "number"):
            batch.drop_column(name)
