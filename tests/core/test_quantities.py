from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import quantities
from core.quantities import GIB, MIB, format_bytes, format_count, format_gib, format_tokens


def test_binary_and_decimal_units_differ() -> None:
    assert (quantities.KIB, quantities.MIB, quantities.GIB) == (1024, 1024**2, 1024**3)
    assert (quantities.KB, quantities.MB, quantities.GB) == (1000, 1000**2, 1000**3)


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [
        (0, "0.00 GiB"),
        (7 * MIB, "0.01 GiB"),
        (79.19 * GIB, "79.19 GiB"),
        (640 * GIB, "640 GiB"),
        (640.5 * GIB, "640.5 GiB"),
        (1128 * GIB, "1,128 GiB"),
        (-2 * GIB, "-2.00 GiB"),
    ],
)
def test_gib(size_bytes: float, shown: str) -> None:
    assert format_gib(size_bytes) == shown


@given(st.floats(min_value=0, max_value=2**60))
def test_gib_is_true_to_half_a_digit(size_bytes: float) -> None:
    number = float(format_gib(size_bytes).removesuffix(" GiB").replace(",", ""))
    size = size_bytes / GIB
    assert number == pytest.approx(size, abs=0.5 if size >= 999 else 0.05 if size >= 99 else 0.005, rel=1e-9)


def test_bytes_are_exact() -> None:
    assert format_bytes(70_272) == "70,272 B"
    assert format_bytes(0.5) == "0.5 B"


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0"), (999, "999"), (1000, "1.00 k"), (7_615_616_512, "7.62 B"), (1_026_000_000_000, "1.03 T")],
)
def test_count(number: float, shown: str) -> None:
    assert format_count(number) == shown


def test_tokens_are_whole() -> None:
    assert format_tokens(131_072.4) == "131,072"


@given(st.floats(min_value=1e-6, max_value=1e12), st.floats(min_value=0.001, max_value=0.9))
def test_rounding_stays_within_the_band(value: float, spread: float) -> None:
    digits = quantities.significant_digits(value, value * (1 - spread), value * (1 + spread))
    shown = float(quantities.format_digits(value, digits).replace(",", ""))
    assert 2 <= digits <= 4
    assert abs(shown - value) <= value * max(spread, 0.05) * 1.0001


@pytest.mark.parametrize(
    ("tokens", "shown"),
    [
        (1024, "1K"),
        (3072, "3K"),
        (131072, "128K"),
        (2**20, "1M"),
        (1000, "1,000"),
        (163840, "160K"),
        (0, "0"),
    ],
)
def test_lengths(tokens: int, shown: str) -> None:
    assert quantities.format_length(tokens) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (0, "$0"),
        (2.5, "$2.50"),
        (0.004567, "$0.00457"),
        (99.999, "$100.00"),
        (250.4, "$250"),
        (1e6, "$1,000,000"),
    ],
)
def test_dollars(amount: float, shown: str) -> None:
    assert quantities.format_usd(amount) == shown


@pytest.mark.parametrize(
    ("seconds", "digits", "shown"),
    [
        (0.00123, 2, "1.2 ms"),
        (0.5, 3, "500 ms"),
        (9.99, 2, "10,000 ms"),
        (12, 2, "12 s"),
        (float("inf"), 2, "∞"),
    ],
)
def test_seconds(seconds: float, digits: int, shown: str) -> None:
    assert quantities.format_seconds(seconds, digits) == shown
