from __future__ import annotations

import pytest

from core.architecture.config import NAMES, Config
from core.architecture.families import (
    FOREIGN,
    ROW_DEFAULTS,
    SWITCHES,
    Family,
    _table,
    family_names,
    recognise,
)
from core.architecture.towers import PUBLISHED
from core.text import sentences

ROWS = _table()


def test_families_are_many_and_none_is_foreign() -> None:
    assert len(family_names()) > 100
    assert not set(family_names()) & {name for names in FOREIGN.values() for name in names.split()}


@pytest.mark.parametrize("name", family_names())
def test_a_row_uses_known_fields_and_values(name: str) -> None:
    row = ROWS[name]
    assert row.keys() == ROW_DEFAULTS.keys()
    assert row["attention"] in ("gqa", "mla", "compressed")
    assert row["mixer"] in (None, "mamba", "mamba2", "delta", "kimi", "lightning")
    assert row["tower"] in (None, *PUBLISHED)
    assert str(row["sliding"]).partition(":")[0] in (
        "never",
        "all",
        "switch",
        "types",
        "every",
        "even",
        "chunk",
    )
    for field, kinds in (("qk_norm", {"none", "head", "full"}), ("gate", {"none", "query", "head", "full"})):
        stated = row[field]
        assert (stated["kind"] if isinstance(stated, dict) else stated) in kinds
    for field in SWITCHES:
        assert isinstance(row[field], bool | str)
    for field in ("full_fields", "window_fields"):
        assert all(isinstance(path, str) for path in row[field].values())
    known = NAMES.keys() | {"v_head_dim", "add_full_attention_sink_bias"}
    assert set(row["full_fields"]) | set(row["window_fields"]) <= known


@pytest.mark.parametrize("reason", FOREIGN)
def test_every_reason_is_a_sentence(reason: str) -> None:
    assert f"config.is.{reason}" in sentences("en")


@pytest.mark.parametrize(
    "name", ["Llama", " llama ", "llama_text", "litgpt:Meta-Llama-3-8B", "llama (text part)"]
)
def test_spellings(name: str) -> None:
    assert recognise(Config({"model_type": name})).name == "llama"


def test_a_converted_mixture_is_a_mixture() -> None:
    assert recognise(Config({"model_type": "litgpt:Qwen3-30B-A3B", "num_experts": 8})).name == "qwen3_moe"


def test_a_row_may_name_the_flag_that_decides() -> None:
    row = {**ROW_DEFAULTS, "qkv_bias": "biased", "qk_norm": {"field": "normed", "kind": "head"}}
    family = Family("new", row)
    assert family.choice("qkv_bias", Config({"biased": True})) is True
    assert family.choice("qkv_bias", Config({})) is False
    assert family.choice("qk_norm", Config({"normed": True})) == "head"
    assert family.choice("qk_norm", Config({})) == "none"
    assert family.choice("norms", Config({})) == 2
