"""The inputs of the Monitor page: their names in an address, and what an address may say."""

from __future__ import annotations

import re
from collections.abc import Mapping

from core.errors import PlannerError
from core.monitoring.subjects import parsed
from core.monitoring.thresholds import DEFAULT_PRESET, PRESETS, Thresholds
from pages.parts.address import Field, Value, numbers, paired
from pages.parts.fields import one_of

RANGES = {"15m": 900, "1h": 3600, "6h": 6 * 3600, "24h": 24 * 3600}
"""How far back charts go, in seconds."""
REFRESHES = {"off": None, "10s": 10, "30s": 30, "1m": 60}
"""Seconds between two readings."""
HEATMAP = (
    "gpu_utilisation",
    "compute_utilisation",
    "memory_occupancy",
    "gpu_temperature",
    "gpu_power",
    "kv_usage",
)
"""Indicators that the heatmap can show; that of an engine is drawn for the GPUs of its node."""
MOST_SEQUENCES = 100_000
"""Requests of one batch, far beyond what any engine is started with."""
BOUNDS = ("low", "low_bad", "high", "high_bad", "for_s")
"""What of a limit can be changed on the page."""

_MATCHER = r'[a-zA-Z_][a-zA-Z0-9_]*\s*(?:=~|!~|!=|=)\s*"(?:[^"\\\n]|\\.)*"'
_MATCHERS = re.compile(rf"\s*{_MATCHER}(?:\s*,\s*{_MATCHER})*\s*")


def matchers(given: str) -> str | None:
    """Return *given* where it is a list of label matchers, so that nothing else gets into a query.

    >>> matchers('cluster="a", pod=~"vllm-.*"'), matchers('a="b"} or up{c="d"')
    ('cluster="a", pod=~"vllm-.*"', None)
    """
    return given.strip() if _MATCHERS.fullmatch(given) else None


def edits(value: Value) -> dict[str, float]:
    """Return the limits that were changed, by indicator and bound.

    >>> edits("ttft.high:0.8,xid.high:0")
    {'ttft.high': 0.8, 'xid.high': 0.0}
    """
    return numbers(value)


def capacity(value: Value) -> int | None:
    """Return how many requests a batch may hold, None where nobody said it."""
    return None if value is None else int(value)


def spelled(changes: Mapping[str, float]) -> Value:
    """Return *changes* as the input holds them; None where there are none."""
    return paired(changes) or None


def thresholds_of(
    preset: str, changes: Mapping[str, float], capacity: int | None = None
) -> tuple[Thresholds, dict[str, PlannerError]]:
    """Return the limits of *preset* with *changes*, and by indicator why some of them cannot be.

    *capacity* is how many requests a batch may hold, for engines that do not export it.

    What goes together is changed together: both bounds of a band may move past the old ones.
    """
    found = PRESETS[preset].with_capacity(capacity)
    refused: dict[str, PlannerError] = {}
    by_indicator: dict[str, dict[str, float]] = {}
    for name, number in changes.items():
        indicator, _, bound = name.partition(".")
        by_indicator.setdefault(indicator, {})[bound] = number
    for indicator, bounds in by_indicator.items():
        try:
            found = found.changed(indicator, **bounds)
        except PlannerError as error:
            refused[indicator] = error
    return found, refused


def _edits(given: str) -> str | None:
    """Return *given* where it names limits that there are, with numbers."""
    for name in edits(given):
        indicator, _, bound = name.partition(".")
        limit = PRESETS[DEFAULT_PRESET].limits.get(indicator)
        if limit is None or bound not in BOUNDS or getattr(limit, bound) is None:
            return None
    return given


def _subject(given: str) -> str | None:
    return given if parsed(given) else None


FIELDS = {
    "endpoint": Field(None),
    "range": Field("1h", known=one_of(*RANGES)),
    "refresh": Field("30s", known=one_of(*REFRESHES)),
    "preset": Field(DEFAULT_PRESET, known=one_of(*PRESETS)),
    "limits": Field(None, known=_edits),
    "max_num_seqs": Field(None, int, least=1, most=MOST_SEQUENCES),
    "filter": Field(None, known=matchers),
    "finding": Field(None),
    "subject": Field(None, known=_subject),
    "heat": Field(HEATMAP[0], known=one_of(*HEATMAP)),
}
STATED = ("range", "preset", "heat")
"""What a link spells out even where it is the default."""
