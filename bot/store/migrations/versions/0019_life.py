"""Roles besides the commander's, command as it is handed over, and when an incident was closed."""

import sqlalchemy as sa
from alembic import op

from bot.store.types import JsonColumn, UtcDateTime

revision = "0019"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("incident") as table:
        table.add_column(sa.Column("roles", JsonColumn, nullable=False, server_default="{}"))
        table.add_column(sa.Column("offer", JsonColumn, nullable=False, server_default="{}"))
        table.add_column(sa.Column("closed_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("incident") as table:
        table.drop_column("closed_at")
        table.drop_column("offer")
        table.drop_column("roles")
