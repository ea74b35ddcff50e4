"""How the demo cluster behaves over time: a pure function of the scenario and the times asked for.

Traffic rises during a morning and then stays; requests in flight follow from it by Little's law, the KV cache from
their number and length, utilisation from tokens computed, power and temperature from utilisation. A fault changes
one cause and the rest follows. Nothing depends on the hour of the clock: a demo at night shows the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.monitoring.demo.noise import Array, jitter, wobble
from core.monitoring.demo.scenario import (
    ENGINE_MEMORY_GIB,
    GPUS_PER_NODE,
    HOUR,
    LONG_PROMPTS,
    MEMORY_MIB,
    MINUTE,
    RESERVED_MIB,
    RESTART_S,
    USUAL,
    Fault,
    Scenario,
)

Flags = NDArray[np.bool_]

ITL_EMPTY_S, ITL_PER_REQUEST_S = 0.026, 0.00003
"""Seconds per output token of an empty batch, and for each request in it."""
TTFT_LEAST_S, TTFT_PER_TOKEN_S = 0.03, 7.7e-5
"""Seconds to the first token of an empty prompt, and for each prompt token that is not cached."""
FULL_CACHE = 0.975
"""KV usage at which the engine no longer admits requests but preempts."""
BUSY = 0.86
"""GPU utilisation at the usual load."""
LEAK_MIB_PER_S = 1590.0 / HOUR
LEAK_PERIOD_S = 11 * HOUR
"""After this time the leaking process is full, is killed, and starts anew."""
HOT_C, HOT_RAMP_S, HOT_THROTTLED = 92.0, 20 * MINUTE, 0.4
SLOWED_BY_HEAT = 1.02
"""The hot GPU runs slower, and the others of its replica wait for it."""


@dataclass(frozen=True)
class Engines:
    """The replicas; arrays have shape (n_nodes, n_times)."""

    up: Flags
    requests: Array
    """Requests finished per second."""
    running: Array
    waiting: Array
    kv_usage: Array
    """0 to 1."""
    preemptions: Array
    """Per second."""
    ttft_s: Array
    """Seconds to the first token, and between tokens: medians."""
    itl_s: Array
    queue_s: Array
    prompt_tokens: Array
    """Mean of a request."""
    output_tokens: Array
    prefix_hits: Array
    load: Array
    """Tokens computed, as a multiple of what the usual load computes."""


@dataclass(frozen=True)
class Gpus:
    """The GPUs; arrays have shape (n_nodes, GPUS_PER_NODE, n_times)."""

    utilisation: Array
    """0 to 1, as the other activities."""
    sm_active: Array
    sm_occupancy: Array
    tensor_active: Array
    dram_active: Array
    used_mib: Array
    power_w: Array
    temperature_c: Array
    memory_temperature_c: Array
    clock_mhz: Array
    throttled: Array
    """Share of the time, 0 to 1, with a clock lowered because of heat."""
    failed: Flags
    """Whether the Xid has appeared."""


def _is(scenario: Scenario, fault: Fault) -> Flags:
    """Return which nodes have *fault*; shape (n_nodes, 1)."""
    return np.array([[node.fault is fault] for node in scenario.nodes])


def _since(scenario: Scenario, times: Array) -> Array:
    """Return seconds since the onset of each node's fault, negative before; shape (n_nodes, n_times)."""
    onsets = np.array([[scenario.began + node.onset_s] for node in scenario.nodes])
    return np.asarray(times[None, :] - onsets)


def _ramp(since: Array, seconds: float) -> Array:
    """Return 0 before, 1 after *seconds*, and a smooth way between."""
    share = np.clip(since / seconds, 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share))


def demand(scenario: Scenario, times: Array) -> Array:
    """Return the requests asked for as a multiple of each node's usual ones; shape (n_nodes, n_times)."""
    count = len(scenario.nodes)
    live = times - scenario.began
    morning = 0.78 + 0.22 * _ramp(live + 6 * HOUR, 3 * HOUR)
    day = 1.0 - 0.03 * (1.0 - np.cos(2 * np.pi * live / (24 * HOUR)))
    # Where memory leaks, the load must not be an excuse for it.
    shape = np.where(_is(scenario, Fault.LEAK), 1.0, (morning * day)[None, :])
    wave = 1.0 + 0.02 * wobble(scenario.seed, count, times)
    return np.asarray(shape * wave * (1.0 + 0.012 * jitter(scenario.seed + 10, count, times)))


def engines(scenario: Scenario, times: Array) -> Engines:
    """Return the replicas of *scenario* at *times* (unix seconds, shape (n_times,))."""
    since = _since(scenario, times)
    xid, dead = _is(scenario, Fault.XID), _is(scenario, Fault.DEAD)
    up = ~(dead & (since >= 0)) & ~(xid & (since >= 0) & (since < RESTART_S))
    wanted = demand(scenario, times)
    wanted = wanted * np.where(_is(scenario, Fault.IDLE), 1.0 - _ramp(since, MINUTE), 1.0)
    wanted = wanted * np.where(xid & (since >= RESTART_S), _ramp(since - RESTART_S, 3 * MINUTE), 1.0) * up

    pressure = _is(scenario, Fault.KV_PRESSURE) * _ramp(since, 15 * MINUTE)
    long = _is(scenario, Fault.SLOW_TTFT) * _ramp(since, 5 * MINUTE)
    heat = 1.0 + (SLOWED_BY_HEAT - 1.0) * _is(scenario, Fault.HOT) * _ramp(since, HOT_RAMP_S)

    def mixed(name: str) -> Array:
        usual = np.array([[getattr(node.load, name)] for node in scenario.nodes])
        # Geometric, so that on the way too fewer requests make up for longer prompts.
        return np.asarray(usual * (getattr(LONG_PROMPTS, name) / usual) ** long)

    requests, prompt = mixed("requests") * wanted, mixed("prompt_tokens")
    output, hits = mixed("output_tokens"), mixed("prefix_hits")
    ttft = TTFT_LEAST_S + TTFT_PER_TOKEN_S * prompt * (1.0 - hits) * (0.85 + 0.15 * wanted)
    empty, each = ITL_EMPTY_S * heat, ITL_PER_REQUEST_S * heat
    # Little's law with a latency that grows with the batch: running = rate (ttft + output (empty + each running)).
    running = requests * (ttft + output * empty) / (1.0 - requests * output * each)
    room = np.array([[node.cache_tokens] for node in scenario.nodes]) / (prompt + output / 2.0)
    full = FULL_CACHE * room * (1.0 + 0.006 * jitter(scenario.seed + 20, len(since), times))
    running = np.minimum(np.where(pressure > 0, running + (full - running) * pressure, running), room)
    itl = empty + each * running
    requests = np.where(pressure > 0, running / (ttft + output * itl), requests)
    waiting = 40.0 * pressure * (1.0 + 0.2 * wobble(scenario.seed + 30, len(since), times))
    queue = np.where(pressure > 0, waiting / np.maximum(requests, 1.0), 0.003)
    load = (requests * output) / (USUAL.requests * USUAL.output_tokens) + requests * prompt * (1.0 - hits) / (
        USUAL.requests * USUAL.prompt_tokens * (1.0 - USUAL.prefix_hits)
    )
    return Engines(
        up=up,
        requests=requests,
        running=running,
        waiting=waiting,
        kv_usage=np.minimum(running / room, 1.0),
        preemptions=0.6 * np.maximum(0.0, pressure - 0.5) * 2.0,
        ttft_s=ttft + np.where(pressure > 0, queue, 0.0),
        itl_s=itl,
        queue_s=queue,
        prompt_tokens=prompt,
        output_tokens=output,
        prefix_hits=hits,
        load=load / 2.0,
    )


def _memory(scenario: Scenario, times: Array, up: Flags) -> Array:
    """Return MiB in use of each GPU: the share that the engine takes at its start, and what leaks beside it."""
    shares = np.array([node.memory_share for node in scenario.nodes])[:, None, None]
    gpus = np.arange(GPUS_PER_NODE)[None, :, None]
    # Outside the share: CUDA context and NCCL; the first GPU holds a little more.
    engine = shares * ENGINE_MEMORY_GIB * 1024.0 + 420.0 + np.where(gpus == 0, 130.0, 8.0 * gpus)
    since = np.maximum(0.0, _since(scenario, times)[:, None, :])
    grown = LEAK_MIB_PER_S * np.mod(since, LEAK_PERIOD_S) * (1.0 + 0.02 * gpus)
    noise = jitter(scenario.seed + 40, len(shares) * GPUS_PER_NODE, times)
    grown = grown + 40.0 * np.abs(noise.reshape(len(shares), GPUS_PER_NODE, -1))
    leaked = np.where(_is(scenario, Fault.LEAK)[:, :, None], grown, 0.0)
    used = np.where(up[:, None, :], engine, 4.0) + leaked
    return np.asarray(np.minimum(used, MEMORY_MIB - RESERVED_MIB - 60.0))


def gpus(scenario: Scenario, times: Array, replicas: Engines) -> Gpus:
    """Return the GPUs of *scenario* at *times*, with *replicas* the engines at the same times."""
    count = len(scenario.nodes)
    rows = (count, GPUS_PER_NODE, len(times))
    noise = jitter(scenario.seed + 50, count * GPUS_PER_NODE, times).reshape(rows)
    slot = np.arange(GPUS_PER_NODE)[None, :, None]
    since = _since(scenario, times)[:, None, :]
    one = np.array([[[node.gpu == gpu] for gpu in range(GPUS_PER_NODE)] for node in scenario.nodes])
    hot = one * _is(scenario, Fault.HOT)[:, :, None] * _ramp(since, HOT_RAMP_S)
    failed = one & _is(scenario, Fault.XID)[:, :, None] & (since >= 0)

    load = replicas.load[:, None, :]
    busy = np.minimum(BUSY * np.sqrt(load), 0.94) * (1.0 + 0.012 * noise) + 0.02 * hot
    busy = np.where(load > 0.005, np.clip(busy, 0.0, 0.97), 0.0)
    resident = np.where(replicas.up, 118.0, 71.0)[:, None, :]
    power = (resident + 520.0 * busy**1.1) * (1.0 - 0.18 * hot) + 4.0 * noise
    air = 27.0 + 0.7 * slot + 1.2 * np.arange(count)[:, None, None] / count
    usual = air + 0.062 * power
    temperature = usual + (HOT_C + 0.6 * noise - usual) * hot
    clock = np.where(busy > 0, 1980.0 - 60.0 * busy, np.where(replicas.up[:, None, :], 1980.0, 345.0))
    return Gpus(
        utilisation=busy,
        sm_active=np.minimum(0.92 * busy, 1.0),
        sm_occupancy=0.24 * busy,
        tensor_active=0.31 * busy * np.minimum(load, 1.3),
        dram_active=0.68 * busy,
        used_mib=_memory(scenario, times, replicas.up),
        power_w=power,
        temperature_c=temperature,
        memory_temperature_c=temperature + 9.0 + 3.0 * busy,
        clock_mhz=clock * (1.0 - 0.3 * hot),
        throttled=HOT_THROTTLED * hot,
        failed=failed,
    )
