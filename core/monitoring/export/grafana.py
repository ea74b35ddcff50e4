"""A Grafana dashboard of the indicators, coloured by the same thresholds as the page and the alerts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from core.monitoring.asking import PRESENCE
from core.monitoring.export.names import series
from core.monitoring.export.panels import DATASOURCE, UNITS, Panel, Part, Query, Row, laid_out
from core.monitoring.export.rules import Rules, recorded_expression
from core.monitoring.indicators import Indicator, indicators
from core.monitoring.thresholds import Limit
from core.text import DEFAULT_LANGUAGE, text

UID = "llm-serving"

RATE_WINDOW = "$__rate_interval"
"""Grafana's own choice of a window that holds enough scrapes at any zoom; `$__interval` leaves gaps."""

# A window that nobody chooses, in whose place Grafana's is written: PromQL itself has no variables.
_STAND_IN = "86399"

WORST = 10
"""Devices or replicas that a list of the worst shows, however large the fleet."""

# Codes and flags have no curve worth a panel: the list of alerts shows them.
_WITHOUT_PANEL = frozenset({"code", "flag"})
_COMBINED = {"mean": "avg", "sum": "sum", "max": "max", "min": "min", "quantile": "max", "rate": "max"}


@dataclass(frozen=True)
class _View:
    """What panels are made of: the rules, whether their series are there to read, and the language."""

    made: Rules
    recorded: bool
    language: str

    def say(self, key: str, **values: object) -> str:
        return text(f"monitoring.export.dashboard.{key}", self.language, **values)

    def of(self, indicator: str) -> str:
        """Return the series of *indicator* of the chosen nodes, or of the chosen models."""
        label, variable = _chosen(indicators()[indicator])
        if self.recorded:
            return f'{series(indicator)}{{{label}=~"${variable}"}}'
        computed = self.computed(indicator)
        # A label that an expression makes cannot be matched in a selector: the chosen values mark themselves.
        marked = f'label_replace({computed}, "chosen", "yes", "{label}", "${variable}")'
        return f'({marked} and on (chosen) label_replace(vector(1), "chosen", "yes", "", ""))'

    def computed(self, indicator: str) -> str:
        """Return the expression of *indicator* on the exporters' own names, over Grafana's window."""
        flag = indicators()[indicator].unit == "flag"
        window = None if flag else f"{_STAND_IN}s"
        found = recorded_expression(self.made.detected, self.made.thresholds, indicator, window=window) or ""
        return found.replace(f"{_STAND_IN}s", RATE_WINDOW).replace(_STAND_IN, f"({RATE_WINDOW}_ms / 1000)")

    def shows(self, indicator: str) -> bool:
        return indicator in self.made.recorded

    def limit(self, indicator: str) -> Limit | None:
        return self.made.thresholds.limits.get(indicator)


def dashboard(made: Rules, *, recorded: bool = True, language: str = DEFAULT_LANGUAGE) -> bytes:
    """Return the dashboard as JSON (schema 39), the same bytes for the same arguments.

    It reads the series that *made* records; with *recorded* off it computes the same from the exporters' own
    names, for a Prometheus that has not loaded the rules.
    """
    view = _View(made, recorded, language)
    shown = [
        one for one in indicators().values() if one.id in made.recorded and one.unit not in _WITHOUT_PANEL
    ]
    content: Part = {
        "uid": UID if recorded else f"{UID}-standalone",
        "title": view.say("title"),
        "tags": ["gpu", "llm"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": list(_variables(view))},
        "annotations": {"list": []},
        "links": [],
        "panels": laid_out([_overview(view), *(_row(view, one) for one in shown)]),
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n"


def steps(limit: Limit | None) -> tuple[tuple[str, float | None], ...]:
    """Return the colours of *limit* from the lowest value up: red where it is bad, orange where it is a warning.

    >>> steps(None)
    (('green', None),)
    """
    if limit is None:
        return (("green", None),)
    found: list[tuple[str, float | None]] = []
    lowest = [("red", limit.low_bad), ("orange", limit.low)]
    below = [(color, value) for color, value in lowest if value is not None]
    start: float | None = None
    for color, value in below:
        found.append((color, start))
        start = value
    found.append(("green", start))
    found += [
        (color, value)
        for color, value in (("orange", limit.high), ("red", limit.high_bad))
        if value is not None
    ]
    return tuple(found)


def _chosen(indicator: Indicator) -> tuple[str, str]:
    """Return the label by which a panel is narrowed, and the variable that holds the choice."""
    return ("node", "node") if indicator.level == "gpu" else ("model_name", "model")


def _variables(view: _View) -> Iterator[Part]:
    yield {
        "name": "datasource",
        "label": view.say("datasource"),
        "type": "datasource",
        "query": "prometheus",
        "hide": 0,
        "current": {},
    }
    for level, label in (("gpu", "node"), ("engine", "model_name")):
        first = next(
            (one for one in indicators().values() if one.level == level and view.shows(one.id)), None
        )
        if first is None:
            continue
        _, name = _chosen(first)
        if view.recorded:
            query, pattern = f"label_values({series(first.id)}, {label})", ""
        else:
            computed = recorded_expression(view.made.detected, view.made.thresholds, first.id, window="5m")
            query, pattern = f"query_result(count by ({label}) ({computed}))", f'/{label}="([^"]*)"/'
        yield {
            "name": name,
            "label": view.say(name),
            "type": "query",
            "datasource": DATASOURCE,
            "query": {"query": query, "refId": name},
            "definition": query,
            "regex": pattern,
            "refresh": 2,
            "sort": 3,
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "hide": 0,
            "current": {"text": "All", "value": "$__all"},
        }


def _overview(view: _View) -> Row:
    found: list[Panel] = []

    def number(title: str, expr: str, unit: str, of: Limit | None = None) -> None:
        found.append(Panel("stat", title, (Query(expr),), 4, 4, UNITS[unit], steps(of)))

    present = next((name for name in PRESENCE if view.shows(name)), None)
    if present:
        number(view.say("gpus"), f"count({view.of(present)})", "count")
    if view.shows("replica_up"):
        number(view.say("replicas"), f"sum({view.of('replica_up')})", "count")
    for name, how in _HEADLINES:
        if view.shows(name):
            one = indicators()[name]
            key = "mean" if how == "avg" else "worst" if how == "max" else "total"
            limit = view.limit(name) if how != "sum" else None
            title = view.say(key, indicator=one.name)
            number(title, f"{how}({view.of(name)})", one.unit, limit)
    if view.recorded:
        names = "|".join(dict.fromkeys(alert.alert for alert in view.made.alerts))
        firing = f'count(ALERTS{{alertstate="firing", alertname=~"{names}"}}) or vector(0)'
        found.append(
            Panel(
                "stat", view.say("firing"), (Query(firing),), 4, 4, "none", (("green", None), ("orange", 1))
            )
        )
    return Row(view.say("overview"), found)


_HEADLINES: tuple[tuple[str, str], ...] = (
    ("gpu_utilisation", "avg"),
    ("gpu_power", "sum"),
    ("requests", "sum"),
    ("output_tokens", "sum"),
    ("ttft", "max"),
    ("kv_usage", "max"),
    ("error_rate", "max"),
)


def _row(view: _View, indicator: Indicator) -> Row:
    """Return the curves of nodes or replicas, and beside them the ten that are furthest out."""
    title = indicator.name.render(view.language)
    limit = view.limit(indicator.id)
    gpu = indicator.level == "gpu"
    by = "node" if gpu else "instance, model_name"
    legend = "{{node}}" if gpu else "{{instance}} {{model_name}}"
    colors = steps(limit)
    curve = Panel(
        "timeseries",
        view.say("by_node" if gpu else "by_instance", indicator=title),
        (Query(f"{_COMBINED[indicator.across]} by ({by}) ({view.of(indicator.id)})", legend),),
        16,
        8,
        UNITS[indicator.unit],
        colors,
        indicator.meaning.render(view.language),
        least=0,
        most=1 if indicator.unit == "ratio" else None,
    )
    worst = Panel(
        "bargauge",
        view.say("top_gpus" if gpu else "top_instances", indicator=title),
        _furthest(view, indicator, limit),
        8,
        8,
        UNITS[indicator.unit],
        colors,
        least=0,
        most=1 if indicator.unit == "ratio" else None,
    )
    return Row(title, (curve, worst))


def _furthest(view: _View, indicator: Indicator, limit: Limit | None) -> tuple[Query, ...]:
    legend = "{{node}} GPU {{gpu}}" if indicator.level == "gpu" else "{{instance}}"
    low = limit is not None and limit.high is None and limit.high_bad is None
    function = "bottomk" if low or indicator.sense in {"band", "low"} else "topk"
    return (Query(f"{function}({WORST}, {view.of(indicator.id)})", legend, instant=True),)
