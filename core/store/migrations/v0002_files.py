"""Files that are kept with work, deletion that can be undone, who saved, and a search that ignores capitals."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from alembic.operations import Operations

revision = "0002"
down_revision = "0001"


def upgrade(op: Operations) -> None:
    """Add the columns and the table, and fill what is searched for work that is there."""
    for name in ("saved_by", "search"):
        op.add_column("planner_work", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.add_column("planner_work", sa.Column("deleted", sa.DateTime(timezone=True)))
    op.create_index("planner_work_newest", "planner_work", ["deleted", "updated"])
    op.create_table(
        "planner_file",
        sa.Column(
            "work", sa.String(32), sa.ForeignKey("planner_work.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("work", "name"),
    )
    work = sa.table("planner_work", *(sa.column(name) for name in ("id", "name", "notes", "search")))
    connection = op.get_bind()
    for id_, name, notes in connection.execute(sa.select(work.c.id, work.c.name, work.c.notes)).all():
        # As `records.searchable` was at this step: a step keeps doing what it did.
        search = unicodedata.normalize("NFKC", f"{name}\n{notes}").casefold()
        connection.execute(sa.update(work).where(work.c.id == id_).values(search=search))
