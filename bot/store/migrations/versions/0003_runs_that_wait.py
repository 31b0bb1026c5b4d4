"""Runs that wait for people, times and other runs."""

import sqlalchemy as sa
from alembic import op

from bot.store.types import JsonColumn, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("run") as run:
        run.add_column(sa.Column("pause", sa.Boolean(), nullable=False, server_default=sa.false()))
        run.add_column(sa.Column("note", sa.String(), nullable=False, server_default=""))
        run.add_column(sa.Column("parent_id", sa.Integer(), nullable=True))
        run.add_column(sa.Column("overrides", JsonColumn, nullable=False, server_default="{}"))
        run.add_column(sa.Column("wake_at", UtcDateTime(), nullable=True))
        run.add_column(sa.Column("held_at", UtcDateTime(), nullable=True))
        run.add_column(sa.Column("held_seconds", sa.Float(), nullable=False, server_default="0"))
        run.create_index(op.f("ix_run_parent_id"), ["parent_id"], unique=False)
    with op.batch_alter_table("step_attempt") as attempt:
        attempt.add_column(sa.Column("due_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("step_attempt") as attempt:
        attempt.drop_column("due_at")
    with op.batch_alter_table("run") as run:
        run.drop_index(op.f("ix_run_parent_id"))
        for name in (
            "held_seconds", "held_at", "wake_at", "overrides", "parent_id", "note", "pause"
        ):  # fmt: skip
            run.drop_column(name)
