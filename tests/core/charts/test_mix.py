"""The figure of a mix: servers by the hour."""

from __future__ import annotations

from dataclasses import replace

from core.charts.mix import mix as servers
from core.charts.mix import mix_alt as servers_alt
from core.planning.mix import mix
from tests.quotes import LISTED, compared


def test_the_bars_of_a_day_are_the_servers_of_each_hour() -> None:
    term = replace(LISTED, name="Term", kind="reserved", price=15.0)
    found = mix(compared(term, LISTED), 0, 1, 1)
    assert found is not None
    drawn = servers(found)
    assert [bar["y"] for bar in drawn["data"]] == [[1] * 24, list(found.hours)]
    assert drawn["layout"]["yaxis"]["range"][1] > 1 + found.most
    assert "1 nodes of Term" in servers_alt(found)
