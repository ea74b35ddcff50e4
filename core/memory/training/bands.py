"""How good an estimate is: the spread of measured / predicted over the measurements of runs of its kind."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from core.memory.training.run import TrainingRun

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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


def training_band_row(run: TrainingRun) -> dict[str, Any]:
    """Return the most specific row of bands.yaml for *run*: factors, count of measurements."""
    kind = kind_of(run)
    best: dict[str, Any] = {}
    most = -1
    for row in _rows():
        asked = {name: value for name, value in row.items() if name in kind}
        if all(kind[name] == value for name, value in asked.items()) and len(asked) > most:
            best, most = row, len(asked)
    return best


def training_band(run: TrainingRun, value: float) -> tuple[float, float]:
    """Return (low, high) around *value*: where the middle eight of ten measurements of its kind lie."""
    row = training_band_row(run)
    return value * float(row["low"]), value * float(row["high"])
