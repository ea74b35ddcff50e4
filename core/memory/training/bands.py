"""How good an estimate is: the spread of measured / predicted over the measurements of runs of its kind."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from core.memory.training.run import TrainingRun

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


RARE = ("model", "offload")
"""Kinds whose rows widen the band of any run, since they were measured too rarely to divide them further."""


@cache
def _rows() -> list[dict[str, Any]]:
    text = Path(__file__).with_name("bands.yaml").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = yaml.load(text, Loader=_LOADER)["bands"]
    return rows


def kind_of(run: TrainingRun) -> dict[str, str]:
    """Return what decides which measurements are like *run*: method, framework, kind of model, offload."""
    model = run.model
    return {
        "method": run.method,
        "framework": run.framework.name or "any",
        "model": "latent" if model.has_latent_cache else "experts" if model.is_moe else "dense",
        "offload": "some" if run.offload or run.checkpointing == "full+offload" else "none",
    }


def training_band_rows(run: TrainingRun) -> list[dict[str, Any]]:
    """Return the rows of bands.yaml that count for *run*: the most specific by method and framework, and rare kinds."""
    kind = kind_of(run)
    matching = [row for row in _rows() if all(kind[name] == row[name] for name in kind if name in row)]
    common = [row for row in matching if not any(name in row for name in RARE)]
    best = max(common, key=lambda row: (sum(name in row for name in kind), row["high"] - row["low"]))
    return [best, *(row for row in matching if row not in common)]


def training_band(run: TrainingRun, value: float) -> tuple[float, float]:
    """Return (low, high) around *value*: where the middle eight of ten measurements of its kind lie."""
    rows = training_band_rows(run)
    return value * min(float(row["low"]) for row in rows), value * max(float(row["high"]) for row in rows)
