"""A day of a plan: the load in steps, two lines, and the hours that cross one of them."""

from __future__ import annotations

from core.charts import day
from core.charts.alt import day_alt
from core.planning.day import DayCurve, day_of
from tests.plans import made


def curve_of(*, busy: float = 2.0, **more: float) -> DayCurve:
    return day_of(made(**more), [busy if 9 <= hour < 17 else 0.5 for hour in range(24)], 0.2)


def test_the_load_is_drawn_by_the_hour_to_midnight() -> None:
    curve = curve_of()
    load = day(curve)["data"][0]
    assert load["x"] == list(range(25))
    assert load["y"][:24] == list(curve.rate)
    assert load["line"]["shape"] == "hv"


def test_both_limits_are_lines_with_their_numbers() -> None:
    layout = day(curve_of())["layout"]
    heights = [shape["y0"] for shape in layout["shapes"] if shape["type"] == "line"]
    assert heights == [16.0, 12.8]
    assert [note["text"] for note in layout["annotations"]] == ["stable load 16", "with headroom 13"]


def test_hours_above_the_line_are_shaded() -> None:
    figure = day(curve_of(busy=3.0))
    assert [shape["x0"] for shape in figure["layout"]["shapes"] if shape["type"] == "rect"] == list(
        range(9, 17)
    )
    assert not [shape for shape in day(curve_of())["layout"]["shapes"] if shape["type"] == "rect"]


def test_everything_is_within_the_axis() -> None:
    curve = curve_of(busy=9.0)
    assert day(curve)["layout"]["yaxis"]["range"][1] > max(curve.rate)


def test_hover_and_description_tell_the_hour() -> None:
    assert "9:00 to 10:00" in day(curve_of())["data"][0]["text"][9]
    assert "65%" in day(curve_of())["data"][0]["text"][9]
    assert "from 2.6 to 10" in day_alt(curve_of())
    assert "小时" in day_alt(curve_of(), "zh")
