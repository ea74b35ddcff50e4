from __future__ import annotations

import time

import pytest

from core.architecture.modules import Modules, module_names
from core.architecture.tensors import matrix


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("lm_head", "lm_head"),
        ("model.layers.3.mlp.gate_proj", "layers.3.mlp.gate_proj"),
        ("model.layers.3.mlp", "layers.3.mlp.gate_proj"),
        ("language_model.model.layers.3.self_attn*", "layers.3.self_attn.q_proj"),
        ("model.language_model.layers.3.self_attn*", "layers.3.self_attn.q_proj"),
        ("backbone.layers.3.mixer.in_proj", "layers.3.mixer.in_proj"),
        ("*.mlp.shared_expert.*", "layers.3.mlp.shared_expert.up_proj"),
        ("model.layers.*.self_attn", "layers.3.self_attn"),
        ("re:.*self_attn.*", "layers.3.self_attn.q_proj"),
        (r"re:model\.layers\.3\..*", "layers.3.self_attn.q_proj"),
        (r"re:.*mlp\.(gate|up|gate_up|down)_proj.*", "layers.0.mlp.up_proj"),
        ("gate", "layers.3.mlp.gate"),
        ("mlp.gate", "layers.3.mlp.gate"),
        ("q_proj.weight", "layers.3.self_attn.q_proj"),
    ],
)
def test_covers(pattern: str, name: str) -> None:
    assert name in Modules([pattern])


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("model.layers.1.mlp", "layers.11.mlp.gate_proj"),
        ("model.layers.1.*", "layers.11.mlp.gate_proj"),
        ("gate", "layers.3.mlp.gate_proj"),
        ("model.layers.61*", "layers.6.mlp.gate_proj"),
        (r"re:.*mlp\.(gate|up|gate_up|down)_proj.*", "layers.1.mlp.experts.0.up_proj"),
        ("re:(unbalanced", "layers.3.mlp.gate"),
        ("re:(a+)+$", "a"),
    ],
)
def test_does_not_cover(pattern: str, name: str) -> None:
    assert name not in Modules([pattern])


def test_an_expression_that_would_take_for_ever_is_left_out() -> None:
    modules = Modules(["re:(.*)*x", "re:" + ".*" * 20 + "x", "re:(a|a)*(a|a)*b" * 100])
    begin = time.perf_counter()
    assert "layers.3." + "a" * 200 not in modules
    assert time.perf_counter() - begin < 0.1


def test_a_group_is_covered_under_any_of_its_names() -> None:
    group = matrix("mamba.in", 8, 8, "attention", "column").at((2, 5))
    assert Modules(["backbone.layers.5.mixer.in_proj"]).covers(group, 5)
    assert not Modules(["backbone.layers.5.mixer.in_proj"]).covers(group, 2)
    assert not Modules(()).covers(group, 2)
    assert module_names("no such group", 1) == ()


def test_a_long_list_is_as_quick_as_a_short_one() -> None:
    modules = Modules(
        [f"model.layers.{layer}.{part}*" for layer in range(100) for part in ("a", "b", "c", "d")]
    )
    begin = time.perf_counter()
    for layer in range(100):
        for _ in range(20):
            assert f"layers.{layer}.self_attn.q_proj" not in modules
    assert time.perf_counter() - begin < 0.5
