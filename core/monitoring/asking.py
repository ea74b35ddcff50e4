"""The questions of one refresh, as PromQL: several indicators share a query, told apart by a label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from core.monitoring.exporters import Detected
from core.monitoring.indicators import indicators
from core.monitoring.promql import duration
from core.monitoring.readings import Over
from core.monitoring.snapshot import Statistic
from core.monitoring.thresholds import Thresholds
from core.monitoring.windows import ages, joined

# Codes, counts and flags are taken as they stand: their average means nothing.
AS_THEY_STAND = frozenset({"code", "count", "flag"})
# What counts requests is a count too, but one that moves: its average over a window is what is judged.
MOVING_COUNTS = frozenset({"queue", "running"})
DEFAULT_WINDOW_S = 300.0
LONGEST_COUNT_S = 1800.0
RATE_WINDOW_S = 600.0
"""Window whose number of samples says how often a target is scraped."""
LOST_WINDOW_S = 6 * 3600.0
# What every GPU exporter gives, cheapest first: the one that says which GPUs there are.
PRESENCE = ("gpu_temperature", "gpu_power", "gpu_utilisation", "memory_occupancy")
ENGINE_PRESENCE = ("kv_usage", "running", "queue", "requests")
QUANTILES = ("ttft", "itl", "e2e")
GPU_LABELS = ("node", "gpu", "mig")
ENGINE_LABELS = ("instance", "model_name")

Wanted = tuple[str, Statistic, float | None]
"""An indicator, what is made of its window, and the window in seconds where it is not that of its limit."""

NARROW = {"gpu": (*GPU_LABELS, "uuid"), "engine": ENGINE_LABELS}
"""The labels that tell subjects apart. Each further one costs the store as much as the numbers themselves, so only
the question about the age of samples brings them all."""

_OVER: dict[Statistic, Over] = {
    Statistic.AVERAGE: "avg",
    Statistic.LEAST: "min",
    Statistic.MOST: "max",
    Statistic.SAMPLES: "count",
}


def key(indicator: str, statistic: Statistic) -> str:
    """Return the value of the label ``indicator`` of a joined query; `parts` takes it apart."""
    return f"{indicator}:{statistic.value}"


def parts(named: str) -> tuple[str, Statistic]:
    """Return indicator and statistic of a `key`.

    >>> parts(key("queue", Statistic.MOST))
    ('queue', <Statistic.MOST: 'most'>)
    """
    indicator, _, statistic = named.partition(":")
    return indicator, Statistic(statistic)


def natural_step(series: int, window_s: float) -> float:
    """Return seconds between the points of a look back: few enough that a large fleet is read quickly.

    >>> natural_step(64, 21600), natural_step(2000, 21600)
    (300.0, 2700.0)
    """
    points = max(8, min(72, 16_000 // max(1, series)))
    return float(max(300.0, np.ceil(window_s / points / 300.0) * 300.0))


class Questions:
    """What to ask of the exporters found, for the windows of the thresholds."""

    def __init__(self, detected: Detected, thresholds: Thresholds, selector: str = "") -> None:
        self.detected = detected
        self.thresholds = thresholds
        self.selector = selector

    def window(self, indicator: str) -> float:
        """Return the seconds over which *indicator* is judged."""
        limit = self.thresholds.limits.get(indicator)
        seconds = float(limit.window_s) if limit else DEFAULT_WINDOW_S
        # What a driver reported stays true until the GPU is reset, so it is looked for as far back as all the past.
        return max(seconds, LOST_WINDOW_S) if indicators()[indicator].unit == "code" else seconds

    def expression(
        self, indicator: str, window_s: float | None = None, over: Over | None = None, by: Sequence[str] = ()
    ) -> str | None:
        """Return the expression of *indicator* with canonical labels, None where nothing exports it."""
        window = duration(window_s or self.window(indicator))
        limit = self.thresholds.limits.get(indicator)
        return self.detected.expression(
            indicator,
            selector=self.selector,
            window=window,
            over=over,
            by=by,
            quantile=limit.quantile if limit else 0.99,
            capacity=self.thresholds.max_num_seqs,
        )

    def statistic(self, indicator: str, statistic: Statistic, window_s: float | None = None) -> str | None:
        """Return *statistic* of *indicator* over its window, None where nothing exports it."""
        # A value that is the text of a label needs that label.
        by = () if indicators()[indicator].value_label else NARROW.get(_level(indicator), ())
        return self.expression(indicator, window_s, self.over(indicator, statistic), by)

    def over(self, indicator: str, statistic: Statistic) -> Over | None:
        """Return what the store makes of a window for *statistic*: nothing for codes and counts."""
        return None if statistic is Statistic.AVERAGE and stands(indicator) else _OVER[statistic]

    def together(self, wanted: Iterable[Wanted]) -> str | None:
        """Return one query for all that is *wanted* and exported, None where nothing of it is."""
        found: dict[str, str] = {}
        for indicator, statistic, window in wanted:
            expression = self.statistic(indicator, statistic, window)
            if expression is not None:
                found[key(indicator, statistic)] = expression
        return joined(found) if found else None

    def presence(self, level: str) -> str | None:
        """Return the first indicator that tells which GPUs or replicas there are."""
        names = PRESENCE if level == "gpu" else ENGINE_PRESENCE
        return next((name for name in names if self.detected.has(name)), None)

    def scale(self) -> str | None:
        """Ask how many GPUs and replicas there are, and how often they are sampled."""
        found: dict[str, str] = {}
        for level in ("gpu", "engine"):
            present = self.presence(level)
            if present:
                by = NARROW[level]
                found[level] = f"count({self.expression(present, by=by)})"
                samples = self.expression(present, RATE_WINDOW_S, "count", by)
                found[f"{level}_samples"] = f"max({samples})"
        return joined(found) if found else None

    def age(self, level: str) -> str | None:
        """Ask for the seconds since the last sample of each GPU or replica."""
        present = self.presence(level)
        if present is None:
            return None
        return joined({key(present, Statistic.AGE): f"-1 * ({ages(str(self.expression(present)))})"})

    def samples(self, level: str) -> str | None:
        """Ask how many samples each GPU or replica has in the longest window of its level."""
        present = self.presence(level)
        own = [
            limit.window_s for limit in self.thresholds.limits.values() if _level(limit.indicator) == level
        ]
        longest = min(max([DEFAULT_WINDOW_S, *own]), LONGEST_COUNT_S)
        return self.together([(present, Statistic.SAMPLES, longest)]) if present else None

    def gone(self) -> str | None:
        """Ask which GPUs and replicas had samples within six hours and have none now."""
        found: dict[str, str] = {}
        for level, same in (("gpu", GPU_LABELS), ("engine", ENGINE_LABELS)):
            present = self.presence(level)
            if present:
                # Of a replica that is gone, nothing else tells the node and the pod.
                by = same if level == "gpu" else ()
                then = self.expression(present, LOST_WINDOW_S, "last", by)
                now = self.expression(present, by=same)
                found[f"{level}_gone"] = f"{then} unless on ({', '.join(same)}) {now}"
        return joined(found) if found else None

    def down(self) -> str | None:
        """Ask for the exporters and replicas whose scrape fails, and that gave samples within six hours."""
        found: dict[str, str] = {}
        for level, up in (("gpu", "gpu_exporter_up"), ("engine", "replica_up")):
            failing = self.expression(up, LOST_WINDOW_S)
            if failing:
                found[f"{level}_down"] = f"({failing}) == 0"
        return joined(found) if found else None


def averages(level: str) -> tuple[Wanted, ...]:
    """Return what is asked of every subject of *level*: the average of each of its plain indicators."""
    return tuple(
        (name, Statistic.AVERAGE, None)
        for name, indicator in indicators().items()
        if indicator.level == level and name not in QUANTILES and not stands(name)
    )


def marks(level: str) -> tuple[Wanted, ...]:
    """Return the codes and counts of faults of *level*, which stand until somebody resets them."""
    return tuple(
        (name, Statistic.AVERAGE, None)
        for name, indicator in indicators().items()
        if indicator.level == level and indicator.unit != "flag" and stands(name)
    )


def extremes(level: str, thresholds: Thresholds) -> tuple[Wanted, ...]:
    """Return what says whether a value was beyond its limit all the time, where the limit asks for that."""
    wanted: list[Wanted] = []
    for name, limit in thresholds.limits.items():
        if indicators()[name].level == level and limit.bad_always:
            wanted += [(name, Statistic.MOST, None)] if limit.low_bad is not None else []
            wanted += [(name, Statistic.LEAST, None)] if limit.high_bad is not None else []
    return tuple(wanted)


def _level(indicator: str) -> str:
    return indicators()[indicator].level


def stands(indicator: str) -> bool:
    """Return whether *indicator* is a code or count that stands until it is reset, so has no average."""
    return indicators()[indicator].unit in AS_THEY_STAND and indicator not in MOVING_COUNTS
