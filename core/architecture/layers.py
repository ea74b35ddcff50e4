"""Which feed-forward block each layer has: a dense MLP, a mixture of experts, or none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.architecture.config import Config
from core.architecture.families import Family
from core.architecture.feedforward import MixtureOfExperts, Mlp

Feedforward = Mlp | MixtureOfExperts | None


PER_LAYER = (
    "experts_per_token",
    "moe_intermediate_size",
    "num_shared_experts",
    "intermediate_size",
    "num_experts",
)
"""Sizes of the feed-forward block that some configs state once for each layer."""


def feedforwards(config: Config, family: Family) -> list[Feedforward]:
    """Return the feed-forward block of every layer, None where a layer has none.

    Raises:
        BadModelConfig: missing sizes, more experts chosen than there are, lists of the wrong length.
    """
    layers = layer_count(config)
    blocks = config.sequence("block_configs", layers)
    if blocks is not None:
        return [_variable(config, block) for block in blocks]
    listed = [size for size in PER_LAYER if isinstance(config.raw(size), list)]
    for size in listed:
        config.sequence(size, layers)  # an entry for each layer
    kinds = single_blocks(config, family, layers)
    if kinds is None:
        kinds = _kinds(config, layers)
    if listed:
        return [feedforward(kind, config.at(layer), family) for layer, kind in enumerate(kinds)]
    found: dict[str, Feedforward] = {kind: feedforward(kind, config, family) for kind in set(kinds)}
    return [found[kind] for kind in kinds]


def layer_count(config: Config) -> int:
    """Return the number of decoder layers; a list with an entry a layer says it where no field does."""
    listed = config.raw("layers_block_type")
    if not config.has("num_hidden_layers") and isinstance(listed, list) and listed:
        if len(listed) > MOST_LAYERS:
            raise config.fault(
                "out_of_range", "layers_block_type", value=len(listed), minimum=1, maximum=MOST_LAYERS
            )
        return len(listed)
    return config.integer("num_hidden_layers", maximum=MOST_LAYERS)


MOST_LAYERS = 10_000
"""No model comes near; the limit bounds the work that a broken config can ask for."""

_MARKS = {"M": "mamba", "*": "attention", "-": "mlp", "E": "moe"}
_BLOCKS = {name: name for name in _MARKS.values()}


def single_blocks(config: Config, family: Family, layers: int, before: str = "") -> list[str] | None:
    """Return the one block of each layer (mamba, attention, mlp, moe) where a layer is a single block.

    *before* comes before the names of the fields: "mtp_" for the layers of multi-token prediction.
    """
    if not family.row["single_blocks"]:
        return None
    pattern, listed = f"{before}hybrid_override_pattern", f"{before}layers_block_type"
    if config.has(pattern):
        marks = config.word(pattern)
        if len(marks) < layers:
            raise config.fault("short_list", pattern, found=len(marks), expected=layers)
        return [config.choice(pattern, mark, _MARKS) for mark in marks[:layers]]
    names = config.sequence(listed, layers)
    if names is None:
        raise config.fault("missing", pattern)
    return [config.choice(listed, name, _BLOCKS) for name in names]


def _kinds(config: Config, layers: int) -> list[str]:
    """Return moe or mlp for each layer, by whichever rule the config states."""
    if not has_experts(config):
        return ["mlp"] * layers
    sparse = _sparse_layers(config, layers)
    return ["moe" if layer in sparse else "mlp" for layer in range(layers)]


def feedforward(kind: str, config: Config, family: Family) -> Feedforward:
    """Return the feed-forward block of layers of *kind*: mlp, moe, or none for another word."""
    if kind == "mlp":
        return _dense(config, family)
    return mixture(config, family) if kind == "moe" else None


def has_experts(config: Config) -> bool:
    """Return whether the config describes a mixture of at least two experts."""
    value = config.raw("num_experts")
    if isinstance(value, list):
        return config.at(0).integer("num_experts", minimum=0) > 1
    return config.integer("num_experts", 0, minimum=0) > 1


def mixture(config: Config, family: Family) -> MixtureOfExperts | None:
    """Return the expert block of the layers that have one, or None for a dense model."""
    config = config if config.layer is not None else config.at(0)
    experts = config.integer("num_experts", 0, minimum=0, maximum=1_000_000)
    if experts <= 1:
        return None
    chosen = config.integer("experts_per_token", 1)
    if chosen > experts:
        raise config.fault("too_many_chosen", "experts_per_token", value=chosen, experts=experts)
    inner = config.integer("moe_intermediate_size", 0, minimum=0) or config.integer("intermediate_size")
    shared = _shared_size(config, family, inner)
    latent = config.integer("expert_latent_size", 0, minimum=0)
    return MixtureOfExperts(
        hidden=config.integer("hidden_size"),
        inner=inner,
        experts=experts,
        chosen=chosen,
        shared_inner=shared,
        shared_gate=bool(family.row["shared_gate"]) and shared > 0,
        router_bias=bool(family.row["linear_router_bias"]) or _corrected(config, family),
        gated=bool(family.row["gated"]),
        bias=bool(family.row["expert_bias"]),
        beside=_dense(config, family) if family.choice("experts_beside", config) else None,
        latent=latent,
        latent_norm=latent > 0 and config.flag("latent_moe_use_norm", False),
    )


def _corrected(config: Config, family: Family) -> bool:
    """Return whether the router carries a score-correction bias (loss-free balancing)."""
    return bool(family.choice("router_bias", config)) or config.word("topk_method") == "noaux_tc"


def _shared_size(config: Config, family: Family, inner: int) -> int:
    rule = family.row["shared"]
    if config.has("moe_shared_expert_intermediate_size"):
        return config.integer("moe_shared_expert_intermediate_size", minimum=0)
    if rule == "count" or (rule is None and config.has("num_shared_experts")):
        return config.integer("num_shared_experts", 0, minimum=0) * inner
    return config.integer(str(rule), 0, minimum=0) if rule else 0


_SPARSE = {"sparse": "moe", "moe": "moe", "dense": "mlp", "mlp": "mlp"}


def _sparse_layers(config: Config, layers: int) -> set[int]:
    """Return the layers with experts, by whichever rule the config states."""
    types = config.sequence("mlp_layer_types", layers)
    if types:
        kinds = [config.choice("mlp_layer_types", kind, _SPARSE) for kind in types]
        return {layer for layer, kind in enumerate(kinds) if kind == "moe"}
    for field in ("moe_layers_enum", "moe_layers"):
        listed = _listed_layers(config, field)
        if listed:
            return listed
    if isinstance(config.raw("moe_layer_freq"), list):
        flags = config.integers("moe_layer_freq", layers)
        return {layer for layer, flag in enumerate(flags) if flag}
    if config.has("expert_layer_period"):
        period = config.integer("expert_layer_period")
        offset = config.integer("expert_layer_offset", 0, minimum=0)
        return {layer for layer in range(layers) if layer % period == offset}
    dense = set(config.integers("mlp_only_layers"))
    first = config.integer("first_dense_layers", 0, minimum=0)
    if first > layers:
        raise config.fault("out_of_range", "first_dense_layers", value=first, minimum=0, maximum=layers)
    step = config.integer("decoder_sparse_step", config.integer("interleave_moe_layer_step", 1))
    offset = 0 if config.has("moe_layer_freq") else step - 1
    step = config.integer("moe_layer_freq", step)
    return {layer for layer in range(first, layers) if layer not in dense and layer % step == offset % step}


def _listed_layers(config: Config, field: str) -> set[int]:
    """Return the layers that *field* lists, as numbers or as a text with commas (Step 3)."""
    value = config.raw(field)
    if isinstance(value, str):
        parts = value.split(",") if value else []
        if not all(part.strip().isdecimal() and len(part) < 10 for part in parts):
            raise config.wrong("not_integer", field, value)
        return {int(part) for part in parts}
    return set(config.integers(field))


def _dense(config: Config, family: Family) -> Mlp:
    row = family.row
    hidden = config.integer("hidden_size")
    field = next(
        (str(row[name]) for name in ("dense_from", "dense_size") if row[name] and config.has(str(row[name]))),
        "intermediate_size",
    )
    gated = bool(row["gated"]) and config.word("ffn") != "2-matrix"
    # GPT-2, BLOOM and Falcon leave the size out: it is four times the hidden size.
    fallback = 4 * hidden if not gated else None
    inner = config.integer(field, fallback)
    if row["halved_mlp"]:
        inner //= 2
    return Mlp(hidden, inner, gated, bool(family.choice("mlp_bias", config)))


def _variable(config: Config, block: Any) -> Feedforward:
    part = block_part(config, block, "ffn")
    hidden = config.integer("hidden_size")
    if part.flag("no_op", False):
        return None
    if part.has("intermediate_size"):
        return Mlp(hidden, part.integer("intermediate_size"))
    # DeciLM rounds two thirds of the multiple up to 256 (modeling_decilm, _ffn_mult_to_intermediate_size).
    inner = int(2 * part.number("ffn_mult", 0.0, maximum=1e4) * hidden / 3)
    return Mlp(hidden, max(256, -(-inner // 256) * 256))


def block_part(config: Config, block: Any, name: str) -> Config:
    """Return the object *name* ("ffn" or "attention") of one entry of `block_configs`."""
    if not isinstance(block, Mapping):
        raise config.wrong("not_object", "block_configs", block)
    part = Config(block, prefix=f"{config.place('block_configs')}[].").part(name)
    if part is None:
        raise config.fault("missing_part", "block_configs", part=name)
    return part
