"""The request of the `plan` verb."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from core.api.requests import Count, Ranks, Spread, Strict, Tokens
from core.planning.question import Objective
from core.traffic.day import HOURS

USUAL_PLANS = 5
"""Plans that an answer lists where a request does not say how many."""

LONGEST_TRACE = 20_000_000
"""Characters of the longest trace."""


def _listed(given: object) -> object:
    return given if isinstance(given, list) else [given]


def _kind_of_lengths(given: object) -> str:
    return "spread" if isinstance(given, dict | Spread) else "number"


Seconds = Annotated[float, Field(ge=0.0001, le=1_000_000)]
Requests = Annotated[float, Field(gt=0, le=1e15)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
OneOrMore = BeforeValidator(_listed)
Names = Annotated[list[Name], Field(min_length=1, max_length=500), OneOrMore]
GpuCounts = dict[Name, Annotated[int, Field(ge=1, le=1_000_000)]]
GpuPrices = dict[Name, Annotated[float, Field(gt=0, le=100_000)]]


LengthsGiven = Annotated[
    Annotated[Tokens, Tag("number")] | Annotated[Spread, Tag("spread")], Discriminator(_kind_of_lengths)
]


class PlanRequest(Strict):
    """The fields of the `plan` verb; see the README for each. None and absent mean the default."""

    model: str | dict[str, Any] | None = None
    models: Annotated[list[str | dict[str, Any]], Field(min_length=1, max_length=8), OneOrMore] | None = None

    requests_per_second: Requests | None = None
    requests_per_minute: Requests | None = None
    requests_per_hour: Requests | None = None
    requests_per_day: Requests | None = None
    peak_factor: float | None = Field(None, ge=1, le=HOURS)
    input_tokens: LengthsGiven | None = None
    output_tokens: LengthsGiven | None = None
    prefix_cache_hit_rate: float | None = Field(None, ge=0, le=1)
    preset: Name | None = None
    trace: str | None = Field(None, max_length=LONGEST_TRACE)

    ttft_s: Seconds | None = None
    ttft_percentile: Literal[50, 95, 99] | None = None
    tpot_s: Seconds | None = None
    request_s: Seconds | None = None

    headroom: float | None = Field(None, ge=0, le=0.9)
    spare_replicas: int | None = Field(None, ge=0, le=1000)
    max_gpus_per_replica: Ranks | None = None
    max_gpus: Count | None = None
    gpus: Names | None = None
    vendors: Names | None = None
    clouds: Names | None = None
    regions: Names | None = None
    owned: Annotated[GpuCounts, Field(min_length=1, max_length=200)] | None = None
    budget_usd_month: float | None = Field(None, gt=0, le=1e12)

    engines: Names | None = None
    weights: Names | None = None
    kv: Names | None = None
    tp: Annotated[list[Ranks], Field(min_length=1, max_length=20), OneOrMore] | None = None
    context: Count | None = None

    price_kind: Literal["on_demand", "spot"] | None = None
    prices_usd_per_gpu_hour: Annotated[GpuPrices, Field(max_length=500)] | None = None

    rank_by: Objective | None = None
    plans: int | None = Field(None, ge=1, le=200)
