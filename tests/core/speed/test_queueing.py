"""Latency under random arrivals."""

from __future__ import annotations

import time

import numpy as np
import pytest

from core.speed.arrays import stacked
from core.speed.queueing import lanes_of, open_loop, prompt_times, ttft_quantile
from core.speed.serving import Load
from core.traffic import Traffic, lognormal

CHAT = Traffic(5.0, lognormal(1000, 2500), lognormal(300, 800))
ANY = Load(1.0, 1.0, 1.0)


def test_the_steady_state_obeys_littles_law(profile, h100, constants):
    found = open_loop(profile(), h100, constants, ANY, CHAT, slots=256.0)
    assert found.stable
    assert found.concurrency == pytest.approx(5.0 * found.request, rel=1e-3)
    assert found.per_token < found.request / 300
    assert list(found.ttft.values()) == sorted(found.ttft.values())


def test_more_requests_than_can_be_served_have_no_latency(profile, h100, constants):
    found = open_loop(profile(), h100, constants, ANY, CHAT, arrival=1e3, slots=256.0)
    assert not found.stable
    assert found.utilisation > 1
    assert np.isnan([found.concurrency, found.per_token, found.request, *found.ttft.values()]).all()


def test_arrays_give_what_numbers_give(profile, h100, constants):
    rates = np.array([0.1, 3.0, 8.0, 400.0])
    records = (stacked([one]) for one in (profile(), h100, constants))
    many = open_loop(*records, ANY, CHAT, arrival=rates, slots=64.0)
    for place, rate in enumerate(rates):
        one = open_loop(profile(), h100, constants, ANY, CHAT, arrival=rate, slots=64.0)
        assert many.ttft[0.95][place] == pytest.approx(float(one.ttft[0.95]), nan_ok=True)
        assert many.concurrency[place] == pytest.approx(float(one.concurrency), nan_ok=True)


def test_a_search_evaluates_quantiles_quickly(profile, h100, constants):
    prompts = prompt_times(profile(), h100, constants, ANY, CHAT.input)
    many = np.linspace(0.1, 0.99, 500_000)
    begin = time.perf_counter()
    found = ttft_quantile(
        0.95, arrival=many * 10.0, saturation=10.0, step=0.01, batch=many * 40.0, slots=64.0, prompts=prompts,
        output_scv=1.0,
    )  # fmt: skip
    assert time.perf_counter() - begin < 2.0
    assert np.isfinite(found).all()
    assert lanes_of(profile(pp=2), ANY) == 2
