"""Which block mixes the tokens of each layer, family by family."""

from __future__ import annotations

from typing import Any

import pytest

from core.architecture import Model, read_model
from core.catalog import find_model
from tests.core.architecture.conftest import LLAMA, MLA, changed


def kinds(config: dict[str, Any]) -> list[str]:
    """Return the kind of each layer's first cache, "none" where it has none."""
    model = read_model(config)
    found = {layer: layout.kind for layout in reversed(model.caches) for layer in layout.layers}
    return [found.get(layer, "none") for layer in range(model.layers)]


def catalogue(id_: str) -> Model:
    return read_model(find_model(id_).config)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"model_type": "llama", "sliding_window": 8}, "full full full full"),
        ({"model_type": "mistral", "sliding_window": 8}, "window window window window"),
        ({"model_type": "mistral"}, "full full full full"),
        ({"model_type": "gemma2", "head_dim": 8, "sliding_window": 8}, "window full window full"),
        ({"model_type": "cohere2", "sliding_window": 8}, "window window window full"),
        (
            {"model_type": "cohere2", "sliding_window": 8, "sliding_window_pattern": 2},
            "window full window full",
        ),
        ({"model_type": "qwen2", "sliding_window": 8, "max_window_layers": 2}, "full full full full"),
        (
            {"model_type": "qwen2", "sliding_window": 8, "max_window_layers": 2, "use_sliding_window": True},
            "full full window window",
        ),
        (
            {"model_type": "llama", "sliding_window": 8, "sliding_window_indices": [1, 0, 0, 1]},
            "window full full window",
        ),
        (
            {
                "model_type": "olmo3",
                "sliding_window": 8,
                "layer_types": ["sliding_attention"] * 3 + ["full_attention"],
            },
            "window window window full",
        ),
        ({"model_type": "llama4_text", "attention_chunk_size": 8}, "chunk chunk chunk full"),
        ({"model_type": "mllama", "cross_attention_layers": [1]}, "full none full full"),
        (
            {"model_type": "minimax_m1", "head_dim": 8, "attn_type_list": [0, 0, 0, 1]},
            "state state state full",
        ),
        ({"model_type": "jamba", "attn_layer_period": 2, "attn_layer_offset": 1}, "state full state full"),
    ],
)
def test_layouts(fields: dict[str, Any], expected: str) -> None:
    assert kinds(changed(LLAMA, **fields)) == expected.split()


def test_a_window_needs_its_size() -> None:
    with pytest.raises(Exception, match="sliding_window"):
        read_model(changed(LLAMA, layer_types=["sliding_attention"] * 4))


def test_windowed_layers_may_have_other_heads() -> None:
    full, window = sorted(catalogue("XiaomiMiMo/MiMo-V2-Flash").caches, key=lambda layout: layout.kind)
    assert (full.heads, full.keys, full.values) == (4, 4 * 192, 4 * 128)
    assert (window.heads, window.keys, window.values, window.window) == (8, 8 * 192, 8 * 128, 128)


def test_full_layers_may_have_wider_heads_and_share_values() -> None:
    model = catalogue("google/gemma-4-26B-A4B")
    full, window = sorted(model.caches, key=lambda layout: layout.kind)
    assert (full.heads, full.keys, len(full.layers)) == (2, 2 * 512, 5)
    assert (window.heads, window.keys, window.window) == (8, 8 * 256, 1024)
    values = [group for group in model.groups if group.name == "attention.v"]
    assert {layer for group in values for layer in group.layers} == set(window.layers)


def test_some_layers_reuse_the_index_of_others() -> None:
    model = catalogue("zai-org/GLM-5.3")
    index = next(layout for layout in model.caches if layout.name == "index")
    assert index.layers[:5] == (0, 1, 2, 6, 10)
    assert len(index.layers) == 21
    assert sum(len(layout.layers) for layout in model.caches if layout.name == "latent") == 78


def test_block_sparse_attention_keeps_index_keys_beside_its_cache() -> None:
    model = catalogue("MiniMaxAI/MiniMax-M3")
    index = next(layout for layout in model.caches if layout.name == "index")
    assert (index.elements, len(index.layers), index.split) == (128, 57, "replicated")


@pytest.mark.parametrize(
    ("id_", "full", "state"),
    [
        ("Qwen/Qwen3-Next-80B-A3B-Instruct", 12, 36),
        ("moonshotai/Kimi-Linear-48B-A3B-Instruct", 7, 20),
        ("MiniMaxAI/MiniMax-Text-01", 10, 70),
        ("ai21labs/Jamba-v0.1", 4, 28),
        ("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", 6, 23),
        ("ibm-granite/granite-4.0-h-small", 4, 36),
    ],
)
def test_hybrids_of_the_catalogue(id_: str, full: int, state: int) -> None:
    found: dict[str, int] = {}
    for layout in catalogue(id_).caches:
        found[layout.kind] = found.get(layout.kind, 0) + len(layout.layers)
    assert found == {"full": full, "state": state}


def test_latent_attention_with_an_index_has_two_caches() -> None:
    model = read_model(changed(MLA, index_head_dim=8, index_n_heads=4, index_topk=64))
    assert sorted(layout.name for layout in model.caches) == ["index", "latent"]
