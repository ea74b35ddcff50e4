"""Quotes as they are kept: rows as they were typed, and the inputs."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.catalog.accelerators import PATH as ACCELERATORS
from core.catalog.offers import PATH as OFFERS
from core.catalog.ownership import PATH as OWNERSHIP
from core.errors import BadRequest
from core.planning.document import files_version
from core.store import Saved
from pages.parts.quotes_fields import FIELDS, STATED
from pages.parts.quotes_rows import Row, cleaned
from pages.parts.saved_inputs import WorkInputs

FORMAT = "quotes/1"
NAME = "quotes_work_name"
"""The key of the field with the name."""


@st.cache_resource(show_spinner=False)
def data_version() -> str:
    """Return the hash of the prices and cards that quotes are compared with."""
    return str(files_version([ACCELERATORS, OFFERS, OWNERSHIP])["sha256"])


def content_of(inputs: WorkInputs, rows: list[Row]) -> dict[str, Any]:
    """Return rows and inputs as they are saved; defaults too, which may be others tomorrow."""
    spelled = inputs.spelled(defaults=True)
    shown = {name for name in spelled if name in STATED or spelled[name] != _default(name)}
    kept = {name: value for name, value in spelled.items() if name in shown and name not in inputs.looks}
    return {"format": FORMAT, "rows": rows, "inputs": kept}


def _default(name: str) -> str | None:
    field = FIELDS[name]
    return None if field.default is None else field.spell(field.default)


def read(work: Saved) -> tuple[list[Row], dict[str, Any]]:
    """Return the rows and all inputs of *work*.

    Raises:
        BadRequest: it was not saved by this page.
    """
    rows, spelled = work.content.get("rows"), work.content.get("inputs", {})
    if work.kind != "quotes" or not isinstance(rows, list) or not isinstance(spelled, dict):
        raise BadRequest("saved.broken", field="work", name=work.name)
    values: dict[str, Any] = {name: field.default for name, field in FIELDS.items()}
    for name, given in spelled.items():
        try:
            values[name] = FIELDS[name].parse(str(given))
        except (ValueError, KeyError, OverflowError):
            continue
    return cleaned(row for row in rows if isinstance(row, dict)), values
