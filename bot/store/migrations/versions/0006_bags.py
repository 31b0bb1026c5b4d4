"""The go-bags that were packed."""

import sqlalchemy as sa
from alembic import op

from bot.store.types import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "packed_bag",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("packed_at", UtcDateTime(), nullable=False),
        sa.Column("recipients", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("signer", sa.String(), nullable=False),
        sa.Column("drilled_at", UtcDateTime(), nullable=True),
        sa.Column("drilled_by", sa.String(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
    )


def downgrade() -> None:
    op.drop_table("packed_bag")
