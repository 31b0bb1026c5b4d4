"""Roles, command as it is handed over, when an incident was closed, links, tasks and follow-ups."""

import sqlalchemy as sa
from alembic import op

from bot.store.types import JsonColumn, UtcDateTime

revision = "0019"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "task",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("after", sa.Boolean(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False, unique=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=False),
        sa.UniqueConstraint("incident_id", "number"),
    )
    op.create_index("ix_task_incident_id", "task", ["incident_id"])
    op.create_index("ix_task_state", "task", ["state"])
    with op.batch_alter_table("incident") as table:
        table.add_column(sa.Column("roles", JsonColumn, nullable=False, server_default="{}"))
        table.add_column(sa.Column("offer", JsonColumn, nullable=False, server_default="{}"))
        table.add_column(sa.Column("links", JsonColumn, nullable=False, server_default="[]"))
        table.add_column(sa.Column("closed_at", UtcDateTime(), nullable=True))
        table.add_column(sa.Column("archived_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("incident") as table:
        table.drop_column("archived_at")
        table.drop_column("closed_at")
        table.drop_column("links")
        table.drop_column("offer")
        table.drop_column("roles")
    op.drop_table("task")
