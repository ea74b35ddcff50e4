"""Words of the Monitor page: ages, times of day, states, and the headline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from core.charts.timeline import clock
from core.monitoring.exporters import Exporter
from core.monitoring.finding import SEVERITIES
from core.monitoring.snapshot import Snapshot
from core.monitoring.subjects import Subject
from core.monitoring.verdicts import State
from pages.parts import language
from pages.parts.breakdown import plain
from pages.parts.monitor_data import Look

Translator = Callable[..., str]

SEVERITY_LOOK = {
    "critical": ("red", ":material/error:"),
    "warning": ("orange", ":material/warning:"),
    "info": ("blue", ":material/savings:"),
}
STATE_COLORS = {
    State.OK: "green",
    State.WARNING: "orange",
    State.BAD: "red",
    State.UNKNOWN: "gray",
    State.WARMING_UP: "gray",
}


_TELLING = ("node", "gpu", "uuid", "instance")
"""Canonical labels that tell one GPU or replica from another."""


def offset_s() -> float:
    """Return how many seconds the clock of the reader is ahead of UTC."""
    return -60.0 * (st.context.timezone_offset or 0)


def time_of(at: float) -> str:
    """Return the time of day of unix time *at* on the reader's clock."""
    return clock(at, offset_s())


def age(seconds: float, t: Translator) -> str:
    """Return a duration in one unit."""
    if seconds < 100:
        return t("monitor_page.age_s", count=round(seconds))
    if seconds < 100 * 60:
        return t("monitor_page.age_min", count=round(seconds / 60))
    hours = seconds / 3600
    return t("monitor_page.age_h", count=f"{hours:.1f}".removesuffix(".0"))


def name_of(subject: Subject) -> str:
    """Return what a person calls *subject*."""
    return subject.title.render(language.current())


@dataclass(frozen=True)
class Headline:
    """The state of the fleet in a few words; `why` where it is not known."""

    state: Literal["findings", "clear", "unknown", "warming"]
    words: str
    why: str = ""


def headline(look: Look, t: Translator) -> Headline:
    """Return the state of the fleet. It is only clear where everything was read, is fresh and was judged."""
    counts = Counter(finding.severity for finding in look.findings)
    doubt = _doubt(look, t)
    if look.findings:
        parts = ", ".join(
            t(
                f"monitor_page.count.{name}{'_one' if name == 'warning' and counts[name] == 1 else ''}",
                count=counts[name],
            )
            for name in SEVERITIES
            if counts[name]
        )
        total = len(look.findings)
        key = "findings_one" if total == 1 else "findings"
        return Headline("findings", t(f"monitor_page.{key}", count=total, parts=parts), doubt)
    if doubt:
        return Headline("unknown", t("monitor_page.unknown"), doubt)
    if _rows(look, State.WARMING_UP):
        return Headline("warming", t("monitor_page.warming"), t("monitor_page.unknown_why.warming"))
    return Headline("clear", t("monitor_page.clear"))


def _doubt(look: Look, t: Translator) -> str:
    """Return why what is not flagged cannot be called healthy; empty where it can."""
    snapshot = look.snapshot
    if look.fault is not None:
        return t("monitor_page.unknown_why.fault")
    if snapshot is None or not (snapshot.totals.gpus or len(snapshot.gpus) or len(snapshot.replicas)):
        return t("monitor_page.unknown_why.empty")
    if not snapshot.trusted or snapshot.faults:
        return t("monitor_page.unknown_why.partial")
    nameless = _nameless(snapshot)
    if nameless:
        found = ", ".join(exporter.title for exporter in nameless)
        names = {name for one in nameless for label in _TELLING for name in one.identity.get(label, ())}
        listed = ", ".join(sorted(names))
        return t("monitor_page.unknown_why.unnamed", exporters=plain(found), labels=plain(listed))
    away = len(snapshot.missing) + len(snapshot.gone)
    if away and not look.findings:
        return t("monitor_page.unknown_why.missing", count=away)
    silent = _rows(look, State.UNKNOWN)
    if silent:
        return t("monitor_page.unknown_why.silent", count=silent)
    return ""


def _nameless(snapshot: Snapshot) -> tuple[Exporter, ...]:
    """Return the exporters whose samples come, but tell no GPU or replica from another: labels were renamed."""
    of_gpus = len(snapshot.gpus) or len(snapshot.nodes)
    found = snapshot.detected.gpu if snapshot.totals.gpus and not of_gpus else ()
    engines = snapshot.detected.engines if snapshot.totals.replicas and not len(snapshot.replicas) else ()
    return (*found, *engines)


def _rows(look: Look, state: State) -> int:
    if look.snapshot is None:
        return 0
    tables = [look.snapshot.replicas, look.snapshot.nodes if look.snapshot.aggregated else look.snapshot.gpus]
    return sum(int((table.state == state).sum()) for table in tables)


def tell_headline(look: Look, t: Translator) -> None:
    """Draw the headline, and of when the data is."""
    told = headline(look, t)
    color, icon = {
        "clear": ("green", ":material/check_circle:"),
        "unknown": ("gray", ":material/help:"),
        "warming": ("gray", ":material/hourglass_top:"),
        "findings": SEVERITY_LOOK[look.findings[0].severity if look.findings else "info"],
    }[told.state]
    st.subheader(f":{color}[{icon}] {told.words}", anchor=False)
    st.caption(" · ".join(part for part in (told.why, *_when(look, t)) if part))


def _when(look: Look, t: Translator) -> list[str]:
    snapshot = look.snapshot
    if snapshot is None:
        return []
    told = [t("monitor_page.data_of", time=time_of(snapshot.at), age=age(look.age_s, t))]
    if not look.stale:
        told.append(
            t(
                "monitor_page.read_in",
                store=plain(snapshot.store.kind),
                version=plain(snapshot.store.version),
                queries=snapshot.queries,
                seconds=f"{snapshot.seconds:.1f} s",
            )
        )
    return told


def tell_state(look: Look, t: Translator, *, refreshing: bool) -> None:
    """Draw the banner where Prometheus is down, slow, partial or empty, with what to do about it."""
    locale = language.current()
    snapshot = look.snapshot
    if look.fault is not None:
        shown = (
            t("monitor_page.stale", time=time_of(snapshot.at), age=age(look.age_s, t))
            if snapshot is not None
            else t("monitor_page.nothing_yet")
        )
        after = t("monitor_page.retry_on" if refreshing else "monitor_page.retry_off")
        st.error(
            f"{plain(look.fault.sentence.render(locale))} {shown} {after}",
            title=look.fault.title.render(locale),
            icon=":material/cloud_off:",
        )
    elif snapshot is None:
        return
    elif not snapshot.trusted or snapshot.faults:
        reasons = [*snapshot.warnings, *(fault.sentence.render(locale) for fault in snapshot.faults)]
        st.warning(
            t("monitor_page.partial", reasons=plain(" ".join(reasons[:3]))),
            title=t("monitor_page.partial_title"),
            icon=":material/rule:",
        )
    elif not (snapshot.totals.gpus or len(snapshot.gpus) or len(snapshot.replicas)):
        if snapshot.selector:
            message = t("monitor_page.empty_selector", selector=f"`{snapshot.selector}`")
        else:
            names = f"{len(snapshot.detected.names):,}"
            message = t("monitor_page.empty", endpoint=plain(snapshot.endpoint), names=names)
        st.warning(message, title=t("monitor_page.empty_title"), icon=":material/search_off:")
