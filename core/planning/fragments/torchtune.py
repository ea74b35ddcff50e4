"""torchtune: overrides for the YAML of a recipe."""

from __future__ import annotations

from typing import Any

from core.memory.training import TrainingRun
from core.planning.fragments.fragment import Fragment, as_yaml, is_on, missing
from core.planning.training_start import START, learning_rate

_OPTIMIZERS: dict[tuple[str, str], str] = {
    ("AdamW", "fp32"): "torch.optim.AdamW",
    ("AdamW", "bf16"): "torch.optim.AdamW",
    ("AdamW", "8bit"): "bitsandbytes.optim.AdamW8bit",
    ("AdamW", "8bit_paged"): "bitsandbytes.optim.PagedAdamW8bit",
    ("AdamW", "paged"): "bitsandbytes.optim.PagedAdamW",
    ("AdamW", "4bit"): "torchao.optim.AdamW4bit",
    ("Adam", "fp32"): "torch.optim.Adam",
    ("SGD", "fp32"): "torch.optim.SGD",
    ("SGD", "none"): "torch.optim.SGD",
    ("Adafactor", "fp32"): "torch.optim.Adafactor",
    ("Lion", "fp32"): "bitsandbytes.optim.Lion",
    ("Lion", "8bit"): "bitsandbytes.optim.Lion8bit",
}
_ATTENTION = {"q": "q_proj", "k": "k_proj", "v": "v_proj", "o": "output_proj"}
_MLP = {"gate", "up", "down", "mlp"}
_LOSSES = {
    "chunked": "torchtune.modules.loss.LinearCrossEntropyLoss",
    "chunked_full_logits": "torchtune.modules.loss.CEWithChunkedOutputLoss",
}


def torchtune_yaml(run: TrainingRun) -> Fragment:
    """Return what differs from a recipe's own YAML (`tune ls`); the model's component is the recipe's.

    Source: pytorch/torchtune recipes/configs (llama3_3/70B_lora, qwen3/8B_lora).
    """
    content: dict[str, Any] = {}
    if run.adapters:
        content["model"] = _model(run)
    content |= {
        "tokenizer": {"max_seq_len": run.sequence},
        "batch_size": run.micro_batch,
        "gradient_accumulation_steps": run.accumulation,
        "optimizer": {"lr": learning_rate(run.method)},
        "optimizer_in_bwd": run.optimizer.fused_backward,
        "loss": {"_component_": _LOSSES.get(run.loss, "torch.nn.CrossEntropyLoss")},
        "clip_grad_norm": START["clip"],
        "compile": run.compiled or run.loss == "compiled",
        "dtype": run.precision.weights,
        "enable_activation_checkpointing": is_on(run),
        "enable_activation_offloading": run.checkpointing == "full+offload",
        "fsdp_cpu_offload": run.offload is not None,
        "tensor_parallel_dim": run.layout.tp,
        "context_parallel_dim": run.layout.cp,
    }
    component = _OPTIMIZERS.get((run.optimizer.name, run.optimizer.state))
    if component:
        content["optimizer"] = {"_component_": component, **content["optimizer"]}
    lacks = list(missing(run, "pp", "ep", "selective", "base", "embeddings"))
    if component is None:
        lacks.append("optimizer")
    if run.loss in ("fused", "megatron"):
        lacks.append("loss")
    return Fragment("torchtune.yaml", "yaml", as_yaml(content), tuple(lacks))


def _model(run: TrainingRun) -> dict[str, Any]:
    adapters = run.adapters
    if adapters is None:
        return {}
    attention = [name for target, name in _ATTENTION.items() if target in adapters.targets]
    if "qkv" in adapters.targets:
        attention = list(dict.fromkeys(["q_proj", "k_proj", "v_proj", *attention]))
    found: dict[str, Any] = {
        "lora_attn_modules": attention,
        "apply_lora_to_mlp": bool(_MLP & set(adapters.targets)),
        "apply_lora_to_output": "head" in adapters.targets,
        "lora_rank": adapters.rank,
        "lora_alpha": 2 * adapters.rank,
        "lora_dropout": adapters.dropout,
    }
    return found | ({"quantize_base": True} if run.base else {})
