"""Compare estimated with measured peaks of training, and print the rows of core/memory/training/bands.yaml.

    .venv/bin/python -m tests.benchmarks.training_bands

"held out" takes every run as of no framework in particular: how good the structure is without the constants
that were found on the measurements of a run's own framework.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

from core.api import answer, training_of
from core.api.requests import parse_as
from core.api.training_request import TrainRequest
from core.memory.training.bands import kind_of

MEASURED = Path(__file__).parents[2] / "hardware_db" / "measurements" / "training.jsonl"
KINDS = (("method",), ("framework",), ("framework", "method"))
LEAST = 8
"""Measurements that a row needs."""
RARE = (("model", "latent"), ("offload", "some"))
"""Kinds that widen the band of any run."""
WIDENED = 1.15
"""By how much a band is wider than what was seen on measurements on which constants were found."""


def measurements() -> list[dict[str, Any]]:
    """Return the measured runs: request, figure, peak in GiB."""
    return [json.loads(line) for line in MEASURED.read_text(encoding="utf-8").splitlines()]


def ratios(*, held_out: bool = False) -> list[tuple[dict[str, str], float]]:
    """Return the kind and measured / predicted of every run."""
    found = []
    for row in measurements():
        request = row["request"]
        kind = kind_of(training_of(parse_as(TrainRequest, request)))
        if held_out:
            request = {k: v for k, v in request.items() if k not in ("framework", "framework_version")}
        predicted = answer("train", request)[f"peak_{row['figure']}_gib"]
        found.append((kind, row["measured_gib"] / predicted))
    return found


def at(values: Iterable[float], share: float) -> float:
    """Return the value below which *share* of *values* lie, between neighbours in proportion."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def errors(found: list[tuple[dict[str, str], float]]) -> str:
    """Return count, median and 90th percentile of the error predicted / measured - 1, in percent."""
    sizes = [abs(1 / ratio - 1) * 100 for _, ratio in found]
    return f"{len(sizes):4d}  median {median(sizes):5.1f} %  90 % below {at(sizes, 0.9):5.1f} %"


def main() -> None:
    """Print errors by framework, with and without its own constants, then the rows of bands."""
    own, held_out = ratios(), ratios(held_out=True)
    for name in ("", *sorted({kind["framework"] for kind, _ in own})):
        rows = [[pair for pair in found if name in ("", pair[0]["framework"])] for found in (own, held_out)]
        print(f"{name or 'all':20} {errors(rows[0])}   held out {errors(rows[1])[4:]}")
    print(row({}, [ratio for _, ratio in held_out]))
    for kinds in KINDS:
        groups: dict[tuple[str, ...], list[float]] = defaultdict(list)
        for kind, ratio in own:
            groups[tuple(kind[name] for name in kinds)].append(ratio)
        for names, values in groups.items():
            if len(values) >= LEAST:
                print(row(dict(zip(kinds, names, strict=True)), values))
    for name, value in RARE:
        print(row({name: value}, [ratio for kind, ratio in own if kind[name] == value]))


def row(kind: dict[str, str], values: list[float]) -> str:
    """Return a row of bands.yaml."""
    fields = "".join(f"{name}: {value}, " for name, value in kind.items())
    low, high = (1 + WIDENED * (at(values, share) - 1) for share in (0.1, 0.9))
    return f"  - {{{fields}low: {low:.3f}, high: {high:.3f}, cases: {len(values)}}}"


if __name__ == "__main__":
    main()
