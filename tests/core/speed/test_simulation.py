"""The simulation of a lane, pass by pass, and the closed form beside it."""

from __future__ import annotations

import numpy as np
import pytest

from core.speed.profile import profile_of
from core.speed.prompts import lanes_of
from core.speed.queueing import open_loop
from core.speed.serving import Load, closed_loop, prompts_of
from core.speed.simulation import simulate
from core.traffic import Traffic, fixed, lognormal

ANY = Load(1.0, 1.0, 1.0)
CHAT = Traffic(5.0, lognormal(1000, 2500), lognormal(300, 800))


def test_the_same_seed_gives_the_same_requests(profile, h100, constants):
    one, same, other = (
        simulate(profile(), h100, constants, ANY, CHAT, slots=256, count=500, seed=seed) for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other


def test_a_request_alone_waits_for_its_own_prompt(profile, h100, constants):
    rare = Traffic(1e-4, fixed(1000), fixed(100))
    found = simulate(profile(), h100, constants, ANY, rare, slots=8, count=200)
    alone = float(prompts_of(profile(), h100, constants, Load(1000.0, 100.0, 1.0), 1.0).total)
    assert found.ttft[0.5].value == pytest.approx(alone + constants.first_token, rel=1e-3)
    assert found.ttft[0.99].error == pytest.approx(0.0, abs=1e-9)
    assert found.concurrency == pytest.approx(1e-4 * found.request[0.5].value, rel=0.3)


def test_a_closed_loop_has_the_throughput_of_the_formula(profile, h100, constants):
    load = Load(1000.0, 300.0, 32.0)
    loop = Traffic(1.0, fixed(1000), fixed(300))
    found = simulate(profile(), h100, constants, ANY, loop, slots=32, loop=32, count=1000)
    formula = closed_loop(profile(), h100, constants, load)
    assert found.rate * 300 == pytest.approx(float(formula.throughput), rel=0.03)
    assert found.per_token[0.5].value == pytest.approx(float(formula.per_token), rel=0.05)


def test_littles_law(profile, h100, constants):
    found = simulate(profile(), h100, constants, ANY, CHAT, slots=256, count=3000)
    mean = found.concurrency / 5.0
    assert found.request[0.5].value < mean < found.request[0.9].value


def test_one_slot_serves_one_after_the_other(profile, h100, constants):
    traffic = Traffic(0.2, fixed(1000), fixed(300))
    one, many = (
        simulate(profile(), h100, constants, ANY, traffic, slots=slots, count=1000) for slots in (1, 64)
    )
    assert one.concurrency <= 1.0
    assert one.per_token[0.99].value < many.per_token[0.99].value
    assert one.ttft[0.95].value > 2.0 * many.ttft[0.95].value


def test_lanes_share_the_requests(profile, h100, constants):
    wide = profile("deepseek-ai/DeepSeek-V3", tp=1, dp=8, ep=8, attention_dp=True)
    found = simulate(wide, h100, constants, ANY, CHAT, slots=64, count=500)
    assert lanes_of(wide, ANY) == 8
    assert np.isfinite(found.ttft[0.95].value)
    assert found.rate == pytest.approx(5.0, rel=0.15)


GRID = [
    # Model, GPU, ranks, prompts, answers, chunk, slots
    ("meta-llama/Llama-3.1-8B-Instruct", "h100-sxm-80", 1, lognormal(1000, 2500), lognormal(300, 800), 8192, 256),
    ("meta-llama/Llama-3.1-8B-Instruct", "h100-sxm-80", 1, fixed(500), fixed(200), 2048, 1024),
    ("meta-llama/Llama-3.1-8B-Instruct", "l4", 1, lognormal(4000, 9000), lognormal(400, 900), 2048, 64),
    ("meta-llama/Llama-3.1-8B-Instruct", "l4", 1, lognormal(600, 1500), lognormal(2000, 5000), 8192, 1024),
    ("meta-llama/Llama-3.1-70B-Instruct", "h100-sxm-80", 4, lognormal(16_000, 40_000), lognormal(500, 1200), 8192, 256),
    ("meta-llama/Llama-3.1-70B-Instruct", "h100-sxm-80", 4, fixed(1000), fixed(300), 8192, 1),
    ("openai/gpt-oss-120b", "h100-sxm-80", 1, lognormal(1000, 2500), lognormal(300, 800), 8192, 256),
    ("openai/gpt-oss-120b", "h100-sxm-80", 1, lognormal(600, 1500), lognormal(2000, 5000), 2048, 1024),
    ("deepseek-ai/DeepSeek-V3", "h200", 8, lognormal(4000, 9000), lognormal(400, 900), 8192, 1024),
    ("deepseek-ai/DeepSeek-V3", "h200", 8, lognormal(1000, 2000), lognormal(300, 600), 2048, 4),
]  # fmt: skip


@pytest.mark.parametrize(
    "case", GRID, ids=lambda case: f"{case[0].split('/')[1]}-{case[1]}-{case[5]}-{case[6]}"
)
def test_the_closed_form_is_near_the_simulation(case, speed, constants, record_property):
    model, gpu, ranks, prompts, answers, chunk, slots = case
    built = speed(model, gpu=gpu, tp=ranks)
    one = profile_of(
        built.deployment.model, built.deployment.weights, built.deployment.kv, built.deployment.layout
    )
    load, traffic = Load(1.0, 1.0, 1.0, chunk=float(chunk)), Traffic(1e-6, prompts, answers)
    most = float(open_loop(one, built.rates, constants, load, traffic, slots=slots).saturation)
    for share in (0.1, 0.5, 0.8):
        arrival = share * most
        formula = open_loop(one, built.rates, constants, load, traffic, slots=slots, arrival=arrival)
        found = simulate(
            one, built.rates, constants, load, traffic, slots=slots, arrival=arrival, count=12_000, seed=5
        )
        # What no GPU has a part in is the same in both, and would hide a difference.
        own = found.ttft[0.95].value - constants.first_token
        ratio = (float(formula.ttft[0.95]) - constants.first_token) / own
        record_property(f"p95 at {share}", ratio)
        print(f"{model} {gpu} at {share:.0%}: {ratio:.2f} +- {found.ttft[0.95].error / own:.2f}")
        assert abs(ratio - 1.0) < 0.15 + 2.0 * found.ttft[0.95].error / own
        assert float(formula.concurrency) == pytest.approx(found.concurrency, rel=0.3)
