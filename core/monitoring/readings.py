"""How one exporter gives one indicator: a gauge, a rate, a histogram or a formula, as data that makes PromQL.

A reading says what the metric is, not how to ask for it, so that the same record gives the value now, its
average over a window, its lowest and highest value and the number of samples.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from pydantic import model_validator

from core.catalog.records import Record
from core.monitoring.indicators import xid_codes
from core.monitoring.promql import DUPLICATES, braces, either, seconds

Over = Literal["avg", "min", "max", "count", "last"]

# {sel} and {sel, matcher} of a template.
_SELECTOR = re.compile(r"\{sel(?:,([^}]*))?\}")

# Fewer requests per second than this say nothing about a 99th percentile: one in 20 s, 15 in 5 min.
_LEAST_RATE = 0.05


@dataclass(frozen=True)
class Question:
    """What is asked of a reading: the names there are, the user's filter, the window, the quantile.

    `over` is a statistic of the samples of the window; None asks for the value now, with rates over the window.
    """

    names: Collection[str]
    prefix: str = ""
    selector: str = ""
    window: str = "5m"
    quantile: float = 0.99
    over: Over | None = None
    capacity: float | None = None
    drop_above: float | None = None


class Reading(Record):
    """One way to read an indicator; exactly one of gauge, rate, histogram, summary and promql is given.

    `gauge` may be divided by the sum of the gauges `of` (whose sum stays the same while the gauge moves), or by the
    capacity that the user states. `rate` counts events per second, with those of `plus`; `per` divides it by the sum
    of other rates, and with `zero` a label that never appeared counts as none. `mean` means that it stands for a
    quantile that its exporter does not give. `percent` means that some versions write 0 to 100 where others write
    0 to 1. `promql` is a template with {sel}, {w}, {ws} (the window in seconds), {p}, and {code}, which stands for
    each Xid number in turn; `names` are the metrics that it reads, `windowed` says that it covers the window by
    itself, and `event` that it tells what happened within the window, which has no statistics.
    """

    gauge: str = ""
    of: tuple[str, ...] = ()
    of_capacity: bool = False
    rate: str = ""
    plus: tuple[str, ...] = ()
    per: tuple[str, ...] = ()
    zero: bool = False
    mean: bool = False
    histogram: str = ""
    summary: str = ""
    promql: str = ""
    names: tuple[str, ...] = ()
    windowed: bool = False
    event: bool = False
    matchers: str = ""
    times: float = 1.0
    percent: bool = False
    label: str = ""
    since: str = ""
    until: str = ""

    @model_validator(mode="after")
    def _is_one_kind(self) -> Reading:
        kinds = [kind for kind in ("gauge", "rate", "histogram", "summary", "promql") if getattr(self, kind)]
        if len(kinds) != 1:
            raise ValueError(f"a reading is one kind, not {kinds}")
        return self

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metric names that it reads, without prefix; of a histogram the base name."""
        found = (
            self.gauge,
            *self.of,
            self.rate,
            *self.plus,
            *self.per,
            self.histogram,
            self.summary,
            *self.names,
        )
        return tuple(dict.fromkeys(name for name in found if name))

    def readable(self, question: Question) -> bool:
        """Whether the store has what it needs."""
        if self.of_capacity and question.capacity is None:
            return False
        if self.histogram:
            name = question.prefix + self.histogram
            return f"{name}_bucket" in question.names or name in question.names
        return all(question.prefix + name in question.names for name in self.metrics)

    @property
    def is_rate(self) -> bool:
        """Whether its value is a quotient of events and time, which a window smooths by itself."""
        return bool(self.rate or self.histogram or self.windowed or self.event)


def _kept(expression: str, question: Question) -> str:
    """Drop values that stand for "not supported"; also averages which one of them spoils."""
    if question.drop_above is None:
        return expression
    return f"({expression} < {question.drop_above:g})"


def _sample(name: str, matchers: str, question: Question, over: Over | None) -> str:
    selected = f"{question.prefix}{name}{braces(question.selector, matchers)}"
    if over is None:
        return _kept(selected, question)
    counted = f"{over}_over_time({selected}[{question.window}])"
    return counted if over == "count" else _kept(counted, question)


def _scaled(expression: str, times: float) -> str:
    if times == 1.0:
        return expression
    # A division by 100 prints and computes better than a product with 0.01.
    inverse = 1 / times
    if abs(inverse - round(inverse)) < 1e-9 * inverse:
        return f"{expression} / {round(inverse)}"
    return f"{expression} * {times:.12g}"


def gauge_expression(reading: Reading, question: Question) -> str:
    """Return a gauge, or its statistic over the window, with the labels that its exporter gives.

    A quotient of gauges is taken as the statistic of the upper one over the average of the sum of the lower ones:
    that sum is the size of the memory or of the batch, which stays the same, so no subquery is needed.
    """
    over = question.over
    value = _sample(reading.gauge, reading.matchers, question, over)
    if over == "count":
        return value
    if reading.of:
        below: Over | None = "avg" if over else None
        size = " + ".join(_sample(name, reading.matchers, question, below) for name in reading.of)
        value = f"{value} / ({size})" if len(reading.of) > 1 else f"{value} / {size}"
    if reading.of_capacity:
        value = f"{value} / {question.capacity:.12g}"
    if reading.percent:
        # One unit in the whole store, so that a GPU at 1 % is not read as one at 100 %.
        highest = f"max(max_over_time({question.prefix}{reading.gauge}[1h]))"
        value = f"{value} / scalar(1 + 99 * ({_kept(highest, question)} > bool 1.5))"
    return _scaled(value, reading.times)


def events(name: str, matchers: str, question: Question) -> str:
    """Return events per second over the window, collected twice or not."""
    selected = f"{question.prefix}{name}{braces(question.selector, matchers)}"
    return f"max without ({', '.join(DUPLICATES)}) (rate({selected}[{question.window}]))"


def template_expression(reading: Reading, question: Question) -> str:
    """Return the formula of a reading with its placeholders filled."""

    def selected(found: re.Match[str]) -> str:
        return braces(question.selector, found.group(1) or "", reading.matchers)

    def filled(code: int | None) -> str:
        # A code stands inside a matcher too, so it is filled before the selectors are.
        text = reading.promql if code is None else reading.promql.replace("{code}", str(code))
        text = text.replace("{p}", question.prefix).replace("{ws}", f"{seconds(question.window):g}")
        return _SELECTOR.sub(selected, text.replace("{w}", question.window))

    codes = xid_codes().all if "{code}" in reading.promql else (None,)
    return _scaled(either([filled(code) for code in codes]), reading.times)


def summary_expression(reading: Reading, question: Question) -> str:
    """Return the quantile that the exporter itself computed; it cannot be merged over instances."""
    matchers = f'quantile="{question.quantile:g}"'
    return _scaled(_sample(reading.summary, matchers, question, question.over), reading.times)


def buckets(reading: Reading, question: Question) -> tuple[str, str]:
    """Return the rate of a histogram, and the extra label to keep: le for classic buckets, none for native ones."""
    name = question.prefix + reading.histogram
    classic = f"{name}_bucket" in question.names
    selected = f"{name}{'_bucket' if classic else ''}{braces(question.selector, reading.matchers)}"
    return f"rate({selected}[{question.window}])", "le" if classic else ""


def observations(reading: Reading, question: Question) -> str:
    """Return how many observations per second a histogram got, with the labels of its exporter."""
    name = question.prefix + reading.histogram
    if f"{name}_bucket" in question.names:
        selected = f"{name}_count{braces(question.selector, reading.matchers)}"
        return f"rate({selected}[{question.window}])"
    return f"histogram_count(rate({name}{braces(question.selector, reading.matchers)}[{question.window}]))"


def with_traffic(quantile: str, counted: str) -> str:
    """Return *quantile* only where enough was observed: without traffic it is absent, not NaN."""
    return f"({quantile} and {counted} > {_LEAST_RATE:g})"
