"""Unit tests of the alerts for promtool: each fires just beyond its limit and is silent just inside.

They feed the recorded series, so they hold whatever exporters the recording rules translate. Each alert has one
test with several nodes in it, called after what happens there; those that fire are listed, and nothing else may.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.monitoring.export.alerts import LEAK_WINDOW_S, MISSING_HOLD_S, WATCHES, Watch, presence
from core.monitoring.export.groups import Alert, as_yaml
from core.monitoring.export.names import GPU_LOAD, GPU_MEMORY, PREALLOCATED, series
from core.monitoring.export.rules import Rules
from core.monitoring.indicators import indicators, xid_codes
from core.monitoring.leaks import LEAST_GROWTH_BYTES
from core.monitoring.promql import duration
from core.monitoring.thresholds import Limit
from core.text import DEFAULT_LANGUAGE, text

RULES_FILE = "llm-serving.rules.yml"
TESTS_FILE = "llm-serving.rules.test.yml"

NEAR = 0.02
"""Distance from a limit, as a share of it, at which the cases lie."""

HARMLESS_XID = 31
"""A fault of a program (an invalid address), which says nothing about the GPU; NVIDIA's catalogue of Xid errors."""

_HEALTHY_OCCUPANCY = 0.97
"""Share of the memory that an engine with a large preallocation holds while all is well."""

Samples = Mapping[str, str]
"""Samples by name of the series, as promtool writes them."""


@dataclass(frozen=True)
class Place:
    """What happens on one node, and whether the alert has to fire about it."""

    name: str
    fed: Samples
    fires: bool


@dataclass(frozen=True)
class Case:
    """The test of one alert: samples each *step_s* seconds on each of *places*, looked at after *at_s* seconds."""

    alert: Alert
    places: Sequence[Place]
    at_s: float
    step_s: float
    about: str
    """Of what level the series are: gpu, engine or exporter."""

    def as_dict(self) -> dict[str, Any]:
        """Return the test as promtool reads it."""
        said = {"alertname": self.alert.alert, "alertstate": "firing", **self.alert.labels}
        fired = [place for place in self.places if place.fires]
        return {
            "name": self.alert.alert,
            "interval": duration(self.step_s),
            "input_series": [
                {"series": _selector(name, _labels(_level(name, self.about), place.name)), "values": values}
                for place in self.places
                for name, values in place.fed.items()
            ],
            "promql_expr_test": [
                {
                    "expr": f'ALERTS{{alertname="{self.alert.alert}", alertstate="firing"}}',
                    "eval_time": duration(self.at_s),
                    "exp_samples": [
                        {"labels": _selector("ALERTS", _labels(self.about, place.name) | said), "value": 1}
                        for place in fired
                    ],
                }
            ],
        }


def rule_tests(made: Rules, language: str = DEFAULT_LANGUAGE) -> str:
    """Return the tests of *made* as YAML for `promtool test rules`."""
    head = text("monitoring.export.tests.head", language, rules=RULES_FILE, file=TESTS_FILE)
    return as_yaml(
        {
            "rule_files": [RULES_FILE],
            "evaluation_interval": duration(made.pace.interval_s),
            "tests": [case.as_dict() for case in cases(made)],
        },
        [head],
    )


def cases(made: Rules) -> Iterator[Case]:
    """Yield a case for every alert of *made*."""
    by_name = {alert.alert: alert for alert in made.alerts}
    for watch in WATCHES:
        limit, value = made.thresholds.limits.get(watch.indicator), watch.value(made.thresholds)
        alert = by_name.get(watch.title(limit)) if limit is not None else None
        if alert is not None and limit is not None and value is not None:
            yield _Maker(made, alert, watch, limit, value).case()
    if "GpuMissing" in by_name:
        yield from _missing(made, by_name["GpuMissing"], by_name["TelemetryAbsent"])
    if "GpuMemoryLeak" in by_name:
        yield _leaks(made, by_name["GpuMemoryLeak"])


@dataclass(frozen=True)
class _Maker:
    """Makes the case of one alert that has a limit."""

    made: Rules
    alert: Alert
    watch: Watch
    limit: Limit
    value: float

    def case(self) -> Case:
        level = indicators()[self.watch.indicator].level
        about = "exporter" if self.watch.indicator == "gpu_exporter_up" else level
        step = self.made.pace.interval_s
        return Case(self.alert, list(self._places()), (self._steps - 1) * step, step, about)

    def _places(self) -> Iterator[Place]:
        steps = self._steps
        beyond, inside = f"{self._beyond:g}x{steps}", f"{self._inside:g}x{steps}"
        yield Place("beyond", self._fed(beyond), fires=True)
        yield Place("inside", self._fed(inside), fires=False)
        if self.limit.only_with:
            yield Place("beyond-but-nobody-waits", self._fed(beyond, waiting=False), fires=False)
        if self.limit.for_s:
            dip = max(1, steps // 6)
            values = f"{self._inside:g}x{steps - dip - 1} {self._beyond:g}x{dip - 1} {inside}"
            yield Place("short-dip", self._fed(values), fires=False)
        if self.watch.name == "GpuMemoryHigh" and PREALLOCATED in self.made.recorded:
            full = f"{max(self._beyond, _HEALTHY_OCCUPANCY):g}x{steps}"
            yield Place("engine-preallocates", {**self._fed(full), PREALLOCATED: f"1x{steps}"}, fires=False)

    @property
    def _low(self) -> bool:
        return self.watch.side.startswith("low")

    @property
    def _beyond(self) -> float:
        """A value just beyond the limit; of codes, flags and counts the next one."""
        if self.watch.indicator == "xid":
            codes = xid_codes()
            return (codes.critical if self.watch.severity == "critical" else codes.warning)[0]
        if self._whole:
            return self.value - 1 if self._low else self.value + 1
        return self.value * (1 - NEAR if self._low else 1 + NEAR)

    @property
    def _inside(self) -> float:
        """A value just inside the limit."""
        if self.watch.indicator == "xid":
            return HARMLESS_XID
        if self._whole:
            return self.value
        return self.value * (1 + NEAR if self._low else 1 - NEAR)

    @property
    def _whole(self) -> bool:
        return indicators()[self.watch.indicator].unit in {"flag", "code", "count"}

    @property
    def _steps(self) -> int:
        """Evaluations until a condition that always holds has been held long enough."""
        pace = self.made.pace
        held = pace.seconds(self.limit.window_s) + self.limit.for_s / pace.shortened
        return int(held / pace.interval_s) + 4

    def _fed(self, values: str, *, waiting: bool = True) -> Samples:
        """Return the samples of the indicator, and of what the limit wants to see beside it."""
        others = {
            series(name): f"{above + 1 if waiting else above:g}x{2 * self._steps}"
            for name, above in self.limit.only_with.items()
            if name in self.made.recorded
        }
        there = presence(self.made.recorded)
        if self.watch.indicator == "gpu_exporter_up" and there:
            others[there] = f"40x{2 * self._steps}"
        return {series(self.watch.indicator): values, **others}


def _missing(made: Rules, missing: Alert, absent: Alert) -> Iterator[Case]:
    there = presence(made.recorded) or ""
    step = made.pace.interval_s
    held = int(MISSING_HOLD_S / made.pace.shortened / step) + 3
    stays, ends = {there: f"40x{3 * held}"}, {there: f"40x{held} stale"}
    yield Case(
        missing, [Place("stays", stays, False), Place("ends", ends, True)], 2 * held * step, step, "gpu"
    )
    yield Case(absent, [Place("", {}, True)], held * step, step, "none")


def _leaks(made: Rules, leak: Alert) -> Case:
    """One run of hours, with each way in which memory may grow."""
    pace = made.pace
    steps = int(pace.seconds(LEAK_WINDOW_S) / pace.slow_s) + 10
    growth, start = 4 * LEAST_GROWTH_BYTES / pace.shortened / steps, 40 * LEAST_GROWTH_BYTES
    line, jump = f"{start}+{growth:.0f}x{steps}", f"{start}x{steps // 2} {start * 1.1:.0f}x{steps}"
    places = [Place("grows", {GPU_MEMORY: line}, True), Place("one-step", {GPU_MEMORY: jump}, False)]
    if GPU_LOAD in made.recorded:
        steady, rising = f"10x{steps}", f"10+{10 / steps:.6f}x{steps}"
        places += [
            Place("grows-under-steady-load", {GPU_MEMORY: line, GPU_LOAD: steady}, True),
            Place("grows-with-load", {GPU_MEMORY: line, GPU_LOAD: rising}, False),
        ]
    return Case(leak, places, (steps - 1) * pace.slow_s, pace.slow_s, "gpu")


def _level(name: str, about: str) -> str:
    """Return the level of the series *name*: an exporter's alert looks at GPUs too."""
    return "gpu" if about == "exporter" and name != series("gpu_exporter_up") else about


def _labels(level: str, place: str) -> dict[str, str]:
    """Return labels of a GPU, replica or exporter on the node *place*."""
    node = {"node": place, "host": place}
    return {
        "gpu": {**node, "gpu": "3", "uuid": f"GPU-{place}", "model": "H100"},
        "engine": {**node, "instance": f"{place}:8000", "model_name": "llm"},
        "exporter": {**node, "instance": f"{place}:9400"},
    }.get(level, {})


def _selector(name: str, labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return f"{name}{{{inside}}}"
