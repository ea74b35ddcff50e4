"""Serving engines as versioned data: one YAML file each, read here."""

from core.memory.engines.profile import ENGINES, Engine, find_engine

__all__ = ["ENGINES", "Engine", "find_engine"]
