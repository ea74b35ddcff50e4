"""What is proposed where something does not fit: each proposal holds, and names the number that it gives."""

from dataclasses import replace

from core.memory.bands import known_tokens
from core.memory.reasons import cautions, reasons_of, verdict
from core.memory.remedies import remedies
from core.memory.serving import size_serving


def test_each_remedy_fits_and_says_what_it_gives(deploy):
    memory = size_serving(deploy("deepseek-ai/DeepSeek-V3", gpu="H100", tp=8, context=32_768))
    proposed = remedies(memory)
    assert {next(iter(remedy.change)) for remedy in proposed} >= {"tp", "weights"}
    for remedy in proposed:
        assert remedy.outcome.fits
        assert remedy.outcome.pool is not None
        told = known_tokens(remedy.outcome.deployment, remedy.outcome.pool.tokens)
        assert f"{told:,}" in str(remedy.sentence)
        assert remedy.sentence.render("zh")


def test_what_fits_needs_no_remedy(deploy):
    assert remedies(size_serving(deploy())) == ()


def test_too_many_requests_are_met_by_fewer_or_by_a_smaller_cache(deploy):
    memory = size_serving(replace(deploy(context=8192), requests=500))
    changes = [remedy.change for remedy in remedies(memory)]
    assert {"requests": int(memory.mean_requests)} in changes
    assert memory.starts
    assert not memory.fits


def test_a_context_that_is_too_long_is_met_by_a_shorter_one(deploy):
    memory = size_serving(deploy(weights="bf16", gpu="L4", context=131_072, max_num_seqs=16))
    contexts = [remedy.change["context"] for remedy in remedies(memory) if "context" in remedy.change]
    assert contexts
    assert contexts[0] <= memory.largest_context


def test_the_verdict_names_the_quantity_and_the_limit(deploy):
    refused = verdict(size_serving(deploy("deepseek-ai/DeepSeek-V3", gpu="A100", tp=8)))[0]
    assert "Does not start" in str(refused)
    assert "GiB" in str(refused)
    held = verdict(size_serving(deploy()))[0]
    assert "Fits" in str(held)


def test_warnings_name_what_was_assumed(deploy):
    notes = " ".join(
        map(
            str,
            cautions(
                size_serving(
                    deploy(
                        "deepseek-ai/DeepSeek-V3", gpu="H200", tp=8, context=400_000, engine_version="9.0.0"
                    )
                )
            ),
        )
    )
    assert "latent cache is not divided" in notes
    assert "above the model's limit of 163,840" in notes
    assert "newer than what was measured" in notes


def test_copied_kv_heads_and_cut_blocks_are_told(deploy):
    heads = " ".join(map(str, reasons_of(size_serving(deploy(tp=16)))))
    assert "8 KV heads for tp = 16" in heads
    blocks = " ".join(
        map(str, reasons_of(size_serving(deploy("Qwen/Qwen3-30B-A3B", weights="fp8-block", tp=4))))
    )
    assert "blocks of 128" in blocks


def test_without_a_device_only_needs_are_stated(deploy):
    memory = size_serving(replace(deploy(), device=None))
    assert memory.pool is None
    assert "No GPU was given" in str(verdict(memory)[0])
    assert remedies(memory) == ()


def test_a_card_that_the_engine_cannot_serve_does_not_fit_however_large(deploy):
    memory = size_serving(deploy(gpu="T4", tp=4, weights="bf16", context=4096, max_num_seqs=16))
    assert not memory.starts
    assert "No bf16 below compute capability 8" in str(verdict(memory)[0])
    assert {"weights": "fp16"} in [remedy.change for remedy in remedies(memory)]
    assert "does not run on Apple" in str(verdict(size_serving(deploy(gpu="M2 Ultra")))[0])


def test_a_card_of_ones_own_is_not_judged_by_its_name(deploy):
    gpu = {"name": "a card of tomorrow", "memory_gib": 80.0}
    assert size_serving(deploy(gpu=gpu, weights="bf16")).starts


def test_where_no_single_change_helps_two_are_combined(deploy):
    proposed = remedies(size_serving(deploy("deepseek-ai/DeepSeek-V3", gpu="T4", tp=8, context=32_768)))
    assert len(proposed) == 1
    assert proposed[0].outcome.fits
    assert {"tp", "pp", "weights"} <= proposed[0].change.keys()
