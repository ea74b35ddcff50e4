"""Model families as rows of a table: what a config.json leaves to the family's own code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from core.architecture.config import Config
from core.errors import UnsupportedArchitecture
from core.text import Sentence, say

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

CONVERTED_NAMES = (
    (r"gemma-3", "gemma3"),
    (r"gemma-2", "gemma2"),
    (r"gemma", "gemma"),
    (r"qwen3", "qwen3"),
    (r"qwen2|qwq|distill-qwen", "qwen2"),
    (r"phi-[34]", "phi3"),
    (r"phi", "phi"),
    (r"mixtral", "mixtral"),
    (r"mistral", "mistral"),
    (r"pythia", "gpt_neox"),
    (r"falcon", "falcon"),
    (r"olmo-2", "olmo2"),
    (r"llama|vicuna|yi-|tinyllama|distill-llama", "llama"),
)
"""Families of configs that LitGPT converted: their model_type is "litgpt:" and the name of the checkpoint."""

FOREIGN = {
    "t5": "an encoder-decoder",
    "mt5": "an encoder-decoder",
    "bart": "an encoder-decoder",
    "whisper": "an encoder-decoder",
    "bert": "an encoder without a KV cache",
    "roberta": "an encoder without a KV cache",
    "xlm-roberta": "an encoder without a KV cache",
    "clip": "a vision and text encoder",
    "rwkv": "a recurrent network with its own state layout",
    "rwkv7": "a recurrent network with its own state layout",
    "mamba": "a state-space model without attention",
    "mamba2": "a state-space model without attention",
    "gemma3n": "nested (MatFormer) with per-layer embeddings",
    "gemma3n_text": "nested (MatFormer) with per-layer embeddings",
    "lfm2": "a hybrid of convolutions and attention",
    "lfm2_moe": "a hybrid of convolutions and attention",
    "longcat_flash": "two attention blocks in each layer",
    "vit": "a vision encoder",
    "siglip": "a vision encoder",
}
"""Types that are known and that this program does not size, with the reason."""

SUSPICIOUS = re.compile(
    r"mamba|ssm_|conv_kernel|rwkv|linear_attn|linear_num|lru_|block_types|recurrent|retention"
)
"""Fields that say an unknown type is no plain decoder: then a guess would be wrong without saying so."""

ROW_DEFAULTS: dict[str, Any] = {
    "attention": "gqa",
    "qkv_bias": "attention_bias",
    "output_bias": False,
    "qk_norm": "none",
    "sinks": False,
    "norms": 2,
    "norm_bias": False,
    "gated": True,
    "mlp_bias": "mlp_bias",
    "tied": False,
    "head_bias": False,
    "positions": None,
    "sliding": "types",
    "shared": None,
    "shared_gate": False,
    "router_bias": False,
    "linear_router_bias": False,
    "expert_bias": False,
    "dense_size": "intermediate_size",
    "dense_from": None,
    "mixer": None,
    "gate": False,
    "tower": None,
    "cross": None,
    "halved_mlp": False,
    "multi_query": False,
    "embedding_norm": False,
    "defaults": {},
}


@dataclass(frozen=True)
class Family:
    """One row: `name` is the model_type that was recognised, `row` its fields, `notes` what was assumed."""

    name: str
    row: Mapping[str, Any]
    notes: tuple[Sentence, ...] = ()
    text_part: bool = False

    def choice(self, field: str, config: Config) -> Any:
        """Return the row's *field*; a text that names a config field gives that field's flag instead."""
        value = self.row[field]
        if isinstance(value, Mapping):
            return value["kind"] if config.flag(value["field"], False) else "none"
        if isinstance(value, str) and field in ("qkv_bias", "output_bias", "mlp_bias", "head_bias"):
            return config.flag(value, False)
        return value


@cache
def _table() -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = yaml.load(
        Path(__file__).with_name("families.yaml").read_text(encoding="utf-8"), Loader=_LOADER
    )

    def resolve(name: str) -> dict[str, Any]:
        row = dict(rows[name])
        base = resolve(row.pop("extends")) if "extends" in row else dict(ROW_DEFAULTS)
        return {**base, **row, "defaults": {**base["defaults"], **row.get("defaults", {})}}

    return {name: resolve(name) for name in rows}


def family_names() -> tuple[str, ...]:
    """Return all recognised values of `model_type`."""
    return tuple(_table())


def recognise(config: Config) -> Family:
    """Return the family of *config*.

    A type that is not in the table is read as a plain decoder and says so; one that is known to be something
    else, or whose fields say that it is, is refused.

    Raises:
        UnsupportedArchitecture: the type is known to be different, or looks different.
        BadModelConfig: neither `model_type` nor the fields of a decoder are there.
    """
    stated = config.word("model_type").strip()
    text_part = "(text part)" in stated
    name = stated.replace("(text part)", "").strip().lower()
    if name.startswith("litgpt:"):
        name = next((row for rule, row in CONVERTED_NAMES if re.search(rule, name[7:])), name)
        if config.has("num_experts") and f"{name}_moe" in _table():
            name = f"{name}_moe"
    if name.endswith("_text") and name not in _table() and name.removesuffix("_text") in _table():
        # qwen3_vl_text and its like: the decoder of a multimodal family.
        name = name.removesuffix("_text")
    if name in _table():
        return Family(name, _table()[name], text_part=text_part)
    if name in FOREIGN:
        raise UnsupportedArchitecture("config.foreign", field="model_type", type=stated, reason=FOREIGN[name])
    odd = sorted(field for field in config.fields if SUSPICIOUS.search(field))
    if odd:
        raise UnsupportedArchitecture(
            "config.unlike", field="model_type", type=stated or "?", fields=", ".join(odd)
        )
    for field in ("hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size"):
        if not config.has(field):
            raise UnsupportedArchitecture(
                "config.unknown_type", field="model_type", type=stated or "?", missing=config.spelled(field)
            )
    mla = config.has("kv_lora_rank")
    plain = {**ROW_DEFAULTS, "attention": "mla" if mla else "gqa", "shared": "count"}
    note = say("config.assumed_decoder", type=stated or "?")
    return Family(name or "unknown", plain, (note,), text_part)
