"""Deployments that many tests start from."""

from collections.abc import Callable
from typing import Any

import pytest

from core.api import deployment_of, parse
from core.memory.deployment import Deployment

H100 = {"name": "NVIDIA H100 80GB HBM3", "memory_gib": 79.19}


@pytest.fixture
def deploy() -> Callable[..., Deployment]:
    """Return a function that builds a deployment from request fields; a model of the catalogue by name."""

    def build(model: str = "meta-llama/Llama-3.1-8B-Instruct", **fields: Any) -> Deployment:
        return deployment_of(parse({"model": model, "gpu": H100, "context": 8192, **fields}))

    return build
