"""Profiles, devices and constants that many tests start from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.api import SpeedRequest, speed_of
from core.speed.constants import Constants, constants_of
from core.speed.device import DeviceRates, matrix_rates
from core.speed.estimate import Estimate
from core.speed.profile import StepProfile, profile_of

H100 = {"bf16": 989e12, "fp8": 1978e12, "int8": 1978e12}


@pytest.fixture
def speed() -> Callable[..., Estimate]:
    """Return a function that estimates the speed of request fields; a model of the catalogue by name."""

    def build(model: str = "meta-llama/Llama-3.1-8B-Instruct", **fields: Any) -> Estimate:
        return speed_of(SpeedRequest.model_validate({"model": model, "gpu": "h100-sxm-80", **fields}))

    return build


@pytest.fixture
def profile(speed: Callable[..., Estimate]) -> Callable[..., StepProfile]:
    """Return a function that builds the profile of request fields."""

    def build(model: str = "meta-llama/Llama-3.1-8B-Instruct", **fields: Any) -> StepProfile:
        found = speed(model, **fields).deployment
        return profile_of(found.model, found.weights, found.kv, found.layout)

    return build


@pytest.fixture
def h100() -> DeviceRates:
    return DeviceRates(3.35e12, matrix_rates(H100), 450e9, 1.0, 50e9, 8.0)


@pytest.fixture
def constants() -> Constants:
    return constants_of("vllm")
