"""What arrived from Slack."""

import sqlalchemy as sa
from alembic import op

from bot.store.types import JsonColumn, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "slack_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("body", JsonColumn, nullable=False),
        sa.Column("answer", JsonColumn, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("worked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index(op.f("ix_slack_request_state"), "slack_request", ["state"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_slack_request_state"), table_name="slack_request")
    op.drop_table("slack_request")
