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

USUAL_CHUNK = 8192.0
"""Most prompt tokens in a pass where nobody states them: the default of recent engines on large GPUs."""


@dataclass(frozen=True)
class Load:
    """Requests of `input` + `output` tokens on average, `concurrency` of them running on the whole deployment.

    `replicas` are independent copies that share them. `chunk` is the largest number of prompt tokens in a pass.
    `overlap` (0 or 1): messages run beside the compute of the other half of the batch.
    """

    input: Any
    output: Any
    concurrency: Any
    replicas: Any = 1.0
    chunk: Any = USUAL_CHUNK
    overlap: Any = 0.0


@dataclass(frozen=True)
class Speed:
    """Latency in seconds and throughput in tokens per second of the whole deployment.

    prefill      to process one prompt, unqueued
    per_token    mean time per output token while the load runs
    request      one request from first to last token, prefill included; of a static batch the whole batch
    throughput   output tokens per second
    step         one decode pass; `whole` all passes that one request waits for, by what they are bound by
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
    """Return a decode pass of *batch* sequences of one attention rank at the mean context.

    Pipeline stages work on one part of the batch each.
    """
    micro = np.maximum(1.0, batch / profile.pp)
    context = load.input + load.output / 2.0
    return decode_step(profile, device, constants, micro, context, overlap=load.overlap)


def prompts_of(
    profile: StepProfile, device: DeviceRates, constants: Constants, load: Load, prompts: Any
) -> StepTime:
    """Return the time in which one attention rank processes *prompts* prompts of the mean length."""
    return prefill(
        profile, device, constants, load.input, chunk=load.chunk, prompts=prompts, overlap=load.overlap
    )


def riding_prompt(prompt: StepTime, constants: Constants) -> StepTime:
    """Return what a *prompt* adds to passes that decode anyway: `shared_pass` of its overhead and reading is saved."""
    ride = 1.0 - constants.shared_pass
    saved = constants.shared_pass * (prompt.overhead + prompt.memory)
    return StepTime(
        prompt.total - saved, prompt.memory * ride, prompt.compute, prompt.overhead * ride, prompt.network
    )


def static_batch(profile: StepProfile, device: DeviceRates, constants: Constants, load: Load) -> Speed:
    """Return the speed of requests that start together: all prompts, then one decode pass for each further token.

    No prefill disturbs the decoding. A single request is a batch of one.
    """
    batch = rank_batch(profile, load)
    step = step_of(profile, device, constants, load, batch)
    whole = prompts_of(profile, device, constants, load, batch).plus(step.times(load.output - 1.0))
    return Speed(
        prefill=prompts_of(profile, device, constants, load, 1.0).total,
        per_token=step.total,
        request=whole.total,
        throughput=load.concurrency * load.output / whole.total,
        step=step,
        whole=whole,
    )


def closed_loop(profile: StepProfile, device: DeviceRates, constants: Constants, load: Load) -> Speed:
    """Return the speed with `concurrency` requests always running: one that ends makes room for the next.

    While a request decodes, the prompts of the others are processed once each, so that a token takes
    step + (batch - 1) / output * prompt. The chunks of a prompt ride in passes that decode anyway, which saves
    `shared_pass` of their overhead and of the weights' reading.
    """
    batch = rank_batch(profile, load)
    step = step_of(profile, device, constants, load, batch)
    prompt = prompts_of(profile, device, constants, load, 1.0)
    riding = riding_prompt(prompt, constants)
    # The stages of a pipeline are disturbed one at a time.
    others = riding.times((batch - 1.0) / profile.pp)
    whole = step.times(load.output).plus(others).plus(prompt)
    return Speed(
        prefill=prompt.total,
        per_token=step.total + others.total / load.output,
        request=whole.total,
        throughput=load.concurrency * load.output / whole.total,
        step=step,
        whole=whole,
    )
