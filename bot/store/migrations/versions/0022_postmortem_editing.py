"""Versions of postmortems, review notes, reviewers, conflicts."""

import sqlalchemy as sa
from alembic import op

from bot.store import JsonColumn, UtcDateTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("postmortem") as table:
        table.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("meeting_at", UtcDateTime(), nullable=True))
        for name in ("owner", "facilitator", "redraw_by"):
            table.add_column(sa.Column(name, sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("postmortem") as table:
        for name in ("version", "owner", "facilitator", "redraw_by"):
            table.alter_column(name, server_default=None)
    op.create_table(
        "postmortem_version",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("incident_id", sa.Integer(), nullable=False, index=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("section", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("drawn_from", sa.Integer(), nullable=False),
        sa.Column("parts", JsonColumn, nullable=False),
        sa.Column("drawn", JsonColumn, nullable=False),
        sa.UniqueConstraint("incident_id", "number"),
    )
    op.create_table(
        "postmortem_text",
        sa.Column("incident_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("digest", sa.String(), primary_key=True),
        sa.Column("text", sa.String(), nullable=False),
    )
    op.create_table(
        "postmortem_note",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("incident_id", sa.Integer(), nullable=False, index=True),
        sa.Column("section", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False, unique=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.Column("resolved_by", sa.String(), nullable=False),
    )
    op.create_table(
        "postmortem_reviewer",
        sa.Column("incident_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("person", sa.String(), primary_key=True),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("approved_version", sa.Integer(), nullable=False),
        sa.Column("approved_at", UtcDateTime(), nullable=True),
    )
    op.create_table(
        "postmortem_clash",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("incident_id", sa.Integer(), nullable=False, index=True),
        sa.Column("section", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("settled_by", sa.String(), nullable=False),
    )
    op.create_table(
        "postmortem_action",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("incident_id", sa.Integer(), nullable=False, index=True),
        sa.Column("task", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False)
          for name in ("text", "kind", "owner", "due", "done_when", "finding", "by")),
        sa.Column("at", UtcDateTime(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False)
          for name in ("tracker", "ticket", "reference", "url", "seen")),
        sa.Column("seen_at", UtcDateTime(), nullable=True),
        sa.Column("next_at", UtcDateTime(), nullable=True, index=True),
        sa.Column("error", sa.String(), nullable=False),
        sa.UniqueConstraint("incident_id", "task"),
    )  # fmt: skip


def downgrade() -> None:
    for table in ("action", "clash", "reviewer", "note", "text", "version"):
        op.drop_table(f"postmortem_{table}")
    with op.batch_alter_table("postmortem") as postmortem:
        for name in ("version", "meeting_at", "owner", "facilitator", "redraw_by"):
            postmortem.drop_column(name)
