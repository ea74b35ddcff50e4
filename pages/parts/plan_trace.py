"""Requests of one's own, from a file: they replace rate, lengths and peak."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.errors import PlannerError
from core.planning.result import Plan
from core.quantities import format_digits
from core.traffic import Trace, read_trace, typical_day
from pages.parts import language
from pages.parts.breakdown import plain
from pages.parts.inputs import Inputs
from pages.parts.planning import TRACE

Translator = Callable[..., str]

_FILE = "plan_trace_file"
_FAULT = "plan:trace_fault"
MOST_FAULTS = 500
"""Faulty rows that are listed."""


@st.cache_resource(max_entries=8, show_spinner=False)
def _read(content: str) -> Trace:
    return read_trace(content)


def trace_of() -> Trace | None:
    """Return the trace of this session, None where there is none."""
    kept = st.session_state.get(TRACE)
    return None if kept is None else _read(kept[1])


def trace_input(inputs: Inputs, t: Translator) -> None:
    """Draw the place for a trace, what was read from it, and the rows that were not."""
    del inputs
    st.file_uploader(
        t("plan_page.trace"),
        type=["csv", "tsv", "txt"],
        key=_FILE,
        on_change=_load,
        help=t("plan_page.help.trace"),
    )
    fault = st.session_state.get(_FAULT)
    if fault is not None:
        st.error(fault.sentence.render(language.current()), icon=":material/error:")
    trace = trace_of()
    if trace is None:
        st.caption(t("plan_page.trace_note"))
        return
    st.caption(trace_words(trace, t))
    st.button(t("plan_page.trace_drop"), key="plan_trace_drop", icon=":material/delete:", on_click=_drop)
    if not trace.faults:
        return
    st.warning(t("plan_page.trace_faults", count=len(trace.faults), used=trace.rows), icon=":material/rule:")
    with st.container(height=220):
        told = (
            t("traffic.first_fault", line=one.line, fault=plain(one.sentence.render(language.current())))
            for one in trace.faults[:MOST_FAULTS]
        )
        st.caption("\n".join(f"- {line}" for line in told))


def trace_words(trace: Trace, t: Translator) -> str:
    """Return what a trace says, in a line."""
    traffic = trace.traffic
    return t(
        "plan_page.trace_read",
        name=plain(st.session_state[TRACE][0]),
        rows=trace.rows,
        rate=format_digits(traffic.rate, 3),
        peak=format_digits(traffic.peak, 2),
        input=f"{traffic.input.mean:,.0f}",
        output=f"{traffic.output.mean:,.0f}",
        input_p95=f"{traffic.input.quantile(0.95):,.0f}",
        output_p95=f"{traffic.output.quantile(0.95):,.0f}",
    )


def hours_of(plan: Plan) -> tuple[float, ...]:
    """Return the rate of each hour of a day over its mean: as the trace has it, else of a typical day.

    Raises:
        PlannerError: no day has a peak so high.
    """
    trace = trace_of()
    if trace is not None and trace.day is not None:
        return trace.day
    return typical_day(plan.traffic.peak)


def _load() -> None:
    """Take over an uploaded file; one without usable rows changes nothing but says why."""
    st.session_state.pop(_FAULT, None)
    file = st.session_state[_FILE]
    if file is None:
        return
    content = file.getvalue()
    try:
        read_trace(content)
    except PlannerError as error:
        st.session_state[_FAULT] = error
        return
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    st.session_state[TRACE] = file.name, content.decode(encoding)


def _drop() -> None:
    st.session_state.pop(TRACE, None)
    st.session_state.pop(_FAULT, None)
