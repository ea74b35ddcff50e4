"""Bands around the time to first token, which measurements exceed more often than not."""

from __future__ import annotations

import pytest

from core.speed.bands import Kind, band, band_row


@pytest.mark.parametrize("era", ["recent", "older", "local", "unmeasured"])
@pytest.mark.parametrize("moe", [False, True])
@pytest.mark.parametrize("batch", [1.0, 30.0, 1e6])
def test_every_kind_has_a_band(era, moe, batch):
    low, high = band(Kind(era, "closed_loop", moe, batch), "ttft_s", 2.0)
    assert 0 < low < high
    assert high > 2.0


def test_only_recent_engines_were_measured():
    assert band_row(Kind("recent", "closed_loop", True, 64), "ttft_s")["cases"] == 204
    assert band_row(Kind("local", "closed_loop", True, 64), "ttft_s")["cases"] == 0
