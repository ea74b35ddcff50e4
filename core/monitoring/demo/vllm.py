"""The metrics of vLLM 0.33."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from core.monitoring.demo.families import VLLM, Family, Moment, Row
from core.monitoring.demo.noise import Array
from core.monitoring.demo.scenario import BLOCK_TOKENS, MODEL, RESTART_S, Fault, Node
from core.monitoring.demo.signals import Engines


def _bounds(text: str) -> tuple[float, ...]:
    return tuple(float(bound) for bound in text.split())


# The bounds of vLLM's histograms: vllm/v1/metrics/loggers.py of 0.33.0.
E2E_S = _bounds("0.3 0.5 0.8 1 1.5 2 2.5 5 10 15 20 30 40 50 60 120 240 480 960 1920 7680")
TTFT_S = _bounds(
    "0.001 0.005 0.01 0.02 0.04 0.06 0.08 0.1 0.25 0.5 0.75 1 2.5 5 7.5 10 20 40 80 160 640 2560"
)
ITL_S = _bounds("0.01 0.025 0.05 0.075 0.1 0.15 0.2 0.3 0.4 0.5 0.75 1 2.5 5 7.5 10 20 40 80")
STEP_TOKENS = _bounds("1 8 16 32 64 128 256 512 1024 2048 4096 8192 16384")
REQUEST_TOKENS = _bounds("1 2 5 10 20 50 100 200 500 1e3 2e3 5e3 1e4 2e4 5e4 1e5")
REASONS = {"stop": 0.94, "length": 0.0565, "abort": 0.003, "error": 0.0005, "repetition": 0.0}
"""Share of the finished requests."""

ENGINE_LABELS = {"engine": "0", "model_name": MODEL}


def _engine_row(node: Node, **more: str) -> tuple[Row, ...]:
    return (("", ENGINE_LABELS | more),)


def _of_engine(values: Callable[[Engines], Array]) -> Callable[[Moment], Array]:
    return lambda now: values(now.engines)[:, None, :]


def _gauge(name: str, text: str, values: Callable[[Engines], Array]) -> Family:
    return Family(VLLM, name, "gauge", text, _engine_row, _of_engine(values))


def _count(name: str, text: str, rates: Callable[[Engines], Array]) -> Family:
    return Family(VLLM, name, "counter", text, _engine_row, _of_engine(rates), grows=True)


def _histogram_rows(node: Node, bounds: tuple[float, ...]) -> tuple[Row, ...]:
    edges = (*(repr(bound) for bound in bounds), "+Inf")
    buckets = tuple(("_bucket", ENGINE_LABELS | {"le": edge}) for edge in edges)
    return (*buckets, ("_count", ENGINE_LABELS), ("_sum", ENGINE_LABELS))


def _skew(spread: float) -> float:
    """Return mean / median of a log-logistic distribution: (pi / spread) / sin(pi / spread)."""
    return math.pi / spread / math.sin(math.pi / spread)


def _median(mean: Array, spread: float) -> Array:
    return mean / _skew(spread)


def _histogram(
    name: str,
    text: str,
    bounds: tuple[float, ...],
    spread: float,
    seen: Callable[[Engines], tuple[Array, Array]],
) -> Family:
    """Return a histogram of what *seen* gives: observations per second, and their median.

    They are log-logistic, whose distribution 1 / (1 + (median / x)^spread) is easy to write and as skewed as
    latencies are.
    """
    skew = _skew(spread)

    def rates(now: Moment) -> Array:
        count, median = seen(now.engines)
        edges = np.array(bounds)[None, :, None]
        share = 1.0 / (1.0 + (median[:, None, :] / edges) ** spread)
        total = count[:, None, :]
        return np.concatenate([total * share, total, total, total * median[:, None, :] * skew], axis=1)

    return Family(VLLM, name, "histogram", text, partial(_histogram_rows, bounds=bounds), rates, grows=True)


def _config_row(node: Node) -> tuple[Row, ...]:
    return _engine_row(
        node,
        block_size=str(BLOCK_TOKENS),
        cache_dtype="auto",
        enable_prefix_caching="True",
        gpu_memory_utilization=str(node.memory_share),
        num_gpu_blocks=str(node.cache_blocks),
    )


def _started(now: Moment) -> Array:
    """When each engine's process began: weeks ago, or at its restart after the Xid."""
    began = np.array(
        [[now.scenario.began - 17 * 86400.0 - 977.0 * node.index] for node in now.scenario.nodes]
    )
    back = np.array(
        [
            [now.scenario.began + node.onset_s + RESTART_S if node.fault is Fault.XID else np.inf]
            for node in now.scenario.nodes
        ]
    )
    return np.asarray(np.where(now.times[None, :] >= back, back - 55.0, began)[:, None, :])


def _finished(now: Moment) -> Array:
    shares = np.array(list(REASONS.values()))
    return np.asarray(now.engines.requests[:, None, :] * shares[None, :, None])


def _step_tokens(engine: Engines) -> tuple[Array, Array]:
    """Steps per second, and tokens of each: those decoded, and those of new prompts."""
    steps = np.where(engine.running > 0, 1.0 / engine.itl_s, 0.0)
    tokens = engine.requests * (engine.output_tokens + engine.prompt_tokens * (1 - engine.prefix_hits))
    return steps, _median(tokens * engine.itl_s, 3.0)


ENGINE_FAMILIES = (
    _gauge(
        "vllm:num_requests_running",
        "Number of requests in model execution batches.",
        lambda engine: np.rint(engine.running),
    ),
    _gauge(
        "vllm:num_requests_waiting",
        "Number of requests waiting to be processed.",
        lambda engine: np.rint(engine.waiting),
    ),
    Family(
        VLLM,
        "vllm:num_requests_waiting_by_reason",
        "gauge",
        "Number of waiting requests by reason.",
        lambda _: (
            ("", ENGINE_LABELS | {"reason": "capacity"}),
            ("", ENGINE_LABELS | {"reason": "deferred"}),
        ),
        lambda now: np.stack([np.rint(now.engines.waiting), np.zeros_like(now.engines.waiting)], axis=1),
    ),
    _gauge(
        "vllm:kv_cache_usage_perc",
        "KV-cache usage. 1 means 100 percent usage.",
        lambda engine: np.round(engine.kv_usage, 5),
    ),
    Family(
        VLLM,
        "vllm:cache_config_info",
        "gauge",
        "Information of the LLMEngine CacheConfig",
        _config_row,
        lambda now: np.ones((len(now.scenario.nodes), 1, len(now.times))),
    ),
    _count(
        "vllm:num_preemptions_total",
        "Cumulative number of preemption from the engine.",
        lambda engine: engine.preemptions,
    ),
    _count(
        "vllm:prompt_tokens_total",
        "Number of prefill tokens processed.",
        lambda engine: engine.requests * engine.prompt_tokens,
    ),
    _count(
        "vllm:generation_tokens_total",
        "Number of generation tokens processed.",
        lambda engine: engine.requests * engine.output_tokens,
    ),
    _count(
        "vllm:prefix_cache_queries_total",
        "Prefix cache queries, in terms of number of queried tokens.",
        lambda engine: engine.requests * engine.prompt_tokens,
    ),
    _count(
        "vllm:prefix_cache_hits_total",
        "Prefix cache hits, in terms of number of cached tokens.",
        lambda engine: engine.requests * engine.prompt_tokens * engine.prefix_hits,
    ),
    Family(
        VLLM,
        "vllm:request_success_total",
        "counter",
        "Count of successfully processed requests.",
        lambda _: tuple(("", ENGINE_LABELS | {"finished_reason": reason}) for reason in REASONS),
        _finished,
        grows=True,
    ),
    _histogram(
        "vllm:iteration_tokens_total",
        "Histogram of number of tokens per engine_step.",
        STEP_TOKENS,
        3.0,
        _step_tokens,
    ),
    _histogram(
        "vllm:time_to_first_token_seconds",
        "Histogram of time to first token in seconds.",
        TTFT_S,
        6.0,
        lambda engine: (engine.requests, engine.ttft_s),
    ),
    _histogram(
        "vllm:inter_token_latency_seconds",
        "Histogram of inter-token latency in seconds.",
        ITL_S,
        8.0,
        lambda engine: (engine.requests * engine.output_tokens, engine.itl_s),
    ),
    _histogram(
        "vllm:e2e_request_latency_seconds",
        "Histogram of e2e request latency in seconds.",
        E2E_S,
        5.0,
        lambda engine: (engine.requests, _median(engine.ttft_s + engine.output_tokens * engine.itl_s, 5.0)),
    ),
    _histogram(
        "vllm:request_queue_time_seconds",
        "Histogram of time spent in WAITING phase for request.",
        E2E_S,
        3.0,
        lambda engine: (engine.requests, engine.queue_s),
    ),
    _histogram(
        "vllm:request_prompt_tokens",
        "Number of prefill tokens processed.",
        REQUEST_TOKENS,
        3.0,
        lambda engine: (engine.requests, _median(engine.prompt_tokens, 3.0)),
    ),
    _histogram(
        "vllm:request_generation_tokens",
        "Number of generation tokens processed.",
        REQUEST_TOKENS,
        5.0,
        lambda engine: (engine.requests, _median(engine.output_tokens, 5.0)),
    ),
    Family(
        VLLM,
        "process_start_time_seconds",
        "gauge",
        "Start time of the process since unix epoch in seconds.",
        lambda _: (("", {}),),
        _started,
    ),
)
