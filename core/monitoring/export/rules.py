"""Recording rules that translate exporters into our names, and alerts on those names alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.monitoring.asking import DEFAULT_WINDOW_S, LOST_WINDOW_S, PRESENCE
from core.monitoring.export.alerts import UNLIMITED, WATCHES, Terms, Unlimited, Watch, percentile
from core.monitoring.export.groups import Alert, Group, Pace, Recording, as_yaml
from core.monitoring.export.names import GPU_LOAD, GPU_MEMORY, PREALLOCATED, PREALLOCATING, series
from core.monitoring.exporters import Detected, exporters
from core.monitoring.indicators import Indicator, Unit, indicators
from core.monitoring.judging import wanted
from core.monitoring.promql import duration
from core.monitoring.thresholds import Thresholds
from core.text import DEFAULT_LANGUAGE, text

DEFAULT_EXPORTERS = ("dcgm", "vllm")
"""What the rules are made for where nothing is connected and nothing was chosen."""

# An address of the loopback is the same on all machines, so it says nothing about where an engine runs.
_NOWHERE = r'node!~"127[.].*|localhost|::1|"'

# Ages of processes and the memory that an engine will take are for the page: no alert or panel needs them.
_NOT_RECORDED = frozenset({"memory_expected", "replica_age", "kv_capacity", "kv_blocks", "kv_block_tokens"})


def assumed(ids: Sequence[str] = DEFAULT_EXPORTERS) -> Detected:
    """Return the exporters *ids* as if a store had every metric that they have had in any version.

    Raises:
        KeyError: no exporter has that id.
    """
    names: set[str] = {"up", "process_start_time_seconds"}
    for exporter in (exporters()[name] for name in ids):
        bare = set(exporter.needs_any) | ({exporter.info.metric} if exporter.info else set())
        for readings in exporter.indicators.values():
            for reading in readings:
                bare |= set(reading.metrics)
                if reading.histogram:
                    bare |= {f"{reading.histogram}_{part}" for part in ("bucket", "count", "sum")}
        # Under its own prefix; the others stand for pipelines that rename, which only a look at a store can tell.
        names |= {exporter.prefixes[0] + name for name in bare}
    chosen = [exporters()[name] for name in ids]
    by_level = {
        level: tuple(one for one in chosen if one.level == level) for level in ("gpu", "engine", "node")
    }
    return Detected(frozenset(names), by_level["gpu"], by_level["engine"], by_level["node"])


@dataclass(frozen=True)
class Rules:
    """The groups, what they were made from, and the indicators that no exporter gives."""

    groups: tuple[Group, ...]
    thresholds: Thresholds
    detected: Detected
    pace: Pace
    missing: tuple[Indicator, ...]
    recorded: frozenset[str]
    """Ids of the indicators that are recorded, and names of what is recorded beside them."""

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """All alerts, in order."""
        return tuple(rule for group in self.groups for rule in group.rules if isinstance(rule, Alert))

    @property
    def recordings(self) -> tuple[Recording, ...]:
        """All recording rules, in order."""
        return tuple(rule for group in self.groups for rule in group.rules if isinstance(rule, Recording))

    def comments(self, language: str = DEFAULT_LANGUAGE) -> list[str]:
        """Return what the head of a file says."""
        head = text(
            "monitoring.export.rules.head",
            language,
            preset=self.thresholds.name,
            exporters=titles(self.detected),
        )
        lines = [head, text("monitoring.export.rules.record", language)]
        if self.missing:
            named = ", ".join(one.name.render(language) for one in self.missing)
            lines.append(text("monitoring.export.rules.missing", language, indicators=named))
        return lines

    def as_yaml(self, language: str = DEFAULT_LANGUAGE) -> str:
        """Return the file that Prometheus loads."""
        return as_yaml({"groups": [group.as_dict() for group in self.groups]}, self.comments(language))


def titles(detected: Detected) -> str:
    """Return the names of the exporters, with commas between."""
    return ", ".join(dict.fromkeys(exporter.title for exporter in detected.exporters))


def rules(
    thresholds: Thresholds,
    detected: Detected | None = None,
    *,
    pace: Pace | None = None,
    language: str = DEFAULT_LANGUAGE,
) -> Rules:
    """Return the rules for the exporters *detected* (by default `DEFAULT_EXPORTERS`).

    An indicator that no exporter gives is neither recorded nor watched, and named in `Rules.missing`.
    Annotations are in *language*.
    """
    detected = assumed() if detected is None or not detected.exporters else detected
    pace = pace or Pace()
    recorded = _recordings(thresholds, detected, pace)
    terms = Terms(thresholds, pace, frozenset(recorded))
    watched: dict[str, list[Alert]] = {"gpu": [], "engine": []}
    for watch in WATCHES:
        alert = _alert(watch, terms, language)
        if alert is not None:
            watched[indicators()[watch.indicator].level].append(alert)
    others = [(one, alert) for one in UNLIMITED if (alert := _unlimited(one, terms, language))]
    watched["gpu"] += [alert for one, alert in others if not one.slow]
    slow = [rule for name, rule in recorded.items() if name in (GPU_MEMORY, GPU_LOAD)]
    quick = [rule for rule in recorded.values() if rule not in slow]
    groups = (
        Group("llmops.record", pace.interval_s, tuple(quick)),
        Group("llmops.gpu", pace.interval_s, tuple(watched["gpu"])),
        Group("llmops.engine", pace.interval_s, tuple(watched["engine"])),
        Group("llmops.slow", pace.slow_s, (*slow, *(alert for one, alert in others if one.slow))),
    )
    missing = tuple(
        indicators()[name] for name in thresholds.limits if name not in recorded and name in indicators()
    )
    return Rules(
        tuple(group for group in groups if group.rules),
        thresholds,
        detected,
        pace,
        missing,
        frozenset(recorded),
    )


def recorded_expression(
    detected: Detected,
    thresholds: Thresholds,
    indicator: str,
    window: str | None = None,
    pace: Pace | None = None,
) -> str | None:
    """Return what is recorded for *indicator*: one series a device or replica, with canonical labels.

    A GPU is recorded without its pod, which may change while a window lasts. *window* replaces that of the
    limit. None where no exporter gives it.
    """
    limit = thresholds.limits.get(indicator)
    if window is None:
        window_s = limit.window_s if limit else DEFAULT_WINDOW_S
        unit = indicators()[indicator].unit
        # How far back a code is new or a target was seen is no duration of a fault: no pace shortens it.
        if unit == "flag":
            window = duration(LOST_WINDOW_S)
        else:
            window = duration(window_s) if unit == "code" else (pace or Pace()).window(window_s)
    return detected.expression(
        indicator,
        window=window,
        quantile=limit.quantile if limit else 0.99,
        capacity=thresholds.max_num_seqs,
        by=detected.labels(indicator, "avg") if indicators()[indicator].level == "gpu" else (),
    )


def _recordings(thresholds: Thresholds, detected: Detected, pace: Pace) -> dict[str, Recording]:
    """Return the recording rules by indicator, or by their own name where they are no indicator."""
    found: dict[str, Recording] = {}
    for name, indicator in indicators().items():
        if indicator.level == "node" or name in _NOT_RECORDED:
            continue
        expression = recorded_expression(detected, thresholds, name, pace=pace)
        if expression is not None:
            found[name] = Recording(series(name), expression)
    present = next((name for name in PRESENCE if name in found), None)
    if present is None:
        return found
    if "memory_used_bytes" in found:
        over = pace.window(pace.slow_s * pace.shortened)
        found[GPU_MEMORY] = Recording(GPU_MEMORY, f"avg_over_time({series('memory_used_bytes')}[{over}])")
    load = next((name for name in ("requests", "running") if name in found), None)
    if load is not None:
        found[GPU_LOAD] = Recording(GPU_LOAD, _on_gpus(detected, present, series(load)))
    if "kv_usage" in found and detected.preallocating:
        cache = series("kv_usage")
        if detected.preallocating != detected.engines:
            own = replace(detected, engines=detected.preallocating).expression("kv_usage")
            if own is None:
                return found
            found[PREALLOCATING] = Recording(PREALLOCATING, own)
            cache = PREALLOCATING
        found[PREALLOCATED] = Recording(PREALLOCATED, f"0 * ({_on_gpus(detected, present, cache)}) + 1")
    return found


def _on_gpus(detected: Detected, present: str, engine: str) -> str:
    """Return the sum of the recorded series *engine* of the replicas on each GPU: by pod, node or host."""
    owned = detected.expression(present)
    device = ", ".join(detected.labels(present, "avg"))
    by_pod = (
        f"max by ({device}) (0 * ({owned})"
        f' + on (namespace, pod) group_left () sum by (namespace, pod) ({engine}{{pod!=""}}))'
    )
    there = f"0 * {series(present)}"
    known = f"{engine}{{{_NOWHERE}}}"
    by_node = f"{there} + on (node) group_left () sum by (node) ({known})"
    host = f'label_replace({known}, "host", "$1", "node", "(.*)")'
    by_host = f"{there} + on (host) group_left () sum by (host) ({host})"
    return f"{by_pod} or {by_node} or {by_host}"


def _alert(watch: Watch, terms: Terms, language: str) -> Alert | None:
    limit, value = terms.thresholds.limits.get(watch.indicator), watch.value(terms.thresholds)
    if limit is None or value is None or watch.indicator not in terms.recorded:
        return None
    if not wanted(watch.indicator, terms.thresholds):
        return None
    condition = watch.condition(terms, limit, value)
    if condition is None:
        return None
    indicator = indicators()[watch.indicator]
    return Alert(
        alert=watch.title(limit),
        expr=condition,
        hold=terms.pace.hold(limit.for_s),
        labels=_labels(watch.severity_of(limit), watch.finding, indicator),
        annotations=_annotations(
            watch.name,
            language,
            value=_shown(indicator.unit),
            limit=_said(value, indicator.unit),
            window=terms.pace.window(limit.window_s),
            percentile=percentile(limit),
        ),
    )


def _unlimited(watch: Unlimited, terms: Terms, language: str) -> Alert | None:
    condition = watch.condition(terms)
    if condition is None:
        return None
    indicator = indicators()[watch.indicator]
    return Alert(
        alert=watch.name,
        expr=condition,
        hold=terms.pace.hold(watch.hold_s),
        labels=_labels(watch.severity, watch.finding, indicator),
        annotations=_annotations(
            watch.name, language, value=_shown(indicator.unit), window=duration(LOST_WINDOW_S)
        ),
    )


def _labels(severity: str, finding: str, indicator: Indicator) -> dict[str, str]:
    return {"severity": severity, "indicator": indicator.id, "level": indicator.level, "finding": finding}


def _annotations(name: str, language: str, **values: str) -> dict[str, str]:
    labels = {label: f"{{{{ $labels.{label} }}}}" for label in ("node", "gpu", "instance")}
    return {
        "summary": text(f"monitoring.export.alert.{name}.summary", language, **labels, **values),
        "description": text(f"monitoring.export.alert.{name}.action", language),
    }


_TEMPLATES: dict[Unit, str] = {
    "ratio": "{{ $value | humanizePercentage }}",
    "s": "{{ $value | humanizeDuration }}",
    "celsius": '{{ $value | printf "%.0f" }} °C',
    "bytes": "{{ $value | humanize1024 }}B",
    "code": '{{ $value | printf "%.0f" }}',
    "count": '{{ $value | printf "%.0f" }}',
}


def _shown(unit: Unit) -> str:
    """Return how Prometheus prints the value of an alert."""
    return _TEMPLATES.get(unit, '{{ $value | printf "%.3g" }}')


def _said(value: float, unit: Unit) -> str:
    """Return a limit as the value beside it is printed."""
    if unit == "ratio":
        return f"{value * 100:g}%"
    if unit == "s":
        return f"{value * 1000:g}ms" if value < 1 else f"{value:g}s"
    return f"{value:g} °C" if unit == "celsius" else f"{value:g}"
