"""Profiles and preferences"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "profiles",
        sa.Column("slug", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("weights", JSONB(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("profiles_pkey")),
        sa.CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name=op.f("profiles_slug")),
        sa.CheckConstraint("source IN ('mined', 'staff')", name=op.f("profiles_source")),
        sa.CheckConstraint("version >= 1", name=op.f("profiles_version")),
        schema="profile",
    )
    op.create_table(
        "preferences",
        sa.Column("item_id", sa.Text(collation="C"), nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=False),
        sa.Column("categories", JSONB(), nullable=False),
        sa.Column("brands", JSONB(), nullable=False),
        sa.Column("price_bands", JSONB(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("item_id", name=op.f("preferences_pkey")),
        sa.CheckConstraint("sessions >= 10", name=op.f("preferences_sessions")),
        schema="profile",
    )


def downgrade() -> None:
    op.drop_table("preferences", schema="profile")
    op.drop_table("profiles", schema="profile")
