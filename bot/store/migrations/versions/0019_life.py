"""Roles besides the commander's, and command as it is handed over."""

import sqlalchemy as sa
from alembic import op

from bot.store.types import JsonColumn

revision = "0019"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("incident") as table:
        table.add_column(sa.Column("roles", JsonColumn, nullable=False, server_default="{}"))
        table.add_column(sa.Column("offer", JsonColumn, nullable=False, server_default="{}"))


def downgrade() -> None:
    with op.batch_alter_table("incident") as table:
        table.drop_column("offer")
        table.drop_column("roles")
