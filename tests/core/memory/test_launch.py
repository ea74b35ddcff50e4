"""Commands that start a deployment: each engine's own spelling of what was chosen."""

import shlex
from dataclasses import replace

import pytest
import yaml

from core.errors import BadRequest
from core.memory.launch import launch, launch_command


def test_vllm_gets_its_options(deploy):
    command = launch_command(
        deploy(
            "deepseek-ai/DeepSeek-V3",
            tp=8,
            ep=8,
            kv="fp8",
            context=32_768,
            max_num_seqs=64,
            enforce_eager=True,
        )
    )
    words = shlex.split(command.replace("\\\n", " "))
    assert words[:3] == ["vllm", "serve", "deepseek-ai/DeepSeek-V3"]
    for option, value in (
        ("--tensor-parallel-size", "8"),
        ("--max-model-len", "32768"),
        ("--kv-cache-dtype", "fp8"),
        ("--max-num-seqs", "64"),
        ("--gpu-memory-utilization", "0.92"),
    ):
        assert words[words.index(option) + 1] == value
    assert {"--enable-expert-parallel", "--enforce-eager"} <= set(words)
    assert "--quantization" not in words


def test_a_format_that_the_checkpoint_does_not_have_is_asked_for(deploy):
    assert "--quantization awq_marlin" in launch_command(deploy(weights="awq-int4"), checkpoint_as_is=False)


def test_sglang_counts_data_parallel_ranks_inside_tp(deploy):
    command = launch_command(
        deploy("deepseek-ai/DeepSeek-V3", engine="sglang", tp=1, dp=8, ep=8, attention_dp=True)
    )
    assert "--tp-size 8" in command
    assert "--dp-size 8" in command
    assert "--ep-size 8" in command
    assert "--enable-dp-attention" in command


def test_sglang_divides_its_limits_by_the_ranks_of_attention(deploy):
    fields = {"engine": "sglang", "tp": 1, "dp": 8, "ep": 8, "attention_dp": True}
    spread = launch_command(deploy("deepseek-ai/DeepSeek-V3", **fields, max_num_seqs=32))
    assert "--max-running-requests 256" in spread
    assert "--chunked-prefill-size 65536" in spread  # else each rank would take 1,024 tokens a pass
    assert "--chunked-prefill-size" not in launch_command(deploy(engine="sglang"))


def test_vllm_copies_attention_to_data_parallel_ranks(deploy):
    command = launch_command(deploy("deepseek-ai/DeepSeek-V3", tp=1, dp=8, ep=8, attention_dp=True))
    assert "--data-parallel-size 8" in command
    assert "--enable-expert-parallel" in command
    assert "--tensor-parallel-size" not in command


def test_tensorrt_llm_reads_from_a_file_what_it_has_no_options_for(deploy):
    fields = {"engine": "tensorrt-llm", "tp": 1, "dp": 8, "ep": 8, "attention_dp": True, "kv": "fp8"}
    deployment = deploy("deepseek-ai/DeepSeek-V3", **fields)
    file, _, command = launch_command(deployment).partition("\ntrtllm-serve ")
    begin, *lines, end = file.splitlines()
    assert (begin, end) == ("cat > trtllm.yaml <<'EOF'", "EOF")
    assert yaml.safe_load("\n".join(lines)) == {
        "enable_attention_dp": True,
        "kv_cache_config": {"dtype": "fp8", "free_gpu_memory_fraction": 0.9},
    }
    words = shlex.split(command.replace("\\\n", " "))
    for option, value in (("--tp_size", "8"), ("--ep_size", "8"), ("--extra_llm_api_options", "trtllm.yaml")):
        assert words[words.index(option) + 1] == value
    assert launch(deployment, folder="/etc/engine").words[-1] == "/etc/engine/trtllm.yaml"
    assert not launch(deploy(engine="tensorrt-llm", tp=8, kv="bf16")).file


@pytest.mark.parametrize(
    ("engine", "beginning", "fields"),
    [
        ("llama.cpp", "llama-server", {"weights": "q4_k_m", "kv": "q8_0", "flash_attention": True}),
        ("tensorrt-llm", "trtllm-serve", {}),
        ("transformers", "from transformers", {}),
    ],
)
def test_other_engines_have_their_own_command(deploy, engine, beginning, fields):
    assert launch_command(deploy(engine=engine, **fields)).startswith(beginning)


def test_a_hostile_name_stays_one_word(deploy):
    deployment = deploy()
    deployment = replace(deployment, model=replace(deployment.model, name="x; rm -rf /"))
    assert shlex.split(launch_command(deployment).replace("\\\n", " "))[2] == "x; rm -rf /"


@pytest.mark.parametrize("engine", ["vllm", "sglang", "tensorrt-llm", "llama.cpp"])
def test_the_command_and_the_words_are_the_same(deploy, engine):
    deployment = deploy(engine=engine, tp=2, pp=2, max_num_seqs=16)
    parts = launch(deployment)
    assert shlex.split(launch_command(deployment).replace("\\\n", " ")) == [*parts.program, *parts.words]
    assert all(len(argument) in (1, 2) for argument in parts.arguments)


@pytest.mark.parametrize(("engine", "as_is"), [("vllm", True), ("sglang", False), ("vllm", False)])
def test_a_dtype_leaves_no_room_for_a_quantisation(deploy, engine, as_is):
    words = launch(deploy(engine=engine, weights="bf16"), as_is).words
    assert words[words.index("--dtype") + 1] == "bfloat16"
    assert "--quantization" not in words


def test_transformers_has_no_words(deploy):
    with pytest.raises(BadRequest, match="no server"):
        launch(deploy(engine="transformers"))
