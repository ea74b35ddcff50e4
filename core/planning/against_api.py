"""Quotes against an API that is paid by the token: what each costs at the load, and from how many tokens on it wins."""

from __future__ import annotations

from dataclasses import dataclass

from core.cost.tokens import MILLION, api_per_million, break_even_tokens
from core.planning.fair import Answer


@dataclass(frozen=True)
class AgainstApi:
    """One quote against an API, US dollars for a million tokens, prompts and answers as the workload has them.

    own         at the workload's load, `full` with GPUs that never idle
    api         what the API asks
    tokens      of a month, at the load
    break_even  tokens of a month from which the quote is cheaper; None where its GPUs cannot make so many
    """

    own: float
    full: float
    api: float
    tokens: float
    break_even: float | None

    @property
    def saves(self) -> float:
        """US dollars a month that the quote costs less than the API at the load; negative: more."""
        return (self.api - self.own) * self.tokens / MILLION


def against_api(answer: Answer, place: int, input_usd: float, output_usd: float) -> AgainstApi | None:
    """Return quote *place* against an API with these prices; None where its GPUs cannot hold the model.

    *input_usd*, *output_usd*: US dollars for a million tokens of prompts and of answers.
    """
    load, row = answer.loads[place], answer.comparison.rows[place]
    if load is None or row.tokens is None:
        return None
    api = float(api_per_million(input_usd, output_usd, load.input_tokens, load.output_tokens))
    full = float(row.tokens.saturated)
    needed = float(break_even_tokens(float(row.yearly) / 12.0, api)) if api > 0 else None
    return AgainstApi(
        float(row.tokens.total),
        full,
        api,
        float(row.tokens.million_per_month) * MILLION,
        needed if full < api else None,
    )
