"""What clouds ask for accelerators: the rows of hardware_db/offers.csv."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from pydantic import Field, model_validator

from core.catalog.records import Provenance, Record

PATH = Path(__file__).parents[2] / "hardware_db" / "offers.csv"


class Offer(Record):
    """One instance type of one cloud in one region, and its price; a row of hardware_db/offers.csv.

    Prices are US dollars per hour of the whole instance, on demand and without taxes. The three spot prices are
    the lowest, median and highest over the zones of the region on the day of the crawl, or None.
    """

    id: str
    """Cloud, instance and region: "aws/p5.48xlarge/us-east-1"."""
    cloud: str = Field(min_length=1)
    instance: str = Field(min_length=1)
    region: str = Field(min_length=1)
    accelerator: str
    """Id of the catalogue's accelerator."""
    gpus: int = Field(ge=1)
    vcpus: int = Field(ge=1)
    memory_gib: float = Field(gt=0)
    usd_per_hour: float = Field(gt=0)
    spot_low: float | None = Field(default=None, gt=0)
    spot_median: float | None = Field(default=None, gt=0)
    spot_high: float | None = Field(default=None, gt=0)
    spot_zones: int = Field(default=0, ge=0)
    notes: str = ""
    provenance: Provenance

    @model_validator(mode="after")
    def _spot_is_in_order(self) -> Self:
        spot = [price for price in (self.spot_low, self.spot_median, self.spot_high) if price is not None]
        if len(spot) not in (0, 3) or spot != sorted(spot) or bool(spot) != bool(self.spot_zones):
            raise ValueError(f"{self.id}: spot prices are low, median and high of some zones, or none at all")
        return self

    @property
    def usd_per_gpu_hour(self) -> float:
        """On-demand US dollars per GPU and hour."""
        return self.usd_per_hour / self.gpus

    @property
    def spot_usd_per_gpu_hour(self) -> float | None:
        """Median spot US dollars per GPU and hour; None where there is no spot price."""
        return None if self.spot_median is None else self.spot_median / self.gpus


@cache
def offers() -> Mapping[str, Offer]:
    """Return every offer by id, in the order of the file."""
    return read_offers(PATH)


def read_offers(path: Path) -> Mapping[str, Offer]:
    """Return the offers of the file at *path* by id, in its order."""
    with path.open(encoding="utf-8", newline="") as rows:
        records = [_record(row) for row in csv.DictReader(rows)]
    return MappingProxyType({record.id: record for record in records})


def _record(row: dict[str, str]) -> Offer:
    fields: dict[str, Any] = {key: value for key, value in row.items() if value != ""}
    fields["id"] = f"{row['cloud']}/{row['instance']}/{row['region']}"
    fields["provenance"] = Provenance.taken_from(fields)
    return Offer.model_validate(fields)
