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
    "encoder_decoder": "t5 mt5 umt5 bart mbart pegasus whisper",
    "encoder": "bert roberta xlm-roberta deberta deberta-v2 modernbert distilbert electra",
    "picture_encoder": "clip siglip vit dinov2",
    "recurrent": "rwkv rwkv7 mamba mamba2 xlstm recurrent_gemma",
    "nested": "gemma3n gemma3n_text",
    "convolutions": "lfm2 lfm2_moe lfm2_vl",
    "two_attentions": "longcat_flash",
}
"""Types that are known and that this program does not size, by the reason: a key below config.is."""

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
    "gate": "none",
    "tower": None,
    "cross": None,
    "parts": (),
    "full_fields": {},
    "window_fields": {},
    "shared_values": None,
    "experts_beside": False,
    "single_blocks": False,
    "halved_mlp": False,
    "multi_query": False,
    "embedding_norm": False,
    "defaults": {},
}


SWITCHES = ("qkv_bias", "output_bias", "mlp_bias", "head_bias", "router_bias", "sinks", "experts_beside")
"""Fields of a row that are true, false, or the name of the config's flag that says so."""


@dataclass(frozen=True)
class Family:
    """One row: `name` is the model_type that was recognised, `row` its fields, `notes` what was assumed."""

    name: str
    row: Mapping[str, Any]
    notes: tuple[Sentence, ...] = ()
    text_part: bool = False

    def choice(self, field: str, config: Config) -> Any:
        """Return the row's *field*; one that names a flag of the config gives what the flag says.

        A row may name the flag ("attention_bias"), or the flag and what it stands for ({field, kind}).
        """
        value = self.row[field]
        if isinstance(value, Mapping):
            return value["kind"] if config.flag(value["field"], False) else "none"
        if isinstance(value, str) and field in SWITCHES:
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
    return _unlisted(config, name, stated[:80] or "?", text_part)


def _unlisted(config: Config, name: str, stated: str, text_part: bool) -> Family:
    """Return the family of a type that has no row: a plain decoder where nothing speaks against it."""
    reason = next((key for key, names in FOREIGN.items() if name in names.split()), None)
    if reason is None and config.flag("is_encoder_decoder", False):
        reason = "encoder_decoder"
    place = config.place("model_type")
    if reason:
        raise UnsupportedArchitecture(
            "config.foreign", field=place, type=stated, reason=Sentence(f"config.is.{reason}")
        )
    odd = sorted(field for field in config.fields if SUSPICIOUS.search(str(field)))
    if odd:
        fields = ", ".join(name[:60] for name in odd[:6])
        raise UnsupportedArchitecture("config.unlike", field=place, type=stated, fields=fields)
    for field in ("hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size"):
        if not config.has(field):
            raise UnsupportedArchitecture(
                "config.unknown_type", field=place, type=stated, missing=config.place(config.spelled(field))
            )
    mla = config.has("kv_lora_rank")
    plain = {**ROW_DEFAULTS, "attention": "mla" if mla else "gqa", "shared": "count"}
    note = say("config.assumed_decoder", type=stated)
    return Family(name[:80] or "unknown", plain, (note,), text_part)


def published_tower(outer: Config, family: Family) -> str | None:
    """Return the vision tower that the published checkpoints of this type carry, where the config omits it."""
    row = _table().get(outer.word("model_type").strip().lower(), family.row)
    tower: str | None = row["tower"]
    return tower
