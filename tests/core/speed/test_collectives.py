"""Messages between GPUs, against arithmetic by hand."""

import dataclasses

import pytest

from core.speed.collectives import all_reduce, all_to_all


def test_one_rank_sends_nothing(profile, h100, constants):
    assert all_reduce(profile(), h100, constants, 64) == 0
    assert all_to_all(profile("deepseek-ai/DeepSeek-V3", tp=8), h100, constants, 64) == 0


def test_an_all_reduce_is_a_latency_and_the_bytes_of_a_ring(profile, h100, constants):
    one = profile(tp=4)
    latency = constants.reduce_latency + 4 * constants.reduce_rank
    message = 2 * 3 / 4 * 64 * 4096 * 2 / (450e9 * constants.link_efficiency)
    assert all_reduce(one, h100, constants, 64) == pytest.approx(2 * 32 * (latency + message))


def test_pcie_waits_longer(profile, h100, constants):
    pcie = dataclasses.replace(h100, switched=0.0)
    assert all_reduce(profile(tp=4), pcie, constants, 1) > 2 * all_reduce(profile(tp=4), h100, constants, 1)


def test_beyond_a_node_the_network_bounds(profile, h100, constants):
    inside, outside = profile(tp=8), profile(tp=16)
    assert all_reduce(outside, h100, constants, 4096) > 5 * all_reduce(inside, h100, constants, 4096)


def test_an_all_to_all_reaches_the_ranks_that_hold_chosen_experts(profile, h100, constants):
    spread = profile("deepseek-ai/DeepSeek-V3", dp=8, ep=8, attention_dp=True)
    reached = 8 * (1 - (1 - 1 / 8) ** 8)
    message = reached * 64 * 7168 * 3 / (450e9 * constants.exchange_efficiency)
    expected = 58 * (2 * constants.exchange_latency + message)
    assert all_to_all(spread, h100, constants, 64) == pytest.approx(expected)


def test_a_relayed_message_crosses_to_each_node_once(profile, h100, constants):
    wide = profile("deepseek-ai/DeepSeek-V3", dp=32, ep=32, attention_dp=True)
    direct, relayed = (all_to_all(wide, h100, constants, 4096, relayed=how) for how in (0.0, 1.0))
    assert relayed < direct
