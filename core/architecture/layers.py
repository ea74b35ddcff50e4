"""Which feed-forward block each layer has: a dense MLP, a mixture of experts, or none."""

from __future__ import annotations

from typing import Any

from core.architecture.config import Config
from core.architecture.families import Family
from core.architecture.feedforward import MixtureOfExperts, Mlp

Feedforward = Mlp | MixtureOfExperts | None


def feedforwards(config: Config, family: Family) -> list[Feedforward]:
    """Return the feed-forward block of every layer, None where a layer has none.

    Raises:
        BadModelConfig: missing sizes, more experts chosen than there are, lists of the wrong length.
    """
    layers = config.integer("num_hidden_layers", maximum=10_000)
    blocks = config.sequence("block_configs", layers)
    if blocks is not None:
        return [_variable(config, block) for block in blocks]
    pattern = config.word("hybrid_override_pattern")
    moe = mixture(config, family)
    if pattern:
        dense = _dense(config, family) if "-" in pattern else None
        return [{"-": dense, "E": moe}.get(mark) for mark in pattern[:layers]]
    if moe is None:
        return [_dense(config, family)] * layers
    sparse = _sparse_layers(config, layers)
    dense = _dense(config, family) if len(sparse) < layers else None
    return [moe if layer in sparse else dense for layer in range(layers)]


def mixture(config: Config, family: Family) -> MixtureOfExperts | None:
    """Return the expert block of the layers that have one, or None for a dense model."""
    experts = config.integer("num_experts", 0, minimum=0, maximum=1_000_000)
    if experts <= 1:
        return None
    chosen = config.integer("experts_per_token", 1)
    if chosen > experts:
        raise config.fault("too_many_chosen", "experts_per_token", value=chosen, experts=experts)
    inner = _expert_size(config)
    shared = _shared_size(config, family, inner)
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
    )


def _corrected(config: Config, family: Family) -> bool:
    """Return whether the router carries a score-correction bias (loss-free balancing)."""
    return bool(family.row["router_bias"]) or config.word("topk_method") == "noaux_tc"


def _expert_size(config: Config) -> int:
    value = config.raw("moe_intermediate_size")
    if isinstance(value, list) and value:  # one size for each modality; text comes first
        return Config({"moe_intermediate_size": value[0]}).integer("moe_intermediate_size")
    if config.has("moe_intermediate_size"):
        return config.integer("moe_intermediate_size")
    return config.integer("intermediate_size")


def _shared_size(config: Config, family: Family, inner: int) -> int:
    rule = family.row["shared"]
    if config.has("moe_shared_expert_intermediate_size"):
        return config.integer("moe_shared_expert_intermediate_size")
    if rule == "count" or (rule is None and config.has("num_shared_experts")):
        return config.integer("num_shared_experts", 0, minimum=0) * inner
    return config.integer(str(rule), 0, minimum=0) if rule else 0


def _sparse_layers(config: Config, layers: int) -> set[int]:
    """Return the layers with experts, by whichever rule the config states."""
    listed = config.sequence("moe_layers_enum") or config.sequence("moe_layers")
    if isinstance(listed, list) and listed and all(isinstance(layer, int) for layer in listed):
        return set(listed)
    frequency = config.raw("moe_layer_freq")
    if isinstance(frequency, list):
        return {layer for layer, flag in enumerate(frequency[:layers]) if flag}
    if config.has("expert_layer_period"):
        period, offset = (
            config.integer("expert_layer_period"),
            config.integer("expert_layer_offset", 0, minimum=0),
        )
        return {layer for layer in range(layers) if layer % period == offset}
    dense = set(config.integers("mlp_only_layers"))
    first = config.integer("first_dense_layers", 0, minimum=0)
    if first > layers:
        raise config.fault("out_of_range", "first_dense_layers", value=first, minimum=0, maximum=layers)
    step = config.integer("decoder_sparse_step", config.integer("interleave_moe_layer_step", 1))
    offset = 0 if config.has("moe_layer_freq") else step - 1
    step = config.integer("moe_layer_freq", step)
    return {layer for layer in range(first, layers) if layer not in dense and layer % step == offset % step}


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
    part = Config(block if isinstance(block, dict) else {}, prefix="block_configs[].").part("ffn")
    if part is None:
        raise config.fault("not_object", "block_configs", value="ffn")
    hidden = config.integer("hidden_size")
    if part.flag("no_op", False):
        return None
    if part.has("intermediate_size"):
        return Mlp(hidden, part.integer("intermediate_size"))
    # DeciLM rounds two thirds of the multiple up to 256 (modeling_decilm, _ffn_mult_to_intermediate_size).
    inner = int(2 * part.number("ffn_mult", 0.0, maximum=1e4) * hidden / 3)
    return Mlp(hidden, max(256, -(-inner // 256) * 256))
