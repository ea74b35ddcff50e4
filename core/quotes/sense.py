"""Whether a price and a rate are such as others are: what is far off is told, not refused."""

from __future__ import annotations

from functools import cache
from statistics import median

from core.catalog import offers
from core.cost.quote import Quote
from core.text import Sentence, say

FAR = 10.0
"""Times the usual price from which a rent is told; a year's price as a month's is 12 times, a node's as a GPU's 8."""

FAR_PURCHASE = 20.0
"""The same for a purchase against what a year of the GPU costs on demand, which says less."""

RATES = {
    "EUR": 1.1, "GBP": 1.3, "CHF": 1.2, "CNY": 0.14, "JPY": 0.0067, "INR": 0.012, "KRW": 0.0007, "TWD": 0.031,
    "HKD": 0.128, "SGD": 0.76, "CAD": 0.73, "AUD": 0.66, "AED": 0.272, "SAR": 0.267, "SEK": 0.1, "NOK": 0.095,
    "DKK": 0.15, "PLN": 0.26, "BRL": 0.18, "MYR": 0.23, "THB": 0.03, "IDR": 6.1e-5, "VND": 3.9e-5, "ILS": 0.28,
}  # fmt: skip
"""About US dollars for a unit, to find a rate that is upside down; from memory, low confidence, never a rate itself."""

FAR_RATE = 2.0


@cache
def usual(gpu: str) -> float | None:
    """Return the median on-demand US dollars per GPU-hour over the offers of *gpu*; None where there is none."""
    return _medians().get(gpu)


def price_doubt(quote: Quote) -> Sentence | None:
    """Return what is odd about the price of *quote* beside list prices, None where nothing is."""
    usd = quote.usd_once if quote.is_purchase else quote.usd_per_hour
    each = usd / (1.0 + quote.tax) / quote.gpus
    expected = usual(quote.gpu)
    least, most = (10.0, 1e6) if quote.is_purchase else (1e-3, 1e3)
    if expected is not None:
        expected *= 8760.0 if quote.is_purchase else 1.0
        far = FAR_PURCHASE if quote.is_purchase else FAR
        least, most = expected / far, expected * far
    if least <= each <= most:
        return None
    what = "bought" if quote.is_purchase else "rent"
    if expected is None:
        return say(f"quotes.odd_{what}", usd=f"{each:,.4g}")
    times = each / expected
    key = f"quotes.{'dear' if times > 1 else 'cheap'}_{what}"
    factor = times if times > 1 else 1 / times if times else float("inf")
    return say(key, usd=f"{each:,.4g}", usual=f"{expected:,.4g}", times=f"{factor:,.0f}", gpu=quote.gpu)


def rate_doubt(currency: str, rate: float) -> Sentence | None:
    """Return what is odd about *rate*, US dollars for a unit of *currency*, None where nothing is."""
    about = RATES.get(currency)
    if about is None or about / FAR_RATE <= rate <= about * FAR_RATE:
        return None
    return say(
        "quotes.odd_rate", currency=currency, rate=f"{rate:g}", about=f"{about:g}", inverse=f"{1 / rate:.3g}"
    )


@cache
def _medians() -> dict[str, float]:
    prices: dict[str, list[float]] = {}
    for offer in offers().values():
        prices.setdefault(offer.accelerator, []).append(offer.usd_per_gpu_hour)
    return {gpu: median(found) for gpu, found in prices.items()}
