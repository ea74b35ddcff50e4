"""Reads fields of a config.json: one concept under the names that model families give it, checked.

Every fault names the field as the config spells it, what is wrong, and what would be right.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import BadModelConfig

MAXIMUM = 2**31
"""No single dimension of a model comes near this; larger values are typing mistakes."""

NAMES: dict[str, tuple[str, ...]] = {
    "hidden_size": ("hidden_size", "n_embd", "d_model", "model_dim", "dim"),
    "num_hidden_layers": ("num_hidden_layers", "n_layer", "num_layers", "n_layers"),
    "num_attention_heads": (
        "num_attention_heads",
        "n_head",
        "num_heads",
        "n_heads",
        "encoder_attention_heads",
    ),
    "num_key_value_heads": (
        "num_key_value_heads",
        "num_kv_heads",
        "n_kv_heads",
        "n_head_kv",
        "multi_query_group_num",
        "num_attention_groups",
    ),
    "intermediate_size": (
        "intermediate_size",
        "ffn_dim",
        "n_inner",
        "ffn_hidden_size",
        "d_ff",
        "feed_forward_size",
        "hidden_dim",
    ),
    "vocab_size": ("vocab_size", "padded_vocab_size", "n_vocab"),
    "max_position_embeddings": (
        "max_position_embeddings",
        "n_positions",
        "max_sequence_length",
        "seq_length",
        "max_seq_len",
        "model_max_length",
        "n_ctx",
    ),
    "num_experts": ("n_routed_experts", "num_local_experts", "num_experts", "moe_num_experts"),
    "experts_per_token": (
        "num_experts_per_tok",
        "num_experts_per_token",
        "experts_per_token",
        "moe_topk",
        "moe_k",
        "moe_top_k",
        "num_selected_experts",
    ),
    "moe_intermediate_size": ("moe_intermediate_size", "expert_ffn_hidden_size", "moe_ffn_hidden_size"),
    "num_shared_experts": (
        "n_shared_experts",
        "num_shared_experts",
        "num_shared_expert",
        "moe_num_shared_experts",
    ),
    "first_dense_layers": ("first_k_dense_replace", "moe_layer_start_index", "num_dense_layers"),
    "head_dim": ("head_dim", "attention_head_dim", "kv_channels"),
    "torch_dtype": ("torch_dtype", "dtype"),
}
"""One concept, the names it goes by. The first is the one that messages use when none is there."""


class Config:
    """A view of one config.json (or of a part of it) that checks what it hands out.

    *defaults* stand in for fields that the published config leaves out because the model's own code has them.
    *prefix* is put before field names in messages ("vision_config.").
    """

    def __init__(
        self, fields: Mapping[str, Any], defaults: Mapping[str, Any] | None = None, prefix: str = ""
    ) -> None:
        self.fields = fields
        self.defaults = defaults or {}
        self.prefix = prefix

    def spelled(self, concept: str) -> str:
        """Return the name under which the config gives *concept*."""
        names = NAMES.get(concept, (concept,))
        return next((name for name in names if self.fields.get(name) is not None), names[0])

    def raw(self, concept: str) -> Any:
        """Return the unchecked value of *concept*, or None."""
        value = self.fields.get(self.spelled(concept))
        return self.defaults.get(concept) if value is None else value

    def has(self, concept: str) -> bool:
        """Return whether *concept* is given or has a default."""
        return self.raw(concept) is not None

    def fault(self, key: str, concept: str, **values: Any) -> BadModelConfig:
        """Return the error *key* about *concept*."""
        name = self.prefix + self.spelled(concept)
        return BadModelConfig(f"config.{key}", field=name, name=name, **values)

    def integer(
        self, concept: str, default: int | None = None, *, minimum: int = 1, maximum: int = MAXIMUM
    ) -> int:
        """Return a whole number between *minimum* and *maximum*; *default* None means that it must be there."""
        value = self.raw(concept)
        if value is None:
            if default is None:
                raise self.fault("missing", concept)
            return default
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.fault("not_integer", concept, value=_shown(value))
        if not minimum <= value <= maximum:
            raise self.fault("out_of_range", concept, value=_shown(value), minimum=minimum, maximum=maximum)
        return value

    def number(self, concept: str, default: float, *, minimum: float = 0.0, maximum: float = 1e12) -> float:
        """Return a finite number between *minimum* and *maximum*."""
        value = self.raw(concept)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.fault("not_number", concept, value=_shown(value))
        if not minimum <= value <= maximum:
            raise self.fault("out_of_range", concept, value=_shown(value), minimum=minimum, maximum=maximum)
        return float(value)

    def flag(self, concept: str, default: bool) -> bool:
        """Return true or false."""
        value = self.raw(concept)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.fault("not_boolean", concept, value=_shown(value))
        return value

    def word(self, concept: str, default: str = "") -> str:
        """Return a text."""
        value = self.raw(concept)
        if value is None:
            return default
        if not isinstance(value, str):
            raise self.fault("not_text", concept, value=_shown(value))
        return value

    def sequence(self, concept: str, length: int | None = None) -> list[Any] | None:
        """Return a list (of *length* items, where given), or None."""
        value = self.raw(concept)
        if value is None:
            return None
        if isinstance(value, str | bytes) or not isinstance(value, Sequence):
            raise self.fault("not_list", concept, value=_shown(value))
        if length is not None and len(value) < length:
            raise self.fault("short_list", concept, found=len(value), expected=length)
        return list(value)[:length] if length is not None else list(value)

    def integers(self, concept: str) -> list[int]:
        """Return a list of whole numbers, empty where there is none."""
        values = self.sequence(concept) or []
        if any(isinstance(value, bool) or not isinstance(value, int) for value in values):
            raise self.fault("not_integer", concept, value=_shown(values))
        return values

    def part(self, concept: str) -> Config | None:
        """Return the object nested under *concept*, or None."""
        value = self.raw(concept)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise self.fault("not_object", concept, value=_shown(value))
        return Config(value, prefix=f"{self.prefix}{concept}.")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
