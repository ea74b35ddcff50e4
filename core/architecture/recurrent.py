"""Blocks that replace attention by a recurrent state of fixed size: linear attention and state-space models."""

from __future__ import annotations

from dataclasses import dataclass

from core.architecture.caches import CacheLayout
from core.architecture.tensors import TensorGroup, matrix, vector


def _state(
    heads: int, recurrent: int, convolution: int, bytes_per_element: float | None = None
) -> CacheLayout:
    return CacheLayout(
        "state",
        "state",
        (),
        recurrent,
        convolution,
        heads=heads,
        split="heads",
        bytes_per_element=bytes_per_element,
    )


@dataclass(frozen=True)
class GatedDeltaNet:
    """Gated delta rule attention of Qwen3-Next and Qwen3.5.

    Source: transformers models/qwen3_next (fused projections of queries, keys, values and gate z).
    """

    hidden: int
    key_heads: int
    value_heads: int
    key_dim: int
    value_dim: int
    kernel: int

    def tensors(self) -> list[TensorGroup]:
        """Return the projections, the short convolution and the decay parameters of one layer."""
        keys, values = self.key_heads * self.key_dim, self.value_heads * self.value_dim
        return [
            matrix("linear.qkvz", 2 * keys + 2 * values, self.hidden, "attention", "column"),
            matrix("linear.ba", 2 * self.value_heads, self.hidden, "state", "column"),
            matrix("linear.convolution", 2 * keys + values, self.kernel, "state", "column"),
            vector("linear.decay", 2 * self.value_heads, "state", "column"),
            vector("linear.norm", self.value_dim),
            matrix("linear.out", self.hidden, values, "attention", "row"),
        ]

    def caches(self) -> list[CacheLayout]:
        """Return one matrix of key_dim x value_dim a value head, and the convolution's last inputs."""
        channels = 2 * self.key_heads * self.key_dim + self.value_heads * self.value_dim
        return [
            _state(
                self.value_heads,
                self.value_heads * self.key_dim * self.value_dim,
                channels * (self.kernel - 1),
            )
        ]


@dataclass(frozen=True)
class KimiDeltaAttention:
    """Kimi Delta Attention: a delta rule with a decay for each channel (Kimi-Linear)."""

    hidden: int
    heads: int
    head_dim: int
    kernel: int
    wide_gate: bool = False
    """Whether the output gate is one full matrix (Kimi K3) instead of two of low rank."""

    def tensors(self) -> list[TensorGroup]:
        """Return the projections, three convolutions and two low-rank gates of one layer."""
        width = self.heads * self.head_dim
        gate = [
            matrix("linear.gate_a", self.head_dim, self.hidden, "attention", "replicated"),
            matrix("linear.gate_b", width, self.head_dim, "attention", "column"),
        ]
        if self.wide_gate:
            gate = [matrix("linear.gate", width, self.hidden, "attention", "column")]
        return [
            *gate,
            matrix("linear.qkv", 3 * width, self.hidden, "attention", "column"),
            matrix("linear.convolution", 3 * width, self.kernel, "state", "column"),
            matrix("linear.decay_a", self.head_dim, self.hidden, "attention", "replicated"),
            matrix("linear.decay_b", width, self.head_dim, "attention", "column"),
            matrix("linear.beta", self.heads, self.hidden, "state", "column"),
            vector("linear.decay", self.heads + width, "state", "column"),
            vector("linear.norm", self.head_dim),
            matrix("linear.out", self.hidden, width, "attention", "row"),
        ]

    def caches(self) -> list[CacheLayout]:
        """Return one head_dim x head_dim matrix a head, and the convolutions' last inputs."""
        width = self.heads * self.head_dim
        return [_state(self.heads, width * self.head_dim, 3 * width * (self.kernel - 1))]


@dataclass(frozen=True)
class LightningAttention:
    """Linear attention of MiniMax-Text-01 and M1: a state of head_dim x head_dim a head, kept in fp32."""

    hidden: int
    heads: int
    head_dim: int

    def tensors(self) -> list[TensorGroup]:
        """Return the fused qkv, the output gate and the output projection of one layer."""
        width = self.heads * self.head_dim
        return [
            matrix("linear.qkv", 3 * width, self.hidden, "attention", "column"),
            matrix("linear.gate", width, self.hidden, "attention", "column"),
            vector("linear.norm", width, "norm", "column"),
            matrix("linear.out", self.hidden, width, "attention", "row"),
        ]

    def caches(self) -> list[CacheLayout]:
        """Return the fp32 state of one layer."""
        return [_state(self.heads, self.heads * self.head_dim**2, 0, 4.0)]


@dataclass(frozen=True)
class Mamba:
    """The first Mamba: a selective state-space layer with one state vector a channel (Jamba)."""

    hidden: int
    inner: int
    state: int
    kernel: int
    step_rank: int
    inner_norms: bool = False

    def tensors(self) -> list[TensorGroup]:
        """Return the projections, convolution and state parameters of one layer."""
        groups = [
            matrix("mamba.in", 2 * self.inner, self.hidden, "attention", "column"),
            matrix("mamba.convolution", self.inner, self.kernel + 1, "state", "column"),
            matrix("mamba.x", self.step_rank + 2 * self.state, self.inner, "attention", "row"),
            matrix("mamba.step", self.inner, self.step_rank, "attention", "column"),
            matrix("mamba.a", self.inner, self.state, "state", "column"),
            vector("mamba.d", 2 * self.inner, "state", "column"),
            matrix("mamba.out", self.hidden, self.inner, "attention", "row"),
        ]
        if self.inner_norms:
            groups.append(vector("mamba.inner_norms", self.step_rank + 2 * self.state))
        return groups

    def caches(self) -> list[CacheLayout]:
        """Return inner x state elements, and the convolution's last inputs."""
        return [_state(self.inner, self.inner * self.state, self.inner * (self.kernel - 1))]


@dataclass(frozen=True)
class Mamba2:
    """Mamba-2: heads share one decay; keys and queries are shared by groups of heads."""

    hidden: int
    heads: int
    head_dim: int
    state: int
    groups: int
    kernel: int

    def tensors(self) -> list[TensorGroup]:
        """Return the fused input projection, convolution and output projection of one layer."""
        inner = self.heads * self.head_dim
        channels = inner + 2 * self.groups * self.state
        return [
            matrix("mamba.in", inner + channels + self.heads, self.hidden, "attention", "column"),
            matrix("mamba.convolution", channels, self.kernel + 1, "state", "column"),
            vector("mamba.decay", 3 * self.heads, "state", "column"),
            vector("mamba.norm", inner, "norm", "column"),
            matrix("mamba.out", self.hidden, inner, "attention", "row"),
        ]

    def caches(self) -> list[CacheLayout]:
        """Return heads x head_dim x state elements, and the convolution's last inputs."""
        inner = self.heads * self.head_dim
        channels = inner + 2 * self.groups * self.state
        return [_state(self.heads, inner * self.state, channels * (self.kernel - 1))]
