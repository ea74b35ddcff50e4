"""The steps by which a database came to its tables, oldest first; Alembic runs those that are due.

Each file is one step: `revision`, `down_revision` (the step before it) and `upgrade(op)`. A step that was
released is not edited any more: add a file, and name it in `REVISIONS`. There is no way back but a backup,
since a step back would lose what was saved meanwhile.
"""

from __future__ import annotations

REVISIONS = ("0001", "0002")
"""All steps in order, so that a database that needs none is opened without Alembic."""

HEAD = REVISIONS[-1]
TABLE = "planner_schema"
"""Where a database notes its last step."""
