"""Codes read aloud, observers, sessions handed over by hand.

Revision ID: 0006
"""

import sqlalchemy as sa

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("invitation") as batch:
        batch.alter_column("contact", existing_type=sa.String(length=40), nullable=True)
    with op.batch_alter_table("session") as batch:
        batch.add_column(sa.Column("offered_to", sa.String(length=32), nullable=True))
        batch.add_column(sa.Column("offered_by", sa.String(length=40), nullable=True))
        batch.add_column(sa.Column("handed", sa.DateTime(timezone=True), nullable=True))
        batch.create_foreign_key("fk_session_offered_by_user", "user", ["offered_by"], ["id"])
    op.create_table(
        "spoken_code",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=40), nullable=False),
        sa.Column("session", sa.String(length=40), nullable=False),
        sa.Column("invitation", sa.String(length=40), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.DateTime(timezone=True), nullable=True),
        sa.Column("browser", sa.String(length=64), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.id"], name="fk_spoken_code_site_site"),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name="fk_spoken_code_session_session"),
        sa.ForeignKeyConstraint(
            ["invitation"], ["invitation.id"], name="fk_spoken_code_invitation_invitation"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_spoken_code"),
    )
    op.create_index("ix_spoken_code_code", "spoken_code", ["code"])
    op.create_index("ix_spoken_code_invitation", "spoken_code", ["invitation"])
    op.create_index("ix_spoken_code_expires", "spoken_code", ["expires"])
    op.create_table(
        "observer",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("site", sa.String(length=40), nullable=False),
        sa.Column("session", sa.String(length=40), nullable=False),
        sa.Column("invited_by", sa.String(length=40), nullable=False),
        sa.Column("command", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("contact", sa.String(length=40), nullable=False),
        sa.Column("message", sa.String(length=40), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("joined", sa.DateTime(timezone=True), nullable=True),
        sa.Column("browser_hash", sa.String(length=64), nullable=True),
        sa.Column("removed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.id"], name="fk_observer_site_site"),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name="fk_observer_session_session"),
        sa.ForeignKeyConstraint(["invited_by"], ["user.id"], name="fk_observer_invited_by_user"),
        sa.ForeignKeyConstraint(["name"], ["personal.id"], name="fk_observer_name_personal"),
        sa.ForeignKeyConstraint(["contact"], ["personal.id"], name="fk_observer_contact_personal"),
        sa.ForeignKeyConstraint(["message"], ["message.id"], name="fk_observer_message_message"),
        sa.PrimaryKeyConstraint("id", name="pk_observer"),
        sa.UniqueConstraint("token_hash", name="uq_observer_token_hash"),
        sa.UniqueConstraint("site", "invited_by", "command", name="uq_observer_site"),
    )
    op.create_index("ix_observer_session", "observer", ["session"])


def downgrade() -> None:
    op.drop_table("observer")
    op.drop_table("spoken_code")
    with op.batch_alter_table("session") as batch:
        batch.drop_constraint("fk_session_offered_by_user", type_="foreignkey")
        batch.drop_column("handed")
        batch.drop_column("offered_by")
        batch.drop_column("offered_to")
    # What has no contact is a code that was read aloud: the release before cannot hold it.
    op.execute(
        "DELETE FROM message WHERE invitation IN (SELECT id FROM invitation WHERE contact IS NULL)"
    )
    op.execute("DELETE FROM invitation WHERE contact IS NULL")
    with op.batch_alter_table("invitation") as batch:
        batch.alter_column("contact", existing_type=sa.String(length=40), nullable=False)
