"""Units of the product, and the one way to print each.

Inside the core every amount is in base units: bytes, seconds, tokens. Binary units (KiB, MiB, GiB, powers
of 1024) are for memory; decimal units (kB, GB, powers of 1000) appear only where a vendor or a network
speaks them. `GIB` and `GB` differ by 7 %, so each printed amount names its unit.
"""

from __future__ import annotations

import math

KIB = 2**10
MIB = 2**20
GIB = 2**30
KB = 10**3
MB = 10**6
GB = 10**9

_COUNT_UNITS = ((10**12, " T"), (10**9, " B"), (10**6, " M"), (10**3, " k"))


def format_gib(size_bytes: float) -> str:
    """Return *size_bytes* in GiB with at most four significant digits, always in GiB.

    One unit for a whole page: values that switch between MiB, GiB and TiB cannot be compared at a glance.

    >>> format_gib(2.145 * 2**30), format_gib(640 * 2**30), format_gib(0.01 * 2**30)
    ('2.15 GiB', '640 GiB', '0.01 GiB')
    """
    size = size_bytes / GIB
    digits = 0 if abs(size) >= 1000 else 1 if abs(size) >= 100 else 2
    text = f"{size:,.{digits}f}"
    if digits and "." in text and abs(size) >= 100:
        text = text.removesuffix(".0")
    return f"{text} GiB"


def format_bytes(size_bytes: float) -> str:
    """Return a small amount such as bytes per token exactly, with thousands separators.

    >>> format_bytes(70272), format_bytes(48068.5)
    ('70,272 B', '48,068.5 B')
    """
    return f"{size_bytes:,.0f} B" if float(size_bytes).is_integer() else f"{size_bytes:,.1f} B"


def format_count(number: float) -> str:
    """Return a large count with four significant digits and a decimal unit.

    >>> format_count(671_026_419_712), format_count(37_551_063_040), format_count(950)
    ('671.0 B', '37.55 B', '950')
    """
    for size, unit in _COUNT_UNITS:
        if abs(number) >= size:
            scaled = number / size
            digits = 1 if abs(scaled) >= 100 else 2
            return f"{scaled:,.{digits}f}{unit}"
    return f"{number:,.0f}"


def format_tokens(number: float) -> str:
    """Return a whole number of tokens with thousands separators.

    >>> format_tokens(1_044_688.4)
    '1,044,688'
    """
    return f"{number:,.0f}"


def significant_digits(value: float, low: float, high: float) -> int:
    """Return how many digits of *value* its band from *low* to *high* supports, two at least and four at most.

    A band of 10 % to either side supports two digits, one of 1 % three.

    >>> significant_digits(648_736, 583_862, 713_610), significant_digits(79.553, 78.8, 80.3)
    (2, 3)
    """
    half = (high - low) / 2
    if not value or not half > 0:
        return 4
    return min(4, max(2, 1 + round(-math.log10(half / abs(value)))))


def format_digits(value: float, digits: int) -> str:
    """Return *value* rounded to *digits* significant ones, with thousands separators.

    >>> format_digits(648_736, 2), format_digits(79.553, 3), format_digits(3.1185, 2), format_digits(0.0, 2)
    ('650,000', '79.6', '3.1', '0')
    """
    if not value:
        return "0"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, places):,.{max(0, places)}f}"


def round_digits(value: float, digits: int) -> int:
    """Return *value* rounded to *digits* significant ones, as a whole number.

    >>> round_digits(648_736, 2), round_digits(37, 4)
    (650000, 37)
    """
    if not value:
        return 0
    return int(round(value, digits - 1 - math.floor(math.log10(abs(value)))))


def format_length(tokens: float) -> str:
    """Return a length in tokens: whole multiples of 1024 as people say them, others in full.

    >>> format_length(32768), format_length(1_048_576), format_length(512), format_length(50_000)
    ('32K', '1M', '512', '50,000')
    """
    for size, unit in ((2**20, "M"), (2**10, "K")):
        if tokens >= size and tokens % size == 0:
            return f"{tokens / size:,.0f}{unit}"
    return f"{tokens:,.0f}"


def format_usd(amount: float) -> str:
    """Return US dollars: whole ones from 1,000 up, three significant digits below, two decimals at least.

    >>> format_usd(218_399.6), format_usd(3.5), format_usd(0.0421), format_usd(0)
    ('$218,400', '$3.50', '$0.0421', '$0')
    """
    if not amount:
        return "$0"
    if abs(amount) >= 1000:
        return f"${amount:,.0f}"
    places = 2 - math.floor(math.log10(abs(amount)))
    return f"${round(amount, places):,.{max(2, places) if abs(amount) < 100 else 0}f}"


def short_usd(amount: float) -> str:
    """Return round US dollars as an axis has room for them.

    >>> short_usd(40_000), short_usd(1_500_000), short_usd(300)
    ('$40k', '$1.5M', '$300')
    """
    for size, unit in ((10**6, "M"), (10**3, "k")):
        if amount >= size:
            return f"${amount / size:g}{unit}"
    return f"${amount:g}"


def short_seconds(seconds: float) -> str:
    """Return a round latency as an axis has room for it, in the units of `format_seconds`.

    >>> short_seconds(0.05), short_seconds(1.5), short_seconds(20)
    ('50 ms', '1,500 ms', '20 s')
    """
    return f"{round(seconds * 1000, 6):,g} ms" if seconds < 10 else f"{seconds:,g} s"


def format_seconds(seconds: float, digits: int = 3) -> str:
    """Return a latency with *digits* significant digits: in ms below 10 s, so that those of a page compare.

    >>> format_seconds(0.2417, 2), format_seconds(2.1), format_seconds(43.28), format_seconds(math.inf)
    ('240 ms', '2,100 ms', '43.3 s', '∞')
    """
    if not math.isfinite(seconds):
        return "∞"
    if seconds < 10:
        return f"{format_digits(seconds * 1000, digits)} ms"
    return f"{format_digits(seconds, digits)} s"
