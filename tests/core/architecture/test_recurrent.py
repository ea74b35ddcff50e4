"""Recurrent blocks, counted by hand."""

from __future__ import annotations

import pytest

from core.architecture.recurrent import GatedDeltaNet, KimiDeltaAttention, LightningAttention, Mamba, Mamba2
from core.architecture.tensors import TensorGroup


def size(groups: list[TensorGroup]) -> int:
    return sum(group.parameters for group in groups)


@pytest.mark.parametrize(
    ("block", "state"),
    [
        (GatedDeltaNet(64, 2, 4, 8, 16, 4), 4 * 8 * 16 + 3 * (2 * 16 + 64)),
        (KimiDeltaAttention(64, 4, 16, 4), 4 * 16 * 16 + 3 * 3 * 64),
        (LightningAttention(64, 4, 16), 4 * 16 * 16),
        (Mamba(64, 128, 16, 4, 4), 128 * 16 + 3 * 128),
        (Mamba2(64, 8, 16, 32, 2, 4), 128 * 32 + 3 * (128 + 2 * 2 * 32)),
    ],
)
def test_states_have_a_fixed_size(block: Mamba, state: int) -> None:
    (layout,) = block.caches()
    assert layout.kind == "state"
    assert layout.elements == state
    assert size(block.tensors()) > 0


def test_parameters_of_recurrent_blocks_by_hand() -> None:
    assert size(Mamba2(64, 8, 16, 32, 2, 4).tensors()) == 64 * (128 + 256 + 8) + 256 * 5 + 24 + 128 + 64 * 128
    narrow, wide = KimiDeltaAttention(64, 4, 16, 4), KimiDeltaAttention(64, 4, 16, 4, wide_gate=True)
    assert size(wide.tensors()) - size(narrow.tensors()) == 64 * 64 - 2 * 64 * 16
