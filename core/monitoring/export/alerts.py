"""Every alert: which indicator it watches, on which side, how bad it is, and its condition on recorded series.

A condition never names a metric of an exporter. What is judged as "sustained" is the average of a window with
enough samples in it, held for a while: one without the other either flaps or judges half a window.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from core.monitoring.asking import LOST_WINDOW_S, PRESENCE
from core.monitoring.export.groups import Pace
from core.monitoring.export.names import GPU_LOAD, GPU_MEMORY, PREALLOCATED, series
from core.monitoring.finding import Severity
from core.monitoring.indicators import indicators, xid_codes
from core.monitoring.leaks import LEAST_FIT, LEAST_GROWTH_BYTES, LEAST_SPAN_S, STEADY_LOAD, STILL_GROWING
from core.monitoring.promql import duration
from core.monitoring.thresholds import Limit, Thresholds

Side = Literal["low", "low_bad", "high", "high_bad"]

KEYS = {"gpu": "node, gpu, uuid, mig", "engine": "instance, model_name", "node": "node"}
"""Labels that tell the subjects of a level apart, and so join its indicators."""

LEAK_WINDOW_S = 6 * 3600.0
"""How far back growth is looked for: as far as the page does by default."""


@dataclass(frozen=True)
class Terms:
    """What conditions are made of: the limits, the pace, and what is recorded (indicators, names of ours)."""

    thresholds: Thresholds
    pace: Pace
    recorded: Collection[str]

    def average(self, limit: Limit) -> str:
        """Return the average over the limit's window; rates and quantiles are recorded over it already."""
        if over_window(limit.indicator):
            return series(limit.indicator)
        return f"avg_over_time({series(limit.indicator)}[{self.pace.window(limit.window_s)}])"

    def highest(self, limit: Limit) -> str:
        """Return the highest value of the limit's window."""
        return f"max_over_time({series(limit.indicator)}[{self.pace.window(limit.window_s)}])"

    def enough(self, limit: Limit) -> str:
        """Return the guard that the window holds enough samples."""
        least = self.pace.samples(limit.window_s, limit.least_samples)
        return f"count_over_time({series(limit.indicator)}[{self.pace.window(limit.window_s)}]) >= {least}"

    def only_with(self, condition: str, limit: Limit) -> str | None:
        """Return *condition* where one of the indicators that the limit names is above its value.

        None where none of them is recorded: a full cache that serves everybody is a well used one, and without
        a queue to look at nobody knows.
        """
        if not limit.only_with:
            return condition
        others = [
            f"{series(name)} > {above:g}" for name, above in limit.only_with.items() if name in self.recorded
        ]
        keys = KEYS[indicators()[limit.indicator].level]
        return f"({condition}) and on ({keys}) ({' or '.join(others)})" if others else None


def over_window(indicator: str) -> bool:
    """Whether *indicator* is recorded as a rate or quantile of its whole window, not as what it is now."""
    definition = indicators()[indicator]
    return definition.across in {"quantile", "rate"} or definition.unit == "1/s"


def percentile(limit: Limit) -> str:
    """Return how the quantile of *limit* is called, such as P99."""
    return f"P{limit.quantile * 100:g}"


Condition = Callable[[Terms, Limit, float], str | None]


@dataclass(frozen=True)
class Watch:
    """One alert as data. Its summary and action are the sentences `monitoring.export.alert.<name>`.

    `finding` is the rule of the finding that the page shows for the same fault. `severity` None: that of the limit on
    its bad side, at most a warning on the other.
    """

    name: str
    finding: str
    indicator: str
    side: Side
    condition: Condition
    severity: Severity | None = None

    def title(self, limit: Limit) -> str:
        """Return the name of the alert, which says the percentile that is watched."""
        return self.name.replace("P99", percentile(limit).replace(".", "_"))

    def value(self, thresholds: Thresholds) -> float | None:
        """Return the number of the limit on this side, None where there is none."""
        limit = thresholds.limits.get(self.indicator)
        value: float | None = None if limit is None else getattr(limit, self.side)
        return value

    def severity_of(self, limit: Limit) -> Severity:
        """Return how bad it is."""
        if self.severity is not None:
            return self.severity
        return "warning" if limit.severity == "critical" and not self.side.endswith("bad") else limit.severity


def _beyond(terms: Terms, limit: Limit, value: float) -> str | None:
    return terms.only_with(f"{terms.average(limit)} > {value:g} and {terms.enough(limit)}", limit)


def _below(terms: Terms, limit: Limit, value: float) -> str | None:
    low = f"{terms.average(limit)} < {value:g} and {terms.enough(limit)}"
    if limit.bad_always and limit.low_bad is not None:
        low += f" unless {terms.highest(limit)} < {limit.low_bad:g}"
    return terms.only_with(low, limit)


def _far_beyond(terms: Terms, limit: Limit, value: float) -> str | None:
    """Beyond the bad limit; where bad is no worse than a warning, that alert has said it already."""
    return _beyond(terms, limit, value) if limit.severity == "critical" else None


def _never_above(terms: Terms, limit: Limit, value: float) -> str:
    """Not once in the window: a GPU that works now and then is underused, not idle."""
    return f"{terms.highest(limit)} < {value:g} and {terms.enough(limit)}"


def _memory(terms: Terms, limit: Limit, value: float) -> str:
    alone = f" unless on ({KEYS['gpu']}) {PREALLOCATED}" if PREALLOCATED in terms.recorded else ""
    return f"({_beyond(terms, limit, value)}){alone}"


def _as_it_stands(terms: Terms, limit: Limit, value: float) -> str:
    return f"{series(limit.indicator)} > {value:g}"


def _ecc(terms: Terms, limit: Limit, value: float) -> str:
    """The count as it stands: its increase would miss errors that are there when the series begins."""
    found = [_as_it_stands(terms, limit, value)]
    remap = terms.thresholds.limits.get("row_remap_failed")
    if remap is not None and remap.high_bad is not None and "row_remap_failed" in terms.recorded:
        found.append(f"{series('row_remap_failed')} > {remap.high_bad:g}")
    return " or ".join(found)


def _xid(codes: tuple[int, ...]) -> Condition:
    def condition(terms: Terms, limit: Limit, value: float) -> str | None:
        return " or ".join(f"{series('xid')} == {code}" for code in codes) or None

    return condition


def _down(terms: Terms, limit: Limit, value: float) -> str:
    return f"{series(limit.indicator)} < {value:g}"


def _silent(terms: Terms, limit: Limit, value: float) -> str | None:
    """An exporter that cannot be scraped, or that can but tells of no GPU."""
    there = presence(terms.recorded)
    down = _down(terms, limit, value)
    return f"{down} or ({series(limit.indicator)} unless on (node) {there})" if there else down


def presence(recorded: Collection[str]) -> str | None:
    """Return the series that says which GPUs there are."""
    return next((series(name) for name in PRESENCE if name in recorded), None)


def gone(terms: Terms) -> str | None:
    """Return the GPUs that reported within the last hours and do not now."""
    there = presence(terms.recorded)
    if there is None:
        return None
    return f"last_over_time({there}[{duration(LOST_WINDOW_S)}]) unless on ({KEYS['gpu']}) {there}"


def absent(terms: Terms) -> str | None:
    """Return 1 where no GPU reports at all."""
    there = presence(terms.recorded)
    return f"absent({there})" if there else None


def leak(terms: Terms) -> str | None:
    """Return bytes an hour where memory grows as `core.monitoring.leaks` asks: much, on a line, still, alone."""
    if GPU_MEMORY not in terms.recorded:
        return None
    pace = terms.pace
    long, half = pace.window(LEAK_WINDOW_S), pace.window(LEAK_WINDOW_S / 2)
    slope = f"deriv({GPU_MEMORY}[{long}])"

    def span(name: str) -> str:
        """Seconds that the samples of the window span."""
        return f"count_over_time({name}[{long}]) * {pace.slow_s:g}"

    # A shortened window sees a part of the growth.
    much = LEAST_GROWTH_BYTES / pace.shortened
    tests = [
        f"{slope} * 3600 > 0",
        f"{span(GPU_MEMORY)} >= {pace.seconds(LEAST_SPAN_S):g}",
        f"{slope} * {span(GPU_MEMORY)} >= {much:.0f}",
        # Samples at even distances over T seconds have a variance of T²/12, so this is r² of the line.
        f"({slope} * {span(GPU_MEMORY)}) ^ 2 / 12 >= {LEAST_FIT:g} * stdvar_over_time({GPU_MEMORY}[{long}])",
        f"deriv({GPU_MEMORY}[{half}]) >= {STILL_GROWING:g} * {slope}",
    ]
    found = " and ".join(tests)
    if GPU_LOAD not in terms.recorded:
        return found
    busier = (
        f"deriv({GPU_LOAD}[{long}]) * {span(GPU_LOAD)} > {STEADY_LOAD:g} * avg_over_time({GPU_LOAD}[{long}])"
    )
    return f"({found}) unless on ({KEYS['gpu']}) ({busier})"


@dataclass(frozen=True)
class Unlimited:
    """An alert without a limit: what is there or not, or grows as `core.monitoring.leaks` asks."""

    name: str
    finding: str
    indicator: str
    severity: Severity
    hold_s: float
    condition: Callable[[Terms], str | None]
    slow: bool = False
    """Whether it looks back over hours, and so is evaluated seldom."""


MISSING_HOLD_S = 300.0
LEAK_HOLD_S = 900.0

UNLIMITED = (
    Unlimited("GpuMissing", "gpu_missing", "gpu_exporter_up", "critical", MISSING_HOLD_S, gone),
    Unlimited("TelemetryAbsent", "telemetry", "gpu_exporter_up", "warning", MISSING_HOLD_S, absent),
    Unlimited("GpuMemoryLeak", "memory_leak", "memory_used_bytes", "warning", LEAK_HOLD_S, leak, slow=True),
)

_CODES = xid_codes()

WATCHES = (
    Watch("GpuUnderutilised", "gpu_underused", "gpu_utilisation", "low", _below),
    Watch("GpuIdle", "gpu_idle", "gpu_utilisation", "low_bad", _never_above),
    Watch("GpuSaturated", "gpu_saturated", "gpu_utilisation", "high", _beyond),
    Watch("GpuMemoryHigh", "memory_high", "memory_occupancy", "high", _memory),
    Watch("GpuHot", "gpu_hot", "gpu_temperature", "high", _beyond),
    Watch("GpuTooHot", "gpu_hot", "gpu_temperature", "high_bad", _far_beyond),
    Watch("GpuThrottled", "throttled", "throttling", "high", _beyond),
    Watch("GpuXidCritical", "xid", "xid", "high", _xid(_CODES.critical), "critical"),
    Watch("GpuXidWarning", "xid", "xid", "high", _xid(_CODES.warning), "warning"),
    Watch("GpuEcc", "ecc", "ecc_errors", "high_bad", _ecc),
    Watch("TelemetryMissing", "telemetry", "gpu_exporter_up", "low_bad", _silent),
    Watch("KvCachePressure", "kv_pressure", "kv_usage", "high", _beyond),
    Watch("QueueLong", "queue", "queue", "high", _beyond),
    Watch("PreemptionsHigh", "preemptions", "preemptions", "high", _beyond),
    Watch("TtftP99High", "ttft_slow", "ttft", "high", _beyond),
    Watch("TtftP99Critical", "ttft_slow", "ttft", "high_bad", _far_beyond),
    Watch("ItlP99High", "itl_slow", "itl", "high", _beyond),
    Watch("ItlP99Critical", "itl_slow", "itl", "high_bad", _far_beyond),
    Watch("E2eP99High", "e2e_slow", "e2e", "high", _beyond),
    Watch("E2eP99Critical", "e2e_slow", "e2e", "high_bad", _far_beyond),
    Watch("ErrorRateHigh", "errors", "error_rate", "high", _beyond),
    Watch("ErrorRateCritical", "errors", "error_rate", "high_bad", _far_beyond),
    Watch("BatchLow", "batch_low", "batch_efficiency", "low", _below),
    Watch("ReplicaDown", "replica_down", "replica_up", "low_bad", _down),
)
"""The alerts that a limit makes, as `core.monitoring.flags` makes findings of them."""
