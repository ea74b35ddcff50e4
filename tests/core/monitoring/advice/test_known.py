"""Advice that is not computed: sourced, in both languages, and for every rule."""

from __future__ import annotations

from core.monitoring.advice.guides import known
from core.monitoring.evidence import SHOWN_BY
from core.text import LANGUAGES

# What to do about these is computed, or what is missing for it is said.
COMPUTED = {"queue", "e2e_slow"}
RULES = sorted(SHOWN_BY.keys() - COMPUTED)


def test_every_rule_has_advice_with_a_source() -> None:
    for rule in RULES:
        found = known(rule)
        assert found, rule
        for one in found:
            for language in LANGUAGES:
                assert one.sentence.render(language)
                assert len(one.basis.render(language)) > 10


def test_an_unknown_rule_has_none() -> None:
    assert known("no such rule") == ()
