"""Indicators over time: of the fleet, or of the node, GPU or replica that was chosen, with the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.charts.timeline import Band, Line, Timeline, timeline, timeline_alt
from core.monitoring.answers import Answer
from core.monitoring.asking import GPU_LABELS
from core.monitoring.faults import MonitoringFault
from core.monitoring.indicators import indicators
from core.monitoring.snapshot import Snapshot
from core.monitoring.subjects import FLEET, Level, Subject, parsed
from core.monitoring.thresholds import Limit
from pages.parts.breakdown import plain
from pages.parts.inputs import Inputs
from pages.parts.monitor_data import Wanted, curves
from pages.parts.monitor_view import View
from pages.parts.monitor_words import Translator, name_of, offset_s
from pages.parts.plot import plot

MOST = 6
"""Charts, and so questions, of one refresh; those of an open finding among them. Of more, the first are drawn."""
CHARTS = {
    Level.FLEET: ("gpu_utilisation", "kv_usage", "ttft", "requests", "queue", "output_tokens"),
    Level.NODE: ("gpu_utilisation", "memory_occupancy", "gpu_temperature", "gpu_power", "kv_usage", "ttft"),
    Level.GPU: (
        "gpu_utilisation",
        "compute_utilisation",
        "memory_occupancy",
        "gpu_temperature",
        "gpu_power",
        "throttling",
        "dram_activity",
    ),
    Level.ENGINE: ("ttft", "itl", "kv_usage", "queue", "batch_efficiency", "requests", "output_tokens"),
}
MOST_NODES = 12
"""Nodes up to which a chart of the fleet has a curve for each."""
FEW_POINTS = 60
"""Points of a curve of a large fleet: each costs the store a look at every replica."""
WIDTH = 300


@dataclass(frozen=True)
class Chart:
    """One chart: what is asked, what names its curves, and what it is called."""

    indicator: str
    expression: str
    title: str
    labels: tuple[str, ...]
    series: int


def chosen(inputs: Inputs) -> Subject:
    """Return what was chosen to look at: the fleet where nothing was."""
    return parsed(str(inputs["subject"])) or FLEET if inputs["subject"] else FLEET


def over_time(view: View, spent: int) -> None:
    """Draw the charts of what was chosen; *spent* charts were drawn elsewhere in this refresh."""
    subject = chosen(view.inputs)
    st.subheader(view.t("monitor_page.series_title"), anchor=False)
    _way_back(view.inputs, subject, view.t)
    if subject.level is not Level.FLEET:
        _tell(subject, view.snapshot, view.t)
    charts = charts_of(subject, view)[: MOST - spent]
    step = view.span_s / FEW_POINTS if view.snapshot.aggregated else None
    wanted = [Wanted(chart.expression, chart.series, step) for chart in charts]
    answers = curves(view.endpoint, wanted, view.snapshot.at, view.span_s)
    with st.grid(3, min_column_width=WIDTH, key="monitor_charts"):
        for chart, answer in zip(charts, answers, strict=True):
            with st.container():
                _draw(chart, answer, subject, view)


def _way_back(inputs: Inputs, subject: Subject, t: Translator) -> None:
    """Draw where we are, and a button for each step back."""
    steps = [FLEET]
    if subject.level is Level.GPU:
        steps.append(subject.of_node)
    if subject.level is Level.ENGINE and subject.node:
        steps.append(subject.of_node)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        for number, step in enumerate(steps if subject.level is not Level.FLEET else []):
            label = t("monitor_page.fleet") if step.level is Level.FLEET else plain(name_of(step))
            st.button(
                label,
                key=f"monitor_back_{number}",
                type="tertiary",
                icon=":material/arrow_back:" if number == 0 else None,
                help=t("monitor_page.back", place=label),
                on_click=go,
                args=(inputs, step),
            )
            st.markdown("/")
        here = t("monitor_page.fleet") if subject.level is Level.FLEET else plain(name_of(subject))
        st.markdown(f"**{here}**")


def go(inputs: Inputs, subject: Subject) -> None:
    """Choose what to look at; from a callback."""
    inputs.change(subject=None if subject.level is Level.FLEET else subject.id)


def _tell(subject: Subject, snapshot: Snapshot, t: Translator) -> None:
    """Say what is known of *subject*, or that it is gone."""
    table = {Level.GPU: snapshot.gpus, Level.NODE: snapshot.nodes, Level.ENGINE: snapshot.replicas}[
        subject.level
    ]
    row = table.rows().get(subject.id)
    if row is None:
        if not (snapshot.aggregated and subject.level is Level.GPU):
            st.info(
                t("monitor_page.gone_subject", subject=plain(name_of(subject))), icon=":material/search_off:"
            )
        return
    labels = {name: value for name, value in table.labels[row].items() if value and name != "host"}
    if labels:
        st.caption(plain(" · ".join(f"{name} {value}" for name, value in labels.items())))


def charts_of(subject: Subject, view: View) -> list[Chart]:
    """Return the charts of *subject* whose indicators are exported."""
    of_one = _of_fleet if subject.level is Level.FLEET else _of_subject
    found = [of_one(name, subject, view) for name in CHARTS[subject.level]]
    return [chart for chart in found if chart is not None]


def _of_subject(name: str, subject: Subject, view: View) -> Chart | None:
    """Return a chart with a curve for each GPU or replica of *subject*."""
    definition = indicators()[name]
    only = {"node": subject.node}
    labels: tuple[str, ...] = ("gpu", "mig")
    if subject.level is Level.ENGINE:
        only = {"instance": subject.instance} | ({"model_name": subject.model} if subject.model else {})
    elif definition.level == "gpu":
        only |= {"gpu": subject.gpu} if subject.gpu else {}
        only |= {"mig": subject.mig} if subject.mig else {}
    if definition.level == "engine":
        labels = ("instance", "model_name")
    expression = view.snapshot.detected.expression(
        name, selector=view.snapshot.selector, only=only, capacity=view.thresholds.max_num_seqs
    )
    called = definition.name.render(view.locale)
    return None if expression is None else Chart(name, expression, called, labels, 16)


def _of_fleet(name: str, _: Subject, view: View) -> Chart | None:
    """Return a chart with a curve for each node or model, or one for all where nodes are many."""
    definition, snapshot = indicators()[name], view.snapshot
    called = definition.name.render(view.locale)
    by = ("model_name",) if definition.level == "engine" else ("node",)
    expression = snapshot.detected.expression(name, selector=snapshot.selector, by=by)
    if expression is None:
        return None
    if definition.level == "engine":
        return Chart(name, expression, view.t("monitor_page.per_model", name=called), by, 8)
    if (snapshot.totals.nodes or len(snapshot.nodes)) <= MOST_NODES:
        return Chart(name, expression, view.t("monitor_page.per_node", name=called), by, MOST_NODES)
    each = snapshot.detected.expression(name, selector=snapshot.selector, by=GPU_LABELS)
    return Chart(name, f"avg({each})", view.t("monitor_page.fleet_mean", name=called), (), 1)


def _draw(chart: Chart, answer: Answer | MonitoringFault, subject: Subject, view: View) -> None:
    st.markdown(f"**{plain(chart.title)}**")
    if isinstance(answer, MonitoringFault):
        st.caption(view.t("monitor_page.chart_failed", reason=view.read(answer.sentence)))
        return
    limit = view.thresholds.limits.get(chart.indicator)
    shown = curve_of(
        answer,
        chart.labels,
        (indicators()[chart.indicator].unit, chart.title),
        view,
        bands=bands_of(limit) if limit and not _excused(chart, view.snapshot) else (),
        lines=_capacity(chart, subject, view),
    )
    figure = timeline(shown, offset_s(), view.locale)
    plot(figure, f"monitor_chart_{chart.indicator}", timeline_alt(shown, view.locale))
    for note in answer.notes:
        st.caption(view.read(note))


def curve_of(
    answer: Answer,
    labels: Sequence[str],
    what: tuple[str, str],
    view: View,
    *,
    span_s: float | None = None,
    bands: Sequence[Band] = (),
    lines: Sequence[Line] = (),
) -> Timeline:
    """Return what is drawn of *answer*, whose curves *labels* name; *what* is its unit and its title."""
    end = view.snapshot.at
    return Timeline(
        times=answer.times,
        values=answer.values,
        names=[_name(row, labels) or view.t("monitor_page.fleet") for row in answer.labels],
        unit=what[0],
        title=what[1],
        start=end - (span_s or view.span_s),
        end=end,
        bands=bands,
        lines=lines,
        stale=view.look.stale,
    )


def _name(row: dict[str, str], labels: Sequence[str]) -> str:
    words = [row.get(label, "") for label in labels]
    if "gpu" in labels and row.get("gpu"):
        words[labels.index("gpu")] = f"GPU {row['gpu']}"
    return " ".join(word for word in words if word)


def bands_of(limit: Limit) -> tuple[Band, ...]:
    """Return the areas in which a value is flagged, those that are bad over those of a warning."""
    inf = float("inf")
    bands = []
    for edge, bad in ((limit.low, False), (limit.low_bad, True)):
        if edge is not None:
            bands.append(Band(-inf, edge, bad))
    for edge, bad in ((limit.high, False), (limit.high_bad, True)):
        if edge is not None:
            bands.append(Band(edge, inf, bad))
    return tuple(bands)


def _excused(chart: Chart, snapshot: Snapshot) -> bool:
    """Whether the memory is that which engines reserve: its limit does not hold then."""
    return chart.indicator == "memory_occupancy" and bool(snapshot.covered)


def _capacity(chart: Chart, subject: Subject, view: View) -> tuple[Line, ...]:
    """Return the line of the memory that the engine on the GPUs of *subject* reserves."""
    if chart.indicator != "memory_occupancy":
        return ()
    shares = {
        round(one.expected, 4)
        for gpu, one in view.snapshot.covered.items()
        if np.isfinite(one.expected) and (found := parsed(gpu)) and found.node == subject.node
    }
    return tuple(Line(share, view.t("monitor_page.reserved")) for share in sorted(shares))
