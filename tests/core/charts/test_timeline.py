"""Curves over time: gaps stay gaps, limits are in the picture, and the axis tells the reader's time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from core.charts.timeline import MOST_SERIES, Band, Line, Timeline, clock, drawn, timeline, timeline_alt
from core.quantities import GIB
from core.text import LANGUAGES

START = 1_700_000_000.0


def curves(count: int = 1, **changes: Any) -> Timeline:
    times = START + 60.0 * np.arange(10)
    made: dict[str, Any] = {
        "times": times,
        "values": np.linspace(0.2, 0.6, 10) + np.linspace(0, 0.3, count)[:, None],
        "names": [f"gpu-{number}" for number in range(count)],
        "unit": "ratio",
        "title": "GPU utilisation",
        "start": START,
        "end": START + 540,
    }
    return Timeline(**(made | changes))


def test_the_axis_tells_the_time_of_the_reader() -> None:
    utc, ahead = timeline(curves()), timeline(curves(), 3600.0)
    assert ahead["data"][0]["x"][0] - utc["data"][0]["x"][0] == 3_600_000
    assert ahead["layout"]["xaxis"]["range"][0] == (START + 3600) * 1000
    assert clock(START, 8 * 3600) == "06:13"


def test_a_gap_stays_a_gap() -> None:
    values = np.full((1, 10), 0.5)
    values[0, 3] = np.nan
    trace = timeline(curves(values=values))["data"][0]
    assert math.isnan(trace["y"][3])
    assert trace["connectgaps"] is False
    assert trace["text"][3].endswith("–")


def test_a_band_is_drawn_with_its_limit_and_only_inside_the_axis() -> None:
    layout = timeline(curves(bands=[Band(-math.inf, 0.5), Band(0.95, math.inf, bad=True)]))["layout"]
    areas = [shape for shape in layout["shapes"] if shape["type"] == "rect"]
    edges = [shape["y0"] for shape in layout["shapes"] if shape["type"] == "line"]
    assert (areas[0]["y0"], areas[0]["y1"]) == (0.0, 0.5)
    assert areas[1]["y1"] == layout["yaxis"]["range"][1]
    assert [area["fillcolor"] for area in areas] == ["token:warn", "token:limit"]
    assert edges == [0.5, 0.95]


def test_a_limit_far_above_the_curve_does_not_flatten_it() -> None:
    low = curves(values=np.full((1, 10), 0.004), unit="s", bands=[Band(0.5, math.inf)])
    assert timeline(low)["layout"]["yaxis"]["range"][1] < 0.01
    assert not timeline(low)["layout"]["shapes"]


def test_a_capacity_has_a_line_with_its_words() -> None:
    layout = timeline(curves(lines=[Line(0.92, "reserved by vLLM")]))["layout"]
    assert layout["shapes"][-1]["y0"] == 0.92
    assert layout["annotations"][0]["text"] == "reserved by vLLM"
    assert layout["yaxis"]["range"][1] > 0.92


def test_bytes_are_drawn_in_gib() -> None:
    figure = timeline(curves(values=np.full((1, 10), 40.0 * GIB), unit="bytes"))
    assert figure["data"][0]["y"][0] == pytest.approx(40)
    assert figure["layout"]["yaxis"]["ticktext"][-1].endswith("GiB")


@pytest.mark.parametrize(
    ("unit", "height"), [("ratio", 0.9), ("s", 0.02), ("s", 12.0), ("1/s", 431.0), ("count", 3.0)]
)
def test_ticks_are_few_and_their_words_differ(unit: str, height: float) -> None:
    axis = timeline(curves(values=np.full((1, 10), height), unit=unit))["layout"]["yaxis"]
    assert 3 <= len(axis["tickvals"]) <= 6
    assert len(set(axis["ticktext"])) == len(axis["ticktext"])


def test_of_many_curves_the_ends_are_drawn_and_the_rest_counted() -> None:
    many = curves(64)
    figure = timeline(many)
    assert len(figure["data"]) == MOST_SERIES
    assert {0, 63} <= set(drawn(many))
    assert "52" in figure["legend"][-1]["text"]
    looks = {(trace["line"]["color"], trace["line"]["dash"]) for trace in figure["data"]}
    assert len(looks) == MOST_SERIES


def test_old_data_is_grey() -> None:
    assert timeline(curves(stale=True))["data"][0]["line"]["color"] == "token:muted"


@pytest.mark.parametrize("values", [np.empty((0, 0)), np.full((1, 10), np.nan), np.zeros((1, 10))])
def test_nothing_measured_is_drawn_too(values: np.ndarray) -> None:
    shown = curves(values=values, names=["a"] * len(values), times=START + 60.0 * np.arange(values.shape[1]))
    low, high = timeline(shown)["layout"]["yaxis"]["range"]
    assert low < high
    assert timeline_alt(shown)


def test_a_name_is_printed_as_it_is() -> None:
    assert timeline(curves(names=["<i>x"]))["data"][0]["name"] == "&lt;i&gt;x"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sentence_has_the_last_values(language: str) -> None:
    told = timeline_alt(curves(2), language)
    assert "60 %" in told
    assert "90 %" in told
    assert "{" not in told
