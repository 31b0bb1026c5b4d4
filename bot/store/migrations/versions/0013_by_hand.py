"""Incidents merged and split by hand, and what alerts were in before."""

import sqlalchemy as sa
from alembic import op

from bot.store.types import JsonColumn

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("incident") as incident:
        incident.add_column(sa.Column("merged_into", sa.Integer(), nullable=True))
        incident.add_column(sa.Column("merge", JsonColumn, nullable=False, server_default="{}"))
        incident.add_column(sa.Column("takes", JsonColumn, nullable=False, server_default="[]"))
        incident.create_index(op.f("ix_incident_merged_into"), ["merged_into"], unique=False)
    with op.batch_alter_table("alert") as alert:
        alert.add_column(sa.Column("merged_from", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("alert") as alert:
        alert.drop_column("merged_from")
    with op.batch_alter_table("incident") as incident:
        incident.drop_index(op.f("ix_incident_merged_into"))
        for name in ("takes", "merge", "merged_into"):
            incident.drop_column(name)
