"""From a deployment and a load to values, bands, what binds and why."""

import pytest

from core.speed.reasons import reasons_of


def test_values_lie_in_their_bands(speed):
    found = speed(concurrency=16)
    assert found.values.keys() == found.bands.keys()
    assert all(low < found.values[name] < high for name, (low, high) in found.bands.items())
    assert sum(found.shares.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("fields", "bound"),
    [
        ({}, "memory"),
        ({"mode": "static_batch", "concurrency": 64, "input_tokens": 8000, "output_tokens": 1}, "compute"),
        ({"model": "meta-llama/Llama-3.2-1B", "gpu": "b200-sxm"}, "overhead"),
        ({"model": "deepseek-ai/DeepSeek-V3", "dp": 64, "ep": 64, "attention_dp": True, "mode": "closed_loop",
          "concurrency": 640, "inter_node_gbs": 10.0}, "network"),
    ],
)  # fmt: skip
def test_what_binds_takes_the_largest_share(speed, fields, bound):
    found = speed(**fields)
    assert found.bound == bound
    assert reasons_of(found)[0].key == f"speed.bound_{bound}"


def test_offline_runs_as_many_as_fit_and_are_allowed(speed):
    free = speed(mode="offline", gpu="a100-sxm-40", input_tokens=4000, output_tokens=4000)
    assert free.batch == int(free.held)
    assert speed(mode="offline", max_batch=8).batch == 8


def test_a_full_cache_lets_requests_wait(speed):
    short, long = (
        speed(
            gpu="a100-sxm-40", mode="closed_loop", concurrency=count, input_tokens=16_000, output_tokens=1000
        )
        for count in (4, 400)
    )
    assert short.batch == 4
    assert long.batch == int(long.held) < 400
    assert long.values["request_s"] == pytest.approx(400 * 1000 / long.values["output_tokens_per_s"])
    assert "speed.waits" in {sentence.key for sentence in reasons_of(long)}


def test_what_does_not_fit_is_told(speed):
    found = speed("deepseek-ai/DeepSeek-V3", mode="offline")
    assert found.batch == 1
    assert "speed.no_room" in {sentence.key for sentence in reasons_of(found)}


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"engine_version": "2024"}, "speed.older"),
        ({"engine": "llama.cpp"}, "speed.local"),
        ({"engine": "transformers"}, "speed.unmeasured"),
        ({"engine": "tensorrt-llm", "engine_version": "1.2.0"}, "speed.newer"),
        ({}, "speed.any_version"),
        ({"pp": 2}, "speed.pipeline"),
        ({"gpu": "a100-sxm-80", "weights": "fp8"}, "speed.unpacked"),
        ({"gpu": {"bandwidth_gbs": 1000.0, "tflops": {"bf16": 100.0}}}, "speed.no_memory"),
        ({"mode": "static_batch", "concurrency": 100_000}, "speed.no_static_room"),
        ({"mode": "offline"}, "speed.offline"),
    ],
)
def test_reasons_name_what_was_assumed(speed, fields, key):
    found = reasons_of(speed(**fields))
    assert key in {sentence.key for sentence in found}
    assert all(sentence.render(language) for sentence in found for language in ("en", "zh"))


def test_fp8_units_are_used_where_they_are(speed):
    assert "speed.unpacked" not in {sentence.key for sentence in reasons_of(speed(weights="fp8"))}


def test_replicas_add_up(speed):
    one, two = speed(mode="closed_loop", concurrency=8), speed(mode="closed_loop", concurrency=16, dp=2)
    assert two.values["output_tokens_per_s"] == pytest.approx(2 * one.values["output_tokens_per_s"])
    assert (one.gpus, two.gpus) == (1, 2)
