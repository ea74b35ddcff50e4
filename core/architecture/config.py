"""Reads fields of a config.json: one concept under the names that model families give it, checked.

Every fault names the field as the config spells it, what is wrong, and what would be right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import BadModelConfig, shown

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
        "kv_n_heads",
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
        "top_k_experts",
        "num_selected_experts",
    ),
    "moe_intermediate_size": (
        "moe_intermediate_size",
        "expert_intermediate_size",
        "expert_ffn_hidden_size",
        "moe_ffn_hidden_size",
    ),
    "expert_latent_size": ("moe_latent_size", "routed_expert_hidden_size"),
    "mtp_layers": ("num_nextn_predict_layers", "mtp_num_hidden_layers", "num_mtp_modules"),
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


AGREEING = ("hidden_size", "num_hidden_layers", "num_attention_heads")
"""Concepts that a config may spell twice, but not with two values."""

LONGEST = 20_000
"""Entries of a list that is read in full: twice the layers that a model may have."""


class Config:
    """A view of one config.json (or of a part of it) that checks what it hands out.

    *defaults* stand in for fields that the published config leaves out because the model's own code has them.
    *prefix* is put before field names in messages ("vision_config."); *places* says where fields stand that come
    from elsewhere. *layer* chooses one entry where a size is a list with an entry a layer.
    """

    def __init__(
        self,
        fields: Mapping[str, Any],
        defaults: Mapping[str, Any] | None = None,
        prefix: str = "",
        places: Mapping[str, str] | None = None,
        layer: int | None = None,
    ) -> None:
        self.fields = fields
        self.defaults = defaults or {}
        self.prefix = prefix
        self.places = places or {}
        self.layer = layer

    def at(self, layer: int) -> Config:
        """Return the same fields as seen from *layer*."""
        return Config(self.fields, self.defaults, self.prefix, self.places, layer)

    def renamed(self, names: Mapping[str, str]) -> Config:
        """Return the same fields, with those in *names* (concept: where it stands) in the concept's place.

        Dots in *names* lead into nested objects. What is not there leaves the concept as it is.
        """
        fields, places = dict(self.fields), dict(self.places)
        for concept, path in names.items():
            *parents, name = path.split(".")
            node: Config | None = self
            for parent in parents:
                node = node.part(parent) if node else None
            if node is not None and node.fields.get(name) is not None:
                spelled = self.spelled(concept)
                fields[spelled] = node.fields[name]
                places[spelled] = node.place(name)
        return Config(fields, self.defaults, self.prefix, places, self.layer)

    def spelled(self, concept: str) -> str:
        """Return the name under which the config gives *concept*."""
        names = NAMES.get(concept, (concept,))
        return next((name for name in names if self.fields.get(name) is not None), names[0])

    def place(self, name: str) -> str:
        """Return the field *name* with the path to it."""
        return self.places.get(name, self.prefix + name)

    def raw(self, concept: str) -> Any:
        """Return the unchecked value of *concept*, or None."""
        value = self.fields.get(self.spelled(concept))
        return self.defaults.get(concept) if value is None else value

    def has(self, concept: str) -> bool:
        """Return whether *concept* is given or has a default."""
        return self.raw(concept) is not None

    def fault(self, key: str, concept: str, **values: Any) -> BadModelConfig:
        """Return the error *key* about *concept*."""
        name = self.place(self.spelled(concept))
        return BadModelConfig(f"config.{key}", field=name, name=name, **values)

    def wrong(self, key: str, concept: str, value: object) -> BadModelConfig:
        """Return the error *key* about *concept*, which is *value*."""
        return self.fault(key, concept, value=shown(value))

    def agree(self) -> None:
        """Check that the sizes which a config may spell in several ways have one value.

        Raises:
            BadModelConfig: they have two.
        """
        for concept in AGREEING:
            given = [name for name in NAMES[concept] if self.fields.get(name) is not None]
            for other in given[1:]:
                if self.fields[other] != self.fields[given[0]]:
                    raise self.fault(
                        "contradiction",
                        concept,
                        value=shown(self.fields[given[0]]),
                        other=self.place(other),
                        second=shown(self.fields[other]),
                    )

    def _entry(self, concept: str) -> Any:
        """Return the value of *concept*, of a list the entry of this view's layer."""
        value = self.raw(concept)
        if self.layer is None or not isinstance(value, list):
            return value
        if self.layer >= len(value):
            raise self.fault("short_list", concept, found=len(value), expected=self.layer + 1)
        return value[self.layer]

    def integer(
        self, concept: str, default: int | None = None, *, minimum: int = 1, maximum: int = MAXIMUM
    ) -> int:
        """Return a whole number between *minimum* and *maximum*; *default* None means that it must be there."""
        value = self._entry(concept)
        if value is None:
            if default is None:
                raise self.fault("missing", concept)
            return default
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong("not_integer", concept, value)
        self._within(concept, value, minimum, maximum)
        return value

    def number(self, concept: str, default: float, *, minimum: float = 0.0, maximum: float = 1e12) -> float:
        """Return a finite number between *minimum* and *maximum*; NaN is between nothing."""
        value = self.raw(concept)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong("not_number", concept, value)
        self._within(concept, value, minimum, maximum)
        return float(value)

    def _within(self, concept: str, value: float, minimum: float, maximum: float) -> None:
        if not minimum <= value <= maximum:
            raise self.fault("out_of_range", concept, value=shown(value), minimum=minimum, maximum=maximum)

    def flag(self, concept: str, default: bool) -> bool:
        """Return true or false."""
        value = self.raw(concept)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.wrong("not_boolean", concept, value)
        return value

    def word(self, concept: str, default: str = "") -> str:
        """Return a text."""
        value = self.raw(concept)
        if value is None:
            return default
        if not isinstance(value, str):
            raise self.wrong("not_text", concept, value)
        return value

    def choice(self, concept: str, value: object, table: Mapping[str, str]) -> str:
        """Return what *table* makes of *value*, one of the words of *concept*."""
        if not isinstance(value, str) or value not in table:
            raise self.fault("unknown_word", concept, value=shown(value), choices=", ".join(table))
        return table[value]

    def sequence(self, concept: str, length: int | None = None) -> list[Any] | None:
        """Return a list (of *length* items, where given), or None."""
        value = self.raw(concept)
        if value is None:
            return None
        if not isinstance(value, list | tuple):
            raise self.wrong("not_list", concept, value)
        if length is not None and len(value) < length:
            raise self.fault("short_list", concept, found=len(value), expected=length)
        if len(value) > LONGEST and length is None:
            raise self.fault("too_long", concept, found=len(value), limit=LONGEST)
        return list(value[:length])

    def integers(self, concept: str, length: int | None = None, *, minimum: int = 0) -> list[int]:
        """Return a list of whole numbers of at least *minimum*, empty where there is none."""
        values = self.sequence(concept, length) or []
        for value in values:
            if isinstance(value, bool) or not isinstance(value, int):
                raise self.wrong("not_integer", concept, value)
            self._within(concept, value, minimum, MAXIMUM)
        return values

    def part(self, concept: str) -> Config | None:
        """Return the object nested under *concept*, or None."""
        value = self.raw(concept)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise self.wrong("not_object", concept, value)
        return Config(value, prefix=f"{self.place(concept)}.")
