"""The names under which the rules record the indicators: `llmops:<indicator>:<unit>`."""

from __future__ import annotations

from core.monitoring.indicators import indicators

# A metric name holds letters, digits, underscores and colons alone, so units are written out.
_UNITS: dict[str, str] = {
    "ratio": "ratio",
    "s": "seconds",
    "1/s": "per_second",
    "celsius": "celsius",
    "W": "watts",
    "count": "count",
    "tokens": "tokens",
    "tokens/s": "tokens_per_second",
    "bytes": "bytes",
    "code": "code",
    "flag": "flag",
}

PREALLOCATED = "llmops:memory_preallocated:flag"
"""1 for each GPU on which an engine took its memory in advance, as far as node, host or pod say so."""

PREALLOCATING = "llmops:kv_usage_preallocating:ratio"
"""KV usage of the engines that do so, where others are watched too."""

GPU_LOAD = "llmops:gpu_load:count"
"""Work of the engines on each GPU: requests per second, or requests that run where those are not known;

recorded as seldom as `GPU_MEMORY`."""


def series(indicator: str) -> str:
    """Return the name under which *indicator* is recorded.

    >>> series("gpu_utilisation"), series("output_tokens")
    ('llmops:gpu_utilisation:ratio', 'llmops:output_tokens:tokens_per_second')
    """
    return f"llmops:{indicator}:{_UNITS[indicators()[indicator].unit]}"


GPU_MEMORY = "llmops:gpu_memory_avg:bytes"
"""Memory used on each GPU, recorded seldom: growth over hours needs few samples, and reads fewer."""
