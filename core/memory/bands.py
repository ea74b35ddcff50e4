"""How good an estimate is: the spread of measured / predicted over the measurements of its kind."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from core.memory.deployment import Deployment
from core.quantities import round_digits, significant_digits

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def _table() -> list[dict[str, Any]]:
    path = Path(__file__).with_name("bands.yaml")
    rows: list[dict[str, Any]] = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)["bands"]
    return rows


def kind_of(deployment: Deployment) -> dict[str, str]:
    """Return what decides which measurements are like *deployment*: engine, generation, ranks, kind of model."""
    model, layout = deployment.model, deployment.layout
    version = deployment.engine.version
    recent = deployment.engine.name == "vllm" and tuple(
        int(p) for p in version.split(".")[:2] if p.isdigit()
    ) >= (0, 17)
    return {
        "engine": deployment.engine.name,
        "era": "recent" if recent else "any",
        "ranks": "several" if layout.tp * layout.pp > 1 else "one",
        "model": (
            "multimodal"
            if model.multimodal
            else "hybrid"
            if model.is_hybrid
            else "latent"
            if model.has_latent_cache
            else "plain"
        ),
    }


def band_row(deployment: Deployment, quantity: str) -> dict[str, Any]:
    """Return the most specific row of bands.yaml for *quantity* of *deployment*: factors, count, source."""
    kind = kind_of(deployment)
    best: dict[str, Any] = {}
    most = -1
    for row in _table():
        if row["quantity"] != quantity:
            continue
        asked = {name: value for name, value in row.items() if name in kind}
        if all(kind[name] == value for name, value in asked.items()) and len(asked) > most:
            best, most = row, len(asked)
    return best


def known_tokens(deployment: Deployment, tokens: float) -> int:
    """Return a capacity of *tokens* with the digits that its band supports, for a sentence."""
    return round_digits(tokens, significant_digits(tokens, *band(deployment, "kv_capacity_tokens", tokens)))


def band(deployment: Deployment, quantity: str, value: float) -> tuple[float, float]:
    """Return (low, high) around *value*: where the middle eight of ten measurements of its kind lie."""
    row = band_row(deployment, quantity)
    low, high = value * float(row["low"]), value * float(row["high"])
    return min(low, high), max(low, high)
