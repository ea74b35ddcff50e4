"""LLaMA-Factory's YAML for `llamafactory-cli train`."""

from __future__ import annotations

from typing import Any

from core.memory.training import TrainingRun
from core.planning.fragments.fragment import OF_TRANSFORMERS, OPTIM, Fragment, as_yaml, is_on, missing
from core.planning.fragments.modules import module_names
from core.planning.training_start import START, learning_rate


def llamafactory_yaml(run: TrainingRun) -> Fragment:
    """Return the arguments of a supervised fine-tuning; dataset and template are the user's own.

    Source: hiyouga/LLaMA-Factory src/llamafactory/hparams (model_args, finetuning_args, data_args).
    """
    content: dict[str, Any] = {
        "model_name_or_path": run.model.name,
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "full" if run.method == "full" else "lora",
        **_adapters(run),
        **_base(run),
        "cutoff_len": run.sequence,
        "per_device_train_batch_size": run.micro_batch,
        "gradient_accumulation_steps": run.accumulation,
        "disable_gradient_checkpointing": not is_on(run),
        "flash_attn": "fa2" if run.attention == "fused" else "disabled",
        "enable_liger_kernel": run.loss == "fused",
        "bf16": run.precision.weights == "bf16",
        "fp16": run.precision.weights == "fp16",
        "pure_bf16": run.method == "full" and run.precision.master == "none",
        "learning_rate": learning_rate(run.method),
        "lr_scheduler_type": "cosine",
        "warmup_ratio": START["warmup"],
        "max_grad_norm": START["clip"],
    }
    optim = OPTIM.get((run.optimizer.name, run.optimizer.state))
    if optim:
        content["optim"] = optim
    if run.layout.zero or run.offload:
        content["deepspeed"] = "deepspeed.json"
    lacks = missing(run, *OF_TRANSFORMERS)
    return Fragment("llamafactory.yaml", "yaml", as_yaml(content), lacks)


def _adapters(run: TrainingRun) -> dict[str, Any]:
    if run.adapters is None:
        return {}
    found: dict[str, Any] = {
        "lora_rank": run.adapters.rank,
        "lora_alpha": 2 * run.adapters.rank,
        "lora_dropout": run.adapters.dropout,
        "lora_target": ",".join(module_names(run.model, run.adapters.targets)),
    }
    if run.adapters.train_embeddings:
        found["additional_target"] = ",".join(module_names(run.model, ("embed", "head")))
    return found


def _base(run: TrainingRun) -> dict[str, Any]:
    if run.base is None or missing(run, "base"):
        return {}
    return {
        "quantization_method": "bnb",
        "quantization_bit": 8 if run.base.id == "int8" else 4,
        "quantization_type": "nf4",
        "double_quantization": run.base.id == "nf4-double",
    }
