"""Quotes that are too small, with as many servers as hold the load."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.planning.larger import larger
from tests.quotes import CHEAP, LISTED, compared, without_model


def test_as_many_servers_as_hold_the_load_at_the_same_price_each() -> None:
    """Eight replicas of four GPUs are 32: four servers of eight at 8 USD an hour, for 20 requests/s."""
    found = larger(compared(CHEAP, growth=0.0), 0)
    assert found is not None
    assert (found.nodes, found.row.quote.gpus) == (4, 32)
    assert found.row.yearly == pytest.approx(4 * 8.0 * 8760)
    assert found.row.tokens is not None
    traffic = compared(CHEAP).capabilities[0].plan
    assert traffic is not None
    tokens = traffic.traffic.input.mean + traffic.traffic.output.mean
    assert found.row.tokens.total == pytest.approx(32.0 / (20.0 * 3600 * tokens / 1e6))


def test_a_price_for_all_servers_grows_with_their_number() -> None:
    whole = replace(CHEAP, per="total", price=16.0)
    one, other = larger(compared(whole), 0), larger(compared(CHEAP), 0)
    assert one is not None
    assert other is not None
    assert one.row.quote.price == 32.0
    assert one.row.yearly == pytest.approx(other.row.yearly)


def test_what_holds_the_load_or_never_will_stays_as_it_is() -> None:
    assert larger(compared(LISTED), 0) is None
    assert larger(without_model(CHEAP), 0) is None
