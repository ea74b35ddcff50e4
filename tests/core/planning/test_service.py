"""How candidates serve: curves of one replica, and what is read from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.planning.prospects import Prospects, prospects_of
from core.planning.question import Targets
from core.planning.service import FINE_POINTS, FULLEST, Curves, allowed_rate, curves, largest_rate, value_at
from core.speed.constants import constants_of
from core.speed.device import device_rates, matrix_rates
from core.speed.profile import profile_of
from core.speed.queueing import open_loop
from core.speed.serving import Load
from tests.questions import CHAT, DEEPSEEK, GPT_OSS, LLAMA, ask

SOME = ("h100-sxm-80", "l4", "mi300x", "a100-sxm-80")
NAMES = ("ttft", "tpot", "request")


def prospects(name: str = LLAMA) -> Prospects:
    question = ask(name)
    return prospects_of(question, question.models[0], SOME)


def lines(found: Prospects, points: int = FINE_POINTS) -> Curves:
    return curves(found.field.stock, found.candidates, CHAT, 0.99, points)


@pytest.mark.parametrize("name", [LLAMA, DEEPSEEK, GPT_OSS])
def test_every_latency_rises_with_the_rate(name: str) -> None:
    found = lines(prospects(name))
    assert (np.diff(found.rate, axis=1) >= -1e-9 * found.rate[:, 1:]).all()
    assert (found.rate <= found.stable[:, None] * (1 + 1e-9)).all()
    for quantity in ("tpot", "request"):
        values = found.quantity(quantity)
        assert (np.diff(values, axis=1) >= -1e-9 * values[:, 1:]).all()
    assert (found.ttft >= np.maximum.accumulate(found.ttft, axis=1) * 0.97)[np.isfinite(found.ttft)].all()


@pytest.mark.parametrize("name", [LLAMA, DEEPSEEK])
def test_what_a_curve_says_is_what_the_queue_says(name: str) -> None:
    found = prospects(name)
    fine = lines(found)
    field = found.field
    for row in range(0, len(found.candidates), max(1, len(found.candidates) // 8)):
        variant = field.variants[int(found.variant[row])]
        record = field.records[int(found.device[row])]
        for share in (0.1, 0.5, 0.8):
            rate = share * float(fine.stable[row])
            alone = open_loop(
                profile_of(field.model, variant.weights, variant.kv, variant.layout),
                device_rates(record, matrix_rates(record.peak_flops)),
                constants_of(variant.engine.name, None, record.id),
                Load(1.0, 1.0, 1.0, chunk=float(found.candidates.chunk[row])),
                CHAT,
                slots=float(found.candidates.slots[row]),
                arrival=rate,
                quantiles=(0.99,),
            )
            one = fine.at(slice(row, row + 1))
            assert float(alone.saturation) == pytest.approx(float(one.stable[0]))
            assert value_at(one, "tpot", rate)[0] == pytest.approx(float(alone.per_token), rel=0.03)
            assert value_at(one, "request", rate)[0] == pytest.approx(float(alone.request), rel=0.03)
            # Straight lines lie above what bends upwards: they never promise what the queue does not keep.
            assert value_at(one, "ttft", rate)[0] >= float(alone.ttft[0.99]) * 0.97
            if share < 0.5:
                assert value_at(one, "ttft", rate)[0] == pytest.approx(float(alone.ttft[0.99]), rel=0.2)


@settings(max_examples=30, deadline=None)
@given(name=st.sampled_from(NAMES), share=st.floats(0.05, 0.95))
def test_the_largest_rate_is_where_the_target_is_met(name: str, share: float) -> None:
    found = SMALL_CURVES
    values = found.quantity(name)
    target = float(np.quantile(values[np.isfinite(values)], share))
    rate = largest_rate(found, name, target)
    met = np.flatnonzero(rate > 0)
    assert (values[rate == 0, 0] > target).all()
    reached = value_at(found, name, rate)[met]
    assert (reached <= target * (1 + 1e-6)).all()
    beyond = value_at(found, name, rate * 1.02)[met]
    inside = rate[met] * 1.02 < found.rate[met, -1]
    assert (beyond[inside] >= target * (1 - 1e-6)).all()


@settings(max_examples=30, deadline=None)
@given(
    ttft=st.none() | st.floats(0.05, 5.0),
    tpot=st.none() | st.floats(0.005, 0.2),
    request=st.none() | st.floats(1.0, 60.0),
    headroom=st.floats(0.0, 0.9),
    looser=st.floats(1.0, 3.0),
)
def test_looser_targets_never_allow_less(
    ttft: float | None, tpot: float | None, request: float | None, headroom: float, looser: float
) -> None:
    tight = Targets(ttft, 0.99, tpot, request)
    loose = Targets(*(value and value * looser for value in (ttft, 0.0, tpot, request)))
    low = allowed_rate(SMALL_CURVES, tight, headroom)
    assert (allowed_rate(SMALL_CURVES, loose, headroom) >= low * (1 - 1e-9)).all()
    assert (allowed_rate(SMALL_CURVES, tight, headroom / 2) >= low * (1 - 1e-9)).all()
    assert (low <= SMALL_CURVES.stable * FULLEST).all()


def test_more_than_a_curve_reaches_takes_forever() -> None:
    assert np.isinf(value_at(SMALL_CURVES, "tpot", SMALL_CURVES.stable * 1.01)).all()


def test_few_points_serve_to_choose_and_many_to_answer() -> None:
    found = prospects()
    few = curves(found.field.stock, found.candidates, CHAT, 0.99)
    targets = Targets(ttft=1.0, tpot=0.05)
    coarse, fine = (allowed_rate(one, targets, 0.2) for one in (few, lines(found)))
    near = np.abs(coarse - fine) <= 0.1 * fine + 1e-9
    assert near.mean() > 0.95


@pytest.mark.parametrize("ttft", [0.2, 1.0, 4.0])
def test_the_share_that_is_late_allows_what_the_quantile_allows(ttft: float) -> None:
    found = prospects(DEEPSEEK)
    late = curves(found.field.stock, found.candidates, CHAT, 0.99, FINE_POINTS, within=ttft)
    by_share, by_quantile = (allowed_rate(one, Targets(ttft=ttft), 0.2) for one in (late, lines(found)))
    busy = np.maximum(by_share, by_quantile) > 0.05 * late.stable
    assert busy.any()
    assert np.allclose(by_share[busy], by_quantile[busy], rtol=0.15)
    assert (late.ttft[:, 0] == lines(found).ttft[:, 0]).all()


def test_blocks_make_no_difference() -> None:
    found = prospects()
    whole = curves(found.field.stock, found.candidates, CHAT, 0.99)
    alone = curves(found.field.stock, found.candidates.at(slice(3, 4)), CHAT, 0.99)
    assert np.allclose(whole.at(slice(3, 4)).ttft, alone.ttft, rtol=1e-9)
    none = curves(found.field.stock, found.candidates.at(slice(0, 0)), CHAT, 0.99)
    assert none.rate.shape == (0, whole.rate.shape[1])


@settings(max_examples=20, deadline=None)
@given(faster=st.floats(1.0, 4.0))
def test_more_bandwidth_is_never_slower(faster: float) -> None:
    found = prospects()
    stock = found.field.stock
    quick = replace(stock, devices=replace(stock.devices, bandwidth=stock.devices.bandwidth * faster))
    slow, fast = (curves(one, found.candidates, CHAT, 0.99) for one in (stock, quick))
    assert (fast.stable >= slow.stable * (1 - 1e-9)).all()
    for name in ("tpot", "request"):
        assert (fast.quantity(name) <= slow.quantity(name) * (1 + 1e-9)).all()
    for targets in (Targets(ttft=0.5), Targets(tpot=0.03), Targets(request=10.0)):
        assert (allowed_rate(fast, targets, 0.2) >= allowed_rate(slow, targets, 0.2) * (1 - 0.01)).all()


_FOUND = prospects()
SMALL_CURVES = curves(_FOUND.field.stock, _FOUND.candidates.at(slice(0, None, 9)), CHAT, 0.99)
