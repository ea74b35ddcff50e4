"""Memory of a training run by phase and component, what would make it fit, and how far to trust it."""

from core.memory.training.frameworks import find_framework
from core.memory.training.peak import TrainingMemory, size_training
from core.memory.training.run import Adapters, Optimizer, Precision, TrainingLayout, TrainingRun

__all__ = [
    "Adapters",
    "Optimizer",
    "Precision",
    "TrainingLayout",
    "TrainingMemory",
    "TrainingRun",
    "find_framework",
    "size_training",
]
