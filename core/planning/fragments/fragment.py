"""What all fragments share: their form, the names of formats, optimizers and modules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from core.memory.training import TrainingRun


@dataclass(frozen=True)
class Fragment:
    """A piece of a config: file name, language of its content, and the settings that it has no words for."""

    file: str
    language: str
    content: str
    lacks: tuple[str, ...] = ()


OPTIM: dict[tuple[str, str], str] = {
    ("AdamW", "fp32"): "adamw_torch_fused",
    ("AdamW", "bf16"): "adamw_torch_fused",
    ("AdamW", "8bit"): "adamw_bnb_8bit",
    ("AdamW", "8bit_paged"): "paged_adamw_8bit",
    ("AdamW", "4bit"): "adamw_torch_4bit",
    ("AdamW", "paged"): "paged_adamw_32bit",
    ("Lion", "fp32"): "lion_32bit",
    ("Lion", "8bit"): "lion_8bit",
    ("Lion", "8bit_paged"): "paged_lion_8bit",
    ("Lion", "paged"): "paged_lion_32bit",
    ("SGD", "fp32"): "sgd",
    ("SGD", "none"): "sgd",
    ("Adafactor", "fp32"): "adafactor",
}
"""Values of `optim` in transformers.TrainingArguments, by optimizer and format of its states.

Source: transformers `OptimizerNames`. States of AdamW follow the format of the weights that it updates.
"""


UNKNOWN_TO_TRAINER = (
    *("tp", "pp", "cp", "ep", "selective", "activation_offload", "in_backward"),
    *("optimizer", "unfused_loss", "base"),
)
"""Settings for which the Trainer of Transformers has no words."""


def precision_name(run: TrainingRun) -> str:
    """Return bf16, fp16 or no, the words of Accelerate for the format that layers compute in."""
    return {"bf16": "bf16", "fp16": "fp16"}.get(run.precision.weights, "no")


def is_on(run: TrainingRun) -> bool:
    """Whether activations are checkpointed in full, which is all that most programs can say."""
    return run.checkpointing in ("full", "full+offload")


OF_TRANSFORMERS = (
    *("tp", "pp", "cp", "ep", "selective", "activation_offload", "in_backward", "optimizer", "unfused_loss"),
    "base",
)
"""Settings for which programs around Transformers' trainer have no words."""


def missing(run: TrainingRun, *names: str) -> tuple[str, ...]:
    """Return those of the settings *names* that *run* uses, for a program that has no words for them."""
    layout = run.layout
    used = {
        "tp": layout.tp > 1,
        "pp": layout.pp > 1,
        "cp": layout.cp > 1,
        "ep": layout.ep > 1,
        "zero": layout.zero > 0,
        "zero1": layout.zero == 1,
        "offload": run.offload is not None,
        "selective": run.checkpointing == "selective",
        "activation_offload": run.checkpointing == "full+offload",
        "in_backward": run.optimizer.fused_backward,
        "optimizer": (run.optimizer.name, run.optimizer.state) not in OPTIM,
        "loss": run.loss not in ("eager", "compiled"),
        "unfused_loss": run.loss not in ("eager", "compiled", "fused"),
        "base": run.base is not None and not run.base.id.startswith(("nf4", "int8")),
        "embeddings": bool(run.adapters and run.adapters.train_embeddings),
    }
    return tuple(name for name in names if used[name])


def as_yaml(content: dict[str, Any]) -> str:
    """Return *content* as YAML in the order in which it was written."""
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
