"""Usual traffic of kinds of applications: the records of hardware_db/traffic_presets.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from pydantic import Field

from core.catalog.records import Provenance, Record
from core.text import Sentence, say
from core.traffic.day import HOURS
from core.traffic.lengths import Lengths, lognormal
from core.traffic.traffic import Traffic

PATH = Path(__file__).parents[2] / "hardware_db" / "traffic_presets.yaml"

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Tokens(Record):
    """Mean and 95th percentile of the tokens of prompts or answers."""

    mean: float = Field(ge=1)
    p95: float = Field(ge=1)

    @property
    def lengths(self) -> Lengths:
        """The lognormal distribution with these."""
        return lognormal(self.mean, self.p95)


class Preset(Record):
    """Usual traffic of one kind of application, without its rate.

    `peak` is the busiest hour over the mean of the day, `prefix_hits` (0 to 1) the share of prompt tokens that a
    prefix cache holds; `ttft_s` and `tpot_s` are usual targets for 95 % of the requests, in seconds.
    """

    id: str
    input: Tokens
    output: Tokens
    peak: float = Field(ge=1, le=HOURS)
    prefix_hits: float = Field(ge=0, le=1)
    ttft_s: float = Field(gt=0)
    tpot_s: float = Field(gt=0)
    provenance: Provenance

    @property
    def name(self) -> Sentence:
        """What people call it."""
        return say(f"traffic.preset.{self.id}")

    def traffic(self, rate: float) -> Traffic:
        """Return such traffic with *rate* requests per second on average."""
        return Traffic(rate, self.input.lengths, self.output.lengths, self.peak, self.prefix_hits)


@cache
def presets() -> Mapping[str, Preset]:
    """Return the presets by id, in the order of the file."""
    table: dict[str, dict[str, Any]] = yaml.load(PATH.read_text(encoding="utf-8"), Loader=_LOADER)["presets"]
    found = {}
    for name, fields in table.items():
        provenance = Provenance.taken_from(fields)
        found[name] = Preset(id=name, provenance=provenance, **fields)
    return MappingProxyType(found)
