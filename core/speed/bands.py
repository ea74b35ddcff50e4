"""How good an estimate of speed is: the spread of measured / predicted over the measurements of its kind."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Kind:
    """What decides which measurements are like a deployment.

    `era` is recent, older, local or unmeasured (see constants.yaml), `batch` the sequences of an attention rank.
    """

    era: str
    mode: str
    moe: bool
    batch: float


@cache
def _table() -> list[dict[str, Any]]:
    path = Path(__file__).with_name("bands.yaml")
    rows: list[dict[str, Any]] = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)["bands"]
    return rows


@lru_cache(maxsize=4096)
def band_row(kind: Kind, quantity: str) -> dict[str, Any]:
    """Return the row of bands.yaml for *quantity* of *kind*: the last that holds, since rows become narrower."""
    measure = quantity if quantity in ("prefill_s", "tpot_s", "ttft_s") else "run"
    mode = "static_batch" if kind.mode == "single" else kind.mode
    asked = {"measure": measure, "era": kind.era, "mode": mode, "moe": kind.moe}
    chosen: dict[str, Any] = {}
    for row in _table():
        if kind.batch > row.get("up_to", kind.batch) or kind.batch <= row.get("above", 0):
            continue
        if all(row.get(name, value) == value for name, value in asked.items()):
            chosen = row
    return chosen


def band(kind: Kind, quantity: str, value: float) -> tuple[float, float]:
    """Return (low, high) around *value*: where the middle eight of ten measurements of its kind lie.

    Rows hold factors on times; a throughput is the inverse of a time. Where nine of ten lie on one side, the band
    reaches to the value: a reader would take another for a mistake.
    """
    row = band_row(kind, quantity)
    low, high = min(1.0, float(row["low"])), max(1.0, float(row["high"]))
    if quantity == "output_tokens_per_s":
        low, high = 1.0 / high, 1.0 / low
    return value * low, value * high
