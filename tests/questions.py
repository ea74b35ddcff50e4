"""Questions to the search, in the few words that tests care about."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Any

from core.api.deployments import model_of
from core.architecture import Model
from core.planning.question import Choices, Limits, Pricing, Question, Targets
from core.traffic import Traffic, lognormal

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
LLAMA_70B = "meta-llama/Llama-3.1-70B-Instruct"
DEEPSEEK = "deepseek-ai/DeepSeek-V3"
GPT_OSS = "openai/gpt-oss-120b"
GEMMA = "google/gemma-3-27b-it"

CHAT = Traffic(5.0, lognormal(800, 2000), lognormal(400, 1000), peak=2.0)


@cache
def model(name: str) -> Model:
    """Return the model *name* of the catalogue."""
    return model_of(name)


def ask(*models: str, traffic: Traffic = CHAT, rank_by: Any = "cost", **more: Any) -> Question:
    """Return a question about *models*; *more* are fields of its targets, limits, choices or pricing.

    The time to the first token is kept within a second and one token within 50 ms, where nothing else is said.
    """
    parts = []
    for kind in (Targets, Limits, Choices, Pricing):
        defaults = {"ttft": 1.0, "tpot": 0.05} if kind is Targets else {}
        own = {field.name: more.pop(field.name) for field in fields(kind) if field.name in more}
        parts.append(kind(**(defaults | own)))
    assert not more, more
    return Question(tuple(model(name) for name in models or (LLAMA,)), traffic, *parts, rank_by)
