"""The access drills that were held."""

import sqlalchemy as sa
from alembic import op

from bot.store.types import JsonColumn, UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_drill",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("due_at", UtcDateTime(), primary_key=True),
        sa.Column("began", UtcDateTime(), nullable=False),
        sa.Column("ended", UtcDateTime(), nullable=True),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("result", JsonColumn, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("access_drill")
