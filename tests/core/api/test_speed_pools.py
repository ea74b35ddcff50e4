"""Disaggregated pools in the `speed` verb: fields, answers and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from core.api import answer

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
NGRAM = {"method": "ngram", "tokens": 3, "acceptance": 0.6}
FIELDS = {
    "prefill_s", "tpot_s", "request_s", "output_tokens_per_s", "output_tokens_per_s_per_gpu", "batch", "bound",
    "band", "reasons", "transfer_s", "pools",
}  # fmt: skip


def pools(prefill: Any = None, decode: Any = None, limits: Any = None, **fields: Any) -> dict[str, Any]:
    stated = {"prefill": prefill or {}, "decode": decode or {}, **(limits or {})}
    request = {"model": LLAMA, "gpu": "h100-sxm-80", "input_tokens": 4000, "output_tokens": 500, **fields}
    found: dict[str, Any] = answer("speed", {**request, "disaggregated": stated})
    return found


def test_an_answer_has_the_shares_of_both_pools() -> None:
    found = pools({"tp": 2, "replicas": 3}, {"tp": 4, "replicas": 1})
    assert found.keys() == FIELDS
    assert found["pools"]["prefill"].keys() == {"replicas", "gpus", "utilisation"}
    assert [found["pools"][name]["gpus"] for name in ("prefill", "decode")] == [6, 4]
    assert found["output_tokens_per_s_per_gpu"] == found["output_tokens_per_s"] / 10
    assert max(pool["utilisation"] for pool in found["pools"].values()) == pytest.approx(1, abs=1e-6)
    assert all(low < found[name] < high for name, (low, high) in found["band"].items())


def test_numbers_that_are_left_open_match() -> None:
    found = pools()
    assert all(pool["utilisation"] > 0.9 for pool in found["pools"].values())
    long, short = (
        pools(input_tokens=given, output_tokens=wanted)["pools"]
        for given, wanted in ((16_000, 100), (200, 2000))
    )
    assert long["prefill"]["replicas"] > 3 * long["decode"]["replicas"]
    assert short["decode"]["replicas"] > 3 * short["prefill"]["replicas"]


def test_a_target_makes_the_batch_smaller_and_is_kept() -> None:
    free, bound = pools(), pools(limits={"max_tpot_s": 0.01})
    assert free["tpot_s"] > 0.01 >= bound["tpot_s"] * (1 - 1e-6)
    assert bound["output_tokens_per_s_per_gpu"] < free["output_tokens_per_s_per_gpu"]


def test_a_limit_of_gpus_is_kept() -> None:
    found = pools({"tp": 2}, {"tp": 2}, {"max_gpus": 6})
    assert sum(pool["gpus"] for pool in found["pools"].values()) <= 6


def test_the_transfer_is_part_of_the_prefill() -> None:
    near = pools({"tp": 4, "replicas": 1}, {"tp": 4, "replicas": 1})
    far = pools({"tp": 4, "replicas": 1}, {"tp": 4, "replicas": 1}, gpus_per_node=4, inter_node_gbs=5.0)
    assert far["transfer_s"] > 20 * near["transfer_s"]
    assert far["prefill_s"] - near["prefill_s"] == pytest.approx(far["transfer_s"] - near["transfer_s"])


def test_decoding_is_undisturbed_under_the_same_load() -> None:
    together = answer(
        "speed",
        {"model": LLAMA, "gpu": "h100-sxm-80", "input_tokens": 4000, "output_tokens": 500, "concurrency": 64},
    )  # fmt: skip
    apart = pools({"replicas": 1}, {"replicas": 1}, concurrency=64)
    assert apart["tpot_s"] < together["tpot_s"]
    assert apart["request_s"] == pytest.approx(64 * 500 / apart["output_tokens_per_s"])


def test_pools_may_have_gpus_and_formats_of_their_own() -> None:
    same = pools({"replicas": 1}, {"replicas": 1}, concurrency=8)
    mixed = pools({"replicas": 1}, {"replicas": 1, "gpu": "h200", "weights": "fp8"}, concurrency=8)
    assert mixed["tpot_s"] < same["tpot_s"]
    assert pools(tp=2)["pools"]["decode"]["gpus"] % 2 == 0


def test_hits_shorten_the_prompt_and_drafts_the_tokens() -> None:
    plain = pools({"replicas": 1}, {"replicas": 1}, concurrency=8)
    hit = pools({"replicas": 1}, {"replicas": 1}, concurrency=8, prefix_cache_hit_rate=0.8)
    drafted = pools({"replicas": 1}, {"replicas": 1}, concurrency=8, speculative=NGRAM)
    assert hit["prefill_s"] < plain["prefill_s"]
    assert drafted["tpot_s"] < plain["tpot_s"]


def test_one_request_is_a_loop_of_one() -> None:
    one = pools({"replicas": 1}, {"replicas": 1}, mode="single")
    assert one == pools({"replicas": 1}, {"replicas": 1}, concurrency=1)
    assert one["batch"] == 1


def test_what_does_not_fit_is_told() -> None:
    found = pools({"replicas": 1}, {"replicas": 1}, model="meta-llama/Llama-3.1-70B-Instruct")
    assert any("do not fit" in reason for reason in found["reasons"])


@pytest.mark.parametrize(
    ("request_", "field", "words"),
    [
        ({"prefill": {"tp": 3}}, "disaggregated.prefill.tp", "32 attention heads"),
        ({"decode": {"ep": 2}}, "disaggregated.decode.ep", "no experts"),
        ({"decode": {"gpu": "no-such"}}, "disaggregated.decode.gpu", "Nearest"),
        ({"decode": {"weights": "int3"}}, "disaggregated.decode.weights", "int4"),
        ({"decode": {"replicas": 0}}, "disaggregated.decode.replicas", "greater than or equal to 1"),
        ({"decode": {"colour": 1}}, "disaggregated.decode.colour", "attention_dp"),
        ({"decode": {"gpu": {"colour": 1}}}, "disaggregated.decode.gpu.colour", "bandwidth_gbs"),
        ({"limits": {"colour": 1}}, "disaggregated.colour", "max_gpus"),
        ({"limits": {"max_gpus": 1}}, "disaggregated.max_gpus", "at least 2"),
        ({"limits": {"max_tpot_s": 0.0001}}, "disaggregated.max_tpot_s", "Even one request"),
        ({"limits": {"max_tpot_s": 0}}, "disaggregated.max_tpot_s", "greater than 0"),
        ({"mode": "static_batch"}, "mode", "closed_loop or offline"),
        ({"mode": "single", "concurrency": 2}, "concurrency", "single"),
        ({"gpu": None}, "gpu", "bandwidth_gbs"),
        ({"speculative": {**NGRAM, "method": "mtp"}}, "speculative.method", "no multi-token prediction"),
        ({"prefill": [], "decode": "x"}, "disaggregated.decode", "dictionary"),
    ],
)
def test_refusals_name_the_field(request_: dict[str, Any], field: str, words: str) -> None:
    found = pools(**request_)
    assert set(found) == {"error"}
    assert found["error"]["field"] == field
    assert words in found["error"]["message"]
