"""Which block mixes the tokens of each layer: attention of some kind, a recurrent state, or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

from core.architecture.attention import (
    CompressedAttention,
    CrossAttention,
    GroupedQueryAttention,
    LatentAttention,
    SparseIndex,
)
from core.architecture.caches import CacheLayout
from core.architecture.config import Config
from core.architecture.families import Family
from core.architecture.layers import block_part, layer_count, single_blocks
from core.architecture.recurrent import GatedDeltaNet, KimiDeltaAttention, LightningAttention, Mamba, Mamba2
from core.architecture.tensors import TensorGroup


class Mixer(Protocol):
    """A block with tensors and caches."""

    def tensors(self) -> list[TensorGroup]:
        """Return the tensors of one layer."""
        ...

    def caches(self) -> list[CacheLayout]:
        """Return the caches of one layer."""
        ...


def mixers(config: Config, family: Family) -> list[Mixer | None]:
    """Return the mixer of every layer, None where a layer has none.

    Raises:
        BadModelConfig: heads that do not divide, lists of the wrong length, missing sizes.
    """
    layers = layer_count(config)
    blocks = config.sequence("block_configs", layers)
    if blocks is not None:
        return [_variable(config, block) for block in blocks]
    kinds = _kinds(config, family, layers)
    found = {kind: mixer(kind, config, family) for kind in set(kinds)}
    return [found[kind] for kind in kinds]


def _kinds(config: Config, family: Family, layers: int) -> list[str]:
    """Name the kind of each layer: full, window, chunk, linear, cross, indexed, none, or ratio:N (DeepSeek-V4)."""
    if family.row["attention"] == "compressed":
        ratios = config.integers("compress_ratios", layers) or [4] * layers
        return [f"ratio:{ratio}" for ratio in ratios]
    blocks = single_blocks(config, family, layers)
    if blocks:
        return [{"attention": "full", "mamba": "linear"}.get(block, "none") for block in blocks]
    if _index_field(config):
        return _indexed(config, layers)
    for field in ("layer_types", "layers_block_type"):
        types = config.sequence(field, layers)
        if types and not all(isinstance(kind, int) for kind in types):
            return [config.choice(field, kind, _TYPES) for kind in types]
    if family.row["mixer"]:
        return _hybrid(config, str(family.row["mixer"]), layers)
    crossed = set(config.integers(family.row["cross"])) if family.row["cross"] else set()
    windows = _windows(config, family, layers)
    return ["cross" if layer in crossed else windows[layer] for layer in range(layers)]


_TYPES = {
    "full_attention": "full",
    "attention": "full",
    "global": "full",
    "sliding_attention": "window",
    "local": "window",
    "chunked_attention": "chunk",
    "linear_attention": "linear",
    "mamba": "linear",
    "mamba2": "linear",
}

_INDEXERS = {"full": "indexed", "shared": "full"}


def _index_field(config: Config) -> bool:
    return config.has("index_head_dim") or config.has("sparse_attention_config")


def _indexed(config: Config, layers: int) -> list[str]:
    """Say which layers have an indexer of their own; the others reuse its choice or attend to everything."""
    part = config.part("sparse_attention_config")
    if part is not None:  # MiniMax-M3
        flags = part.integers("sparse_attention_freq", layers) or [1] * layers
        return ["indexed" if flag else "full" for flag in flags]
    types = config.sequence("indexer_types", layers) or ["full"] * layers
    return [config.choice("indexer_types", kind, _INDEXERS) for kind in types]


def _windows(config: Config, family: Family, layers: int) -> list[str]:
    """Lay out sliding windows by the family's rule, or by an explicit list of indices."""
    for field in ("sliding_window_indices", "hybrid_layer_pattern"):
        flags = config.integers(field, layers)
        if flags:
            return ["window" if flag else "full" for flag in flags]
    rule = str(family.row["sliding"])
    if rule == "chunk" and config.has("attention_chunk_size"):
        interval = config.integer("no_rope_layer_interval", 4)
        return ["full" if (layer + 1) % interval == 0 else "chunk" for layer in range(layers)]
    if not config.has("sliding_window") or rule in ("never", "types", "chunk"):
        return ["full"] * layers
    if rule == "all":
        return ["window"] * layers
    if rule == "even":
        return ["full" if layer % 2 else "window" for layer in range(layers)]
    if rule == "switch":
        first = config.integer("max_window_layers", layers, minimum=0) if _switched(config) else layers
        return ["window" if layer >= first else "full" for layer in range(layers)]
    every = config.integer("sliding_window_pattern", int(rule.removeprefix("every:")))
    return ["full" if (layer + 1) % every == 0 else "window" for layer in range(layers)]


def _switched(config: Config) -> bool:
    return config.flag("use_sliding_window", False)


_LAYOUTS = {
    "delta": "full_attention_interval",
    "kimi": "linear_attn_config",
    "lightning": "attn_type_list",
    "mamba": "attn_layer_period",
    "mamba2": "layer_types",
}
"""The field in which hybrids with each recurrent block usually say which layers attend."""


def _hybrid(config: Config, mixing: str, layers: int) -> list[str]:
    """Lay out attention among recurrent layers; each family says it in its own way."""
    linear = config.part("linear_attn_config")
    if linear is not None:
        full = {layer - 1 for layer in linear.integers("full_attn_layers", minimum=1)}
    elif config.has("attn_type_list"):
        flags = config.integers("attn_type_list", layers)
        full = {layer for layer, flag in enumerate(flags) if flag == 1}
    elif config.has("attn_layer_indices"):
        full = set(config.integers("attn_layer_indices"))
    elif config.has("attn_layer_period"):
        period, offset = (
            config.integer("attn_layer_period"),
            config.integer("attn_layer_offset", 0, minimum=0),
        )
        full = {layer for layer in range(layers) if layer % period == offset}
    elif config.has("full_attention_interval"):
        interval = config.integer("full_attention_interval")
        full = {layer for layer in range(layers) if (layer + 1) % interval == 0}
    else:
        raise config.fault("missing", _LAYOUTS[mixing])
    return ["full" if layer in full else "linear" for layer in range(layers)]


def mixer(kind: str, config: Config, family: Family) -> Mixer | None:
    """Return the mixer of layers of *kind*.

    Raises:
        BadModelConfig: heads that do not divide, or missing sizes.
    """
    if kind == "none":
        return None
    if kind == "linear":
        return _recurrent(config, family)
    if kind.startswith("ratio:"):
        return _compressed(config, int(kind[6:]))
    if family.row["attention"] == "mla" and not _expanded(config):
        return _latent(config, family, indexed=kind == "indexed")
    return _attention(kind, config, family)


def _expanded(config: Config) -> bool:
    """Return whether a family of latent attention says that this model has plain heads (DeepSeek-VL2 tiny)."""
    nulled = "kv_lora_rank" in config.fields and config.fields["kv_lora_rank"] is None
    return nulled or not config.flag("use_mla", True)


def _attention(kind: str, config: Config, family: Family) -> Mixer:
    renamed = config.renamed(family.row["window_fields" if kind == "window" else "full_fields"])
    attention = _grouped(renamed, family, shared_values=kind != "window")
    if kind == "window":
        return replace(attention, cache="window", window=config.integer("sliding_window"))
    if kind == "chunk":
        return replace(attention, cache="chunk", window=config.integer("attention_chunk_size", 8192))
    if kind == "indexed":
        return replace(attention, index=_index(config))
    return CrossAttention(replace(attention, qk_norm="head")) if kind == "cross" else attention


def heads_of(config: Config, family: Family) -> tuple[int, int, int]:
    """Return (heads, KV heads, head size), checked against each other."""
    hidden = config.integer("hidden_size")
    heads = config.integer("num_attention_heads")
    one = 1 if family.row["multi_query"] or config.flag("multi_query", False) else heads
    kv_heads = config.integer("num_key_value_heads", one)
    if family.name == "falcon" and not config.flag("new_decoder_architecture", False):
        kv_heads = one
    if heads % kv_heads:
        raise config.fault("kv_heads", "num_key_value_heads", value=kv_heads, heads=heads)
    if not config.has("head_dim") and hidden % heads:
        raise config.fault("heads_divide", "num_attention_heads", value=heads, hidden=hidden)
    return heads, kv_heads, config.integer("head_dim", hidden // heads)


def _grouped(config: Config, family: Family, *, shared_values: bool) -> GroupedQueryAttention:
    heads, kv_heads, head_dim = heads_of(config, family)
    qkv_bias = bool(family.choice("qkv_bias", config))
    output_bias = family.choice("output_bias", config)
    if family.name == "llama" and qkv_bias:
        output_bias = True  # one switch for all four projections
    flag = family.row["shared_values"]
    return GroupedQueryAttention(
        hidden=config.integer("hidden_size"),
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        value_dim=config.integer("v_head_dim", 0, minimum=0) or head_dim,
        qkv_bias=qkv_bias,
        output_bias=bool(output_bias),
        qk_norm=family.choice("qk_norm", config),
        sinks=bool(family.choice("sinks", config)),
        gate=family.choice("gate", config),
        values_are_keys=shared_values and bool(flag) and config.flag(str(flag), False),
    )


def _variable(config: Config, block: Any) -> Mixer | None:
    """Read one entry of `block_configs` (DeciLM, Nemotron NAS): heads per group, or no attention at all."""
    part = block_part(config, block, "attention")
    if part.flag("no_op", False) or part.flag("replace_with_linear", False):
        return None
    heads = config.integer("num_attention_heads")
    group = part.integer("n_heads_in_group")
    if heads % group:
        raise part.fault("kv_heads", "n_heads_in_group", value=group, heads=heads)
    hidden = config.integer("hidden_size")
    head_dim = config.integer("head_dim", max(1, hidden // heads))
    return GroupedQueryAttention(hidden, heads, heads // group, head_dim, head_dim)


def _index(config: Config) -> SparseIndex | None:
    part = config.part("sparse_attention_config")
    if part is not None:
        return SparseIndex(
            part.integer("sparse_num_index_heads"),
            part.integer("sparse_index_dim"),
            part.integer("sparse_topk_blocks") * part.integer("sparse_block_size"),
            blocks=True,
        )
    return SparseIndex(
        config.integer("index_n_heads"), config.integer("index_head_dim"), config.integer("index_topk", 2048)
    )


def _latent(config: Config, family: Family, *, indexed: bool) -> LatentAttention:
    return LatentAttention(
        hidden=config.integer("hidden_size"),
        heads=config.integer("num_attention_heads"),
        query_rank=config.integer("q_lora_rank", 0, minimum=0),
        latent_rank=config.integer("kv_lora_rank"),
        nope_dim=config.integer("qk_nope_head_dim"),
        rope_dim=config.integer("qk_rope_head_dim"),
        value_dim=config.integer("v_head_dim"),
        bias=config.flag("attention_bias", False),
        index=_index(config) if indexed else None,
        gated=family.choice("gate", config) == "full",
    )


def _compressed(config: Config, ratio: int) -> CompressedAttention:
    return CompressedAttention(
        hidden=config.integer("hidden_size"),
        heads=config.integer("num_attention_heads"),
        head_dim=config.integer("head_dim"),
        query_rank=config.integer("q_lora_rank"),
        output_rank=config.integer("o_lora_rank"),
        output_groups=config.integer("o_groups"),
        window=config.integer("sliding_window", 128),
        ratio=ratio,
        index=_index(config) if _index_field(config) else None,
    )


def _recurrent(config: Config, family: Family) -> Mixer:
    hidden = config.integer("hidden_size")
    mixer = family.row["mixer"]
    if mixer is None:
        raise config.fault("no_recurrence", "layer_types", family=family.name)
    if mixer == "delta":
        return GatedDeltaNet(
            hidden,
            config.integer("linear_num_key_heads"),
            config.integer("linear_num_value_heads"),
            config.integer("linear_key_head_dim"),
            config.integer("linear_value_head_dim"),
            config.integer("linear_conv_kernel_dim", 4),
        )
    if mixer == "kimi":
        linear = config.part("linear_attn_config")
        if linear is None:
            raise config.fault("missing", "linear_attn_config")
        return KimiDeltaAttention(
            hidden,
            linear.integer("num_heads"),
            linear.integer("head_dim"),
            linear.integer("short_conv_kernel_size", 4),
            linear.flag("use_full_rank_gate", False),
        )
    if mixer == "lightning":
        return LightningAttention(
            hidden, config.integer("num_attention_heads"), config.integer("head_dim", 128)
        )
    if mixer == "mamba":
        inner = config.integer("mamba_expand", 2) * hidden
        rank = config.integer("mamba_dt_rank", -(-hidden // 16))
        return Mamba(
            hidden, inner, config.integer("mamba_d_state", 16), config.integer("mamba_d_conv", 4), rank, True
        )
    return _mamba2(config, hidden)


def _mamba2(config: Config, hidden: int) -> Mamba2:
    """Read Mamba-2 under the names of Granite and Bamba (mamba_*) or of Nemotron-H."""
    if config.has("mamba_num_heads"):
        return Mamba2(
            hidden,
            config.integer("mamba_num_heads"),
            config.integer("mamba_head_dim"),
            config.integer("ssm_state_size"),
            config.integer("n_groups", 8),
            config.integer("conv_kernel", 4),
        )
    heads = config.integer("mamba_n_heads")
    head_dim = config.raw("mamba_d_head")
    size = (
        config.integer("mamba_expand", 2) * hidden // heads
        if head_dim == "auto"
        else config.integer("mamba_d_head")
    )
    return Mamba2(
        hidden,
        heads,
        size,
        config.integer("mamba_d_state"),
        config.integer("mamba_n_groups", 1),
        config.integer("mamba_d_conv", 4),
    )
