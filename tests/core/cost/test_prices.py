"""What a GPU-hour costs, and how many instances a deployment pays for."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog import accelerators, offers
from core.cost.prices import (
    Price,
    clouds,
    hourly_cost,
    instances_needed,
    prices_of,
    regions,
    stated_price,
)
from core.errors import BadRequest

TODAY = date(2026, 11, 22)


def of(gpus: int, usd: float = 2.0, reach: int | None = None) -> Price:
    return Price(usd, gpus, "aws/x/y", "aws", "y", "on_demand", date(2026, 9, 6), "test", reach)


def test_the_cheapest_comes_first() -> None:
    prices = prices_of("h100-sxm-80")
    assert [price.usd_per_gpu_hour for price in prices] == sorted(price.usd_per_gpu_hour for price in prices)
    assert prices[0].offer == "verda/1H100.80S.32V/FIN"
    assert prices_of("h100-sxm-80", kind="spot")[0].usd_per_gpu_hour < prices[0].usd_per_gpu_hour


def test_clouds_and_regions_narrow_the_offers() -> None:
    prices = prices_of("h100-sxm-80", clouds=("aws",), regions={"us-east-1"})
    assert {(price.cloud, price.region) for price in prices} == {("aws", "us-east-1")}
    assert {price.gpus for price in prices} == {1, 8}
    assert prices_of("h100-sxm-80", clouds=()) == ()


def test_a_spot_price_is_the_median_and_absent_where_none_is_published() -> None:
    (price,) = prices_of("h200-sxm", kind="spot", regions=("us-east-1",))
    assert price.usd_per_gpu_hour == pytest.approx(15.8566 / 8)
    assert prices_of("h100-sxm-80", kind="spot", clouds=("gcp",)) == ()


def test_every_price_is_of_an_offer_with_its_day_and_source() -> None:
    for id_ in accelerators():
        for price in prices_of(id_):
            offer = offers()[price.offer or ""]
            assert (offer.accelerator, price.as_of) == (id_, offer.provenance.as_of)
            assert price.source


def test_a_stated_price_replaces_the_offers() -> None:
    (price,) = prices_of("h100-sxm-80", stated={"h100-sxm-80": 1.5})
    assert (price.usd_per_gpu_hour, price.offer, price.kind, price.age(TODAY)) == (1.5, None, "stated", None)
    assert not price.is_old(TODAY)
    assert len(prices_of("h100-sxm-80", stated={"t4": 1.5})) > 5
    assert prices_of("nobody-has-it") == ()
    assert prices_of("my-own", stated={"my-own": 1})[0].reach == 8


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan"), float("inf")])
def test_a_stated_price_is_above_zero(wrong: float) -> None:
    with pytest.raises(BadRequest) as refused:
        prices_of("t4", stated={"t4": wrong})
    assert refused.value.field == "price"


@pytest.mark.parametrize(
    ("gpus", "replica", "tp", "replicas", "instances"),
    [
        (8, 1, 1, 1, 1),  # whole instances are paid
        (8, 1, 1, 9, 2),
        (8, 2, 2, 4, 1),
        (8, 3, 3, 4, 2),  # two of three GPUs each fit in eight
        (8, 8, 8, 3, 3),
        (8, 16, 8, 1, 2),  # two pipeline stages, one an instance
        (8, 16, 16, 1, None),
        (1, 8, 8, 1, None),
        (1, 4, 1, 1, 4),  # pipeline stages alone need no shared board
        (4, 12, 3, 1, 4),  # an instance of four holds one group of three
        (8, 12, 4, 2, 4),
    ],
)
def test_instances(gpus: int, replica: int, tp: int, replicas: int, instances: int | None) -> None:
    price = of(gpus)
    assert instances_needed(price, replica, tp, replicas) == instances
    cost = hourly_cost(price, replica, tp, replicas)
    assert cost == (None if instances is None else instances * gpus * 2.0)


def test_a_fabric_joins_instances() -> None:
    rack = of(4, reach=72)
    assert instances_needed(rack, 16, 16, 1) == 4
    assert instances_needed(rack, 128, 128, 1) is None


def test_stated_prices_pay_single_gpus_and_fill_a_server() -> None:
    price = stated_price("h100-sxm-80", 2.0)
    assert hourly_cost(price, 8, 8, 3) == 48.0
    assert hourly_cost(price, 16, 16, 1) is None
    assert hourly_cost(stated_price("gb200", 2.0), 16, 16, 1) == 32.0
    assert stated_price("t4", 0.1, "owned").kind == "owned"


def test_arrays_broadcast_and_are_infinite_where_impossible() -> None:
    replicas = np.array([[1], [2]])
    tp = np.array([1, 8, 16])
    cost = hourly_cost(of(8), tp, tp, replicas)
    assert cost.tolist() == [[16, 16, np.inf], [16, 32, np.inf]]


SIZES = st.sampled_from([1, 2, 3, 4, 8, 16])


@given(SIZES, SIZES, st.integers(1, 4), st.integers(1, 40), st.tuples(st.floats(0.1, 20), st.floats(0.1, 20)))
def test_a_cheaper_price_never_costs_more(
    gpus: int, tp: int, stages: int, replicas: int, rates: tuple[float, float]
) -> None:
    low, high = sorted(rates)
    cheap = hourly_cost(of(gpus, low), tp * stages, tp, replicas)
    dear = hourly_cost(of(gpus, high), tp * stages, tp, replicas)
    assert (cheap is None) == (dear is None)
    assert cheap is None or cheap <= dear


@given(SIZES, SIZES, st.integers(1, 4), st.integers(1, 40))
def test_more_replicas_never_cost_less_and_never_get_fewer_gpus_than_they_need(
    gpus: int, tp: int, stages: int, replicas: int
) -> None:
    price = of(gpus)
    fewer = instances_needed(price, tp * stages, tp, replicas)
    more = instances_needed(price, tp * stages, tp, replicas + 1)
    assert (fewer is None) == (more is None) == (tp > gpus)
    if fewer is not None:
        assert fewer <= more
        assert fewer * gpus >= tp * stages * replicas


@given(SIZES, st.lists(st.tuples(SIZES, st.integers(1, 4), st.integers(1, 40)), min_size=1, max_size=8))
def test_arrays_say_what_numbers_say(gpus: int, rows: list[tuple[int, int, int]]) -> None:
    tp, stages, replicas = np.array(rows).T
    together = instances_needed(of(gpus), tp * stages, tp, replicas)
    for each, (one_tp, one_stages, one_replicas) in zip(together, rows, strict=True):
        alone = instances_needed(of(gpus), one_tp * one_stages, one_tp, one_replicas)
        assert each == (np.inf if alone is None else alone)


def test_age() -> None:
    price = of(8)
    assert price.age(TODAY) == 77
    assert not price.is_old(TODAY)
    assert replace(price, as_of=date(2026, 8, 1)).is_old(TODAY)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_price_in_words(language: str) -> None:
    old = prices_of("h100-sxm-80", clouds=("aws",))[0].sentence(TODAY).render(language)
    assert "2026-05-16" in old
    assert "190" in old
    new = prices_of("h100-sxm-80", clouds=("gcp",))[0].sentence(TODAY).render(language)
    assert "10.55" in new
    assert "77" not in new
    assert "1.50" in stated_price("t4", 1.5).sentence(TODAY).render(language)
    assert "1.50" in stated_price("t4", 1.5, "owned").sentence(TODAY).render(language)


def test_lists_for_a_form() -> None:
    assert clouds() == ("aws", "azure", "gcp", "lambda", "oci", "runpod", "verda")
    assert regions("azure") == ("eastus",)
    assert set(regions("aws")) < set(regions())
    assert regions("nowhere") == ()
