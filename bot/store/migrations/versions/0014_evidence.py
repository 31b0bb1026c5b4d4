"""What is looked for when an incident opens, place by place."""

import sqlalchemy as sa
from alembic import op

from bot.store import JsonColumn, UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "evidence_look",
        sa.Column("incident_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("lease_until", UtcDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
    )
    op.create_table(
        "evidence_item",
        sa.Column("incident_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("data", JsonColumn, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=True),
    )


def downgrade() -> None:
    op.drop_table("evidence_item")
    op.drop_table("evidence_look")
