"""The report as data: what compare says, and nothing that JSON cannot carry."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import numpy as np
import pytest

from core.cost.assumptions import Assumptions
from core.cost.compare import compare
from core.cost.uncertainty import simulate
from core.errors import BadRequest
from core.report import json_report, report_of
from core.report.drawing import line_chart, scale
from tests.core.report.reports import ASSUMED, LOADS, NOW, QUOTES, made


@pytest.mark.parametrize("language", ["en", "zh"])
def test_json_can_carry_it(language: str) -> None:
    report = made(draws=200)
    told = json.loads(json.dumps(json_report(report, language), allow_nan=False))
    assert [one["quote"]["name"] for one in told["quotes"]] == [quote.name for quote in QUOTES]
    for one, row in zip(told["quotes"], report.rows, strict=True):
        assert one["results"]["yearly"] == float(row.yearly)
        assert one["results"]["cumulative"][-1] == pytest.approx(float(row.bill.total.sum()))
        assert sum(one["results"]["payments"].values()) == pytest.approx(float(row.bill.total.sum()))
    assert told["quotes"][4]["results"]["kwh_year"] is None
    assert told["quotes"][3]["workload"] is None
    assert told["quotes"][1]["price_age_days"] == 205
    assert told["quotes"][1]["price_is_old"]
    assert sum(told["simulation"]["cheapest_share"]) == pytest.approx(1.0)
    assert len(told["assumptions"]) == len(fields(Assumptions))
    assert told["assumptions"]["usd_kwh"]["source"]
    assert told["break_even"][0]["owned"] == QUOTES[0].name


def test_the_cheapest_comes_first() -> None:
    report = made()
    assert [report.rows[at] for at in report.order] == list(report.comparison.ranked)


def test_a_tariff_is_told_with_the_range_of_its_place_in_dollars() -> None:
    there = compare(QUOTES, ASSUMED.at("de"), LOADS)
    told = json_report(report_of(there, LOADS, created=NOW, place="de"))["assumptions"]["usd_kwh"]
    assert (told["low"], told["value"], told["high"]) == pytest.approx(
        (0.093 * 1.08, 0.19 * 1.08, 0.256 * 1.08)
    )
    assert (told["typical"], told["unit"]) == (pytest.approx(0.19 * 1.08), "USD/kWh")


def test_what_cannot_be_reported_is_refused() -> None:
    report = made()
    with pytest.raises(BadRequest, match="one quote at least"):
        made([], loads=[])
    with pytest.raises(BadRequest, match="one number"):
        made(assumptions=_arrays(), loads=[None] * len(QUOTES))
    with pytest.raises(BadRequest, match="same order"):
        report_of(report.comparison, LOADS[:2])
    with pytest.raises(BadRequest, match="same order"):
        report_of(report.comparison, LOADS, simulation=simulate(QUOTES[::-1], ASSUMED, count=10), created=NOW)


def _arrays():

    return replace(ASSUMED, growth=np.array([0.1, 0.2]))


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.0), (-5e5, 2e6), (0.0, 0.003), (0.0, 9.99e8)])
def test_axes_are_round_and_hold_all(low: float, high: float) -> None:
    start, end, step = scale(low, high)
    assert start <= low
    assert end >= high
    assert 3 <= (end - start) / step <= 8


def test_curves_stay_within_the_chart() -> None:
    drawn = line_chart("t", "m", ["a"], [[0.0, -1e6, 3e6]])
    points = drawn.split('points="')[1].split('"')[0]
    assert all(0 <= float(one) <= 760 for pair in points.split() for one in pair.split(","))
