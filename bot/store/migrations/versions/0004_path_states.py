"""What probes find of access paths."""

import sqlalchemy as sa
from alembic import op

from bot.store.types import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "path_state",
        sa.Column("target", sa.String(), primary_key=True),
        sa.Column("path", sa.String(), primary_key=True),
        sa.Column("ok", sa.Boolean(), nullable=True),
        sa.Column("depth", sa.String(), nullable=False),
        sa.Column("checked_at", UtcDateTime(), nullable=True),
        sa.Column("proven_at", UtcDateTime(), nullable=True),
        sa.Column("bad_since", UtcDateTime(), nullable=True),
        sa.Column("ms", sa.Float(), nullable=True),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("first_seen", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("path_state")
