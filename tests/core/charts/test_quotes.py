"""The figures of quotes: what was paid, tokens by utilisation, what decides, what they may cost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.charts.cumulative import cumulative, cumulative_alt
from core.charts.quotes_axes import MOST, line_of, mark, shown, usd_axis
from core.charts.spread import spread, spread_alt
from core.charts.tornado import MOST as BARS
from core.charts.tornado import tornado, tornado_alt
from core.charts.utilisation import utilisation, utilisation_alt
from core.text import LANGUAGES
from tests.quotes import BOUGHT, LISTED, compared, named, without_model


def test_what_was_paid_rises_to_the_spending_of_the_horizon() -> None:
    found = compared()
    curve = cumulative(found)["data"][1]
    assert curve["y"][0] >= 316_000
    assert curve["y"][-1] == pytest.approx(float(found.comparison.rows[1].bill.spending.sum()), abs=0.01)
    assert len(curve["x"]) == 37


def test_the_break_even_is_marked_where_the_curves_cross() -> None:
    found = compared()
    note = cumulative(found)["layout"]["annotations"][0]
    month = found.crossing(1, 0)
    assert note["x"] == pytest.approx(month)
    assert "break-even in month" in note["text"]
    assert "in month" in cumulative_alt(found)


def test_without_a_crossing_there_is_no_mark() -> None:
    found = compared(LISTED, named(LISTED, "Again"))
    assert not cumulative(found)["layout"]["annotations"]
    assert "do not cross" in cumulative_alt(found)


def test_many_quotes_are_told_apart_and_the_rest_left_out() -> None:
    many = compared(*(named(LISTED, f"Offer {number}") for number in range(12)))
    figure = cumulative(many)
    looks = [(trace["line"]["color"], trace["line"]["dash"]) for trace in figure["data"]]
    assert len(looks) == len(set(looks)) == MOST == len(figure["legend"])
    assert line_of(0) == figure["data"][0]["line"]


def test_the_point_of_the_load_lies_on_its_curve_and_within_the_axis() -> None:
    figure = utilisation(compared(growth=0.0))
    points = [trace for trace in figure["data"] if trace["mode"] == "markers"]
    assert [point["x"][0] for point in points] == [0.25, 0.25, 1.0]
    assert "at 10 % and at 100 %" in utilisation_alt(compared())


def test_without_the_model_no_curve_of_tokens_is_drawn() -> None:
    found = without_model(LISTED, BOUGHT)
    assert not utilisation(found)["data"]
    assert "No quote holds the model" in utilisation_alt(found)


def test_the_widest_swing_is_on_top_and_bars_end_at_their_costs() -> None:
    swings = compared().swings(1)
    figure = tornado(swings, "US dollars")
    low, high = figure["data"]
    assert len(low["y"]) == min(BARS, len(swings))
    assert len(set(low["y"])) == len(low["y"]), "two bars of one name would be drawn as one"
    assert low["base"][0] + low["x"][0] == pytest.approx(swings[0].at_low)
    assert high["base"][0] + high["x"][0] == pytest.approx(swings[0].at_high)
    left, right = figure["layout"]["xaxis"]["range"]
    assert left <= min(swings[0].at_low, swings[0].at_high) < right
    assert tornado([], "")["data"] == []
    assert "Bought" in tornado_alt(swings, "Bought")
    assert tornado_alt([], "Bought")


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_of_assumptions_differ_on_the_axis(language: str) -> None:
    names = tornado(compared().swings(1), "", language)["data"][0]["y"]
    assert len(set(names)) == len(names)


def test_the_bar_holds_eight_of_ten_draws_and_the_mark_is_the_middle() -> None:
    found = compared()
    figure = spread(found, "yearly")
    thin, bar, mark = figure["data"][:3]
    assert thin["x"][0] <= bar["x"][0] <= mark["x"][0] <= bar["x"][1] <= thin["x"][1]
    assert (bar["x"][0], bar["x"][1]) == pytest.approx(found.band(0, "yearly"))
    assert "Listed" in spread_alt(found, "yearly")


def test_long_names_that_begin_alike_have_rows_of_their_own() -> None:
    long = "The same long beginning of a name, number"
    figure = spread(compared(named(LISTED, f"{long} 1"), named(LISTED, f"{long} 2")), "yearly")
    assert len({trace["y"][0] for trace in figure["data"]}) == 2


def test_axes_have_round_ticks_also_below_zero() -> None:
    assert usd_axis(1_000_000)["ticktext"] == ["$0", "$200k", "$400k", "$600k", "$800k", "$1M"]
    below = usd_axis(1.0, -0.5)
    assert below["tickvals"][0] >= -0.5
    assert 0.0 in below["tickvals"]
    assert below["ticktext"][0].startswith("−")


@pytest.mark.parametrize("language", LANGUAGES)
def test_figures_speak_both_languages(language: str) -> None:
    found = compared()
    for sentence in (
        cumulative_alt(found, None, language),
        utilisation_alt(found, language),
        spread_alt(found, "per_million", language),
        tornado_alt(found.swings(0), "Listed", language),
    ):
        assert "Listed" in sentence
        assert "{" not in sentence


def test_a_short_horizon_is_drawn_too() -> None:
    figure = cumulative(compared(horizon_months=1.0))
    assert figure["layout"]["xaxis"]["range"][1] > 1


def test_of_many_quotes_the_cheapest_and_the_chosen_are_drawn() -> None:
    prices = [30.0 - number for number in range(20)]
    many = compared(*(replace(LISTED, name=f"Offer {usd:.0f}", price=usd) for usd in prices))
    assert shown(many) == list(range(12, 20))
    assert shown(many, (0, 3)) == [0, 3, *range(14, 20)]
    assert [trace["name"] for trace in cumulative(many, (0, 3))["data"]][:2] == ["Offer 30", "Offer 27"]
    looks = {(line_of(place)["color"], line_of(place)["dash"]) for place in range(20)}
    assert len(looks) == 20


@pytest.mark.parametrize(("month", "anchor"), [(3.0, "left"), (17.0, "center"), (34.0, "right")])
def test_the_note_of_a_break_even_stays_inside_a_narrow_figure(month: float, anchor: str) -> None:
    assert mark("break-even", month, 1.0, month / 36)["xanchor"] == anchor
