"""Questions about alerts that people answer; incidents that only some may see."""

import sqlalchemy as sa
from alembic import op

from bot.store.types import JsonColumn, UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "question",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("open_key", sa.String(), nullable=True, unique=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("opening", JsonColumn, nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("firing", JsonColumn, nullable=False),
        sa.Column("fired", sa.Integer(), nullable=False),
        sa.Column("ended", sa.Integer(), nullable=False),
        sa.Column("posted", sa.Boolean(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("answered_by", sa.String(), nullable=False),
        sa.Column("held_until", UtcDateTime(), nullable=True),
        sa.Column("incident_id", sa.Integer(), nullable=True),
    )
    op.create_index("ix_question_state", "question", ["state"])
    with op.batch_alter_table("incident") as table:
        table.add_column(
            sa.Column("private", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        table.add_column(sa.Column("people", JsonColumn, nullable=False, server_default="[]"))


def downgrade() -> None:
    with op.batch_alter_table("incident") as table:
        table.drop_column("people")
        table.drop_column("private")
    op.drop_table("question")
