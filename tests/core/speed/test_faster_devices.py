"""A device that moves, computes or sends more never serves slower, with everything else as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.speed.arrays import stacked
from core.speed.constants import constants_of
from core.speed.device import DeviceRates
from core.speed.prompts import lanes_of
from core.speed.queueing import open_loop
from core.speed.serving import Load, closed_loop, prompts_of, riding_of, static_batch
from core.traffic import Traffic, fixed, lognormal

EXACT = 1.0 + 1e-9
QUANTILE = 1.03
"""Quantiles of the first token come from moments, which do not order distributions: the median by 3 % at most."""

PROFILES: dict[str, dict[str, Any]] = {
    "dense": {},
    "dense, unpacked": {"weights": "awq-int4"},
    "dense on four": {"model": "meta-llama/Llama-3.1-70B-Instruct", "weights": "fp8", "tp": 4},
    "dense in stages": {"model": "meta-llama/Llama-3.1-70B-Instruct", "tp": 2, "pp": 4},
    "windows on two nodes": {"model": "google/gemma-3-27b-it", "tp": 16},
    "experts": {"model": "openai/gpt-oss-120b"},
    "experts on four": {"model": "openai/gpt-oss-120b", "tp": 4},
    "latent": {"model": "deepseek-ai/DeepSeek-V3"},
    "latent on eight": {"model": "deepseek-ai/DeepSeek-V3", "tp": 8},
    "sparse, data parallel": {
        "model": "deepseek-ai/DeepSeek-V3.2", "tp": 1, "dp": 8, "ep": 8, "attention_dp": True,
    },
    "latent on four nodes": {
        "model": "deepseek-ai/DeepSeek-V3", "tp": 1, "dp": 32, "ep": 32, "attention_dp": True,
    },
}  # fmt: skip
FORMATS = {"wide": 0, "fp8": 1, "fp4": 2, "mxfp4": 3, "int8": 4, "unpacked": 5}

relaxed = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
quick = settings(relaxed, max_examples=60)
layouts = st.sampled_from(sorted(PROFILES))
grown = st.sampled_from(["bandwidth", "peaks", "link", "node_link", *FORMATS])
factors = st.floats(1.001, 5.0)
devices = st.builds(
    lambda bandwidth, wide, fp8, fp4, link, node_link, switched, node: DeviceRates(
        bandwidth * 1e12,
        1e12 * wide * np.array([1.0, fp8, fp4, fp8 if fp4 > fp8 else 1.0, fp8, 1.0]),
        link * 1e9, switched, node_link * 1e9, node,
    ),
    bandwidth=st.floats(0.1, 8.0), wide=st.floats(20.0, 2500.0), fp8=st.sampled_from([1.0, 2.0]),
    fp4=st.sampled_from([1.0, 2.0, 4.0]), link=st.floats(10.0, 900.0), node_link=st.floats(5.0, 100.0),
    switched=st.sampled_from([0.0, 1.0]), node=st.sampled_from([4.0, 8.0, 72.0]),
)  # fmt: skip


def faster(device: DeviceRates, what: str, factor: float) -> DeviceRates:
    """Return *device* with *factor* times of *what*: a rate, or the peak of one format alone."""
    if what not in FORMATS:
        return replace(device, **{what: getattr(device, what) * factor})
    peaks = device.peaks.copy()
    peaks[FORMATS[what]] *= factor
    return replace(device, peaks=peaks)


@relaxed
@given(
    layout=layouts, device=devices, what=grown, factor=factors,
    engine=st.sampled_from(["vllm", "llama.cpp", "tensorrt-llm"]),
    prompt=st.integers(1, 100_000), wanted=st.integers(1, 8192), batch=st.integers(1, 4096),
    chunk=st.sampled_from([512.0, 2048.0, 8192.0]), cached=st.sampled_from([0.0, 0.5, 0.95]),
    overlap=st.sampled_from([0.0, 1.0]), drafts=st.sampled_from([0.0, 3.0]),
)  # fmt: skip
def test_loops_and_batches(*, profile, layout, device, what, factor, engine, prompt, wanted, batch, **more):
    one, constants = profile(**PROFILES[layout]), constants_of(engine)
    load = Load(float(prompt), float(wanted), float(batch), acceptance=0.7, **more)
    for run in (closed_loop, static_batch):
        slow, fast = (run(one, gpu, constants, load) for gpu in (device, faster(device, what, factor)))
        assert fast.prefill <= slow.prefill * EXACT
        assert fast.per_token <= slow.per_token * EXACT
        assert fast.request <= slow.request * EXACT
        assert fast.throughput >= slow.throughput / EXACT


def test_a_kernel_that_computes_after_all_keeps_its_saving(profile, h100, constants):
    one, load = profile("deepseek-ai/DeepSeek-V3"), Load(1000.0, 100.0, 64.0)
    bandwidths = stacked(
        [replace(h100, bandwidth=h100.bandwidth * factor) for factor in np.geomspace(0.5, 8, 60)]
    )
    found = closed_loop(stacked([one]), bandwidths, stacked([constants]), load)
    assert (np.diff(found.per_token) <= 0).all()


@relaxed
@given(layout=layouts, device=devices, prompt=st.integers(1, 100_000))
def test_a_riding_prompt_shares_reading_and_launching_and_computes_alone(*, profile, layout, device, prompt):
    one, constants = profile(**PROFILES[layout]), constants_of("vllm")
    load = Load(float(prompt), 100.0, 1.0)
    alone = prompts_of(one, device, constants, load, 1.0)
    riding = riding_of(one, device, constants, load)
    assert alone.total * (1.0 - constants.shared_pass) <= riding.total <= alone.total * EXACT
    assert riding.overhead == pytest.approx(float(alone.overhead) * (1.0 - constants.shared_pass))
    assert riding.network == alone.network
    assert riding.compute >= alone.compute / EXACT


@quick
@given(
    layout=layouts, device=devices, what=grown, factor=factors, slots=st.sampled_from([1.0, 4.0, 32.0, 512.0]),
    chunk=st.sampled_from([1024.0, 2048.0, 8192.0]), used=st.floats(0.01, 0.98),
    lengths=st.sampled_from([
        (lognormal(1000, 2500), lognormal(300, 800)),
        (fixed(4000), fixed(200)),
        (lognormal(16_000, 40_000), lognormal(500, 1200)),
        (lognormal(200, 500), lognormal(1500, 4000)),
    ]),
)  # fmt: skip
def test_random_arrivals(*, profile, constants, layout, device, what, factor, slots, chunk, used, lengths):
    one, load = profile(**PROFILES[layout]), Load(1.0, 1.0, 1.0, chunk=chunk)
    slots = slots * float(lanes_of(one, load))

    def at(gpu: DeviceRates, arrival: float) -> Any:
        return open_loop(one, gpu, constants, load, Traffic(arrival, *lengths), slots=slots)

    arrival = used * float(at(device, 1e-9).saturation)
    slow, fast = at(device, arrival), at(faster(device, what, factor), arrival)
    assert fast.saturation >= slow.saturation / EXACT
    for name in ("concurrency", "per_token", "request"):
        assert getattr(fast, name) <= getattr(slow, name) * EXACT
    for share, seconds in slow.ttft.items():
        assert fast.ttft[share] <= seconds * QUANTILE


def test_a_higher_peak_in_one_format_leaves_the_others_alone(profile, h100, constants):
    eight = profile("meta-llama/Llama-3.1-70B-Instruct", weights="fp8")
    load = Load(4000.0, 100.0, 256.0)
    slow, fast = (closed_loop(eight, gpu, constants, load) for gpu in (h100, faster(h100, "wide", 2.0)))
    assert fast.step.compute == pytest.approx(float(slow.step.compute), rel=0.2)
    assert fast.request <= slow.request
