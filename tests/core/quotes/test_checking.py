"""Rows as quotes."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.quotes import Checked, checked
from core.text import LANGUAGES

TODAY = date(2026, 9, 1)
GOOD: dict[str, Any] = {
    "name": "a", "kind": "on_demand", "gpu": "h100-sxm-80", "nodes": 1, "gpus_per_node": 8, "price": 2.5, "per": "gpu",
    "period": "hour", "currency": "USD",
}  # fmt: skip


def check(**cells: Any) -> Checked:
    return checked([GOOD | cells], today=TODAY)


def keys(found: Checked, level: str = "error") -> list[tuple[str | None, str]]:
    assert all(fault.told.render(language) for fault in found.faults for language in LANGUAGES)
    return [
        (fault.column, fault.sentence.key.partition(".")[2]) for fault in found.faults if fault.level == level
    ]


def test_a_good_row_has_no_faults() -> None:
    found = check()
    assert found.faults == ()
    assert found.good[0].usd_per_hour == pytest.approx(20.0)


@pytest.mark.parametrize(
    ("cells", "column", "key"),
    [
        ({"gpu": "H1000"}, "gpu", "unknown_gpu"),
        ({"gpu": ""}, "gpu", "missing"),
        ({"gpu": "x" * 300}, "gpu", "far_gpu"),
        ({"price": None}, "price", "missing"),
        ({"price": 0}, "price", "zero"),
        ({"price": -1}, "price", "negative"),
        ({"price": 1e13}, "price", "range"),
        ({"price": True}, "price", "not_number"),
        ({"price": float("inf")}, "price", "not_number"),
        ({"price": "2.5 negotiable"}, "price", "words"),
        ({"price": "€ 2.5"}, "currency", "contradiction"),
        ({"price": "2.5/month"}, "period", "contradiction"),
        ({"currency": "EUR"}, "usd_rate", "no_rate"),
        ({"currency": "E1"}, "currency", "not_choice"),
        ({"usd_rate": 0.9}, "usd_rate", "dollar_rate"),
        ({"kind": "purchase"}, "period", "bought"),
        ({"period": "once"}, "period", "rented"),
        ({"kind": "gift"}, "kind", "not_choice"),
        ({"nodes": 1.5}, "nodes", "not_whole"),
        ({"nodes": 0}, "nodes", "zero"),
        ({"tax": -0.1}, "tax", "negative"),
        ({"tax": 150}, "tax", "range"),
        ({"hours_per_day": 25}, "hours_per_day", "range"),
        ({"as_of": "2026-12-01"}, "as_of", "future"),
        ({"as_of": "05/06/2026"}, "as_of", "not_date"),
        ({"as_of": "2026-02-30"}, "as_of", "not_date"),
        ({"kind": "spot", "spot_high": 1}, "spot_high", "spot_low"),
        ({"egress_usd_gb": "0.1 EUR"}, "egress_usd_gb", "other_currency"),
        ({"commitment_months": "2 weeks"}, "commitment_months", "span"),
        ({"notes": "x" * 2001}, "notes", "too_long"),
    ],
)
def test_errors(cells: dict[str, Any], column: str, key: str) -> None:
    found = check(**cells)
    assert found.quotes == (None,)
    assert (column, key) in keys(found)


@pytest.mark.parametrize(
    ("cells", "field", "value", "told"),
    [
        ({"tax": 19}, "tax", 0.19, "percent"),
        ({"tax": "19 %"}, "tax", 0.19, None),
        ({"tax": 0.19}, "tax", 0.19, None),
        ({"gpu": "8x NVIDIA H100", "gpus_per_node": None}, "gpus_per_node", 8, "from_gpu"),
        ({"kind": None}, "kind", "on_demand", "assumed"),
        ({"kind": "On-Demand"}, "kind", "on_demand", None),
        ({"kind": "按需"}, "kind", "on_demand", None),
        ({"kind": "竞价"}, "kind", "spot", None),
        ({"per": "每台"}, "per", "node", None),
        ({"per": "元/卡/小时", "currency": None, "period": None, "usd_rate": 0.14}, "currency", "CNY", None),
        ({"period": "monthly", "price": 1800}, "period", "month", None),
        ({"kind": "购买", "period": None, "price": 30_000}, "period", "once", "assumed"),
        ({"as_of": "2026年5月1日"}, "as_of", date(2026, 5, 1), None),
        ({"as_of": "31.05.2026"}, "as_of", date(2026, 5, 31), None),
        ({"as_of": "5/31/2026"}, "as_of", date(2026, 5, 31), None),
        ({"as_of": pd.Timestamp("2026-05-31")}, "as_of", date(2026, 5, 31), None),
        ({"as_of": pd.NaT}, "as_of", None, None),
        ({"price": np.float64(2.5), "nodes": np.int64(2)}, "nodes", 2, None),
        ({"region": float("nan")}, "region", None, None),
        ({"price": "A$ 2.5", "currency": "AUD", "usd_rate": 0.66}, "currency", "AUD", None),
        ({"price": "$2.5", "currency": "AUD", "usd_rate": 0.66}, "currency", "AUD", None),
        ({"delivery_days": "3 weeks"}, "delivery_days", 21, None),
        (
            {"egress_usd_gb": "0.5 CNY", "currency": "CNY", "usd_rate": 0.14},
            "egress_usd_gb",
            0.07,
            "exchanged",
        ),
    ],
)
def test_what_is_read_into_a_row(cells: dict[str, Any], field: str, value: object, told: str | None) -> None:
    found = check(**cells)
    assert keys(found) == []
    assert getattr(found.good[0], field) == (pytest.approx(value) if isinstance(value, float) else value)
    notes = [key for _, key in keys(found, "note")]
    assert (told in notes) if told else not notes


@pytest.mark.parametrize(
    ("cells", "key"),
    [
        ({"price": 2500}, "dear_rent"),
        ({"price": 0.01}, "cheap_rent"),
        ({"price": 30, "kind": "purchase", "period": "once"}, "cheap_bought"),
        ({"price": 3e7, "kind": "purchase", "period": "once"}, "dear_bought"),
        ({"currency": "CNY", "usd_rate": 7.2}, "odd_rate"),
        ({"spot_high": 3}, "not_spot"),
        ({"colour": "red"}, "unknown_key"),
        ({"gpu": "8x H100", "gpus_per_node": 4}, "other_count"),
        ({"per": None}, "assumed"),
    ],
)
def test_what_is_odd_is_told_and_kept(cells: dict[str, Any], key: str) -> None:
    found = check(**cells)
    assert found.quotes[0] is not None
    assert key in [told for _, told in keys(found, "warning")]


def test_rates_of_the_page_fill_in() -> None:
    found = checked([GOOD | {"currency": "EUR"}], today=TODAY, rates={"EUR": 1.1})
    assert found.good[0].usd_rate == 1.1
    assert keys(found, "note") == [("usd_rate", "given_rate")]


def test_names_that_are_taken_are_numbered() -> None:
    found = checked(
        [GOOD, GOOD, GOOD | {"name": "a (2)", "price": 3}, GOOD | {"name": ""}, {}, {"name": " "}]
    )
    assert [quote.name if quote else None for quote in found.quotes] == [
        "a",
        "a (2)",
        "a (2) (2)",
        "h100-sxm-80",
        None,
        None,
    ]
    assert keys(found, "warning") == [(None, "same_row"), ("name", "numbered"), ("name", "numbered")]
    assert "Row 1" in str(found.of("warning")[0].sentence)


def test_many_unknown_gpus_take_no_long() -> None:
    found = checked([GOOD | {"gpu": f"card {index} of nobody"} for index in range(2000)])
    assert len(found.of("error")) == 2000
    assert found.of("error")[-1].sentence.key == "quotes.far_gpu"
