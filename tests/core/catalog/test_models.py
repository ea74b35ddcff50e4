"""Every file of hardware_db/models, and the names under which it is found."""

import json
import time
from pathlib import Path

import pytest

from core.catalog import find_model, model_ids
from core.catalog import models as module
from core.errors import UnknownModel

each_id = pytest.mark.parametrize("id_", model_ids())

_META = {"_source", "_as_of", "_confidence", "_note", "_license", "_released"}

# The keys under which multimodal configs keep the language model.
_TEXT_KEYS = ("text_config", "language_config", "llm_config", "thinker_config")
_WIDTH = {"hidden_size", "n_embd", "d_model", "dim", "model_dim"}
_DEPTH = {
    "num_hidden_layers",
    "layers_block_type",
    "n_layer",
    "n_layers",
    "num_layers",
    "num_transformer_layers",
}


def _content(id_: str) -> dict[str, object]:
    path = module.FOLDER / f"{id_.replace('/', '__', 1)}.json"
    content: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return content


def test_every_file_is_a_model() -> None:
    files = [path for path in module.FOLDER.iterdir() if path.suffix == ".json"]
    assert len(files) == len(model_ids()) == len({id_.lower() for id_ in model_ids()})
    assert len(list(module.FOLDER.iterdir())) == len(files)


@each_id
def test_every_model_says_what_it_is_and_where_it_comes_from(id_: str) -> None:
    record = find_model(id_)
    assert record.id == id_
    assert isinstance(record.config.get("model_type"), str)
    assert record.config["model_type"].replace("_", "").replace("-", "").replace(".", "").isalnum()
    assert not any(key.startswith("_") for key in record.config)
    assert len(record.provenance.source) > 3
    if "from memory" in record.provenance.source:
        assert record.provenance.confidence == "low"


@each_id
def test_every_file_uses_known_provenance_keys(id_: str) -> None:
    assert {key for key in _content(id_) if key.startswith("_")} <= _META


@each_id
def test_every_config_has_width_depth_and_vocabulary(id_: str) -> None:
    config = find_model(id_).config
    keys = set(config)
    for name in _TEXT_KEYS:
        if name in config:
            keys |= set(config[name]) | set(config[name].get("text_config", {}))
    assert keys & _WIDTH
    assert keys & _DEPTH
    assert "vocab_size" in keys


@each_id
def test_counts_are_plausible(id_: str) -> None:
    config = find_model(id_).config
    for key in ("hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size"):
        if config.get(key) is not None:
            assert 1 <= config[key] <= 500_000, key
    if config.get("layer_types") and config.get("num_hidden_layers"):
        assert len(config["layer_types"]) >= config["num_hidden_layers"]
    heads, groups = config.get("num_attention_heads"), config.get("num_key_value_heads")
    if heads and groups:
        assert heads % groups == 0


@each_id
def test_no_file_is_large(id_: str) -> None:
    assert (module.FOLDER / f"{id_.replace('/', '__', 1)}.json").stat().st_size < 70_000


@pytest.mark.parametrize(
    "name",
    ["deepseek-ai/DeepSeek-V3", "DEEPSEEK-AI/deepseek-v3", "DeepSeek-V3", "deepseek-v3", " deepseek-v3 "],
)
def test_a_model_is_found_in_any_case_and_without_its_organisation(name: str) -> None:
    record = find_model(name)
    assert record.id == "deepseek-ai/DeepSeek-V3"
    assert record.config["kv_lora_rank"] == 512


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("deepseek-ai/DeepSeek-V33", "deepseek-ai/DeepSeek-V3"),
        ("Qwen3-8", "Qwen/Qwen3-8B"),
        ("llama-3.1-8b-instuct", "meta-llama/Llama-3.1-8B-Instruct"),
    ],
)
def test_a_near_miss_names_what_was_meant(wrong: str, near: str) -> None:
    with pytest.raises(UnknownModel) as refused:
        find_model(wrong)
    assert refused.value.field == "model"
    assert near in refused.value.message


@pytest.mark.parametrize("wrong", ["", "???", "../../etc/passwd"])
def test_a_name_like_nothing_is_refused_with_suggestions(wrong: str) -> None:
    with pytest.raises(UnknownModel) as refused:
        find_model(wrong)
    assert "/" in refused.value.sentence.values["nearest"]


def test_a_bare_name_of_two_organisations_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for organisation in ("one", "two"):
        (tmp_path / f"{organisation}__same.json").write_text("{}")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    caches = (module.model_ids, module._index)
    try:
        for cached in caches:
            cached.cache_clear()
        with pytest.raises(UnknownModel) as refused:
            find_model("same")
        assert set(refused.value.sentence.values["nearest"].split(", ")) == {"one/same", "two/same"}
    finally:
        for cached in caches:
            cached.cache_clear()


def test_ids_are_known_without_opening_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise AssertionError("a file was opened")

    module.model_ids.cache_clear()
    monkeypatch.setattr(Path, "read_text", refuse)
    assert "deepseek-ai/DeepSeek-V3" in model_ids()


def test_a_record_is_loaded_once() -> None:
    assert find_model("deepseek-v3") is find_model("DeepSeek-V3")


def test_loading_time(capsys: pytest.CaptureFixture[str]) -> None:
    module._load.cache_clear()
    begin = time.perf_counter()
    find_model("deepseek-ai/DeepSeek-V3")
    one = time.perf_counter() - begin
    for id_ in model_ids():
        find_model(id_)
    with capsys.disabled():
        print(
            f"\none model in {one * 1e3:.1f} ms, all {len(model_ids())} in "
            f"{(time.perf_counter() - begin) * 1e3:.0f} ms"
        )
