"""The heatmap: each GPU by its node, or each node of a large fleet; a click chooses what is shown over time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.charts.gpu_heatmap import Cells, gpu_heatmap, heatmap_alt
from core.monitoring.collect import AGGREGATE_ABOVE
from core.monitoring.indicators import indicators
from core.monitoring.snapshot import Numbers, Snapshot, Table
from core.monitoring.subjects import parsed
from core.monitoring.thresholds import Limit, Thresholds
from core.monitoring.verdicts import State
from core.monitoring.wording import printed
from pages.parts import language
from pages.parts.monitor_fields import HEATMAP
from pages.parts.monitor_series import chosen, go
from pages.parts.monitor_view import View
from pages.parts.plot import plot


def heatmap(view: View) -> None:
    """Draw the heatmap of the chosen indicator, and the choice."""
    inputs, snapshot, t, locale = view.inputs, view.snapshot, view.t, view.locale
    table = snapshot.nodes if snapshot.aggregated else snapshot.gpus
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        title = "monitor_page.nodes_title" if snapshot.aggregated else "monitor_page.gpus_title"
        st.subheader(t(title), anchor=False, width="content")
        inputs.choice(
            "heat",
            t("monitor_page.indicator"),
            HEATMAP,
            lambda name: indicators()[name].name.render(locale),
            label_visibility="collapsed",
            width=190,
        )
    name = str(inputs["heat"])
    cells = cells_of(name, table, snapshot, view.thresholds)
    if not np.isfinite(cells.values).any():
        unread = snapshot.aggregated and snapshot.detected.has(name)
        st.caption(t("monitor_page.no_indicator_nodes" if unread else "monitor_page.no_indicator"))

    def pick(subject_id: str) -> None:
        subject = parsed(subject_id)
        if subject is not None:
            go(inputs, subject)

    plot(
        gpu_heatmap(cells, chosen(inputs).id, locale),
        "monitor_heatmap",
        heatmap_alt(cells, locale),
        on_pick=pick,
    )
    hint = t("monitor_page.nodes_hint", count=f"{AGGREGATE_ABOVE:,}")
    st.caption(hint if snapshot.aggregated else t("monitor_page.gpus_hint"))


def cells_of(name: str, table: Table, snapshot: Snapshot, thresholds: Thresholds) -> Cells:
    """Return the cells of *table* for the indicator *name*; missing GPUs are among them, unknown."""
    locale = language.current()
    definition = indicators()[name]
    values, states = table.column(name), table.verdict(name)
    if definition.level == "engine":
        values, states = _of_engines(name, table, snapshot)
    limit = thresholds.limits.get(name)
    subjects = list(table.subjects)
    shades = [shade(float(value), state, limit) for value, state in zip(values, states, strict=True)]
    told = [_told(row, name, table) for row in range(len(table))]
    if not snapshot.aggregated:
        known = {subject.id for subject in subjects}
        away = [one for one in (*snapshot.missing, *snapshot.gone) if one.gpu and one.id not in known]
        subjects += away
        values = np.concatenate([values, np.full(len(away), np.nan)])
        shades += ["unknown"] * len(away)
        told += [""] * len(away)
    return Cells(
        nodes=[subject.node for subject in subjects],
        gpus=() if snapshot.aggregated else [_index(subject.gpu, subject.mig) for subject in subjects],
        values=values,
        shades=shades,
        ids=[subject.id for subject in subjects],
        told=told,
        unit=definition.unit,
        title=definition.name.render(locale),
    )


def _index(gpu: str, mig: str) -> str:
    return f"{gpu}.{mig}" if mig else gpu


def shade(value: float, state: object, limit: Limit | None) -> str:
    """Return the colour of a value: by its state, and by the side of the limit on which it lies.

    A value without a limit, or in a window that is not full yet, is normal where it was measured.
    """
    if not np.isfinite(value):
        return "unknown"
    if limit is None or state in {State.OK, State.WARMING_UP}:
        return "ok"
    if state is State.UNKNOWN:
        return "unknown"
    low = max((edge for edge in (limit.low, limit.low_bad) if edge is not None), default=-np.inf)
    if value < low:
        return "low"
    return "bad" if state is State.BAD else "warning"


def _of_engines(name: str, table: Table, snapshot: Snapshot) -> tuple[Numbers, Sequence[object]]:
    """Return for each row the worst of the replicas on its node."""
    column, states = snapshot.replicas.column(name), snapshot.replicas.verdict(name)
    by_node: dict[str, int] = {}
    for row, subject in enumerate(snapshot.replicas.subjects):
        held = by_node.get(subject.node)
        if np.isfinite(column[row]) and (held is None or column[row] > column[held]):
            by_node[subject.node] = row
    rows = [by_node.get(subject.node) for subject in table.subjects]
    values = np.array([np.nan if row is None else column[row] for row in rows], dtype=np.float64)
    return values, [State.UNKNOWN if row is None else states[row] for row in rows]


def _told(row: int, name: str, table: Table) -> str:
    """Return the other figures of a row, which are told when the pointer rests on it."""
    locale = language.current()
    others = [other for other in HEATMAP if other != name and indicators()[other].level != "engine"]
    figures = [
        f"{indicators()[other].name.render(locale)} {printed(float(value), indicators()[other].unit)}"
        for other in others
        if np.isfinite(value := table.column(other)[row])
    ]
    model = table.labels[row].get("model", "")
    return ", ".join([*([model] if model else []), *figures])
