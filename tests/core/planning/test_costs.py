"""What candidates cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from core.catalog import accelerators
from core.cost.prices import hourly_cost, instances_needed, prices_of
from core.planning.costs import costs_of, instances_of, prices_for
from core.planning.prospects import prospects_of
from core.planning.question import Question
from core.planning.sizing import Sized
from tests.questions import LLAMA_70B, ask

H100 = "h100-sxm-80"


def sized(question: Question, ids: Sequence[str], replicas: float = 3.0) -> Sized:
    """Return every candidate on the accelerators *ids*, each with as many *replicas*."""
    prospects = prospects_of(question, question.models[0], tuple(ids))
    rows = np.arange(len(prospects.variant))
    return Sized(prospects, rows, np.full(len(rows), replicas), *([np.ones(len(rows))] * 2))


def test_each_candidate_has_the_cheapest_offer_that_holds_it() -> None:
    question = ask(LLAMA_70B)
    candidates = sized(question, (H100, "l4", "a100-sxm-80"))
    found = costs_of(candidates, question)
    for row in range(0, len(candidates.row), 7):
        record = candidates.prospects.field.records[int(candidates.device[row])]
        gpus, tp = int(candidates.gpus_per_replica[row]), int(candidates.tp[row])
        costs = [hourly_cost(price, gpus, tp, 3) for price in prices_of(record.id) if price.gpus >= 8]
        costs += [hourly_cost(price, gpus, gpus, 3) for price in prices_of(record.id) if price.gpus < 8]
        possible = [cost for cost in costs if cost is not None]
        assert found.usd_per_hour[row] == pytest.approx(min(possible, default=np.inf))
        price = found.price(row)
        assert (price is None) == (not possible)
        if price:
            assert price in prices_of(record.id)


def test_spare_replicas_are_paid() -> None:
    candidates = sized(ask(LLAMA_70B), ("h200-sxm",))
    plain, spared = (costs_of(candidates, ask(LLAMA_70B, spare=spare)).usd_per_hour for spare in (0, 2))
    assert (spared[np.isfinite(plain)] > plain[np.isfinite(plain)]).all()
    more = costs_of(sized(ask(LLAMA_70B), ("h200-sxm",), 5.0), ask(LLAMA_70B)).usd_per_hour
    assert np.array_equal(spared, more)


def test_instances_are_whole() -> None:
    question = ask(LLAMA_70B, clouds=("aws",))
    candidates = sized(question, ("h200-sxm",))
    found = costs_of(candidates, question)
    for row in range(len(candidates.row)):
        price = found.price(row)
        assert price is not None
        count = instances_of(price, candidates, row, 0)
        assert count == instances_needed(
            price, int(candidates.gpus_per_replica[row]), int(candidates.tp[row]), 3
        )
        assert found.usd_per_hour[row] == pytest.approx(count * price.gpus * price.usd_per_gpu_hour)


def test_stated_prices_are_paid_by_the_gpu() -> None:
    question = ask(LLAMA_70B, stated={H100: 1.25})
    candidates = sized(question, (H100,))
    found = costs_of(candidates, question)
    assert np.allclose(found.usd_per_hour, 3 * candidates.gpus_per_replica * 1.25)
    assert instances_of(found.price(0), candidates, 0, 0) is None


def test_where_nobody_states_a_price_there_is_none() -> None:
    candidates = sized(ask(), ("rtx-3090",))
    found = costs_of(candidates, ask())
    assert np.isinf(found.usd_per_hour).all()
    assert found.price(0) is None
    assert instances_of(None, candidates, 0, 0) is None


def test_owned_gpus_have_only_a_stated_price() -> None:
    assert prices_for(ask(owned={H100: 8}), H100) == ()
    (price,) = prices_for(ask(owned={H100: 8}, stated={H100: 0.5}), H100)
    assert price.usd_per_gpu_hour == 0.5
    assert prices_for(ask(), H100) == prices_of(H100)


def test_clouds_regions_and_kind_narrow_the_prices() -> None:
    assert {price.cloud for price in prices_for(ask(clouds=("aws", "gcp")), H100)} == {"aws", "gcp"}
    assert {price.region for price in prices_for(ask(regions=("us-east-1",)), H100)} == {"us-east-1"}
    assert {price.kind for price in prices_for(ask(kind="spot"), H100)} == {"spot"}


@pytest.mark.parametrize("accelerator", ["a100-pcie-80", "h100-nvl"])
def test_single_gpus_of_a_cloud_make_no_larger_replica(accelerator: str) -> None:
    question = ask(LLAMA_70B)
    assert {price.gpus for price in prices_of(accelerator)} == {1}
    candidates = sized(question, (accelerator,))
    usd = costs_of(candidates, question).usd_per_hour
    assert np.array_equal(np.isfinite(usd), candidates.gpus_per_replica == 1)
    assert accelerator in accelerators()
