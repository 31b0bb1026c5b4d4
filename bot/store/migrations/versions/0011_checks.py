"""Over which access path a check's sample was had."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("check_sample") as table:
        table.add_column(sa.Column("path", sa.String(), nullable=False, server_default="direct"))


def downgrade() -> None:
    with op.batch_alter_table("check_sample") as table:
        table.drop_column("path")
