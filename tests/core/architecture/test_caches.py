from __future__ import annotations

import pytest

from core.architecture.caches import CacheLayout


def test_a_cache_counts_its_elements() -> None:
    assert CacheLayout("kv", "full", (0,), 3, 4, heads=1).elements == 7
    assert CacheLayout("state", "state", (0,), 8, 0, heads=4, split="heads").divided(2) == 0.5


@pytest.mark.parametrize(
    ("layout", "ranks", "share"),
    [
        (CacheLayout("kv", "full", (), 8, 8, heads=8), 4, 1 / 4),
        (CacheLayout("kv", "full", (), 8, 8, heads=2), 8, 1 / 2),  # every rank keeps a head
        (CacheLayout("latent", "full", (), 8, 0, split="replicated"), 8, 1),
        (CacheLayout("state", "state", (), 8, 8, heads=16, split="heads"), 8, 1 / 8),
    ],
)
def test_division_by_tensor_parallelism(layout: CacheLayout, ranks: int, share: float) -> None:
    assert layout.divided(ranks) == share
