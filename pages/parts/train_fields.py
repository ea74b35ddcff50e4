"""The inputs of the Train page: their names in an address, defaults and limits."""

from __future__ import annotations

from core.memory.training.adapters import TARGETS
from core.memory.training.frameworks import framework_names
from core.memory.training.optimizers import optimizer_names, state_names
from core.planning.fragments import FRAGMENTS
from pages.parts import fields
from pages.parts.address import Field, several

MODEL, GPU = "Qwen/Qwen3-14B", "h100-sxm-80"
VIEWS = ("phases", "levers", "why", "time", "config", "guides", "share")
METHODS = ("full", "lora", "qlora")
BASES = ("nf4", "int8", "int4", "gptq-int4", "awq-int4")
QUANTISERS = ("bitsandbytes", "torchao", "gptq")
CHECKPOINTING = ("none", "selective", "full", "full+offload")
LOSSES = ("eager", "compiled", "chunked", "chunked_full_logits", "fused", "megatron")
ZERO = ("0", "1", "2", "3")
OFFLOADS = ("optimizer", "parameters", "all")
MASTERS = ("fp32", "bf16", "fp16", "none", "sharded")
DTYPES = ("bf16", "fp16", "fp32")
UNITS = ("samples", "tokens")
TARGET_NAMES = (*TARGETS, "mlp")
USUAL_TARGETS = ("q", "k", "v", "o", "gate", "up", "down")
"""Where adapters sit if nothing is said: beside every matrix of attention and MLP that the model has."""


def _target(name: str) -> str | None:
    return name if name in TARGET_NAMES else None


FIELDS = {
    **{name: fields.FIELDS[name] for name in ("source", *fields.HAND)},
    "view": Field("phases", known=fields.one_of(*VIEWS)),
    "program": Field("peft", known=fields.one_of(*FRAGMENTS)),
    "model": Field(MODEL, known=fields.model_id),
    "gpu": Field(GPU, known=fields.gpu_id),
    "gpus": Field(1, int, 1, 100_000),
    "method": Field("lora", known=fields.one_of(*METHODS)),
    "sequence": Field(4096, int, 1, 10**8),
    "micro": Field(1, int, 0, 10**6),
    "accumulation": Field(8, int, 1, 10**6),
    "framework": Field("hf", known=fields.one_of(*framework_names())),
    "rank": Field(16, int, 1, 10**6),
    "targets": Field(None, known=several(_target)),
    "adapter": Field(None, known=fields.one_of(*DTYPES)),
    "lora_dropout": Field(0.0, float, 0.0, 0.99),
    "embeddings": Field(False, bool),
    "base": Field("nf4", known=fields.one_of(*BASES)),
    "double": Field(True, bool),
    "quantiser": Field("bitsandbytes", known=fields.one_of(*QUANTISERS)),
    "optimizer": Field("AdamW", known=fields.one_of(*optimizer_names())),
    "state": Field("fp32", known=fields.one_of(*state_names())),
    "in_backward": Field(False, bool),
    "weights": Field(None, known=fields.one_of(*DTYPES)),
    "grads": Field(None, known=fields.one_of(*DTYPES)),
    "master": Field(None, known=fields.one_of(*MASTERS)),
    "checkpointing": Field("full", known=fields.one_of(*CHECKPOINTING)),
    "flash": Field(True, bool),
    "compile": Field(False, bool),
    "loss": Field(None, known=fields.one_of(*LOSSES)),
    "offload": Field(None, known=fields.one_of(*OFFLOADS)),
    "zero": Field("0", known=fields.one_of(*ZERO)),
    "tp": Field(1, int, 1, 4096),
    "sp": Field(False, bool),
    "cp": Field(1, int, 1, 4096),
    "pp": Field(1, int, 1, 4096),
    "vpp": Field(1, int, 1, 256),
    "ep": Field(1, int, 1, 4096),
    "etp": Field(1, int, 1, 4096),
    "unit": Field("samples", known=fields.one_of(*UNITS)),
    "amount": Field(10_000, int, 1, 10**15),
    "epochs": Field(3, int, 1, 10**4),
}
"""The inputs of the Train page, under the names that its address has for them."""

STATED = ("source", "model", "gpu", "gpus", "method", "sequence", "micro", "accumulation", "framework")
"""What a shared link spells out even where it is the default of today."""
