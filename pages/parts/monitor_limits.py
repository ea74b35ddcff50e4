"""The limits: those of two guides, each of which can be changed; what was changed is in the address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from core.errors import PlannerError
from core.monitoring.indicators import indicators
from core.monitoring.thresholds import PRESETS, Limit
from core.monitoring.wording import SCALES
from pages.parts import language
from pages.parts.breakdown import plain
from pages.parts.inputs import Inputs
from pages.parts.monitor_fields import BOUNDS, edits, spelled

Translator = Callable[..., str]

ANY = {"xid", "ecc_errors", "row_remap_failed", "replica_up", "gpu_exporter_up"}
"""Judged by whether it is there at all: nothing of it is a matter of degree."""
PREALLOCATED = "memory_occupancy"
BATCH = "batch_efficiency"
NOTED = {"compute_utilisation", "e2e"}
"""What is not flagged as the others are; the page says how."""


@dataclass(frozen=True)
class Told:
    """What is said of limits, by indicator: why a change cannot be, and why one is judged otherwise."""

    refused: Mapping[str, PlannerError]
    reasons: Mapping[str, str]


def limits_editor(inputs: Inputs, told: Told, t: Translator) -> None:
    """Draw the choice of a preset and the limits of each indicator."""
    st.markdown(f"**{t('monitor_page.limits')}**")
    st.caption(t("monitor_page.limits_why"))
    inputs.choice(
        "preset",
        t("monitor_page.preset"),
        tuple(PRESETS),
        lambda preset: PRESETS[preset].name.render(language.current()),
    )
    changed = edits(inputs["limits"])
    if changed:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.caption(t("monitor_page.changed", count=len(changed)), width="content")
            st.button(
                t("monitor_page.reset"),
                key="monitor_reset",
                icon=":material/undo:",
                on_click=lambda: inputs.change(limits=None),
            )
    for name, limit in PRESETS[str(inputs["preset"])].limits.items():
        if name not in ANY:
            _limit(inputs, name, limit, told, t)


def _limit(inputs: Inputs, name: str, limit: Limit, told: Told, t: Translator) -> None:
    refused, reason = told.refused.get(name), told.reasons.get(name)
    changed = {key for key in edits(inputs["limits"]) if key.startswith(f"{name}.")}
    title = indicators()[name].name.render(language.current())
    # The mark must not change what the expander is called, or Streamlit would take it for another and close it.
    with st.expander(title, key=f"monitor_limit_{name}", on_change="rerun") as panel:
        if not panel.open:
            return
        if reason:
            st.info(plain(reason), title=t("monitor_page.preallocates"), icon=":material/info:")
        for bound in BOUNDS:
            if getattr(limit, bound) is not None and not (bound == "for_s" and not limit.for_s):
                _bound(inputs, name, bound, limit, t)
        if name == BATCH:
            inputs.number(
                "max_num_seqs", t("monitor_page.capacity"), help=t("monitor_page.capacity_help"), step=1
            )
        if refused is not None:
            reason = refused.sentence.render(language.current())
            message = t("monitor_page.bad_limit", name=title, reason=reason)
            st.error(plain(message), icon=":material/error:")
        if changed:
            st.button(
                t("monitor_page.reset"),
                key=f"monitor_reset_{name}",
                icon=":material/undo:",
                on_click=lambda: _put(inputs, dict.fromkeys(changed)),
            )
        if name in NOTED:
            st.caption(t(f"monitor_page.limit_note.{name}"))
        st.caption(plain(limit.source))
        st.caption(plain(indicators()[name].meaning.render(language.current())))


def _bound(inputs: Inputs, name: str, bound: str, limit: Limit, t: Translator) -> None:
    """Draw one number, in the unit that people speak of, and keep it in the core's unit."""
    unit = indicators()[name].unit
    scale = 1 / 60 if bound == "for_s" else SCALES.get(unit, 1.0)
    shown_unit = t("monitor_page.minutes") if bound == "for_s" else t(f"monitor_page.bound_units.{unit}")
    default = float(getattr(limit, bound))
    current = edits(inputs["limits"]).get(f"{name}.{bound}", default)
    key = f"monitor_bound_{name}_{bound}"
    value = round(current * scale, 9)
    if st.session_state.get(key) != value:
        st.session_state[key] = value

    def take() -> None:
        given = st.session_state[key]
        number = default if given is None else float(f"{given / scale:.12g}")
        _put(inputs, {f"{name}.{bound}": None if abs(number - default) < 1e-9 else number})

    st.number_input(
        f"{t(f'monitor_page.bound.{bound}')} ({shown_unit})",
        min_value=0.0,
        step=1.0 if value >= 5 else 0.1,
        format="%g",
        key=key,
        on_change=take,
    )


def _put(inputs: Inputs, changes: Mapping[str, float | None]) -> None:
    """Set the limits that were changed; None goes back to that of the preset."""
    merged: dict[str, float | None] = {**edits(inputs["limits"]), **changes}
    inputs.change(limits=spelled({name: number for name, number in merged.items() if number is not None}))
