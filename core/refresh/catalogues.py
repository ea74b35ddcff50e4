"""The public catalogues, and what they say of an instance.

They are the CSV files of skypilot-org/skypilot-catalog: a row for each instance type and zone. Google's are left
out: there GPUs and their hosts have rows and prices of their own.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from core.errors import Unreachable

BASE = "https://raw.githubusercontent.com/skypilot-org/skypilot-catalog/master/catalogs"

PATHS: Mapping[str, str] = {
    "aws": "v9/aws/vms.csv",
    "azure": "v8/azure/vms.csv",
    "lambda": "v9/lambda/vms.csv",
    "oci": "v9/oci/vms.csv",
    "runpod": "v8/runpod/vms.csv",
    "verda": "v8/verda/vms.csv",
}
"""Where the catalogue of each cloud is, below BASE."""

PREFIX = {"azure": "Standard_"}
"""What the catalogue of a cloud writes before the names of instances."""

ALL = "all"
"""The region of offers that cost the same everywhere."""

COLUMNS = ("InstanceType", "AcceleratorName", "AcceleratorCount", "Price", "SpotPrice", "Region")


@dataclass(frozen=True)
class Listed:
    """What a catalogue says of one instance type in one region: US dollars an hour, of each zone for spot."""

    gpus: float
    price: float
    spot: tuple[float, ...]

    @property
    def band(self) -> tuple[float, float, float] | None:
        """Lowest, median and highest spot price; None where none is published, or none is below on demand."""
        if not self.spot or min(self.spot) >= self.price:
            return None
        return min(self.spot), median(self.spot), max(self.spot)


@dataclass(frozen=True)
class Catalogue:
    """The rows of a catalogue by the name of the instance, as hardware_db spells it."""

    rows: Mapping[str, tuple[Mapping[str, str], ...]]

    def find(self, instance: str, region: str) -> Listed | None:
        """Return what is listed of *instance* in *region*, None where nothing is.

        A number that cannot be read is not a number: the checks refuse it.
        """
        rows = [row for row in self.rows.get(instance, ()) if _is_in(row["Region"], region)]
        if not rows:
            return None
        spot = [_number(row["SpotPrice"]) for row in rows if row["SpotPrice"].strip()]
        counts = {_number(row["AcceleratorCount"]) for row in rows}
        prices = [_number(row["Price"]) for row in rows]
        known = all(math.isfinite(one) for one in prices)
        gpus = counts.pop() if len(counts) == 1 else math.nan
        return Listed(gpus, median(prices) if known else math.nan, tuple(spot))


def read_catalogue(content: str, cloud: str, url: str) -> Catalogue:
    """Return the rows of *content*, the catalogue of *cloud* that came from *url*.

    Raises:
        Unreachable: another kind of file, or one that ends within a row.
    """
    reader = csv.DictReader(io.StringIO(content, newline=""))
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise Unreachable("refresh.no_catalogue", url=url, columns=", ".join(missing))
    found: dict[str, list[Mapping[str, str]]] = {}
    try:
        for row in reader:
            if None in row or None in row.values():
                raise Unreachable("refresh.broken_row", url=url, line=reader.line_num)
            if row["AcceleratorName"].strip():
                found.setdefault(row["InstanceType"].removeprefix(PREFIX.get(cloud, "")), []).append(row)
    except csv.Error:
        raise Unreachable("refresh.broken_row", url=url, line=reader.line_num) from None
    if not content.endswith("\n"):
        raise Unreachable("refresh.broken_row", url=url, line=reader.line_num)
    return Catalogue({name: tuple(rows) for name, rows in found.items()})


def _is_in(place: str, region: str) -> bool:
    """Return whether *place*, as a catalogue has it, is *region*: FIN-01 is in FIN."""
    return region in (ALL, place) or place.startswith(f"{region}-0")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
