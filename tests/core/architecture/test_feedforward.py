"""Feed-forward blocks, counted by hand."""

from __future__ import annotations

from core.architecture.feedforward import MixtureOfExperts, Mlp
from core.architecture.tensors import TensorGroup


def size(groups: list[TensorGroup]) -> int:
    return sum(group.parameters for group in groups)


def test_mlp() -> None:
    assert size(Mlp(64, 96).tensors()) == 3 * 64 * 96
    assert size(Mlp(64, 96, gated=False).tensors()) == 2 * 64 * 96
    assert size(Mlp(64, 96, bias=True).tensors()) == 3 * 64 * 96 + 2 * 96 + 64


def test_mixture_of_experts() -> None:
    block = MixtureOfExperts(64, 32, experts=8, chosen=2, shared_inner=32, shared_gate=True, router_bias=True)
    experts = [group for group in block.tensors() if group.role == "expert"]
    assert size(experts) == 8 * 3 * 64 * 32
    assert {group.active for group in experts} == {0.25}
    assert size(block.tensors()) == 9 * 3 * 64 * 32 + 8 * 64 + 8 + 64


def test_experts_may_work_in_a_narrower_space() -> None:
    block = MixtureOfExperts(64, 32, experts=8, chosen=2, gated=False, latent=16, latent_norm=True)
    assert size(block.tensors()) == 8 * 2 * 16 * 32 + 2 * 64 * 16 + 16 + 8 * 64


def test_experts_may_stand_beside_an_mlp() -> None:
    block = MixtureOfExperts(64, 32, experts=8, chosen=2, beside=Mlp(64, 96))
    assert size(block.tensors()) == 8 * 3 * 64 * 32 + 3 * 64 * 96 + 8 * 64 + 4 * 64 + 8
    assert {group.module for group in block.tensors() if group.role == "expert"} == {"outer_expert"}
