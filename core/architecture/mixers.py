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
    layers = config.integer("num_hidden_layers", maximum=10_000)
    blocks = config.sequence("block_configs", layers)
    if blocks is not None:
        return [_variable(config, family, block) for block in blocks]
    kinds = _kinds(config, family, layers)
    cache: dict[str, Mixer | None] = {}
    for kind in kinds:
        if kind not in cache:
            cache[kind] = _mixer(kind, config, family)
    return [cache[kind] for kind in kinds]


def _kinds(config: Config, family: Family, layers: int) -> list[str]:
    """Name the kind of each layer: full, window, chunk, linear, cross, none, or ratio:N (DeepSeek-V4)."""
    if family.row["attention"] == "compressed":
        ratios = config.sequence("compress_ratios", layers) or [4] * layers
        return [f"ratio:{ratio}" for ratio in ratios]
    types = config.sequence("layer_types", layers) or config.sequence("layers_block_type", layers)
    if types and family.name != "minimax_m1":
        return [_TYPES.get(str(kind), "full") for kind in types]
    if family.row["mixer"]:
        return _hybrid(config, family, layers)
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
    "conv": "linear",
}


def _windows(config: Config, family: Family, layers: int) -> list[str]:
    """Lay out sliding windows by the family's rule, or by an explicit list of indices."""
    indices = config.sequence("sliding_window_indices", layers)
    if indices is not None:
        return ["window" if index else "full" for index in indices]
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


def _hybrid(config: Config, family: Family, layers: int) -> list[str]:
    """Lay out attention among recurrent layers; each family says it in its own way."""
    pattern = config.word("hybrid_override_pattern")
    if pattern:
        if len(pattern) < layers:
            raise config.fault("short_list", "hybrid_override_pattern", found=len(pattern), expected=layers)
        return [{"*": "full", "M": "linear"}.get(mark, "none") for mark in pattern[:layers]]
    linear = config.part("linear_attn_config")
    if linear:
        full = {layer - 1 for layer in linear.integers("full_attn_layers")}
        return ["full" if layer in full else "linear" for layer in range(layers)]
    flags = config.sequence("attn_type_list", layers) or config.sequence("layer_types", layers)
    if flags:
        return ["full" if flag in (1, "full_attention") else "linear" for flag in flags]
    if config.has("attn_layer_indices"):
        full = set(config.integers("attn_layer_indices"))
        return ["full" if layer in full else "linear" for layer in range(layers)]
    if config.has("attn_layer_period"):
        period, offset = (
            config.integer("attn_layer_period"),
            config.integer("attn_layer_offset", 0, minimum=0),
        )
        return ["full" if layer % period == offset else "linear" for layer in range(layers)]
    interval = config.integer("full_attention_interval", 1)
    return ["full" if (layer + 1) % interval == 0 else "linear" for layer in range(layers)]


def _mixer(kind: str, config: Config, family: Family) -> Mixer | None:
    if kind == "none":
        return None
    if kind == "linear":
        return _recurrent(config, family)
    if kind.startswith("ratio:"):
        return _compressed(config, int(kind[6:]))
    if family.row["attention"] == "mla":
        return _latent(config)
    attention = _grouped(config, family)
    if kind == "window":
        return replace(attention, cache="window", window=config.integer("sliding_window"))
    if kind == "chunk":
        return replace(attention, cache="chunk", window=config.integer("attention_chunk_size", 8192))
    return CrossAttention(attention) if kind == "cross" else attention


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


def _grouped(config: Config, family: Family) -> GroupedQueryAttention:
    heads, kv_heads, head_dim = heads_of(config, family)
    qkv_bias = bool(family.choice("qkv_bias", config))
    output_bias = family.choice("output_bias", config)
    if family.name == "llama" and qkv_bias:
        output_bias = True  # one switch for all four projections
    return GroupedQueryAttention(
        hidden=config.integer("hidden_size"),
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        value_dim=config.integer("v_head_dim", head_dim),
        qkv_bias=qkv_bias,
        output_bias=bool(output_bias),
        qk_norm=family.choice("qk_norm", config),
        sinks=bool(family.row["sinks"]),
        gated=bool(family.row["gate"]),
    )


def _variable(config: Config, family: Family, block: Any) -> Mixer | None:
    """Read one entry of `block_configs` (DeciLM, Nemotron NAS): heads per group, or no attention at all."""
    part = Config(block if isinstance(block, dict) else {}, prefix="block_configs[].").part("attention")
    if part is None:
        raise config.fault("not_object", "block_configs", value="attention")
    if part.flag("no_op", False) or part.flag("replace_with_linear", False):
        return None
    heads = config.integer("num_attention_heads")
    group = part.integer("n_heads_in_group")
    if heads % group:
        raise config.fault("kv_heads", "block_configs", value=group, heads=heads)
    hidden = config.integer("hidden_size")
    head_dim = config.integer("head_dim", hidden // heads)
    return GroupedQueryAttention(hidden, heads, heads // group, head_dim, head_dim)


def _index(config: Config) -> SparseIndex | None:
    if not config.has("index_head_dim"):
        return None
    return SparseIndex(
        config.integer("index_n_heads"), config.integer("index_head_dim"), config.integer("index_topk", 2048)
    )


def _latent(config: Config) -> LatentAttention:
    return LatentAttention(
        hidden=config.integer("hidden_size"),
        heads=config.integer("num_attention_heads"),
        query_rank=config.integer("q_lora_rank", 0, minimum=0),
        latent_rank=config.integer("kv_lora_rank"),
        nope_dim=config.integer("qk_nope_head_dim"),
        rope_dim=config.integer("qk_rope_head_dim"),
        value_dim=config.integer("v_head_dim"),
        bias=config.flag("attention_bias", False),
        index=_index(config),
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
        index=_index(config),
    )


def _recurrent(config: Config, family: Family) -> Mixer:
    hidden = config.integer("hidden_size")
    mixer = family.row["mixer"]
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
