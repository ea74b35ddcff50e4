"""What is asked of a deployment: how many requests a second, when, and how long they are."""

from core.traffic.lengths import Lengths, fixed, from_values, lognormal
from core.traffic.traffic import Traffic

__all__ = ["Lengths", "Traffic", "fixed", "from_values", "lognormal"]
