"""Passwords and codes for the console."""

import sqlalchemy as sa
from alembic import op

from bot.store.types import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "console_signin",
        sa.Column("person_id", sa.String(), primary_key=True),
        sa.Column("hash", sa.String(), nullable=True),
        sa.Column("secret", sa.String(), nullable=True),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("not_before", UtcDateTime(), nullable=True),
        sa.Column("since", UtcDateTime(), nullable=True),
    )


def downgrade() -> None:
    op.drop_table("console_signin")
