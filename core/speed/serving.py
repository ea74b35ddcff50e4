"""Serving under load: latency and throughput of a deployment from the time of its passes.

Every function takes numbers or arrays over deployments and broadcasts: arrays.py makes one record of many
profiles, devices or constants, and one call then evaluates all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.speed.constants import Constants
from core.speed.device import DeviceRates
from core.speed.profile import StepProfile
from core.speed.roofline import StepTime, decode_step, prefill
from core.speed.speculation import tokens_per_step

USUAL_CHUNK = 8192.0
"""Most prompt tokens in a pass where nobody states them: the default of recent engines on large GPUs."""


@dataclass(frozen=True)
class Load:
    """Requests of `input` + `output` tokens on average, `concurrency` of them running on the whole deployment.

    `replicas` are independent copies that share them. `chunk` is the largest number of prompt tokens in a pass.
    `overlap` (0 or 1): messages run beside the compute of the other half of the batch. `cached` (0 to 1) is the
    share of each prompt that is in the cache already.

    A step proposes `drafts` tokens for each sequence and verifies them in one pass; each is accepted with
    probability `acceptance` where all before it were. `drafting` is the profile of the pass that proposes one
    draft; None: they cost nothing.
    """

    input: Any
    output: Any
    concurrency: Any
    replicas: Any = 1.0
    chunk: Any = USUAL_CHUNK
    overlap: Any = 0.0
    cached: Any = 0.0
    drafts: Any = 0.0
    acceptance: Any = 0.0
    drafting: StepProfile | None = None

    @property
    def tokens_per_step(self) -> Any:
        """Tokens that a decode step gives each sequence on average: 1 without drafts, at most what is left."""
        return np.minimum(tokens_per_step(self.drafts, self.acceptance), np.maximum(self.output - 1.0, 1.0))


@dataclass(frozen=True)
class Speed:
    """Latency in seconds and throughput in tokens per second of the whole deployment.

    prefill      to process one prompt, unqueued
    per_token    mean time per output token while the load runs
    request      one request from first to last token, prefill included; of a static batch the whole batch
    throughput   output tokens per second
    step         one decode step; `whole` all passes that one request waits for, by what they are bound by
    """

    prefill: Any
    per_token: Any
    request: Any
    throughput: Any
    step: StepTime
    whole: StepTime


def rank_batch(profile: StepProfile, load: Load) -> Any:
    """Return the sequences of one rank: replicas and data-parallel attention ranks share the requests."""
    return np.maximum(1.0, load.concurrency / (profile.attention_ranks * load.replicas))


def step_of(
    profile: StepProfile, device: DeviceRates, constants: Constants, load: Load, batch: Any
) -> StepTime:
    """Return a decode step of *batch* sequences of one attention rank at the mean context.

    It gives each sequence `load.tokens_per_step` tokens, one where nothing is drafted: the passes that propose
    drafts and the pass that verifies them. Pipeline stages work on one part of the batch each.
    """
    micro = np.maximum(1.0, batch / profile.pp)
    context = load.input + load.output / 2.0
    step = decode_step(
        profile, device, constants, micro, context, overlap=load.overlap, queries=1.0 + load.drafts
    )
    if load.drafting is None:
        return step
    draft = decode_step(load.drafting, device, constants, micro, context, overlap=load.overlap, scheduled=0.0)
    return step.plus(draft.times(load.drafts))


def prompts_of(
    profile: StepProfile,
    device: DeviceRates,
    constants: Constants,
    load: Load,
    prompts: Any,
    *,
    shared: Any = 0.0,
) -> StepTime:
    """Return the time in which one attention rank processes *prompts* prompts of the mean length.

    What proposes drafts processes them too. *shared* as for `prefill`.
    """

    def one(of: StepProfile, scheduled: float) -> StepTime:
        return prefill(
            of,
            device,
            constants,
            load.input,
            chunk=load.chunk,
            prompts=prompts,
            overlap=load.overlap,
            cached=load.cached,
            scheduled=scheduled,
            shared=shared,
        )

    model = one(profile, 1.0)
    return model if load.drafting is None else model.plus(one(load.drafting, 0.0))


def riding_of(profile: StepProfile, device: DeviceRates, constants: Constants, load: Load) -> StepTime:
    """Return what one prompt of the mean length adds to passes that decode anyway (chunked prefill).

    Each of its kernels takes max(compute, (1 - shared_pass) * reading).
    """
    return prompts_of(profile, device, constants, load, 1.0, shared=constants.shared_pass)


def static_batch(profile: StepProfile, device: DeviceRates, constants: Constants, load: Load) -> Speed:
    """Return the speed of requests that start together: all prompts, then decode steps for the further tokens.

    No prefill disturbs the decoding. A single request is a batch of one.
    """
    batch = rank_batch(profile, load)
    step = step_of(profile, device, constants, load, batch)
    steps = (load.output - 1.0) / load.tokens_per_step
    whole = prompts_of(profile, device, constants, load, batch).plus(step.times(steps))
    return Speed(
        prefill=prompts_of(profile, device, constants, load, 1.0).total,
        per_token=step.total / load.tokens_per_step,
        request=whole.total,
        throughput=load.concurrency * load.output / whole.total,
        step=step,
        whole=whole,
    )


def closed_loop(profile: StepProfile, device: DeviceRates, constants: Constants, load: Load) -> Speed:
    """Return the speed with `concurrency` requests always running: one that ends makes room for the next.

    While a request decodes, the prompts of the others are processed once each, so that a token takes
    step / tokens_per_step + (batch - 1) / output * prompt. The chunks of a prompt ride in passes that decode
    anyway (`riding_of`).
    """
    batch = rank_batch(profile, load)
    step = step_of(profile, device, constants, load, batch)
    prompt = prompts_of(profile, device, constants, load, 1.0)
    riding = riding_of(profile, device, constants, load)
    # The stages of a pipeline are disturbed one at a time.
    others = riding.times((batch - 1.0) / profile.pp)
    whole = step.times(load.output / load.tokens_per_step).plus(others).plus(prompt)
    return Speed(
        prefill=prompt.total,
        per_token=step.total / load.tokens_per_step + others.total / load.output,
        request=whole.total,
        throughput=load.concurrency * load.output / whole.total,
        step=step,
        whole=whole,
    )
