"""Panels of a Grafana dashboard (schema 39) as plain values, laid out in rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Part = dict[str, Any]

WIDTH = 24
"""Columns of Grafana's grid."""

DATASOURCE: Part = {"type": "prometheus", "uid": "${datasource}"}

UNITS = {
    "ratio": "percentunit",
    "s": "s",
    "1/s": "ops",
    "celsius": "celsius",
    "W": "watt",
    "count": "short",
    "bytes": "bytes",
    "tokens": "short",
    "tokens/s": "short",
    "code": "none",
    "flag": "none",
}
"""Grafana's name of each unit of an indicator."""


@dataclass(frozen=True)
class Query:
    """An expression and how its series are called; `instant` asks for the latest value alone."""

    expr: str
    legend: str = "__auto"
    instant: bool = False

    def as_dict(self, letter: str) -> Part:
        """Return the query as Grafana reads it; *letter* tells it from others of its panel."""
        return {
            "refId": letter,
            "datasource": DATASOURCE,
            "editorMode": "code",
            "expr": self.expr,
            "legendFormat": self.legend,
            "instant": self.instant,
            "range": not self.instant,
        }


@dataclass(frozen=True)
class Panel:
    """One chart, number or list: its kind in Grafana, size in the grid, and what it shows."""

    kind: str
    title: str
    queries: tuple[Query, ...]
    width: int
    height: int
    unit: str = "none"
    steps: tuple[tuple[str, float | None], ...] = (("green", None),)
    note: str = ""
    least: float | None = None
    most: float | None = None

    def as_dict(self, number: int, x: int, y: int) -> Part:
        """Return the panel as Grafana reads it, at column *x* and line *y*."""
        defaults: Part = {
            "unit": self.unit,
            "color": {"mode": "palette-classic" if self.kind == "timeseries" else "thresholds"},
            "thresholds": {
                "mode": "absolute",
                "steps": [{"color": color, "value": value} for color, value in self.steps],
            },
        }
        if self.least is not None:
            defaults["min"] = self.least
        if self.most is not None:
            defaults["max"] = self.most
        if self.kind == "timeseries":
            style = "dashed" if len(self.steps) > 1 else "off"
            defaults["custom"] = {
                "lineWidth": 1,
                "fillOpacity": 0,
                "showPoints": "never",
                "spanNulls": False,
                "thresholdsStyle": {"mode": style},
            }
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.note,
            "datasource": DATASOURCE,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "fieldConfig": {"defaults": defaults, "overrides": []},
            "options": _OPTIONS[self.kind],
            "targets": [query.as_dict(chr(65 + index)) for index, query in enumerate(self.queries)],
        }


_LAST: Part = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_OPTIONS: dict[str, Part] = {
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {"reduceOptions": _LAST, "colorMode": "value", "graphMode": "area", "textMode": "auto"},
    "bargauge": {"reduceOptions": _LAST, "displayMode": "basic", "orientation": "horizontal"},
}


@dataclass(frozen=True)
class Row:
    """A heading, and below it panels side by side."""

    title: str
    panels: Sequence[Panel]


def laid_out(rows: Iterable[Row]) -> list[Part]:
    """Return all panels with their numbers and places, each row below the one before.

    Panels that do not fit beside each other continue below; nothing overlaps.
    """
    placed: list[Part] = []
    y = 0
    for row in rows:
        place = {"x": 0, "y": y, "w": WIDTH, "h": 1}
        head = {"id": len(placed) + 1, "type": "row", "title": row.title, "collapsed": False}
        placed.append({**head, "gridPos": place, "panels": []})
        y += 1
        x = highest = 0
        for panel in row.panels:
            if x + panel.width > WIDTH:
                x, y, highest = 0, y + highest, 0
            placed.append(panel.as_dict(len(placed) + 1, x, y))
            x, highest = x + panel.width, max(highest, panel.height)
        y += highest
    return placed
