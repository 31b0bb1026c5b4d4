"""Alerts that flap, and since when no alert of an incident fires."""

import sqlalchemy as sa
from alembic import op

from bot.store.types import UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "flap",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False, index=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.Column("fired", sa.Integer(), nullable=False),
        sa.Column("resolved", sa.Integer(), nullable=False),
        sa.Column("firing", sa.Boolean(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
    )
    on = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_flap_on", "flap", ["source", "fingerprint"], unique=True,
        postgresql_where=on, sqlite_where=on,
    )  # fmt: skip
    op.add_column("alert", sa.Column("flap_id", sa.Integer(), nullable=True))
    op.add_column("incident", sa.Column("alerts_ended_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("incident", "alerts_ended_at")
    op.drop_column("alert", "flap_id")
    op.drop_table("flap")
