"""What one forward pass asks of a GPU: FLOPs, bytes and messages, as coefficients of tokens and context.

A profile belongs to a model in a weight format on a layout, not to a device. Each field is a number, or an array
over many deployments (see arrays.py); fields by number format have `len(FORMATS)` rows in front.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from core.architecture import CacheLayout, Model, TensorGroup
from core.architecture.formats import Encoding, WeightFormat, stored_groups
from core.memory.deployment import KvFormat
from core.memory.layout import AS_THEY_ARE, Layout, rank_tensor

FORMATS = ("wide", "fp8", "nvfp4", "mxfp4", "int8", "unpacked")
"""What matrices are multiplied as: 16 bit, the formats that some devices multiply in, and weight-only formats
(AWQ, GPTQ, GGUF, NF4), which kernels unpack to 16 bit while they multiply."""

ACTIVATION_BYTES = 2.0
"""Bytes of an activation element between kernels: 16 bit."""


@dataclass(frozen=True)
class StepProfile:
    """Coefficients of one forward pass on one rank, all layers counted (pipeline stages one after the other).

    layers, moe_layers      decoder layers, and those of them with experts
    dense_flops, _bytes     FLOP per token and bytes of the matrices that every token passes, by format
    expert_flops, _bytes    FLOP per token of the expert group, and bytes if every expert is chosen, by format
    chosen                  share of the experts that one token passes, k / E
    head_flops, head_bytes  of the output matrix
    activation_bytes        bytes per token that matrices read and write beside their weights
    kv_full, kv_window      cache bytes per token of context, of unlimited and of windowed layers
    kv_sparse, sparse       the same of layers that read `sparse` chosen tokens
    window, state_bytes     tokens of a window; bytes of recurrent states of one sequence
    decode_*, prefill_*     attention FLOP per pair of tokens, of full, windowed and sparse layers and the index
    hidden                  width of the messages
    tp, expert_ranks        ranks that share a layer, and ranks that share the experts
    attention_ranks         data-parallel attention ranks beside this one whose tokens meet at the experts
    pp                      pipeline stages
    experts_per_token       experts that one token passes, k
    latent_, index_, quantised_layers   layers with a latent cache, with a sparse index, with quantised activations
    """

    layers: Any
    moe_layers: Any
    dense_flops: Any
    dense_bytes: Any
    expert_flops: Any
    expert_bytes: Any
    chosen: Any
    head_flops: Any
    head_bytes: Any
    activation_bytes: Any
    kv_full: Any
    kv_window: Any
    kv_sparse: Any
    sparse: Any
    window: Any
    state_bytes: Any
    decode_full: Any
    decode_window: Any
    decode_sparse: Any
    decode_index: Any
    prefill_full: Any
    prefill_window: Any
    prefill_sparse: Any
    hidden: Any
    tp: Any
    expert_ranks: Any
    attention_ranks: Any
    pp: Any
    experts_per_token: Any
    latent_layers: Any
    index_layers: Any
    quantised_layers: Any


def number_format(weights: WeightFormat, encoding: Encoding | None) -> int:
    """Return which of FORMATS a matrix stored as *encoding* is multiplied in where the device can."""
    name = "unpacked"
    if encoding is None or encoding.bits >= 16:
        name = "wide"
    elif encoding.bits == 8 and not encoding.group:
        name = "int8" if weights.id == "int8" else "fp8"
    elif encoding.bits == 4 and encoding.group == 16:
        name = "nvfp4"
    elif encoding.bits == 4 and encoding.group == 32 and encoding.group_bytes == 1:
        name = "mxfp4"
    return FORMATS.index(name)


@lru_cache(maxsize=1024)
def profile_of(model: Model, weights: WeightFormat, kv: KvFormat, layout: Layout) -> StepProfile:
    """Return the coefficients of *model* in *weights* on one rank of *layout*, its cache in *kv*."""
    table: dict[str, Any] = {name: np.zeros(len(FORMATS)) for name in _BY_FORMAT}
    table |= {"activation_bytes": 0.0}
    moe_layers: set[int] = set()
    for group in model.text_groups:
        if group.role in ("embedding", "head") or not group.is_matrix:
            continue
        if group.shard == "expert":
            moe_layers |= set(group.layers)
        _add_matrix(table, group, model, weights, layout)
    head = next((g for g in stored_groups(model, weights) if g.role == "head"), None)
    head = head or next(g for g in model.groups if g.name == "embedding")
    rows, columns, _ = rank_tensor(head, layout, AS_THEY_ARE)
    return StepProfile(
        layers=float(model.layers),
        moe_layers=float(len(moe_layers)),
        chosen=model.experts_per_token / model.experts if model.is_moe else 0.0,
        experts_per_token=float(model.experts_per_token),
        head_flops=2.0 * rows * columns,
        head_bytes=weights.tensor_bytes(head, rows, columns, layers=model.layers, tied=model.tied),
        hidden=float(model.hidden),
        tp=float(layout.tp),
        expert_ranks=float(layout.expert_ranks if model.is_moe else 1),
        attention_ranks=float(layout.dp if layout.attention_dp else 1),
        pp=float(layout.pp),
        latent_layers=float(sum(len(c.layers) for c in model.caches if c.expanded_heads)),
        index_layers=float(sum(len(c.layers) for c in model.caches if c.name == "index")),
        quantised_layers=float(model.layers) if _is_quantised(table["dense_flops"]) else 0.0,
        **table,
        **_attention(model, kv, layout.tp),
    )


def cached_bytes(profile: StepProfile, tokens: Any) -> Any:
    """Return the bytes of cache that one rank keeps of a sequence of *tokens* tokens, all pipeline stages together."""
    return (
        (profile.kv_full + profile.kv_sparse) * tokens
        + profile.kv_window * np.minimum(tokens, profile.window)
        + profile.state_bytes
    )


def _is_quantised(dense_flops: Any) -> bool:
    """Return whether most dense products need quantised activations: fp8, fp4 or int8, not weight-only formats."""
    return bool(np.sum(dense_flops[1:-1]) > 0.5 * np.sum(dense_flops))


_BY_FORMAT = ("dense_flops", "dense_bytes", "expert_flops", "expert_bytes")


def _add_matrix(
    table: dict[str, Any], group: TensorGroup, model: Model, weights: WeightFormat, layout: Layout
) -> None:
    """Add the share of *group* that one rank multiplies with, in the format of each layer."""
    rows, columns, copies = rank_tensor(group, layout, AS_THEY_ARE)
    kind = "expert" if group.shard == "expert" else "dense"
    places: Sequence[int | None] = group.layers or (None,)
    flops = 0.0 if group.role == "state" else 2.0 * rows * columns * copies * group.active
    repeats = 1 if weights.varies_by_layer else len(places)
    for layer in places[:1] if repeats > 1 else places:
        at = number_format(weights, weights.encoding(group, layer))
        size = weights.tensor_bytes(group, rows, columns, layer=layer, layers=model.layers, tied=model.tied)
        table[f"{kind}_flops"][at] += repeats * flops
        table[f"{kind}_bytes"][at] += repeats * copies * size
    moved = ACTIVATION_BYTES * (rows + columns) * copies * group.active
    table["activation_bytes"] += moved * len(places)


def _attention(model: Model, kv: KvFormat, tp: int) -> dict[str, float]:
    """Return cache bytes and FLOP per token of context on one rank, by what limits the context.

    FLOP per pair of query and cached token: 2 heads (key + value size); a latent cache (MLA) is read whole for
    every head when decoding (absorbed, 2 heads (2 latent + rope)) and rebuilt to keys and values in prefill.
    """
    keys = (
        "kv_full kv_window kv_sparse sparse window state_bytes decode_full decode_window decode_sparse "
        "decode_index prefill_full prefill_window prefill_sparse"
    )
    found = dict.fromkeys(keys.split(), 0.0)
    index = next((layout for layout in model.caches if layout.name == "index"), None)
    heads = model.heads / tp
    for layout in model.caches:
        layers = len(layout.layers)
        entry = kv.entry_bytes(layout) * layout.divided(tp) * layers / layout.ratio
        if layout.kind == "state":
            found["state_bytes"] += entry
        elif layout.name == "index":
            scores = _index_heads(model, layout)
            found["kv_full"] += entry
            found["decode_index"] += 2.0 * scores * layout.keys * layers / layout.ratio
        else:
            limit = _limit(layout, index)
            decode, prefill = _pair_flops(layout, heads)
            found[f"kv_{limit}"] += entry
            found[f"decode_{limit}"] += decode * layers / layout.ratio
            found[f"prefill_{limit}"] += prefill * layers / layout.ratio
            found["window"] = max(found["window"], float(layout.window))
    if index:
        found["sparse"] = float(index.chosen)
    return found


def _limit(layout: CacheLayout, index: CacheLayout | None) -> str:
    if layout.kind in ("window", "chunk"):
        return "window"
    chosen_from = index is not None and set(layout.layers) <= set(index.layers)
    return "sparse" if chosen_from and index and index.chosen else "full"


def _pair_flops(layout: CacheLayout, heads: float) -> tuple[float, float]:
    if layout.expanded_heads:
        rebuilt = 2.0 * heads * sum(layout.expanded) / layout.expanded_heads
        return 2.0 * heads * (layout.keys + layout.latent), rebuilt
    values = layout.values or layout.keys
    both = 2.0 * heads * (layout.keys + values) / layout.heads
    return both, both


def _index_heads(model: Model, layout: CacheLayout) -> float:
    rows = max((group.shape[0] for group in model.groups if group.name == "indexer.q_b"), default=layout.keys)
    return rows / layout.keys
