"""Notices are found by their incident, however long the outbox is."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_OURS = sa.text("surface = 'outside'")


def upgrade() -> None:
    op.create_index(
        "ix_outbox_outside", "outbox", ["incident_id", "sent_at"],
        postgresql_where=_OURS, sqlite_where=_OURS,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_outbox_outside", "outbox")
