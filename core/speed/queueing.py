"""Latency when requests arrive at random: the steady state of a deployment, and quantiles of time to first token.

Engines schedule pass by pass (continuous batching): a pass decodes all running sequences and processes prompts
that wait, up to `chunk` tokens. Requests that arrive during one pass have their prompts in the next and the first
token at its end. Every function takes numbers or arrays over deployments and broadcasts.

A *lane* is what schedules by itself: an attention rank of a replica, or one of the `pp` parts of its batch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.speed.constants import Constants
from core.speed.device import DeviceRates
from core.speed.first_token import beside, slot_chance, ttft_quantile
from core.speed.profile import StepProfile
from core.speed.prompts import Prompts, lanes_of, prompt_times
from core.speed.serving import Load, step_of
from core.traffic import Traffic

__all__ = [
    "QUANTILES",
    "Latency",
    "Point",
    "Prompts",
    "lanes_of",
    "most_served",
    "open_loop",
    "operating_point",
    "prompt_times",
    "slot_chance",
    "ttft_quantile",
]

QUANTILES = (0.5, 0.9, 0.95, 0.99)
"""Shares of the requests whose time to first token `open_loop` gives."""

MANY = 0.01
"""Share of the requests that wait for a slot above which their wait decides the TTFT of the last ones."""

_HALVINGS = 40


@dataclass(frozen=True)
class Latency:
    """The steady state of a deployment under random arrivals; seconds. Unstable ones have nan and `stable` False.

    concurrency   requests that run at once on the whole deployment, on average
    per_token     mean time per output token
    request       mean time from arrival to last token
    utilisation   arrivals / saturation
    stable        whether fewer requests come than can be served
    saturation    requests per second that the whole deployment can serve
    slot_wait     share of the requests that find all slots taken
    approximate   whether TTFT can be far from a simulation: waits for one of several slots decide it
    ttft          time to first token by share of the requests
    """

    concurrency: Any
    per_token: Any
    request: Any
    utilisation: Any
    stable: Any
    saturation: Any
    slot_wait: Any
    approximate: Any
    ttft: dict[float, Any]


@dataclass(frozen=True)
class Point:
    """Where a deployment stands with some number of requests running; seconds.

    arrival     requests per second that the whole deployment serves there
    step        one decode pass
    per_token   mean time per output token
    request     mean time from the first prompt token to the last output token
    """

    arrival: Any
    step: Any
    per_token: Any
    request: Any


def operating_point(
    profile: StepProfile,
    device: DeviceRates,
    constants: Constants,
    load: Load,
    traffic: Traffic,
    *,
    prompts: Prompts,
) -> Point:
    """Return where random arrivals of *traffic* keep `load.concurrency` requests running on average.

    A request that comes meets that many and is one more in its lane: with N of them in a lane, it takes
    steps * step(N + 1) + N * riding + its own prompt, and by Little's law N = arrivals * that. Running requests
    are long ones: their answers are half done on average, and the mean is weighted by length.
    """
    lanes = lanes_of(profile, load)
    running = load.concurrency / lanes
    idle = np.exp(-running)
    step = _step_among(profile, device, constants, load, traffic, running=(running + 1.0) * lanes)
    prompts = beside(prompts, step)
    own = prompts.riding + idle * (prompts.alone - prompts.riding)
    steps = (traffic.output.mean - 1.0) / load.tokens_per_step
    request = step * (steps + (1.0 - idle) * prompts.passes) + running * prompts.riding + own
    return Point(
        arrival=load.concurrency / request,
        step=step,
        per_token=(step * steps + running * prompts.riding) / np.maximum(traffic.output.mean - 1.0, 1.0),
        request=request,
    )


def most_served(
    profile: StepProfile,
    device: DeviceRates,
    constants: Constants,
    load: Load,
    traffic: Traffic,
    *,
    prompts: Prompts,
) -> Any:
    """Return the requests per second that a deployment can serve at most, `load.concurrency` of them at once.

    It is the throughput of a closed loop with all slots taken. The token budget of passes bounds it as well: a
    prompt takes riding + chunks * step of its lane.
    """
    lanes = lanes_of(profile, load)
    slots = np.maximum(load.concurrency / lanes, 1.0)
    step = _step_among(profile, device, constants, load, traffic, running=slots * lanes)
    prompts = beside(prompts, step)
    single = slots <= 1.0
    own = np.where(single, prompts.alone, slots * prompts.riding)
    steps = (traffic.output.mean - 1.0) / load.tokens_per_step + np.where(single, 0.0, prompts.passes)
    budget = 1.0 / (prompts.riding + prompts.chunks * step)
    return lanes * np.minimum(slots / (step * steps + own), budget)


def _step_among(
    profile: StepProfile,
    device: DeviceRates,
    constants: Constants,
    load: Load,
    traffic: Traffic,
    *,
    running: Any,
) -> Any:
    """Return the seconds of a decode pass with *running* sequences on the whole deployment.

    The chance that a request is among them grows with its answer, so that E[output^2] / 2 E[output] tokens are
    behind them on average.
    """
    output = traffic.output.mean
    load = replace(load, input=traffic.input.mean + 0.5 * output * traffic.output.scv, output=output)
    running = np.maximum(running / (profile.attention_ranks * load.replicas), 1.0)
    return step_of(profile, device, constants, load, running).total


def open_loop(
    profile: StepProfile,
    device: DeviceRates,
    constants: Constants,
    load: Load,
    traffic: Traffic,
    *,
    slots: Any,
    arrival: Any = None,
    quantiles: tuple[float, ...] = QUANTILES,
) -> Latency:
    """Return the latency of a deployment to which requests of *traffic* come at random (Poisson).

    *arrival* is how many come per second, by default those of the busiest hour. *slots* is the largest number
    of requests that run at once on the whole deployment: the engine's limit, or what its cache holds. `load`
    states what a pass depends on; its lengths and concurrency are replaced by those of *traffic* and of the
    steady state. Records that are arrays (`arrays.stacked`) go with arrays of arrivals and slots.
    """
    arrival = traffic.peak_rate if arrival is None else arrival
    load = replace(load, input=traffic.input.mean, output=traffic.output.mean, concurrency=slots)
    lanes = lanes_of(profile, load)
    prompts = prompt_times(profile, device, constants, load, traffic.input)
    saturation = most_served(profile, device, constants, load, traffic, prompts=prompts)
    stable = np.asarray(arrival < saturation)
    low, high = np.broadcast_arrays(np.asarray(0.0), slots * np.ones_like(saturation * arrival))
    for _ in range(_HALVINGS):
        running = 0.5 * (low + high)
        found = operating_point(
            profile, device, constants, replace(load, concurrency=running), traffic, prompts=prompts
        )
        enough = found.arrival >= arrival
        low, high = np.where(enough, low, running), np.where(enough, running, high)
    steady = operating_point(
        profile, device, constants, replace(load, concurrency=high), traffic, prompts=prompts
    )
    lane: dict[str, Any] = {
        "arrival": arrival / lanes,
        "saturation": saturation / lanes,
        "batch": high / lanes,
        "slots": slots / lanes,
        "prompts": prompts,
        "output_scv": traffic.output.scv,
    }
    waiting = slot_chance(**lane)
    return Latency(
        concurrency=np.where(stable, high, np.nan),
        per_token=np.where(stable, steady.per_token, np.nan),
        request=np.where(stable, steady.request + prompts.first, np.nan),
        utilisation=arrival / saturation,
        stable=stable,
        saturation=saturation,
        slot_wait=waiting,
        approximate=(waiting > MANY) & (slots > lanes),
        ttft={q: ttft_quantile(q, step=steady.step, **lane) for q in quantiles},
    )
