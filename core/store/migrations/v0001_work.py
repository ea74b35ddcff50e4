"""Saved work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from alembic.operations import Operations

revision = "0001"
down_revision = None


def upgrade(op: Operations) -> None:
    """Make the tables of work and of its content."""
    op.create_table(
        "planner_work",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("notes", sa.Text, nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("data_version", sa.Text, nullable=False),
        sa.Column("app_version", sa.Text, nullable=False),
    )
    op.create_table(
        "planner_content",
        sa.Column(
            "work", sa.String(32), sa.ForeignKey("planner_work.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("json", sa.Text, nullable=False),
    )
