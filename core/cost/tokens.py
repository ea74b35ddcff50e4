"""What a million tokens cost, in dollars, energy and CO2, and when an API would cost the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from core.cost.assumptions import Assumptions, Number
from core.cost.bill import Bill

SECONDS = 3600.0
MILLION = 1e6


@dataclass(frozen=True)
class Workload:
    """What the GPUs of a quote are to serve, and what they can.

    input_tokens, output_tokens   mean tokens of a request
    stable   requests/s that all GPUs of the quote serve together at most
    rate     mean requests/s that arrive in the first month; None: the assumed utilisation of `stable`
    """

    input_tokens: Number
    output_tokens: Number
    stable: Number
    rate: Number | None = None

    @property
    def tokens(self) -> Number:
        """Tokens of a request, prompt and answer."""
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True)
class TokenCost:
    """What a million tokens cost, in US dollars, energy and CO2.

    total       of all tokens; `input` of prompts alone, `output` of answers alone
    saturated   of all tokens, if the GPUs were never idle
    kwh, co2_kg   at the meter of the building, and what that emits
    million_per_month   how many millions of tokens are served
    """

    total: Number
    input: Number
    output: Number
    saturated: Number
    kwh: Number
    co2_kg: Number
    million_per_month: Number


def loaded(assumptions: Assumptions, workload: Workload) -> Assumptions:
    """Return *assumptions* with the utilisation that the rate of *workload* means: rate / (stable x speed)."""
    if workload.rate is None:
        return assumptions
    busy = np.asarray(workload.rate) / (np.asarray(workload.stable) * assumptions.speed)
    return replace(assumptions, utilisation=np.minimum(busy, 1.0)[()])


def token_cost(used: Bill, full: Bill, gpus: int, workload: Workload, assumptions: Assumptions) -> TokenCost:
    """Return the cost of tokens for *gpus* GPUs by their bill *used* at the load and *full* when never idle.

    Prompts and answers share the cost by `split`.
    """
    served = millions(used, gpus, workload, assumptions)
    at_most = millions(full, gpus, workload, assumptions)
    total = _each(used.total.sum(axis=-1), served)
    first, second = split(total, workload.input_tokens, workload.output_tokens, assumptions.token_split)
    return TokenCost(
        total,
        first,
        second,
        _each(full.total.sum(axis=-1), at_most),
        _each(used.kwh.sum(axis=-1), served),
        _each(used.co2_kg.sum(axis=-1), served),
        served / used.horizon_months,
    )


def millions(used: Bill, gpus: int, workload: Workload, assumptions: Assumptions) -> Number:
    """Return the millions of tokens that *gpus* GPUs serve in the months of their bill *used*.

    hours at work x 3600 x stable requests/s x tokens of a request / 10^6.
    """
    rate = SECONDS / gpus * np.asarray(workload.stable) * assumptions.speed * workload.tokens / MILLION
    served: Number = used.used_hours.sum(axis=-1) * rate
    return served


def split(
    per_million: Number, input_tokens: Number, output_tokens: Number, weight: Number
) -> tuple[Number, Number]:
    """Return US dollars for a million input and a million output tokens, one of which costs *weight* of the others.

    With p for all: x = p (i + o) / (i + w o) of prompts, w x of answers.

    >>> split(1.0, 300.0, 100.0, 4.0)
    (0.5714285714285714, 2.2857142857142856)
    """
    prompt = per_million * (input_tokens + output_tokens) / (input_tokens + weight * output_tokens)
    return prompt, prompt * weight


def api_per_million(
    input_usd: Number, output_usd: Number, input_tokens: Number, output_tokens: Number
) -> Number:
    """Return US dollars that an API asks for a million tokens, prompts and answers as they come in a request.

    >>> round(api_per_million(0.27, 1.10, 300.0, 100.0), 4)
    0.4775
    """
    return (input_usd * input_tokens + output_usd * output_tokens) / (input_tokens + output_tokens)


def break_even_tokens(usd_per_month: Number, api_usd_per_million: Number) -> Number:
    """Return the tokens of a month for which an API would ask *usd_per_month*: above it, own GPUs are cheaper.

    Whether the GPUs can make them at all is another question: compare `TokenCost.saturated` with the API.

    >>> float(break_even_tokens(1000.0, 0.5))
    2000000000.0
    """
    return np.asarray(usd_per_month, dtype=float)[()] / api_usd_per_million * MILLION


def _each(amount: Number, millions: Number) -> Number:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.divide(amount, millions)
