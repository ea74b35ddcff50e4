"""Time of one forward pass: a roofline with efficiencies, plus what launching, waiting and sending costs.

    pass = sum over kernels of max(FLOP / (peak * share), bytes / (bandwidth * efficiency))
         + layers * launch + step + all-reduce + all-to-all

Every function takes numbers or arrays over deployments and broadcasts. `constants.yaml` has the constants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.speed.collectives import all_reduce, all_to_all
from core.speed.constants import Constants
from core.speed.device import DeviceRates
from core.speed.profile import StepProfile


@dataclass(frozen=True)
class StepTime:
    """Seconds of one pass, and how many of them each limit takes.

    `memory` and `compute` are the times of the kernels that the one or the other bounds. Where compute and
    messages overlap, `total` is less than the sum.
    """

    total: Any
    memory: Any
    compute: Any
    overhead: Any
    network: Any

    def times(self, factor: Any) -> StepTime:
        """Return *factor* such passes one after the other."""
        return StepTime(
            self.total * factor,
            self.memory * factor,
            self.compute * factor,
            self.overhead * factor,
            self.network * factor,
        )

    def plus(self, other: StepTime) -> StepTime:
        """Return this pass and then the *other*."""
        return StepTime(
            self.total + other.total,
            self.memory + other.memory,
            self.compute + other.compute,
            self.overhead + other.overhead,
            self.network + other.network,
        )


_Kernel = tuple[Any, Any]
"""Seconds of a kernel, in the first place where memory bounds it and in the second where compute does."""


def _kernel(flops: Any, rate: Any, moved: Any, bandwidth: Any) -> _Kernel:
    by_compute, by_memory = flops / rate, moved / bandwidth
    computes = by_compute > by_memory
    return np.where(computes, 0.0, by_memory), np.where(computes, by_compute, 0.0)


def chosen_experts(share: Any, tokens: Any) -> Any:
    """Return which part of the experts is read for *tokens* tokens that choose a *share* each: 1 - (1 - share)^tokens.

    >>> round(float(chosen_experts(8 / 256, 32)), 2)
    0.64
    """
    return 1.0 - (1.0 - share) ** tokens


def _matrices(
    profile: StepProfile,
    device: DeviceRates,
    constants: Constants,
    tokens: Any,
    logits: Any,
    *,
    shared: Any = 0.0,
) -> _Kernel:
    """Return the time of all matrix products for *tokens* tokens and *logits* output rows of one attention rank.

    A product computes whole tiles of rows, so few tokens cost as many FLOP as a tile of them. Others who need the
    weights in the same pass bear the share *shared* of reading them.
    """
    bandwidth = device.bandwidth * constants.efficiencies
    own = 1.0 - shared
    rates = constants.matrix_rates(device)
    met = tokens * profile.attention_ranks
    hit = chosen_experts(profile.chosen, met)
    # `hit` experts of `1 / chosen` a token, each with a tile of its own.
    rows = np.maximum(met, hit / np.maximum(profile.chosen, 1e-12) * constants.expert_tile)
    experts = _kernel(
        profile.expert_flops * rows,
        rates * constants.expert_share,
        profile.expert_bytes * hit * own,
        bandwidth,
    )
    padded = np.maximum(tokens, constants.tiles)
    dense = _kernel(profile.dense_flops * padded, rates, profile.dense_bytes * own, bandwidth)
    outputs = np.maximum(logits, constants.tiles[0])
    head = _kernel(profile.head_flops * outputs, rates[0], profile.head_bytes * own, bandwidth[0])
    activations = profile.activation_bytes * tokens / bandwidth[0]
    return (
        np.sum(experts[0] + dense[0], axis=0) + head[0] + activations,
        np.sum(experts[1] + dense[1], axis=0) + head[1],
    )


def _pass(
    constants: Constants, overlap: Any, overhead: Any, network: Any, kernels: tuple[_Kernel, _Kernel]
) -> StepTime:
    memory = constants.pace * (kernels[0][0] + kernels[1][0])
    compute = constants.pace * (kernels[0][1] + kernels[1][1])
    overhead, network = constants.pace * overhead, constants.pace * network
    work = memory + compute
    together = np.where(overlap > 0, np.maximum(work, network), work + network)
    return StepTime(together + overhead, memory, compute, overhead, network)


def layer_overhead(profile: StepProfile, constants: Constants) -> Any:
    """Return the seconds that the layers of a decode pass take beside their roofline."""
    return constants.launch * (
        constants.layer * profile.layers
        + constants.moe_layer * profile.moe_layers
        + constants.latent_layer * profile.latent_layers
        + constants.index_layer * profile.index_layers
        + constants.quantised_layer * profile.quantised_layers
    )


def decode_step(
    profile: StepProfile,
    device: DeviceRates,
    constants: Constants,
    batch: Any,
    context: Any,
    *,
    overlap: Any = 0.0,
    queries: Any = 1.0,
    scheduled: Any = 1.0,
) -> StepTime:
    """Return the time in which *batch* sequences of one attention rank, *context* tokens long, get a token each.

    *overlap* (0 or 1): messages run beside the compute of the other half of the batch. *queries* tokens of each
    sequence pass at once, as when drafts are verified: matrices meet all of them, the cache is read once.
    *scheduled* (0 or 1): the pass begins with the scheduler and ends with sampling; the passes that propose drafts
    do not.
    """
    tokens = batch * queries
    matrices = _matrices(profile, device, constants, tokens, tokens)
    window, sparse = np.minimum(context, profile.window), np.minimum(context, profile.sparse)
    moved = (
        profile.kv_full * context
        + profile.kv_window * window
        + profile.kv_sparse * sparse
        + 2.0 * profile.state_bytes  # read and written back
    )
    flops = (
        (profile.decode_full + profile.decode_index) * context
        + profile.decode_window * window
        + profile.decode_sparse * sparse
    )
    rate = constants.matrix_rates(device)[0] * constants.attention_share
    attention = _kernel(flops * tokens, rate, moved * batch, device.bandwidth * constants.memory)
    overhead = (
        scheduled * (constants.step + constants.sequence * batch)
        + layer_overhead(profile, constants)
        + constants.stage * (profile.pp - 1.0)
    )
    network = all_reduce(profile, device, constants, tokens) + all_to_all(profile, device, constants, tokens)
    return _pass(constants, overlap, overhead, network, (matrices, attention))


def prefill(
    profile: StepProfile,
    device: DeviceRates,
    constants: Constants,
    tokens: Any,
    *,
    chunk: Any,
    prompts: Any = 1.0,
    overlap: Any = 0.0,
    cached: Any = 0.0,
    scheduled: Any = 1.0,
    shared: Any = 0.0,
) -> StepTime:
    """Return the time in which one attention rank processes *prompts* prompts of *tokens* tokens each.

    A pass holds at most *chunk* tokens and reads the weights again; the last one counts by its share. Pipeline
    stages work on passes side by side once they are filled. A share *cached* (0 to 1) of each prompt is in the
    cache already: the other tokens, at least one, are processed and attend to all of it.
    *scheduled* (0 or 1) as for `decode_step`.

    Where the passes decode anyway, the sequences that decode bear a share *shared* (0 to 1) of what the passes cost
    for everyone: reading the weights, launching and scheduling. Computing is not shared.
    """
    new = np.maximum(tokens * (1.0 - cached), np.minimum(tokens, 1.0))
    found = tokens - new
    whole = new * prompts
    passes = np.maximum(1.0, whole / chunk)
    matrices = _matrices(profile, device, constants, whole / passes, prompts / passes, shared=shared)
    # A query meets what was cached and half of what is new on average, and at most the window or what the index chose.
    met = found + new / 2.0
    flops = (
        (profile.prefill_full + profile.decode_index) * met
        + profile.prefill_window * np.minimum(met, profile.window)
        + profile.prefill_sparse * np.minimum(met, profile.sparse)
    )
    # The cached part is read once. Where much is new, it is met so often that compute binds.
    moved = (
        profile.kv_full * found
        + profile.kv_window * np.minimum(found, profile.window)
        + profile.kv_sparse * np.minimum(found, profile.sparse * new)
    ) * (prompts / passes)
    rate = constants.matrix_rates(device)[0] * constants.prefill_attention_share
    attention = _kernel(flops * (whole / passes), rate, moved, device.bandwidth * constants.memory)
    overhead = (1.0 - shared) * (
        scheduled * constants.chunk
        + constants.launch * constants.prefill_layer * profile.layers
        + constants.stage * (profile.pp - 1.0)
    )
    network = all_reduce(profile, device, constants, whole / passes) + all_to_all(
        profile, device, constants, whole / passes, relayed=1.0
    )
    one = _pass(constants, overlap, overhead, network, (matrices, attention))
    return one.times((passes + profile.pp - 1.0) / profile.pp)
