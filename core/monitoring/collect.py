"""One refresh: at most 19 questions whatever the size of the fleet, all about the same moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from core.monitoring.aggregates import aggregates, read_aggregates
from core.monitoring.answers import Answer
from core.monitoring.asking import QUANTILES, RATE_WINDOW_S, Questions, averages, extremes, marks
from core.monitoring.exporters import Detected
from core.monitoring.growth import read_growth
from core.monitoring.judging import judged, wanted
from core.monitoring.nodes import by_node, means
from core.monitoring.past import read_history
from core.monitoring.prometheus import Prometheus
from core.monitoring.reader import Reader
from core.monitoring.snapshot import Snapshot, Statistic, Totals
from core.monitoring.subjects import Level
from core.monitoring.tables import table
from core.monitoring.targets import read_targets
from core.monitoring.thresholds import Thresholds

AGGREGATE_ABOVE = 2000
"""GPUs above which single ones are no longer read, only the worst, the nodes and how many there are."""
DEFAULT_SCRAPE_S = 30.0
USUAL_SCRAPES_S = (1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0)
"""Scrape intervals that people set; a count of samples is one off where the window begins at a sample."""


def collect(
    client: Prometheus,
    detected: Detected,
    thresholds: Thresholds,
    *,
    selector: str = "",
    at: float | None = None,
    window_s: float = 6 * 3600.0,
) -> Snapshot:
    """Return what the store of *client* says now, or at *at* (unix seconds), with verdicts.

    *selector* is label matchers without braces that narrow every question; *window_s* is how far the look
    back for onsets and leaks goes.

    Raises:
        MonitoringFault: the store cannot be reached, or refuses what is asked.
    """
    reader = Reader(client, moment(client) if at is None else at)
    scale = _scale(reader.instants({"scale": Questions(detected, thresholds, selector).scale()})["scale"])
    scrape_s = _scrape(scale)
    thresholds = thresholds.with_scrape(scrape_s)
    ask = Questions(detected, thresholds, selector)
    snapshot = Snapshot(
        at=reader.at,
        endpoint=client.endpoint.name,
        store=client.about(),
        detected=detected,
        selector=selector,
        aggregated=scale.get("gpu", 0.0) > AGGREGATE_ABOVE,
        scrape_s=scrape_s,
        skew_s=client.skew_s,
        totals=Totals(
            gpus=int(scale.get("gpu", 0)),
            gpus_seen=int(scale.get("gpu", 0)),
            replicas=int(scale.get("engine", 0)),
        ),
    )
    snapshot = _read_now(reader, ask, snapshot)
    snapshot = judged(replace(snapshot, partial=reader.partial), thresholds)
    snapshot = read_history(reader, ask, read_growth(reader, ask, snapshot, window_s), window_s)
    return judged(
        replace(
            snapshot,
            warnings=tuple(reader.warnings),
            faults=tuple(reader.faults),
            partial=reader.partial,
            queries=reader.queries,
            seconds=reader.seconds,
        ),
        thresholds,
    )


def moment(client: Prometheus) -> float:
    """Return the newest time, in unix seconds, for which the store of *client* shows its samples."""
    return client.now() - client.about().hidden_s


def _scale(answer: Answer | None) -> dict[str, float]:
    """Return how many GPUs and replicas there are, and the most samples one of them has."""
    if answer is None:
        return {}
    return {
        labels["indicator"]: float(value) for labels, value in zip(answer.labels, answer.latest, strict=True)
    }


def _scrape(scale: Mapping[str, float]) -> float:
    """Return the seconds between two samples of a GPU (of a replica where there is no GPU), on a usual step."""
    counted = scale.get("gpu_samples") or scale.get("engine_samples")
    if not counted or not np.isfinite(counted):
        return DEFAULT_SCRAPE_S
    found = RATE_WINDOW_S / counted
    return float(min(USUAL_SCRAPES_S, key=lambda usual: abs(np.log(found / usual))))


def _read_now(reader: Reader, ask: Questions, snapshot: Snapshot) -> Snapshot:
    """Return *snapshot* with GPUs, nodes, replicas and targets as they are now.

    All that does not depend on another answer is asked in one go, so that the store is never idle in between.
    """
    of_gpus = aggregates(ask) if snapshot.aggregated else _of_each_gpu(ask)
    engines = _of_engines(ask, few=snapshot.aggregated)
    answers = reader.instants({**of_gpus, "gone": ask.gone(), **engines})
    snapshot = replace(snapshot, replicas=table(Level.ENGINE, [answers[name] for name in engines]))
    if snapshot.aggregated:
        snapshot = read_aggregates(reader, ask, snapshot, answers)
    else:
        gpus = table(Level.GPU, [answers[name] for name in of_gpus])
        totals = replace(snapshot.totals, values=means(gpus))
        snapshot = replace(snapshot, gpus=gpus, nodes=by_node(gpus), totals=totals)
    return read_targets(reader, ask, snapshot, answers["gone"])


def _of_engines(ask: Questions, *, few: bool) -> dict[str, str | None]:
    """Return what is asked of every replica; where *few* is set, only the latencies that are judged."""
    plain = (*averages("engine"), *marks("engine"), *extremes("engine", ask.thresholds))
    return {
        "engine_averages": ask.together(plain),
        "engine_age": ask.age("engine"),
        "engine_samples": ask.samples("engine"),
        **{
            name: ask.together([(name, Statistic.AVERAGE, None)])
            for name in QUANTILES
            if not few or wanted(name, ask.thresholds)
        },
    }


def _of_each_gpu(ask: Questions) -> dict[str, str | None]:
    return {
        "averages": ask.together(averages("gpu")),
        "marks": ask.together(marks("gpu")),
        "extremes": ask.together(extremes("gpu", ask.thresholds)),
        "samples": ask.samples("gpu"),
        "age": ask.age("gpu"),
    }
