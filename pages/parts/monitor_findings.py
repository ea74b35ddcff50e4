"""The findings, worst first: each a line, which opens to its cause, what shows it, and where to go from there."""

from __future__ import annotations

import zlib

import numpy as np
import streamlit as st

from core.charts.timeline import Band, timeline, timeline_alt
from core.monitoring.answers import Answer
from core.monitoring.faults import MonitoringFault
from core.monitoring.finding import Evidence, Finding
from core.monitoring.subjects import Level
from core.monitoring.wording import apart, printed, together
from pages.parts.breakdown import plain
from pages.parts.monitor_data import Wanted, advice, curves
from pages.parts.monitor_fields import RANGES
from pages.parts.monitor_series import bands_of, curve_of, go
from pages.parts.monitor_view import View
from pages.parts.monitor_words import SEVERITY_LOOK, Translator, age, name_of, offset_s, time_of
from pages.parts.plot import plot

MOST_SHOWN = 12
"""Findings that are listed at once; a button shows the rest."""
MOST_PLACES = 8
"""Places of a finding that have a button."""
MOST_CHARTS = 2
"""Charts that an open finding shows."""
LONG_S = 1.2
"""Evidence goes back this many times the age of the fault, so that the time before it is seen too."""
ALL = "monitor:all"
"""Set where the session wants to see every finding."""
STYLE = (
    '[class*="st-key-monitor_finding_"][class*="_box"] { padding: 0.3rem 0.8rem 0.15rem; gap: 0; }'
    '[class*="st-key-monitor_finding_"] button[kind="tertiary"] { text-align: left; min-height: 1.9rem; }'
)
"""A finding is a line: a list of eight is seen at once."""


def opened(view: View) -> Finding | None:
    """Return the finding that is open."""
    return next((one for one in view.look.findings if one.id == view.inputs["finding"]), None)


def charts_in(finding: Finding | None) -> int:
    """Return how many charts *finding* shows when it is open."""
    return 0 if finding is None else min(MOST_CHARTS, len(finding.evidence))


def findings_list(view: View) -> None:
    """Draw the findings; one of them may be open."""
    t, look = view.t, view.look
    st.subheader(t("monitor_page.flagged"), anchor=False)
    if view.inputs["finding"] and opened(view) is None and not look.stale:
        st.caption(t("monitor_page.gone_finding"))
    if not look.findings:
        known = view.snapshot.trusted and not look.stale
        st.caption(t("monitor_page.no_findings" if known else "monitor_page.no_findings_unknown"))
        return
    st.html(f"<style>{STYLE}</style>")
    shown = look.findings if st.session_state.get(ALL) else look.findings[:MOST_SHOWN]
    for finding in shown:
        _row(finding, view)
    left = len(look.findings) - len(shown)
    if left:
        st.button(
            t("monitor_page.more_findings", count=left),
            key="monitor_more",
            icon=":material/expand_more:",
            on_click=lambda: st.session_state.update({ALL: True}),
        )


def _row(finding: Finding, view: View) -> None:
    t = view.t
    key = f"monitor_finding_{zlib.crc32(finding.id.encode()):x}"
    is_open = finding.id == view.inputs["finding"]
    color, icon = SEVERITY_LOOK[finding.severity]
    with st.container(border=True, key=f"{key}_box", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            badge = f"{icon} {t(f'monitor_page.severity.{finding.severity}')}"
            st.markdown(f":{color}-badge[{badge}]", width="content")
            title = view.read(finding.title)
            st.button(
                f"**{title}** · {places(finding, view)}",
                key=key,
                type="tertiary",
                icon=":material/expand_less:" if is_open else ":material/expand_more:",
                help=t("monitor_page.close") if is_open else t("monitor_page.open", title=title),
                on_click=lambda: view.inputs.change(finding=None if is_open else finding.id),
            )
        told = " · ".join(part for part in (_against(finding, t), _since(finding, view)) if part)
        st.caption(told or view.read(finding.sentence))
        if is_open:
            with st.container(gap="small"):
                _details(finding, view)


def places(finding: Finding, view: View) -> str:
    """Return where the fault is, in a few words."""
    if not finding.subjects:
        return view.t("monitor_page.fleet")
    return view.read(together(finding.subjects, max(finding.count, len(finding.subjects))))


def _against(finding: Finding, t: Translator) -> str:
    if not np.isfinite(finding.value) or finding.limit is None or finding.unit in {"flag", "code"}:
        return ""
    value = apart(finding.value, finding.limit, finding.unit)
    return t("monitor_page.against", value=value, limit=printed(finding.limit, finding.unit))


def _since(finding: Finding, view: View) -> str:
    if finding.since_s is None:
        return ""
    key = "since_before" if finding.at_least else "since"
    began = time_of(view.snapshot.at - finding.since_s)
    return view.t(f"monitor_page.{key}", time=began, age=age(finding.since_s, view.t))


def _details(finding: Finding, view: View) -> None:
    """Draw what an open finding holds."""
    t = view.t
    st.markdown(view.read(finding.sentence))
    st.markdown(f"**{t('monitor_page.cause')}**: {view.read(finding.cause)}")
    _evidence(finding, view)
    _where(finding, view)
    if finding.explains:
        st.markdown(f"**{t('monitor_page.follows')}**")
        st.markdown("\n".join(f"- {view.read(one.sentence)}" for one in finding.explains))
    with st.container():
        _remedies(finding, view)


def _remedies(finding: Finding, view: View) -> None:
    """Draw what to do, with how each number was reached, and the page that works it out in full."""
    found = advice(view.endpoint, finding, view.snapshot)
    if not found:
        return
    st.markdown(f"**{view.t('monitor_page.remedies')}**")
    for one in found:
        st.markdown(f"- {view.read(one.sentence)}")
        st.caption(view.read(one.basis))
        if one.link is not None:
            page = one.link.page
            st.page_link(
                f"{page}.py",
                label=view.t(f"monitor_page.to_{page}"),
                icon=":material/arrow_forward:",
                query_params={name: str(value) for name, value in one.link.inputs.items()},
            )


def _where(finding: Finding, view: View) -> None:
    """Draw a button for each place, which shows its history below."""
    subjects = [one for one in finding.subjects if one.level is not Level.FLEET]
    if not subjects:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown(f"**{view.t('monitor_page.where')}**", width="content")
        for number, subject in enumerate(subjects[:MOST_PLACES]):
            st.button(
                plain(name_of(subject)),
                key=f"monitor_place_{number}",
                icon=":material/show_chart:",
                on_click=go,
                args=(view.inputs, subject),
            )
        if len(subjects) > MOST_PLACES:
            st.caption(view.t("monitor_page.more_places", count=len(subjects) - MOST_PLACES), width="content")


def _evidence(finding: Finding, view: View) -> None:
    """Draw the charts that show the fault, far enough back to see the time before it."""
    shown = finding.evidence[:MOST_CHARTS]
    if not shown:
        return
    span = round(max(view.span_s, min(RANGES["24h"], LONG_S * (finding.since_s or 0.0))))
    wanted = [Wanted(one.expression, 16) for one in shown]
    answers = curves(view.endpoint, wanted, view.snapshot.at, span)
    for one, answer in zip(shown, answers, strict=True):
        st.markdown(f"**{view.read(one.title)}**")
        if isinstance(answer, MonitoringFault):
            st.caption(view.t("monitor_page.chart_failed", reason=view.read(answer.sentence)))
        else:
            _chart(one, answer, finding, span, view)
    with st.popover(view.t("monitor_page.query"), icon=":material/code:", type="tertiary"):
        for one in shown:
            st.code(one.expression, language="promql", wrap_lines=True)


def _chart(evidence: Evidence, answer: Answer, finding: Finding, span: float, view: View) -> None:
    of_gpus = any("gpu" in row for row in answer.labels)
    curve = curve_of(
        answer,
        ("node", "gpu") if of_gpus else ("instance", "model_name", "node"),
        (evidence.unit, evidence.title.render(view.locale)),
        view,
        span_s=span,
        bands=_bands(evidence, finding, view),
    )
    key = f"monitor_evidence_{zlib.crc32(f'{finding.id}{evidence.indicator}'.encode()):x}"
    plot(timeline(curve, offset_s(), view.locale), key, timeline_alt(curve, view.locale))


def _bands(evidence: Evidence, finding: Finding, view: View) -> tuple[Band, ...]:
    """Return the limits of the indicator; where it has none, the line that was crossed."""
    limit = view.thresholds.limits.get(evidence.indicator)
    if limit is not None:
        return bands_of(limit)
    if evidence.limit is None:
        return ()
    above = finding.value >= evidence.limit
    return (Band(evidence.limit, np.inf) if above else Band(-np.inf, evidence.limit),)
