"""Config fragments can be read by what they are written for, and carry every setting or say that they do not."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest
import yaml

from core.api.requests import parse_as
from core.api.training_request import TrainRequest, training_of
from core.memory.training import TrainingRun
from core.planning.fragments import FRAGMENTS, Fragment
from core.planning.fragments.modules import module_names
from core.planning.training_start import START

ALL = ["q", "k", "v", "o", "gate", "up", "down"]
BASE = {
    "model": "Qwen/Qwen3-14B",
    "gpu": "h100-sxm-80",
    "sequence": 2048,
    "micro_batch": 3,
    "grad_accumulation": 5,
}
RUNS: dict[str, dict[str, Any]] = {
    "full": {"method": "full", "gpus": 16, "zero": 3, "checkpointing": "full"},
    "offloaded": {"method": "full", "gpus": 8, "zero": 3, "offload": "parameters", "checkpointing": "full+offload"},
    "LoRA": {"method": "lora", "lora": {"rank": 24, "targets": ALL, "dropout": 0.05}, "checkpointing": "none"},
    "QLoRA": {
        "method": "qlora",
        "lora": {"rank": 8, "targets": ["q", "v"], "train_embeddings": True},
        "quantiser": {"implementation": "bitsandbytes", "double": True},
        "optimizer": {"name": "AdamW", "state": "8bit_paged"},
        "loss": "fused",
    },
    "split": {"method": "full", "gpus": 16, "tp": 2, "pp": 2, "cp": 2, "zero": 1, "checkpointing": "selective"},
    "fp16": {"method": "full", "precision": {"weights": "fp16"}, "optimizer": {"name": "Muon"},
             "flash_attention": False},
}  # fmt: skip


def run_of(name: str) -> TrainingRun:
    return training_of(parse_as(TrainRequest, BASE | RUNS[name]))


def calls(fragment: Fragment) -> dict[str, dict[str, Any]]:
    """Return the keywords of each call in Python; names such as torch.bfloat16 as they are written."""
    tree = ast.parse(fragment.content)
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found[node.func.id] = {
                str(word.arg): ast.unparse(word.value)
                if isinstance(word.value, ast.Attribute)
                else ast.literal_eval(word.value)
                for word in node.keywords
            }
    return found


def read(program: str, run: TrainingRun) -> Any:
    fragment = FRAGMENTS[program](run)
    if fragment.language == "python":
        return calls(fragment)
    return json.loads(fragment.content) if fragment.language == "json" else yaml.safe_load(fragment.content)


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("program", FRAGMENTS)
def test_is_read_and_a_plain_adapter_run_lacks_nothing(program: str, name: str) -> None:
    run = run_of(name)
    fragment = FRAGMENTS[program](run)
    assert read(program, run)
    if name == "LoRA":
        assert not fragment.lacks


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("program", ["peft", "deepspeed", "llamafactory", "torchtune"])
def test_carries_the_batch(program: str, name: str) -> None:
    content = read(program, run_of(name))
    values = content["TrainingArguments"] if program == "peft" else content
    batch = {"deepspeed": "train_micro_batch_size_per_gpu", "torchtune": "batch_size"}.get(
        program, "per_device_train_batch_size"
    )
    assert values[batch] == 3
    assert values["gradient_accumulation_steps"] == 5


def test_deepspeed_counts_the_effective_batch_and_shards_and_offloads() -> None:
    content = read("deepspeed", run_of("offloaded"))
    assert content["train_batch_size"] == 3 * 5 * 8
    assert content["zero_optimization"]["stage"] == 3
    assert content["zero_optimization"]["offload_param"]["device"] == "cpu"
    assert content["activation_checkpointing"]["cpu_checkpointing"] is True
    assert content["bf16"]["enabled"] is True
    assert read("deepspeed", run_of("fp16"))["fp16"]["enabled"] is True


def test_accelerate_has_fsdp_processes_and_machines() -> None:
    content = read("accelerate", run_of("full"))
    assert (content["num_processes"], content["num_machines"]) == (16, 2)
    assert content["fsdp_config"]["fsdp_reshard_after_forward"] is True
    assert content["fsdp_config"]["fsdp_activation_checkpointing"] is True
    split = FRAGMENTS["accelerate"](run_of("split"))
    assert yaml.safe_load(split.content)["parallelism_config"]["parallelism_config_tp_size"] == 2
    assert set(split.lacks) == {"zero1", "pp", "selective"}


def test_adapters_and_base_of_qlora() -> None:
    content = read("peft", run_of("QLoRA"))
    assert content["LoraConfig"]["r"] == 8
    assert content["LoraConfig"]["target_modules"] == ["q_proj", "v_proj"]
    assert content["LoraConfig"]["modules_to_save"] == ["embed_tokens", "lm_head"]
    assert content["BitsAndBytesConfig"]["bnb_4bit_use_double_quant"] is True
    assert content["BitsAndBytesConfig"]["bnb_4bit_compute_dtype"] == "torch.bfloat16"
    assert content["TrainingArguments"]["optim"] == "paged_adamw_8bit"
    assert content["TrainingArguments"]["use_liger_kernel"] is True


def test_llama_factory_carries_method_sequence_and_kernels() -> None:
    content = read("llamafactory", run_of("QLoRA"))
    assert content["finetuning_type"] == "lora"
    assert (content["lora_rank"], content["lora_target"]) == (8, "q_proj,v_proj")
    assert (content["quantization_bit"], content["double_quantization"]) == (4, True)
    assert content["cutoff_len"] == 2048
    assert content["optim"] == "paged_adamw_8bit"
    assert read("llamafactory", run_of("offloaded"))["deepspeed"] == "deepspeed.json"
    eager = FRAGMENTS["llamafactory"](run_of("fp16"))
    assert yaml.safe_load(eager.content)["flash_attn"] == "disabled"
    assert eager.lacks == ("optimizer",)


def test_torchtune_overrides_adapters_checkpointing_and_offload() -> None:
    content = read("torchtune", run_of("LoRA"))
    assert content["model"]["lora_attn_modules"] == ["q_proj", "k_proj", "v_proj", "output_proj"]
    assert content["model"]["apply_lora_to_mlp"] is True
    assert content["model"]["lora_dropout"] == 0.05
    assert content["enable_activation_checkpointing"] is False
    content = read("torchtune", run_of("offloaded"))
    assert content["enable_activation_offloading"] is True
    assert content["fsdp_cpu_offload"] is True


@pytest.mark.parametrize("program", ["peft", "llamafactory", "torchtune", "deepspeed"])
def test_clips_as_advised(program: str) -> None:
    assert str(START["clip"]) in FRAGMENTS[program](run_of("full")).content


@pytest.mark.parametrize(
    ("model", "targets", "names"),
    [
        ("deepseek-ai/DeepSeek-V3", ("q", "v"), ["q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "kv_b_proj"]),
        ("openai-community/gpt2", ("q", "k", "v"), ["c_attn"]),
        ("EleutherAI/pythia-1b", ("qkv", "mlp"), ["query_key_value", "dense_h_to_4h", "dense_4h_to_h"]),
    ],
)
def test_modules_are_named_as_the_family_names_them(
    model: str, targets: tuple[str, ...], names: list[str]
) -> None:
    run = training_of(parse_as(TrainRequest, {"model": model}))
    assert module_names(run.model, targets) == names
