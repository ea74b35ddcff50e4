"""Broken configs: each is read to finite sizes, or refused by an error that names the field."""

from __future__ import annotations

import copy
import json
import math
import time
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.api import answer
from core.architecture import Model, read_model
from core.architecture.checkpoint import checkpoint_format
from core.architecture.formats import checkpoint_bytes
from core.catalog import find_model, model_ids
from core.errors import PlannerError

IDS = model_ids()

VALUES = st.one_of(
    st.sampled_from(
        [
            0,
            -1,
            1,
            2,
            3,
            7,
            2**31,
            2**63,
            10**400,
            -(10**400),
            0.5,
            4096.0,
            1e308,
            True,
            False,
            None,
            math.nan,
            math.inf,
            -math.inf,
            "",
            "4096",
            "full_attention",
            "MEM*E",
            "1,2,x",
            chr(0xD800),
            [],
            [1],
            [None],
            ["a"],
            [[1]],
            [{}],
            [1] * 200,
            {},
            {"a": 1},
            {"hidden_size": {}},
            {"type": "yarn"},
        ]
    ),
    st.integers(-5, 300),
    st.text(max_size=8),
)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all fields of *node*, of a list only the first entries."""
    found = []
    items = node.items() if isinstance(node, dict) else enumerate(node[:2]) if isinstance(node, list) else ()
    for key, value in items:
        found += [(*path, key), *places(value, (*path, key))]
    return found


def parent(config: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        config = config[key]
    return config


@st.composite
def broken(draw: st.DrawFn) -> dict[str, Any]:
    """A shipped config with one to three fields dropped, replaced, swapped or cut short."""
    config = copy.deepcopy(dict(find_model(draw(st.sampled_from(IDS))).config))
    for _ in range(draw(st.integers(1, 3))):
        paths = places(config)
        if not paths:
            break
        path = draw(st.sampled_from(paths))
        node, key = parent(config, path), path[-1]
        change = draw(st.sampled_from(["set", "set", "drop", "swap", "cut"]))
        if change == "drop":
            del node[key]
        elif change == "swap":
            other = draw(st.sampled_from(list(node) if isinstance(node, dict) else range(len(node))))
            node[key], node[other] = node[other], node[key]
        elif change == "cut" and isinstance(node[key], list | str):
            node[key] = node[key][: len(node[key]) // 2]
        else:
            node[key] = copy.deepcopy(draw(VALUES))
    return config


def check(model: Model) -> None:
    assert model.parameters > 0
    assert model.active_parameters > 0
    assert model.mtp_parameters >= 0
    assert all(size > 0 for group in model.groups for size in group.shape)
    assert all(math.isfinite(group.active) and 0 < group.active <= 1 for group in model.groups)
    assert all(layout.elements >= 0 for layout in model.caches)
    assert all(rows > 0 and columns > 0 for rows, columns in model.rope_tables)


def outcome(config: Any) -> PlannerError | float:
    """Return the refusal of *config*, or the bytes of its checkpoint, checked."""
    try:
        model = read_model(config)
        check(model)
        size = checkpoint_bytes(model, checkpoint_format(model))
    except PlannerError as error:
        return error
    assert math.isfinite(size)
    assert size > 0
    return size


def check_refusal(found: PlannerError | float) -> None:
    if isinstance(found, PlannerError):
        assert found.field
        assert found.field.split(".")[-1] in found.message or found.field == "model"
        assert len(found.message) < 600
        assert found.sentence.render("zh")


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(broken())
def test_a_broken_config_is_read_or_refused(config: dict[str, Any]) -> None:
    check_refusal(outcome(config))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(broken(), st.sampled_from(["vllm", "sglang", "llama.cpp", "transformers"]), st.sampled_from([1, 2, 8]))
def test_a_broken_config_in_a_request_is_answered(config: dict[str, Any], engine: str, ranks: int) -> None:
    found = answer("size", {"model": config, "engine": engine, "tp": ranks, "gpu": "h100-sxm-80"})
    assert orjson.dumps(found)
    if "error" in found:
        assert found["error"].keys() == {"kind", "field", "message"}
        assert found["error"]["message"]
        return
    numbers = [value for value in found.values() if isinstance(value, int | float)]
    assert all(math.isfinite(value) for value in numbers)
    assert all(
        found[name] >= 0
        for name in ("weights_gib", "activation_gib", "runtime_gib", "cuda_graph_gib", "kv_bytes_per_token")
    )
    assert found["parameters_total"] > 0


@pytest.mark.parametrize("wrong", [[], "config", 3, None, 1.5, True, [{}]])
def test_what_is_no_object_is_refused(wrong: Any) -> None:
    with pytest.raises(PlannerError) as refused:
        read_model(wrong)
    assert refused.value.field == "model"


def nested(depth: int) -> Any:
    node: Any = 1
    for _ in range(depth):
        node = {"text_config": node} if depth % 2 else [node]
    return node


@pytest.mark.parametrize(
    "field", ["text_config", "hidden_size", "rope_scaling", "vision_config", "layer_types"]
)
@pytest.mark.parametrize("depth", [900, 901])
def test_deep_nesting_is_refused_quickly(field: str, depth: int) -> None:
    config = {**find_model("Qwen/Qwen3-8B").config, field: nested(depth)}
    check_refusal(outcome(config))


@pytest.mark.parametrize(
    "field",
    [
        "layer_types",
        "compress_ratios",
        "moe_topk",
        "mlp_only_layers",
        "block_configs",
        "hybrid_override_pattern",
        "num_experts_per_tok",
        "moe_layers_enum",
        "junk",
        "architectures",
    ],
)
def test_a_config_of_20_mb_costs_no_more_than_reading_it(field: str) -> None:
    config = {**find_model("Qwen/Qwen3-30B-A3B").config, field: [1] * 7_000_000}
    begin = time.perf_counter()
    check_refusal(outcome(config))
    assert time.perf_counter() - begin < 2


@pytest.mark.parametrize("layers", [10_000, 10_001, 10**9])
def test_the_number_of_layers_is_bounded(layers: int) -> None:
    config = {**find_model("Qwen/Qwen3-30B-A3B").config, "num_hidden_layers": layers}
    begin = time.perf_counter()
    if layers > 10_000:
        with pytest.raises(PlannerError, match="num_hidden_layers"):
            read_model(config)
    else:
        check(read_model(config))
    assert time.perf_counter() - begin < 2


def test_long_lists_of_modules_are_bounded() -> None:
    modules = [f"*.{number}.x*" for number in range(5_001)]
    config = {
        **find_model("Qwen/Qwen3-8B").config,
        "quantization_config": {"quant_method": "fp8", "modules_to_not_convert": modules},
    }
    with pytest.raises(PlannerError, match="modules_to_not_convert"):
        checkpoint_format(read_model(config))


def test_json_survives_a_round_trip() -> None:
    config = find_model("deepseek-ai/DeepSeek-V3").config
    assert read_model(json.loads(json.dumps(dict(config)))).parameters == read_model(config).parameters
