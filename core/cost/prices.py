"""What a GPU-hour costs: the one place where prices are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

OLD_AFTER = 90
"""Days after which a price is told to be old."""


@dataclass(frozen=True)
class Price:
    """US dollars for an hour of one GPU of an offer whose instances have `gpus` each.

    `offer` is its id in hardware_db, None for a price that the user states. `kind` says what it is.
    """

    usd_per_gpu_hour: float
    gpus: int
    offer: str | None
    cloud: str | None
    region: str | None
    kind: Literal["on_demand", "spot", "stated", "owned"]
    as_of: date | None
    source: str

    def age(self, today: date) -> int | None:
        """Return the days since the price was true, None where nobody says."""
        return None if self.as_of is None else (today - self.as_of).days

    def is_old(self, today: date) -> bool:
        """Return whether the price is older than OLD_AFTER days."""
        age = self.age(today)
        return age is not None and age > OLD_AFTER
