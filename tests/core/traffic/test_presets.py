"""Usual traffic of kinds of applications."""

from __future__ import annotations

import pytest

from core.text import LANGUAGES
from core.traffic import presets


def test_the_usual_kinds_are_there():
    assert list(presets()) == ["chat", "rag", "summarising", "code", "reasoning"]


@pytest.mark.parametrize("preset", presets().values(), ids=lambda preset: preset.id)
def test_a_preset_is_traffic_with_a_name_and_a_source(preset):
    traffic = preset.traffic(2.0)
    assert traffic.peak_rate == 2.0 * preset.peak
    assert traffic.input.quantile(0.95) == pytest.approx(preset.input.p95)
    assert traffic.output.quantile(0.95) == pytest.approx(preset.output.p95)
    assert preset.provenance.source
    assert len({preset.name.render(language) for language in LANGUAGES}) == 2


def test_reasoning_has_long_answers():
    assert presets()["reasoning"].output.p95 == 8000
