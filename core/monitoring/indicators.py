"""What is watched: the records of hardware_db/monitoring/indicators.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import yaml
from pydantic import Field

from core.catalog.records import Provenance, Record
from core.text import Sentence, say

FOLDER = Path(__file__).parents[2] / "hardware_db" / "monitoring"

Level = Literal["gpu", "node", "engine"]
Unit = Literal["ratio", "s", "1/s", "celsius", "W", "count", "tokens/s", "bytes", "code", "flag"]
Sense = Literal["band", "high", "low", "none"]
Across = Literal["mean", "sum", "max", "min", "quantile", "rate"]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Indicator(Record):
    """One quantity of a GPU, a node or an engine replica.

    `sense` says on which side trouble lies, `across` how the values of several subjects become one. The value of
    an indicator with a `value_label` is the text of that label, since its exporter writes no number.
    """

    id: str
    level: Level
    unit: Unit
    sense: Sense
    across: Across
    value_label: str = ""

    @property
    def name(self) -> Sentence:
        """What people call it."""
        return say(f"monitoring.indicator.{self.id}.name")

    @property
    def meaning(self) -> Sentence:
        """What it measures, and what it does not."""
        return say(f"monitoring.indicator.{self.id}.meaning")


class XidCodes(Record):
    """Errors of the NVIDIA driver that say something about the GPU; all others are silent."""

    critical: tuple[int, ...] = Field(min_length=1)
    warning: tuple[int, ...]
    provenance: Provenance

    @property
    def all(self) -> tuple[int, ...]:
        """Both lists, the critical codes first."""
        return self.critical + self.warning


def read_yaml(path: Path) -> Any:
    """Return the content of the YAML file at *path*."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)


@cache
def indicators() -> Mapping[str, Indicator]:
    """Return the indicators by id, in the order of the file."""
    table: dict[str, dict[str, Any]] = read_yaml(FOLDER / "indicators.yaml")["indicators"]
    return MappingProxyType({name: Indicator(id=name, **fields) for name, fields in table.items()})


@cache
def xid_codes() -> XidCodes:
    """Return the Xid numbers that are watched."""
    fields: dict[str, Any] = dict(read_yaml(FOLDER / "indicators.yaml")["xid_codes"])
    provenance = Provenance.taken_from(fields)
    return XidCodes(provenance=provenance, **fields)
