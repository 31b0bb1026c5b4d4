"""Where postmortems are published: a row for each place."""

import sqlalchemy as sa
from alembic import op

from bot.store import UtcDateTime

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "postmortem_copy",
        sa.Column("incident_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("place", sa.String(), primary_key=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=True),
    )


def downgrade() -> None:
    op.drop_table("postmortem_copy")
