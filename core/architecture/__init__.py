"""config.json -> tensor groups, cache layouts and weight formats."""

from core.architecture.caches import CacheLayout
from core.architecture.model import Model
from core.architecture.read import read_model
from core.architecture.tensors import TensorGroup

__all__ = ["CacheLayout", "Model", "TensorGroup", "read_model"]
