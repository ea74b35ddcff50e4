"""Training runs that many tests start from."""

from collections.abc import Callable
from typing import Any

import pytest

from core.api import TrainRequest, training_of
from core.api.requests import parse_as
from core.memory.training import TrainingRun

LLAMA_8B = "meta-llama/Llama-3.1-8B-Instruct"


def run_of(model: Any = LLAMA_8B, **fields: Any) -> TrainingRun:
    return training_of(parse_as(TrainRequest, {"model": model, **fields}))


@pytest.fixture
def train() -> Callable[..., TrainingRun]:
    """Return a function that builds a run from request fields; a model of the catalogue by name, or a config."""
    return run_of
