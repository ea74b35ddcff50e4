"""Bands around estimates: the most specific row counts, and every deployment finds one."""

import pytest

from core.memory.bands import band, band_row

QUANTITIES = ("weights_gib", "activation_gib", "runtime_gib", "cuda_graph_gib", "kv_capacity_tokens")


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("engine", ["vllm", "sglang", "llama.cpp", "transformers", "tensorrt-llm"])
def test_every_engine_has_a_band(deploy, quantity, engine):
    low, high = band(deploy(engine=engine), quantity, 10.0)
    assert 0 < low <= 10.0 <= high


def test_what_was_measured_is_surer_than_what_was_not(deploy):
    def spread(**fields: object) -> float:
        low, high = band(deploy(**fields), "kv_capacity_tokens", 1.0)
        return high - low

    assert spread(engine="vllm", engine_version="0.19.0") < spread(engine="vllm", engine_version="0.8.0")
    assert spread(engine="vllm", engine_version="0.8.0") < spread(engine="tensorrt-llm")


def test_a_row_says_how_many_measurements_are_behind_it(deploy):
    assert band_row(deploy(engine_version="0.19.0"), "kv_capacity_tokens")["cases"] >= 30
    assert band_row(deploy(engine="tensorrt-llm"), "weights_gib")["cases"] == 0
