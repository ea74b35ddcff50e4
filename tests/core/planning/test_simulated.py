"""Plans, simulated: the numbers of a plan are those of its deployment under its load."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.planning.question import SHARES
from core.planning.search import plan
from core.planning.simulated import simulated
from tests.questions import CHAT, DEEPSEEK, ask


@pytest.mark.parametrize("place", [0, 1, 2])
def test_formula_and_simulation_of_a_plan_agree(place):
    found = plan(ask(DEEPSEEK, traffic=CHAT, ttft=0.5)).plans[place]
    check = simulated(found, 2000)
    assert set(check.simulation) >= set(SHARES)
    assert not check.differs(0.95)


def test_a_plan_that_says_too_little_is_told():
    found = plan(ask(DEEPSEEK, traffic=CHAT, ttft=0.5)).plans[0]
    service = replace(found.service, ttft={share: 0.6 * value for share, value in found.service.ttft.items()})
    assert simulated(replace(found, service=service), 1000).differs(0.95)
