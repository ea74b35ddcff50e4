"""The quotes of a session as rows of text: what a person typed stays as it is, whatever is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import streamlit as st

from core.catalog import offers
from core.catalog.ownership import ownership
from core.cost.quote import Quote
from core.cost.renting import quote_of
from core.quotes import COLUMNS, Unread
from pages.parts import language

Row = dict[str, str]

BASE = "quotes:base"
"""The rows with which the editor was drawn."""
CURRENT = "quotes:current"
"""The rows as they are after the changes in the editor."""
GENERATION = "quotes:generation"
"""Counts the editors: new rows are a new editor."""

KEYS = tuple(column.key for column in COLUMNS)
FIRST = ("name", "kind", "gpu", "nodes", "gpus_per_node", "price", "per", "period", "currency")
ORDER = (*FIRST, *(key for key in KEYS if key not in FIRST))
"""Columns as the editor has them: what every quote says comes first."""

LISTED, CHEAP = "aws/p4de.24xlarge/us-east-1", "aws/g4dn.metal/us-east-1"
BOUGHT = "srv_4xa100"


def examples(name: Mapping[str, str]) -> tuple[Quote, ...]:
    """Return the quotes that the page opens with, under *name* by listed, bought and cheap."""
    server = ownership()[BOUGHT]
    bought = Quote(
        name=name["bought"],
        kind="purchase",
        gpu="a100-pcie-80",
        nodes=4,
        gpus_per_node=4,
        price=server.typical,
        per="node",
        period="once",
        as_of=server.provenance.as_of,
        source=server.provenance.source,
    )
    return (
        replace(quote_of(offers()[LISTED], nodes=2), name=name["listed"]),
        bought,
        replace(quote_of(offers()[CHEAP], nodes=2), name=name["cheap"]),
    )


def row_of(quote: Quote) -> Row:
    """Return *quote* as a row; what is at its default is left empty but in the first columns."""
    row = {key: written(getattr(quote, key)) for key in KEYS}
    defaults = {column.key: written(column.default) for column in COLUMNS}
    return {key: value for key, value in row.items() if key in FIRST or value != defaults[key]}


def written(value: Any) -> str:
    """Return *value* as a cell shows it.

    >>> written(4.0), written(0.25), written(None), written(date(2026, 5, 31))
    ('4', '0.25', '', '2026-05-31')
    """
    if value is None or isinstance(value, Unread):
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    if isinstance(value, float):
        return _number(value)
    return str(value)


def _number(value: float) -> str:
    """Return *value* so that nobody reads its point as one between thousands: never with three decimals.

    >>> _number(7.824), _number(27.5), _number(float("nan"))
    ('7.8240', '27.5', '')
    """
    if value != value:  # noqa: PLR0124 - not a number
        return ""
    shown = f"{value:.15g}"
    return f"{shown}0" if re.fullmatch(r"-?\d{1,3}\.\d{3}", shown) else shown


def cleaned(rows: Iterable[Mapping[Any, Any]]) -> list[Row]:
    """Return *rows* without cells that are empty, and without rows that hold nothing."""
    kept = [{str(key): written(value) for key, value in row.items() if key in KEYS} for row in rows]
    found = [{key: value for key, value in row.items() if value.strip()} for row in kept]
    return [row for row in found if row]


def current() -> list[Row]:
    """Return the rows; at first those of the examples."""
    if CURRENT not in st.session_state:
        put(row_of(quote) for quote in examples(_names()))
    changes = st.session_state.get(editor_key())
    if changes:
        # A callback runs before the editor: what was typed last is in its changes alone.
        return cleaned(edited(st.session_state[BASE], changes))
    rows: list[Row] = st.session_state[CURRENT]
    return rows


def edited(rows: Sequence[Row], changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return *rows* after the *changes* that an editor reports.

    >>> edited([{"gpu": "T4"}, {"gpu": "L4"}], {"edited_rows": {1: {"price": "2"}}, "deleted_rows": [0]})
    [{'gpu': 'L4', 'price': '2'}]
    """
    changed = changes.get("edited_rows", {})
    kept = [{**row, **changed.get(place, {})} for place, row in enumerate(rows)]
    gone = set(changes.get("deleted_rows", ()))
    left = [row for place, row in enumerate(kept) if place not in gone]
    return [*left, *changes.get("added_rows", ())]


def put(rows: Iterable[Mapping[str, str]]) -> None:
    """Show *rows* in place of all others."""
    kept = [dict(row) for row in rows]
    st.session_state[BASE] = kept
    st.session_state[CURRENT] = kept
    st.session_state[GENERATION] = st.session_state.get(GENERATION, 0) + 1


def add(rows: Sequence[Mapping[str, str]]) -> None:
    """Show *rows* below those that are there."""
    put([*current(), *rows])


def base() -> list[Row]:
    """Return the rows with which to draw the editor, which forgets its changes while another page is shown."""
    rows = current()
    if editor_key() not in st.session_state and st.session_state[BASE] != rows:
        put(rows)
    found: list[Row] = st.session_state[BASE]
    return found


def editor_key() -> str:
    """Return the key of the editor that is drawn now."""
    return f"quotes_table_{st.session_state.get(GENERATION, 0)}"


def _names() -> dict[str, str]:
    t = language.translator()
    return {name: t(f"quotes_page.example.{name}") for name in ("listed", "bought", "cheap")}
