"""Which weeks a digest was posted about."""

import sqlalchemy as sa
from alembic import op

from bot.store.types import UtcDateTime

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "digest_post",
        sa.Column("digest", sa.String(), primary_key=True),
        sa.Column("week", sa.String(), primary_key=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("digest_post")
