from __future__ import annotations

import math
from typing import Any

import pytest

from core.errors import BadRequest
from core.monitoring.indicators import indicators
from core.monitoring.thresholds import DEFAULT_PRESET, PRESETS, Thresholds

SERVING, PLANNER = PRESETS["serving"], PRESETS["planner"]


def test_the_serving_guide_is_the_default() -> None:
    assert next(iter(PRESETS)) == DEFAULT_PRESET == "serving"


@pytest.mark.parametrize(
    ("preset", "indicator", "field", "value"),
    [
        ("serving", "gpu_utilisation", "low", 0.5),
        ("serving", "gpu_utilisation", "high", 0.95),
        ("serving", "gpu_utilisation", "normal_low", 0.7),
        ("serving", "gpu_utilisation", "normal_high", 0.9),
        ("serving", "memory_occupancy", "high", 0.9),
        ("serving", "batch_efficiency", "low", 0.6),
        ("serving", "batch_efficiency", "normal_low", 0.8),
        ("serving", "ttft", "high", 0.5),
        ("serving", "ttft", "high_bad", 1.0),
        ("serving", "ttft", "quantile", 0.99),
        ("planner", "memory_occupancy", "high", 0.85),
        ("planner", "compute_utilisation", "low", 0.7),
        ("planner", "batch_efficiency", "low", 0.85),
        ("planner", "ttft", "high", 0.5),
    ],
)
def test_limits_are_those_of_the_guides(preset: str, indicator: str, field: str, value: float) -> None:
    assert getattr(PRESETS[preset][indicator], field) == value


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.preset)
def test_every_judged_indicator_has_a_limit_with_a_source(preset: Thresholds) -> None:
    judged = {name for name, indicator in indicators().items() if indicator.sense != "none"}
    assert set(preset.limits) == judged
    assert all(limit.source for limit in preset.limits.values())


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.preset)
def test_limits_lie_on_the_side_where_trouble_lies(preset: Thresholds) -> None:
    for name, limit in preset.limits.items():
        sense = indicators()[name].sense
        low = limit.low is not None or limit.low_bad is not None
        high = limit.high is not None or limit.high_bad is not None
        assert (low, high) == {"band": (True, True), "low": (True, False), "high": (False, True)}[sense], name


def test_low_utilisation_is_a_matter_of_cost() -> None:
    assert SERVING["gpu_utilisation"].severity == "info"


def test_a_change_leaves_the_preset_alone() -> None:
    changed = SERVING.changed("gpu_utilisation", low=0.3, window_s=1800)
    assert changed["gpu_utilisation"].low == 0.3
    assert changed["gpu_utilisation"].high == SERVING["gpu_utilisation"].high == 0.95
    assert changed.edited == ("gpu_utilisation",)
    assert changed.changed("gpu_utilisation", low=0.2).edited == ("gpu_utilisation",)
    assert SERVING["gpu_utilisation"].low == 0.5
    assert SERVING.edited == ()


def test_the_drawn_band_follows_a_limit_that_passes_it() -> None:
    assert SERVING.changed("gpu_utilisation", low=0.8)["gpu_utilisation"].normal_low == 0.8
    assert SERVING.changed("memory_occupancy", high=0.8)["memory_occupancy"].normal_high == 0.8


def test_a_limit_may_be_taken_away_on_one_side() -> None:
    assert SERVING.changed("gpu_utilisation", high=None)["gpu_utilisation"].high is None


@pytest.mark.parametrize(
    ("indicator", "fields", "at", "says"),
    [
        ("nonsense", {"low": 1}, "nonsense", "gpu_utilisation"),
        ("gpu_utilisation", {"lower": 1}, "gpu_utilisation.lower", "low_bad"),
        ("gpu_utilisation", {"source": "me"}, "gpu_utilisation.source", "window_s"),
        ("gpu_utilisation", {"low": "much"}, "gpu_utilisation.low", "number"),
        ("gpu_utilisation", {"low": True}, "gpu_utilisation.low", "number"),
        ("gpu_utilisation", {"low": math.nan}, "gpu_utilisation.low", "number"),
        ("gpu_utilisation", {"high": math.inf}, "gpu_utilisation.high", "number"),
        ("gpu_utilisation", {"low": 50}, "gpu_utilisation.low", "0.9 for 90 %"),
        ("gpu_utilisation", {"low": -0.1}, "gpu_utilisation.low", "0 to 1"),
        ("gpu_utilisation", {"low": 0.96}, "gpu_utilisation.low", "0.95"),
        ("gpu_utilisation", {"high": 0.4}, "gpu_utilisation.high", "0.5"),
        ("gpu_utilisation", {"low": 0.5, "high": 0.5}, "gpu_utilisation.high", "0.5"),
        ("gpu_utilisation", {"low_bad": 0.6}, "gpu_utilisation.low_bad", "0.5"),
        ("ttft", {"high": 2}, "ttft.high", "below ttft.high_bad"),
        ("ttft", {"high_bad": 0.2}, "ttft.high_bad", "above"),
        ("ttft", {"high": -1}, "ttft.high", "negative"),
        ("ttft", {"quantile": 1.0}, "ttft.quantile", "0.99"),
        ("ttft", {"quantile": 0}, "ttft.quantile", "0.99"),
        ("ttft", {"high": None, "high_bad": None}, "ttft", "at least one"),
        ("ttft", {"window_s": 60}, "ttft.window_s", "120"),
        ("ttft", {"window_s": 1e9}, "ttft.window_s", "86400"),
        ("ttft", {"for_s": -1}, "ttft.for_s", "between"),
        ("ttft", {"least_samples": 0}, "ttft.least_samples", "at least 1"),
        ("ttft", {"least_samples": 2.5}, "ttft.least_samples", "whole"),
        ("ttft", {"least_samples": 100}, "ttft.least_samples", "20"),
        ("ttft", {"severity": "awful"}, "ttft.severity", "critical"),
        ("ttft", {"bad_always": 1}, "ttft.bad_always", "true or false"),
        ("ttft", {"only_with": {"joy": 1}}, "ttft.only_with", "queue"),
        ("ttft", {"only_with": {"queue": -1}}, "ttft.only_with.queue", "between"),
        ("ttft", {"only_with": ["queue"]}, "ttft.only_with", "queue"),
    ],
)
def test_a_bad_value_is_refused_by_field_with_what_would_be_right(
    indicator: str, fields: dict[str, Any], at: str, says: str
) -> None:
    with pytest.raises(BadRequest) as refused:
        SERVING.changed(indicator, **fields)
    assert refused.value.field == at
    assert says in refused.value.message
    assert refused.value.sentence.render("zh")


def test_a_slow_scrape_lengthens_windows_and_asks_for_fewer_samples() -> None:
    slow = SERVING.with_scrape(120)
    assert slow["ttft"].window_s == 600
    assert slow["kv_usage"].window_s == 480
    for limit in slow.limits.values():
        assert limit.least_samples <= limit.window_s / 120
    assert slow.changed("ttft", high=0.4)["ttft"].high == 0.4
    with pytest.raises(BadRequest):
        slow.changed("ttft", window_s=300)


def test_a_fast_scrape_changes_nothing() -> None:
    assert SERVING.with_scrape(15).limits == SERVING.limits


@pytest.mark.parametrize("scrape_s", [0, -1, math.nan, 1e9])
def test_a_scrape_interval_is_a_sensible_time(scrape_s: float) -> None:
    with pytest.raises(BadRequest):
        SERVING.with_scrape(scrape_s)


def test_the_capacity_of_a_batch_is_a_count() -> None:
    assert SERVING.with_capacity(256).max_num_seqs == 256
    assert SERVING.with_capacity(None).max_num_seqs is None
    with pytest.raises(BadRequest):
        SERVING.with_capacity(0)
