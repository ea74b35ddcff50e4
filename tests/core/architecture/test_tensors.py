from __future__ import annotations

from core.architecture.tensors import matrix, vector


def test_tensor_groups_count_copies_and_layers() -> None:
    group = matrix("expert.up", 8, 4, "expert", "expert", copies=3).at((0, 1, 5))
    assert group.occurrences == 9
    assert group.parameters == 9 * 32
    assert group.is_matrix
    assert not vector("norms", 4).is_matrix
    assert vector("norms", 4).at((), "last").stage == "last"
    assert vector("norms", 4).parameters == 4
