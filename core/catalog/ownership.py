"""What owning hardware takes beside its price, and other figures of cost: the rows of hardware_db/ownership.csv."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from pydantic import Field, model_validator

from core.catalog.records import Provenance, Record

PATH = Path(__file__).parents[2] / "hardware_db" / "ownership.csv"


class Figure(Record):
    """One figure of cost and its range; a row of hardware_db/ownership.csv.

    `low`, `typical` and `high` are in `unit`, as the source has them; `period` is the time that the source
    states, of which `as_of` is the middle. `places` are the regions that a tariff or a grid holds for.
    """

    key: str = Field(pattern=r"^[a-z0-9_]+$")
    category: str = Field(min_length=1)
    item: str = Field(min_length=1)
    low: float = Field(ge=0)
    typical: float = Field(ge=0)
    high: float = Field(ge=0)
    unit: str = Field(min_length=1)
    places: tuple[str, ...] = ()
    period: str = ""
    note: str = ""
    provenance: Provenance

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if not self.low <= self.typical <= self.high:
            raise ValueError(f"{self.key}: low, typical and high are in this order")
        return self


@cache
def ownership() -> Mapping[str, Figure]:
    """Return every figure by key, in the order of the file."""
    with PATH.open(encoding="utf-8", newline="") as rows:
        records = [_record(row) for row in csv.DictReader(rows)]
    return MappingProxyType({record.key: record for record in records})


def grid(place: str | None) -> Figure:
    """Return grams of CO2 per kWh in *place*, a country or a region of a cloud; of the world where unknown."""
    return _in(place, "carbon") or ownership()["grid_world"]


def tariff(place: str | None) -> Figure | None:
    """Return what a kWh costs companies in *place*, in the unit of its source; None where unknown."""
    return _in(place, "electricity")


def figures_of(category: str) -> tuple[Figure, ...]:
    """Return the figures of *category*, in the order of the file."""
    return tuple(figure for figure in ownership().values() if figure.category == category)


def _in(place: str | None, category: str) -> Figure | None:
    names = {place, _country(place)} - {None}
    return next((figure for figure in figures_of(category) if names & set(figure.places)), None)


def _country(place: str | None) -> str | None:
    """Return the country of a cloud's region, which the rows of grids know: "de" of eu-central-1."""
    return next((figure.places[0] for figure in figures_of("carbon") if place in figure.places), None)


def _record(row: dict[str, str]) -> Figure:
    fields: dict[str, Any] = {key: value for key, value in row.items() if value != ""}
    fields["places"] = tuple(fields.get("places", "").split("|")) if "places" in fields else ()
    fields["provenance"] = Provenance.taken_from(fields)
    return Figure.model_validate(fields)
