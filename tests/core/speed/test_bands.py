"""Bands around speeds: the narrowest row counts, and every deployment finds one."""

import pytest

from core.speed.bands import Kind, band, band_row

QUANTITIES = ("prefill_s", "tpot_s", "request_s", "output_tokens_per_s")


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("era", ["recent", "older", "local", "unmeasured"])
@pytest.mark.parametrize("mode", ["closed_loop", "static_batch", "offline", "single"])
def test_every_kind_has_a_band(quantity, era, mode):
    for moe in (False, True):
        for batch in (1.0, 30.0, 1e6):
            low, high = band(Kind(era, mode, moe, batch), quantity, 10.0)
            assert 0 < low < 10.0 < high


def test_a_throughput_is_the_inverse_of_a_time():
    kind = Kind("recent", "closed_loop", True, 16)
    slow = band(kind, "request_s", 1.0)
    fast = band(kind, "output_tokens_per_s", 1.0)
    assert fast == pytest.approx((1 / slow[1], 1 / slow[0]))


def test_what_was_not_measured_is_less_sure():
    recent, unmeasured = (
        band(Kind(era, "closed_loop", False, 16), "tpot_s", 1.0) for era in ("recent", "unmeasured")
    )
    assert unmeasured[0] < recent[0] < recent[1] < unmeasured[1]


def test_a_row_says_how_many_measurements_are_behind_it():
    assert band_row(Kind("recent", "closed_loop", False, 16), "tpot_s")["cases"] > 100
    assert band_row(Kind("unmeasured", "closed_loop", False, 16), "tpot_s")["cases"] == 0


@pytest.mark.parametrize(("low", "high"), [(1.2, 2.0), (0.5, 0.9), (0.8, 1.3)])
def test_a_value_is_never_outside_its_own_band(monkeypatch, low, high):
    monkeypatch.setattr("core.speed.bands.band_row", lambda *_: {"low": low, "high": high})
    for quantity in (*QUANTITIES, "ttft_s"):
        least, most = band(Kind("recent", "closed_loop", False, 16), quantity, 10.0)
        assert least <= 10.0 <= most
        assert least < most
