"""Bytes of KV cache: per token, per request, and the pool that an engine carves out of it.

All amounts are per GPU. Functions of a length take numbers or NumPy arrays.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.architecture import CacheLayout
from core.memory.deployment import Deployment

SPARSE_ENTRY = 656 / 576
"""FlashMLA's fp8 entry for sparse attention: 512 fp8 values, 16 bytes of scales, 64 rope values in 16 bit.

Source: InferenceX experimental/dsv32 README (656 bytes an entry).
"""


@dataclass(frozen=True)
class CacheShare:
    """One kind of cache on one rank: `entry` bytes for each of `layers` layers."""

    layout: CacheLayout
    layers: int
    entry: float


def cache_shares(deployment: Deployment, stage: range | None = None) -> list[CacheShare]:
    """Return what one rank of pipeline *stage* (default: a rank with all layers) caches, kind by kind."""
    span = deployment.engine.span("latent_cache", _capability(deployment))
    sparse = any(layout.name == "index" for layout in deployment.model.caches)
    shares = []
    for layout in deployment.model.caches:
        layers = len(layout.layers) if stage is None else sum(1 for layer in layout.layers if layer in stage)
        if not layers:
            continue
        stored = _as_stored(layout, span)
        entry = deployment.kv.entry_bytes(stored) * stored.divided(deployment.layout.tp)
        if sparse and layout.expanded_heads and deployment.kv.keys == "fp8":
            entry *= SPARSE_ENTRY
        shares.append(CacheShare(stored, layers, entry))
    return shares


def _as_stored(layout: CacheLayout, span: dict[str, Any]) -> CacheLayout:
    """Return *layout* as the engine stores it: early engines expand a latent to full keys and values."""
    if not layout.expanded_heads:
        return layout
    if span.get("expanded"):
        keys, values = layout.expanded
        if span.get("pad_values"):
            values = keys  # the paged cache of V0 has one size for both
        return replace(layout, keys=keys, values=values, heads=layout.expanded_heads, split="kv-heads")
    if span.get("values_too"):
        return replace(layout, values=layout.latent)
    return layout


def _capability(deployment: Deployment) -> float | None:
    return deployment.device.capability if deployment.device else None


def bytes_per_token(deployment: Deployment, stage: range | None = None) -> float:
    """Return the bytes that one more token costs while every layer still grows (no window is full)."""
    total = 0.0
    for share in cache_shares(deployment, stage):
        if share.layout.kind != "state":
            total += share.entry * share.layers / share.layout.ratio
    return total


def request_bytes(deployment: Deployment, tokens: Any, stage: range | None = None) -> Any:
    """Return the cache of one request of *tokens* tokens, as an engine that frees windows would keep it.

    Full layers hold every token, windows the last ones (and the tokens of one forward pass), compressed
    layers one entry for `ratio` tokens, recurrent layers a state. Lengths are rounded up to cache blocks.
    """
    block = deployment.engine.block_tokens
    length = np.ceil(np.asarray(tokens, dtype=float) / block) * block
    total = np.zeros_like(length)
    for share in cache_shares(deployment, stage):
        layout = share.layout
        if layout.kind == "state":
            held: Any = np.where(length > 0, 1.0, 0.0)
        elif layout.kind == "window" and _windows_are_freed(deployment):
            held = np.minimum(length, _window_cells(deployment, layout))
        else:
            held = length / layout.ratio
        total = total + held * share.entry * share.layers
    return total


def _windows_are_freed(deployment: Deployment) -> bool:
    span = deployment.engine.span("hybrid")
    return bool(span.get("grouped") or span.get("windowed_cells") or span.get("swa_ratio"))


def _window_cells(deployment: Deployment, layout: CacheLayout) -> int:
    """Return the entries that a windowed layer keeps.

    vLLM keeps a block more than the window; llama.cpp a window for each sequence and room for one micro batch
    (checked: gemma-3-27b, 2560 cells).
    """
    if deployment.engine.span("hybrid").get("windowed_cells"):
        return layout.window * deployment.sequences + deployment.batched_tokens
    return layout.window + deployment.engine.block_tokens


@dataclass(frozen=True)
class Pool:
    """What an engine makes of the bytes left for the cache on one rank."""

    bytes: float
    tokens: int
    requests_at_context: float
    """How many requests of the full context it holds."""

    @property
    def bytes_per_token(self) -> float:
        """Pool divided by capacity, as the engine would report them."""
        return self.bytes / self.tokens if self.tokens > 0 else 0.0


@dataclass(frozen=True)
class _Groups:
    """vLLM's hybrid allocator: groups of layers of each kind, and blocks of `tokens` that serve any one group."""

    count: dict[str, int]
    tokens: int
    bytes: float
    window: int


def taken_bytes(
    deployment: Deployment, tokens: Any, stage: range | None = None, *, running: bool = False
) -> Any:
    """Return the bytes of a rank's pool that one request of *tokens* tokens takes, so that no other can have them.

    Where layers differ, engines divide the pool between their kinds, and a request takes more of it than it fills.
    One that is *running* holds windows without the tokens of a pass: its prompt has been read.
    """
    shares = cache_shares(deployment, stage)
    filled = request_bytes(deployment, tokens, stage)
    if any(share.layout.ratio > 1 for share in shares):
        return filled  # compressed layers have blocks of their own size, which fill
    groups = _groups_of(deployment, shares)
    if groups:
        chunk = 1 if running else deployment.batched_tokens
        blocks = sum(count * _blocks(groups, kind, tokens, chunk) for kind, count in groups.count.items())
        return groups.bytes * blocks
    ratio = _window_ratio(deployment, shares)
    if ratio:
        return _two_pools(shares, ratio) * _pool_length(shares, ratio, tokens)
    return filled


def pool_of(deployment: Deployment, size: float, stage: range | None = None) -> Pool:
    """Divide *size* bytes into cache blocks as the engine does, and count the tokens.

    A model whose layers are alike has ``size / bytes_per_token`` tokens in whole blocks. Layers that differ
    are grouped (vLLM's hybrid allocator): every group has as many layers as the rarest kind, a block serves
    one group, and the engine reports blocks / groups * tokens per block.

    Source: vLLM v1/core/kv_cache_utils.py; checked on gemma-2, gemma-3 and gpt-oss start-up logs.
    """
    shares = cache_shares(deployment, stage)
    if size <= 0 or not shares:
        return Pool(size, 0, 0.0)
    need = float(taken_bytes(deployment, deployment.context, stage))
    groups, ratio = _groups_of(deployment, shares), _window_ratio(deployment, shares)
    if groups:
        blocks = int(size // groups.bytes)
        held = blocks * groups.bytes / need
        if deployment.engine.span("hybrid").get("tokens_by_request"):
            return Pool(size, int(held * deployment.context), held)
        return Pool(size, blocks // sum(groups.count.values()) * groups.tokens, held)
    if ratio:
        per_token = _two_pools(shares, ratio)
        tokens = int(size // per_token)
        return Pool(size, tokens, tokens * per_token / need)
    states = sum(share.entry * share.layers for share in shares if share.layout.kind == "state")
    growing = [share for share in shares if share.layout.kind != "state"]
    per_token = sum(share.entry * share.layers / share.layout.ratio for share in growing)
    if per_token <= 0:
        return Pool(size, 0, size / states if states else 0.0)
    block = deployment.engine.block_tokens
    size_left = max(0.0, size - states * min(deployment.sequences, max(1, deployment.requests)))
    return Pool(size, int(size_left // (per_token * block)) * block, size / need if need else 0.0)


def _kind(share: CacheShare) -> str:
    """Return the kind of layer as a hybrid allocator tells them apart; chunked attention counts as full."""
    return "full" if share.layout.kind in ("full", "chunk", "compressed") else share.layout.kind


def _groups_of(deployment: Deployment, shares: list[CacheShare]) -> _Groups | None:
    """Return how vLLM groups the layers of *shares*; None where it does not, or all are alike."""
    layers: dict[str, int] = defaultdict(int)
    page: dict[str, float] = defaultdict(float)
    for share in shares:
        kind = _kind(share)
        layers[kind] = (
            max(layers[kind], share.layers) if share.layout.name == "index" else layers[kind] + share.layers
        )
        page[kind] += share.entry * share.layers
    if not deployment.engine.span("hybrid").get("grouped") or len(layers) < 2:
        return None
    page = {kind: page[kind] / layers[kind] for kind in page}
    block = deployment.engine.block_tokens
    # Blocks of all groups have one size: a state takes a whole block, so attention blocks grow to hold it.
    per_token = max(page[kind] for kind in layers if kind != "state")
    if "state" in page:
        block = max(block, int(np.ceil(page["state"] / per_token / block)) * block)
    fewest, most = min(layers.values()), max(layers.values())
    width = most if most < fewest * 1.25 else fewest
    return _Groups(
        {kind: -(-count // width) for kind, count in layers.items()},
        block,
        per_token * block * width,
        _window(shares),
    )


def _blocks(groups: _Groups, kind: str, tokens: Any, chunk: int) -> Any:
    """Return the blocks that one request of *tokens* tokens takes in one group of *kind*."""
    length = np.asarray(tokens, dtype=float)
    if kind == "state":
        return np.where(length > 0, 1.0, 0.0)
    if kind == "window":
        # The window before the new tokens, and the new tokens of one pass.
        held = np.ceil(np.minimum(length, groups.window - 1 + chunk) / groups.tokens)
        return np.where(length > 0, held + 1, 0.0)
    return np.ceil(length / groups.tokens)


def _window(shares: list[CacheShare]) -> int:
    return max((share.layout.window for share in shares if share.layout.kind == "window"), default=0)


def _window_ratio(deployment: Deployment, shares: list[CacheShare]) -> float:
    """Return how long SGLang's pool of windowed layers is for one of the full layers; 0: there is but one pool."""
    return float(deployment.engine.span("hybrid").get("swa_ratio", 0.0)) if _window(shares) else 0.0


def _two_pools(shares: list[CacheShare], ratio: float) -> float:
    """Return SGLang's bytes per token: windowed layers have a pool *ratio* times as long as that of full layers."""
    full = sum(share.entry * share.layers / share.layout.ratio for share in shares if _kind(share) == "full")
    window = sum(share.entry * share.layers for share in shares if _kind(share) == "window")
    return full + window * (ratio if full else 1.0)


def _pool_length(shares: list[CacheShare], ratio: float, tokens: Any) -> Any:
    """Return the tokens of both pools that a request takes: short ones fill that of windows first."""
    length = np.asarray(tokens, dtype=float)
    if not any(_kind(share) == "full" for share in shares):
        return length
    return np.maximum(length, np.minimum(length, _window(shares)) / ratio)
