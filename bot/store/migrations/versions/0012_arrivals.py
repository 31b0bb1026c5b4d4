"""What requests brought, until it is made into alerts."""

import sqlalchemy as sa
from alembic import op

from bot.store.types import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "arrival",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("alerts", sa.String(), nullable=False),
        sa.Column("refused", sa.String(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("arrival")
