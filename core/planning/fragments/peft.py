"""Python for Transformers and PEFT: the base, the adapters, and the arguments of the trainer."""

from __future__ import annotations

from typing import Any

from core.memory.training import TrainingRun
from core.planning.fragments.fragment import OF_TRANSFORMERS, OPTIM, Fragment, is_on, missing
from core.planning.fragments.modules import module_names
from core.planning.training_start import START, learning_rate

_TORCH = {"bf16": "torch.bfloat16", "fp16": "torch.float16", "fp32": "torch.float32"}


class _Code(str):
    """A value that is written as it is, without quotes."""


def peft_python(run: TrainingRun) -> Fragment:
    """Return calls of `BitsAndBytesConfig`, `LoraConfig` and `TrainingArguments` with the settings of *run*.

    Source: transformers TrainingArguments and BitsAndBytesConfig, peft LoraConfig.
    """
    parts = ["import torch"]
    names = ["TrainingArguments"]
    calls = []
    if run.base is not None and not missing(run, "base"):
        names.insert(0, "BitsAndBytesConfig")
        calls.append(_call("quantization_config", "BitsAndBytesConfig", _base(run)))
    if run.adapters is not None:
        parts.append("from peft import LoraConfig")
        calls.append(_call("lora_config", "LoraConfig", _adapters(run)))
    parts.append(f"from transformers import {', '.join(names)}")
    calls.append(_call("arguments", "TrainingArguments", _arguments(run)))
    content = "\n".join(parts) + "\n\n" + "\n".join(calls)
    lacks = missing(run, *OF_TRANSFORMERS)
    return Fragment("train.py", "python", content, lacks)


def _call(name: str, kind: str, values: dict[str, Any]) -> str:
    lines = "".join(f"    {key}={_written(value)},\n" for key, value in values.items())
    return f"{name} = {kind}(\n{lines})\n"


def _written(value: Any) -> str:
    return str(value) if isinstance(value, _Code) else repr(value).replace("'", '"')


def _base(run: TrainingRun) -> dict[str, Any]:
    if run.base is not None and run.base.id == "int8":
        return {"load_in_8bit": True}
    return {
        "load_in_4bit": True,
        "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_use_double_quant": run.base is not None and run.base.id == "nf4-double",
        "bnb_4bit_compute_dtype": _Code(_TORCH[run.precision.weights]),
    }


def _adapters(run: TrainingRun) -> dict[str, Any]:
    adapters = run.adapters
    if adapters is None:
        return {}
    found: dict[str, Any] = {
        "r": adapters.rank,
        "lora_alpha": 2 * adapters.rank,
        "lora_dropout": adapters.dropout,
        "target_modules": module_names(run.model, adapters.targets),
        "task_type": "CAUSAL_LM",
    }
    if adapters.train_embeddings:
        found["modules_to_save"] = module_names(run.model, ("embed", "head"))
    return found


def _arguments(run: TrainingRun) -> dict[str, Any]:
    found: dict[str, Any] = {
        "output_dir": "out",
        "per_device_train_batch_size": run.micro_batch,
        "gradient_accumulation_steps": run.accumulation,
        "gradient_checkpointing": is_on(run),
        "bf16": run.precision.weights == "bf16",
        "fp16": run.precision.weights == "fp16",
        "learning_rate": learning_rate(run.method),
        "lr_scheduler_type": "cosine",
        "warmup_ratio": START["warmup"],
        "max_grad_norm": START["clip"],
        "torch_compile": run.compiled,
        "use_liger_kernel": run.loss == "fused",
    }
    optim = OPTIM.get((run.optimizer.name, run.optimizer.state))
    if optim:
        found["optim"] = optim
    if run.layout.zero == 1 or run.offload:
        found["deepspeed"] = "deepspeed.json"
    return found
