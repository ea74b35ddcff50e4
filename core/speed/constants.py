"""Efficiencies and overheads of the roofline: constants.yaml, by engine, version and device."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from core.catalog import accelerators
from core.errors import BadRequest
from core.memory.engines.profile import parse_version
from core.speed.device import DeviceRates

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DATE = re.compile(r"20\d\d(?:-\d\d)?")


@dataclass(frozen=True)
class Constants:
    """What constants.yaml describes; numbers, or arrays over deployments.

    `shares`, `efficiencies` and `tiles` have one row for each of `profile.FORMATS`: the share of the matrix rate
    and of the bandwidth that its products reach, and the rows that they compute at least.
    """

    ceiling: Any
    intensity: Any
    achievable: Any
    shares: Any
    efficiencies: Any
    tiles: Any
    expert_share: Any
    expert_tile: Any
    attention_share: Any
    prefill_attention_share: Any
    memory: Any
    step: Any
    sequence: Any
    layer: Any
    moe_layer: Any
    latent_layer: Any
    index_layer: Any
    quantised_layer: Any
    launch: Any
    pace: Any
    chunk: Any
    prefill_layer: Any
    shared_pass: Any
    stage: Any
    reduce_latency: Any
    reduce_rank: Any
    reduce_latency_pcie: Any
    link_efficiency: Any
    exchange_latency: Any
    exchange_efficiency: Any
    first_token: Any

    def matrix_efficiency(self, device: DeviceRates) -> Any:
        """Return the share of the peaks that large dense products reach on *device*, by format."""
        reached = 1.0 / (1.0 / self.ceiling + self.intensity * device.peaks / device.bandwidth)
        return np.minimum(reached, self.achievable)

    def matrix_rates(self, device: DeviceRates) -> Any:
        """Return the FLOP/s of large dense products on *device*, by format: more where the peak or bandwidth is."""
        return device.peaks * self.matrix_efficiency(device) * self.shares


_BY_FORMAT = {
    "shares": (*[None] * 5, "unpacked_share"),
    "efficiencies": (*["memory"] * 5, "unpacked_memory"),
    "tiles": (*["tile"] * 5, "unpacked_tile"),
}


def from_values(values: dict[str, float]) -> Constants:
    """Return the constants with the names and *values* of constants.yaml."""
    table: dict[str, Any] = {
        name: np.array([1.0 if row is None else values[row] for row in rows])
        for name, rows in _BY_FORMAT.items()
    }
    single = {name: values[name] for name in Constants.__dataclass_fields__ if name not in table}
    return Constants(**table, **single)


@cache
def data() -> dict[str, Any]:
    """Return the content of constants.yaml."""
    text = Path(__file__).with_name("constants.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.load(text, Loader=_LOADER)
    return content


@cache
def base_values() -> dict[str, float]:
    """Return the constants of recent engines by name."""
    return {name: float(row["value"]) for name, row in data()["base"].items()}


def is_date(version: str | None) -> bool:
    """Return whether *version* is a year or a month, such as 2024 or 2025-05, instead of a version."""
    return version is not None and _DATE.fullmatch(version.strip()) is not None


@lru_cache(maxsize=1024)
def span_of(engine: str, version: str | None) -> dict[str, Any]:
    """Return the span of constants.yaml for *engine* at *version* or date; empty for the base alone.

    Raises:
        BadRequest: a text that is neither a version nor a date.
    """
    chosen: dict[str, Any] = {}
    for span in data()["engines"].get(engine, ()):
        if _holds(span, version):
            chosen = span
    return chosen


def _holds(span: dict[str, Any], version: str | None) -> bool:
    if version is None:
        return not {"since", "before", "until"} & span.keys()
    if is_date(version):
        before = "until" in span and version.strip() < span["until"]  # both begin with the year
        return before or not {"since", "before", "until"} & span.keys()
    if "until" in span and "before" not in span:
        return False
    number = parse_version(version)
    after = number >= parse_version(span.get("since", "0"))
    return after and ("before" not in span or number < parse_version(span["before"]))


@lru_cache(maxsize=4096)
def constants_of(engine: str, version: str | None = None, device: str | None = None) -> Constants:
    """Return the constants of *engine* at *version* on the accelerator with the catalogue's id *device*.

    Raises:
        BadRequest: a text that is neither a version nor a date.
    """
    values = dict(base_values())
    record = accelerators().get(device) if device else None
    for row in data()["memories"]:
        if record and record.memory_type.startswith(row["begins"]):
            values |= row["set"]
    for row in data()["first_tokens"]:
        if row["engine"] == engine:
            values["first_token"] = row["value"]
    values |= span_of(engine, version).get("set", {})
    for row in data()["devices"]:
        if device in row["ids"]:
            values |= row["set"]
    return from_values({name: float(value) for name, value in values.items()})


def check_version(version: str | None) -> None:
    """Refuse what is neither a version nor a date.

    Raises:
        BadRequest: such a text.
    """
    if version is None or is_date(version):
        return
    try:
        parse_version(version)
    except BadRequest:
        raise BadRequest("request.version_or_date", field="engine_version", value=version) from None
