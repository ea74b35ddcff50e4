"""Time of the messages between GPUs: all-reduce of tensor parallelism, all-to-all of expert parallelism."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.speed.constants import Constants
from core.speed.device import DeviceRates
from core.speed.profile import ACTIVATION_BYTES, StepProfile

DISPATCH_BYTES = 3.0
"""Bytes of one element there and back: fp8 to the experts, 16 bit from them (DeepEP)."""


def _rate(device: DeviceRates, ranks: Any, efficiency: Any) -> Any:
    """Return bytes/s at which one of *ranks* sends; the network between nodes bounds groups that span several."""
    return np.where(ranks > device.node_gpus, device.node_link, device.link) * efficiency


def all_reduce(profile: StepProfile, device: DeviceRates, constants: Constants, tokens: Any) -> Any:
    """Return the seconds of two all-reduces a layer of *tokens* hidden states among the tensor-parallel ranks.

    Each is a latency and the bytes of a ring, 2 (n - 1) / n of the message.
    """
    ranks = profile.tp
    calls = 2.0 * profile.layers * (ranks > 1)
    message = 2.0 * (ranks - 1) / ranks * tokens * profile.hidden * ACTIVATION_BYTES
    latency = np.where(
        device.switched > 0,
        constants.reduce_latency + constants.reduce_rank * ranks,
        constants.reduce_latency_pcie,
    )
    return calls * (latency + message / _rate(device, ranks, constants.link_efficiency))


def all_to_all(
    profile: StepProfile, device: DeviceRates, constants: Constants, tokens: Any, *, relayed: Any = 0.0
) -> Any:
    """Return the seconds in which *tokens* of each attention rank go to their experts and come back.

    Only data-parallel attention needs it: under tensor parallelism every rank holds all tokens. A token goes to
    each rank once that holds one of its experts, ranks (1 - (1 - 1 / ranks)^k) of them. *relayed* (0 or 1): it
    crosses to each other node once and is handed on inside, as kernels for prefill do.
    """
    ranks = profile.expert_ranks
    spread = (profile.attention_ranks > 1) & (profile.moe_layers > 0)
    nodes = np.maximum(1.0, ranks / device.node_gpus)
    each = tokens / profile.tp * profile.hidden * DISPATCH_BYTES
    reached = _reached(ranks, profile.experts_per_token)
    inside = reached * each / device.link
    outside = np.where(relayed > 0, _reached(nodes, profile.experts_per_token), reached) * (nodes - 1) / nodes
    across = np.where(nodes > 1, outside * each / device.node_link, 0.0)
    seconds = 2.0 * constants.exchange_latency + np.maximum(inside, across) / constants.exchange_efficiency
    return np.where(spread, profile.moe_layers * seconds, 0.0)


def _reached(targets: Any, chosen: Any) -> Any:
    """Return how many of *targets* hold at least one of *chosen* experts: targets (1 - (1 - 1 / targets)^chosen)."""
    return targets * (1.0 - (1.0 - 1.0 / targets) ** chosen)
