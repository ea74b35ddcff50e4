"""Prefill and decode on pools of their own: rates, the cache that moves between them, and how many of each.

A prompt is processed by a replica of the prefill pool, its cache is sent to a replica of the decode pool, and no
prompt disturbs the decoding there. Requests flow at the rate of the slower pool.

    rate of a prefill replica = 0.9  * prompts / time of a pass full of prompts
    rate of a decode replica  = 0.92 * batch / (output / tokens_per_step * step(batch))

The factors are what pools lose because requests come unevenly. Source: ai-dynamo/aiconfigurator@095f58a, which
matches rates with the same two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.speed.arrays import stacked
from core.speed.constants import Constants
from core.speed.device import DeviceRates
from core.speed.profile import StepProfile, cached_bytes
from core.speed.roofline import StepTime
from core.speed.serving import Load, prompts_of, rank_batch, step_of

PREFILL_SHARE, DECODE_SHARE = 0.9, 0.92
"""Share of its own rate that a pool reaches; see above."""

MOST_REPLICAS = 32
"""Replicas of a pool that are tried where their number is left open."""

AS_GOOD = 0.98
"""Pairs of pools within this share of the best throughput per GPU count as equal: the smallest of them is taken."""

HALVINGS = 40
"""Steps of the search for a batch: it is found within 2^-40 of its range."""


@dataclass(frozen=True)
class Pool:
    """One replica of a pool: what a pass costs there, the load, and its GPUs.

    `most` is the largest number of requests that it runs at once, by memory and by the engine's limit.
    """

    profile: StepProfile
    device: DeviceRates
    constants: Constants
    load: Load
    gpus: float
    most: float

    @property
    def ranks(self) -> Any:
        """Attention ranks that serve requests of their own."""
        return self.profile.attention_ranks * self.load.replicas


@dataclass(frozen=True)
class Flow:
    """What pools give together; numbers, or arrays over pairs of replica counts.

    rate                requests/s of the whole deployment
    batch               requests that one decode replica runs at once
    per_token, prompt, transfer   seconds: of an output token, of one prompt, of sending its cache
    prefill_used, decode_used     shares of the rates that the pools could give within memory and target
    """

    rate: Any
    batch: Any
    per_token: Any
    prompt: Any
    transfer: Any
    prefill_used: Any
    decode_used: Any


def prefill_rate(pool: Pool) -> Any:
    """Return the requests/s of one prefill *pool* replica: its passes are full, since prompts wait for them."""
    new = np.maximum(pool.load.input * (1.0 - pool.load.cached), 1.0)
    prompts = np.maximum(1.0, pool.load.chunk / new)
    seconds = prompts_of(pool.profile, pool.device, pool.constants, pool.load, prompts).total
    return PREFILL_SHARE * pool.ranks * prompts / seconds


def decode_step_at(pool: Pool, batch: Any) -> StepTime:
    """Return a decode step of one *pool* replica that runs *batch* requests."""
    load = replace(pool.load, concurrency=batch)
    return step_of(pool.profile, pool.device, pool.constants, load, rank_batch(pool.profile, load))


def decode_rate(pool: Pool, batch: Any) -> Any:
    """Return the requests/s of one decode *pool* replica that runs *batch* of them."""
    seconds = decode_step_at(pool, batch).total * pool.load.output / pool.load.tokens_per_step
    return DECODE_SHARE * batch / seconds


def transfer_seconds(prefill: Pool, decode: Pool, whole: StepProfile) -> Any:
    """Return the seconds in which the cache of one prompt moves from *prefill* to *decode*.

    The ranks that hold a prompt send equal shares of it, each over its own link, and every decode rank receives
    what it will keep: max(cache / senders, cache of a decode rank) / (link * efficiency). *whole* is the profile of
    the model on a single GPU, whose cache is not divided. Replicas that fit one link domain together use its links,
    others the network. Nothing of it is hidden behind the prefill.
    Source: ranks write into each other's memory as vLLM's NIXL connector and Mooncake do; the measured 190 GB/s of
    eight 400 Gb/s cards (Mooncake transfer engine) are 0.48 of their peak, as the fitted `exchange_efficiency`.
    """
    tokens = prefill.load.input
    sent = cached_bytes(whole, tokens) / (prefill.profile.tp * prefill.profile.pp)
    kept = cached_bytes(decode.profile, tokens) / decode.profile.pp
    near = prefill.gpus + decode.gpus <= np.minimum(prefill.device.node_gpus, decode.device.node_gpus)
    link = np.where(
        near,
        np.minimum(prefill.device.link, decode.device.link),
        np.minimum(prefill.device.node_link, decode.device.node_link),
    )
    return np.maximum(sent, kept) / (link * prefill.constants.exchange_efficiency)


def largest(allowed: Callable[[Any], Any], most: Any) -> Any:
    """Return the largest number up to *most* that is *allowed*, where all smaller ones are too; nearly 0 if none."""
    low, high = np.zeros_like(np.asarray(most, float)), np.asarray(most, float)
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        fits = allowed(middle)
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    return np.where(allowed(np.asarray(most, float)), most, low)


def flow(
    prefill: Pool, decode: Pool, replicas: tuple[Any, Any], *, transfer: Any, requests: Any, per_token: Any
) -> Flow:
    """Return what *replicas* of the *prefill* and of the *decode* pool give together.

    The batch of a decode replica is the largest that its memory holds, whose tokens take at most *per_token*
    seconds, that the prefill pool can feed, and with which no more than *requests* are under way (Little's law:
    those that decode, and rate * (prompt + transfer) before that).
    """
    from_prefill = replicas[0] * prefill_rate(prefill)
    prompt = prompts_of(prefill.profile, prefill.device, prefill.constants, prefill.load, 1.0).total
    wide = Pool(
        stacked([decode.profile]), stacked([decode.device]), stacked([decode.constants]), _wide(decode.load),
        decode.gpus, decode.most,
    )  # fmt: skip
    most = np.full(np.broadcast(*(np.atleast_1d(count) for count in replicas)).shape, decode.most)

    def in_time(batch: Any) -> Any:
        step = decode_step_at(wide, batch).total / wide.load.tokens_per_step
        return step <= per_token * (1.0 + 1e-9)

    able = largest(in_time, most)

    def fed(batch: Any) -> Any:
        rate = replicas[1] * decode_rate(wide, batch)
        under_way = replicas[1] * batch + rate * (prompt + transfer)
        return (rate <= from_prefill) & (under_way <= requests)

    batch = largest(fed, able)
    rate = replicas[1] * decode_rate(wide, batch)
    return Flow(
        rate=rate,
        batch=batch,
        per_token=decode_step_at(wide, batch).total / wide.load.tokens_per_step,
        prompt=prompt,
        transfer=np.asarray(transfer),
        prefill_used=rate / from_prefill,
        decode_used=decode_rate(wide, batch) / decode_rate(wide, able),
    )


def _wide(load: Load) -> Load:
    """Return *load* with a drafting profile that broadcasts against arrays of batches."""
    return load if load.drafting is None else replace(load, drafting=stacked([load.drafting]))


def matched(
    prefill: Pool,
    decode: Pool,
    given: tuple[int | None, int | None],
    gpus: int | None,
    run: Callable[[tuple[Any, Any]], Flow],
) -> tuple[int, int] | None:
    """Return the replicas of both pools with the most requests/s per GPU, the fewest where several are as good.

    *given* numbers stay as they are; at most *gpus* GPUs in all, where that is not None. *run* gives the flow of
    arrays of replicas. None: no pair has so few GPUs.
    """
    choices = [np.array([count]) if count else np.arange(1, MOST_REPLICAS + 1) for count in given]
    of_prefill, of_decode = (grid.ravel() for grid in np.meshgrid(*choices))
    total = of_prefill * prefill.gpus + of_decode * decode.gpus
    room = total <= gpus if gpus else np.ones_like(total, bool)
    if not room.any():
        return None
    of_prefill, of_decode, total = of_prefill[room], of_decode[room], total[room]
    each = run((of_prefill.astype(float), of_decode.astype(float))).rate / total
    good = np.flatnonzero(each >= AS_GOOD * each.max())
    best = good[np.lexsort((-each[good], total[good]))[0]]
    return int(of_prefill[best]), int(of_decode[best])
