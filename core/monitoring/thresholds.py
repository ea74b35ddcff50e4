"""When a state is worth a word: limits per indicator, presets of both guides, and their changes by a user."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from functools import cache
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Literal, NoReturn

from pydantic import Field

from core.catalog.records import Confidence, Provenance, Record
from core.errors import BadRequest, shown
from core.monitoring.indicators import FOLDER, indicators, read_yaml
from core.text import Sentence, say

DEFAULT_PRESET = "serving"

# A rate needs two samples, and one of four may fail; Prometheus 3 leaves out the first of a window.
SCRAPES_PER_WINDOW = 4

Severity = Literal["info", "warning", "critical"]

_NUMBERS = ("low", "low_bad", "high", "high_bad", "normal_low", "normal_high")
_ORDER = ("low_bad", "low", "high", "high_bad")
_ORDER_OF_BAND = ("low", "normal_low", "normal_high", "high")
_DAY_S = 86_400.0


class Limit(Record):
    """Beyond what a value is a warning or bad, and how long it must be so.

    Values are in the unit of the indicator, `window_s` and `for_s` in seconds; hardware_db/monitoring/thresholds.yaml
    describes each field. None: no limit on that side.
    """

    indicator: str
    low: float | None = None
    low_bad: float | None = None
    high: float | None = None
    high_bad: float | None = None
    normal_low: float | None = None
    normal_high: float | None = None
    bad_always: bool = False
    window_s: float
    for_s: float = 0.0
    least_samples: int = 1
    quantile: float = 0.99
    only_with: dict[str, float] = Field(default_factory=dict)
    severity: Severity
    provenance: Provenance

    @property
    def source(self) -> str:
        """Who says so."""
        return self.provenance.source


class Thresholds(Record):
    """Limits by indicator; `preset` is where they come from, `edited` says which were changed since."""

    preset: str
    limits: dict[str, Limit]
    edited: tuple[str, ...] = ()
    scrape_s: float = 30.0
    max_num_seqs: float | None = None

    def __getitem__(self, indicator: str) -> Limit:
        return self.limits[indicator]

    def __contains__(self, indicator: str) -> bool:
        return indicator in self.limits

    @property
    def name(self) -> Sentence:
        """What people call the preset."""
        return say(f"monitoring.preset.{self.preset}")

    def changed(self, indicator: str, /, **fields: Any) -> Thresholds:
        """Return these thresholds with some *fields* of the limit of *indicator* replaced.

        Raises:
            BadRequest: a field or a value does not make sense; its field is "indicator.field".
        """
        if indicator not in self.limits:
            _refuse(indicator, "unknown_limit", choices=", ".join(self.limits))
        limit = self.limits[indicator]
        unknown = fields.keys() - (Limit.model_fields.keys() - {"indicator", "provenance"})
        if unknown:
            known = ", ".join(sorted(Limit.model_fields.keys() - {"indicator", "provenance"}))
            _refuse(f"{indicator}.{min(unknown)}", "unknown_field", choices=known)
        _check_types(indicator, fields)
        new = _with_band(limit.model_copy(update=fields), fields)
        check(new, self.scrape_s, fields)
        edited = tuple(dict.fromkeys((*self.edited, indicator)))
        return self.model_copy(update={"limits": {**self.limits, indicator: new}, "edited": edited})

    def with_scrape(self, scrape_s: float) -> Thresholds:
        """Return these thresholds for a store that scrapes every *scrape_s* seconds.

        Windows that are shorter than four scrapes are lengthened; the samples asked for are at most three quarters
        of those that a window can hold.
        """
        _number("scrape_s", scrape_s, 0.1, _DAY_S)
        limits = {}
        for name, limit in self.limits.items():
            window = max(limit.window_s, SCRAPES_PER_WINDOW * scrape_s)
            least = max(1, min(limit.least_samples, int(0.75 * window / scrape_s)))
            limits[name] = limit.model_copy(update={"window_s": window, "least_samples": least})
        return self.model_copy(update={"limits": limits, "scrape_s": scrape_s})

    def with_capacity(self, max_num_seqs: float | None) -> Thresholds:
        """Return these thresholds with what a batch may hold, for engines that do not export it."""
        if max_num_seqs is not None:
            _number("max_num_seqs", max_num_seqs, 1, 1e6)
        return self.model_copy(update={"max_num_seqs": max_num_seqs})


def _refuse(field: str, key: str, /, **values: Any) -> NoReturn:
    raise BadRequest(f"monitoring.thresholds.{key}", field=field, name=field, **values)


def _with_band(limit: Limit, given: Mapping[str, object]) -> Limit:
    """Return *limit* with the band of usual values, which is only drawn, moved inside limits that were changed."""
    moved = {}
    if limit.normal_low is not None and limit.low is not None and "normal_low" not in given:
        moved["normal_low"] = max(limit.normal_low, limit.low)
    if limit.normal_high is not None and limit.high is not None and "normal_high" not in given:
        moved["normal_high"] = min(limit.normal_high, limit.high)
    return limit.model_copy(update=moved)


def _number(field: str, value: object, least: float, most: float) -> None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not good:
        _refuse(field, "not_number", value=shown(value))
    assert isinstance(value, int | float)  # noqa: S101 - for the type checker: _refuse returns never
    if not least <= value <= most:
        _refuse(field, "out_of_range", value=f"{value:g}", least=f"{least:g}", most=f"{most:g}")


def _check_types(indicator: str, fields: Mapping[str, object]) -> None:
    for name, value in fields.items():
        where = f"{indicator}.{name}"
        if name in _NUMBERS:
            if value is not None:
                _number(where, value, -math.inf, math.inf)
        elif name in {"window_s", "for_s", "quantile", "least_samples"}:
            _number(where, value, 0, _DAY_S)
            if name == "least_samples" and (not isinstance(value, int) or value < 1):
                _refuse(where, "not_count", value=shown(value))
        elif name == "bad_always":
            if not isinstance(value, bool):
                _refuse(where, "not_boolean", value=shown(value))
        elif name == "severity":
            if value not in {"info", "warning", "critical"}:
                _refuse(where, "unknown_severity", value=shown(value))
        elif name == "only_with":
            _check_condition(where, value)


def _check_condition(where: str, value: object) -> None:
    if not isinstance(value, dict) or not value.keys() <= indicators().keys():
        _refuse(where, "unknown_condition", value=shown(value), choices=", ".join(indicators()))
    for other, above in value.items():
        _number(f"{where}.{other}", above, 0, math.inf)


def _check_order(limit: Limit, order: Collection[str], given: Collection[str]) -> None:
    """Check that the fields in *order* rise; of two that do not, the one in *given* is named."""
    present = [(field, getattr(limit, field)) for field in order if getattr(limit, field) is not None]
    for (below, less), (above, more) in pairwise(present):
        # The two sides of a band must leave room between them.
        apart = below.startswith("low") and above.startswith("high")
        if less > more or (apart and less == more):
            wrong, other, key = (above, below, "order_above")
            if below in given and above not in given:
                wrong, other, key = (below, above, "order_below")
            values = {"value": f"{getattr(limit, wrong):g}", "limit": f"{getattr(limit, other):g}"}
            _refuse(f"{limit.indicator}.{wrong}", key, other=f"{limit.indicator}.{other}", **values)


def check(limit: Limit, scrape_s: float, given: Collection[str] = ()) -> None:
    """Check that the numbers of *limit* go together, for a store that scrapes every *scrape_s* seconds.

    Of two fields that contradict each other the one in *given*, which somebody has just changed, is named.

    Raises:
        BadRequest: names the field, what is wrong and what would be right.
    """
    name = limit.indicator
    unit = indicators()[name].unit
    for field in _NUMBERS:
        value = getattr(limit, field)
        if value is None:
            continue
        highest = 1.0 if unit == "ratio" else math.inf
        if not 0 <= value <= highest:
            key = "not_ratio" if unit == "ratio" else "negative"
            _refuse(f"{name}.{field}", key, value=f"{value:g}")
    _check_order(limit, _ORDER, given)
    _check_order(limit, _ORDER_OF_BAND, given)
    if all(getattr(limit, field) is None for field in ("low", "low_bad", "high", "high_bad")):
        _refuse(name, "no_limit")
    if limit.window_s < SCRAPES_PER_WINDOW * scrape_s:
        least = f"{SCRAPES_PER_WINDOW * scrape_s:g}"
        _refuse(
            f"{name}.window_s",
            "short_window",
            value=f"{limit.window_s:g}",
            least=least,
            scrape=f"{scrape_s:g}",
        )
    held = int(limit.window_s / scrape_s)
    if limit.least_samples > held:
        _refuse(f"{name}.least_samples", "many_samples", value=limit.least_samples, held=held)
    if not 0 < limit.quantile < 1:
        _refuse(f"{name}.quantile", "not_quantile", value=f"{limit.quantile:g}")


@cache
def presets() -> Mapping[str, Thresholds]:
    """Return the presets by id: "serving" first, then the other guide's."""
    content = read_yaml(FOLDER / "thresholds.yaml")
    found = {}
    for preset, table in content["presets"].items():
        limits = {}
        for name, row in table.items():
            fields = dict(row)
            confidence: Confidence = fields.pop("confidence")
            provenance = Provenance(
                source=fields.pop("source"), as_of=content["as_of"], confidence=confidence
            )
            limits[name] = Limit(indicator=name, provenance=provenance, **fields)
            check(limits[name], 30.0)
        found[preset] = Thresholds(preset=preset, limits=limits)
    return MappingProxyType(found)


PRESETS = presets()
