"""All quotes in one table, in the same units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import streamlit as st

from core.planning.fair import Answer
from core.planning.larger import larger
from core.quantities import format_usd
from pages.parts import language
from pages.parts.breakdown import plain

Translator = Callable[..., str]

ROW = 31
"""Pixels of a row of the table, which follows the size of the font in `.streamlit/config.toml`."""
MONEY = ("hour", "year", "present", "tokens", "full", "tbs", "pflop")
LARGE = ("year", "present")


def compared(answer: Answer, t: Translator) -> None:
    """Draw the table, the cheapest first, and below it what to be careful of."""
    st.dataframe(
        frame_of(answer, t),
        key="quotes_compared",
        hide_index=True,
        height=ROW * (1 + min(len(answer.quotes), 12)) + 3,
        column_config=_columns(t),
        placeholder="–",
        alt=t("quotes_page.compared_alt", count=len(answer.quotes)),
    )
    st.caption(
        t("quotes_page.compared_note", months=f"{float(answer.comparison.assumptions.horizon_months):g}")
    )
    _warnings(answer)


def frame_of(answer: Answer, t: Translator) -> pd.DataFrame:
    """Return the table, the cheapest that serves the load first."""
    order = answer.order
    rows = [answer.comparison.rows[place] for place in order]
    today = datetime.now(UTC).date()
    return pd.DataFrame(
        {
            "name": [row.quote.name for row in rows],
            "serves": [state_of(answer, place, t) for place in order],
            "tokens": _numbers([answer.unit(place, "tokens") for place in order]),
            "tokens_band": [_band(answer.band(place, "per_million")) for place in order],
            "hour": _numbers([row.gpu_hour for row in rows]),
            "hour_band": [_band(answer.hour_band(place)) for place in order],
            "year": _numbers([row.yearly for row in rows]),
            "year_band": [_band(answer.band(place, "yearly")) for place in order],
            "present": _numbers([row.present for row in rows]),
            "full": _numbers([answer.unit(place, "saturated") for place in order]),
            "used": _numbers([answer.used(place) for place in order]),
            "kwh": _numbers([row.kwh_year for row in rows]),
            "co2": _numbers([row.co2_kg_year for row in rows]),
            "tbs": _numbers([row.tbs_hour for row in rows]),
            "pflop": _numbers([row.pflop_hour for row in rows]),
            "gpus": [f"{row.quote.gpus} × {row.device.name}" for row in rows],
            "age": _numbers([(today - row.quote.as_of).days if row.quote.as_of else None for row in rows]),
        }
    )


def state_of(answer: Answer, place: int, t: Translator) -> str:
    """Return whether quote *place* serves the load, and with how many servers it would."""
    found = larger(answer, place)
    if found is not None:
        return t("quotes_page.state_larger", nodes=found.nodes)
    return t(f"quotes_page.state.{answer.capabilities[place].state}")


def _columns(t: Translator) -> dict[str, object]:
    number, words = st.column_config.NumberColumn, st.column_config.TextColumn

    def label(name: str) -> tuple[str, str]:
        return t(f"quotes_page.column.{name}"), t(f"quotes_page.column_help.{name}")

    found: dict[str, object] = {
        "name": words(label("name")[0], pinned=True, width="medium"),
        "serves": words(label("serves")[0], help=label("serves")[1]),
    }
    for name in ("tokens", "hour", "year", "present", "full", "used", "kwh", "co2", "tbs", "pflop", "age"):
        title, help_ = label(name)
        form = (
            "$%,.0f"
            if name in LARGE
            else "$%.3g"
            if name in MONEY
            else "percent"
            if name == "used"
            else "localized"
        )
        found[name] = number(title, help=help_, format=form)
        if name in ("hour", "year", "tokens"):
            found[f"{name}_band"] = words(
                t("quotes_page.column.band"), help=t("quotes_page.column_help.band")
            )
    found["gpus"] = words(label("gpus")[0])
    return found


def _warnings(answer: Answer) -> None:
    locale = language.current()
    lines = [
        f"- **{plain(row.quote.name)}**: {plain(' '.join(one.render(locale) for one in row.warnings))}"
        for row in answer.comparison.rows
        if row.warnings
    ]
    if lines:
        st.caption("\n".join(lines))


def _band(found: tuple[float, float] | None) -> str:
    return "–" if found is None else f"{format_usd(found[0])} – {format_usd(found[1])}"


def _numbers(values: Sequence[object]) -> pd.Series:
    return pd.Series([_digits(value) for value in values], dtype="Float64")


def _digits(value: object) -> float | None:
    """Return *value* with four significant digits: no estimate supports more."""
    if value is None:
        return None
    number = float(np.asarray(value))
    return float(f"{number:.4g}") if np.isfinite(number) else None
