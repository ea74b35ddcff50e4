"""Engine constants by version: which span applies, and that every file states what formulas ask for."""

import pytest

from core.errors import BadRequest
from core.memory.engines import ENGINES, find_engine
from core.memory.engines.profile import parse_version

FIELDS = (
    "memory_fraction",
    "max_num_seqs",
    "max_num_batched_tokens",
    "activation",
    "runtime",
    "cuda_graph",
    "latent_cache",
    "hybrid",
    "padding",
    "mxfp4_padding",
)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("field", FIELDS)
def test_every_engine_states_every_field(name, field):
    assert find_engine(name).span(field) or field in ("latent_cache", "hybrid")


@pytest.mark.parametrize("name", ENGINES)
def test_constants_name_their_source(name):
    engine = find_engine(name)
    assert all(engine.span(field).get("source") for field in ("activation", "runtime"))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("0.8.5.post1", (0, 8, 5)),
        ("v0.11", (0, 11)),
        ("b5002", (5002,)),
        ("1", (1,)),
        ("0.6.6.dev274", (0, 6, 6)),
    ],
)
def test_versions_are_numbers_that_compare(text, numbers):
    assert parse_version(text) == numbers


@pytest.mark.parametrize("text", ["", "newest", "x.y", "-1"])
def test_a_text_without_a_version_is_refused(text):
    with pytest.raises(BadRequest) as refusal:
        parse_version(text)
    assert refusal.value.field == "engine_version"


def test_the_latest_span_that_has_begun_applies():
    fractions = [
        find_engine("vllm", version).span("memory_fraction")["value"] for version in ("0.4.0", "0.20.1")
    ]
    assert fractions == [0.9, 0.92]


def test_a_version_from_the_future_is_answered_with_the_newest_and_says_so():
    engine = find_engine("vllm", "9.9.9")
    assert engine.version == find_engine("vllm").version
    assert "9.9.9" in str(engine.assumed)
    assert find_engine("vllm", "0.11.0").assumed is None


def test_an_unknown_engine_is_refused_with_the_known_ones():
    with pytest.raises(BadRequest, match=r"vllm, sglang, llama\.cpp") as refusal:
        find_engine("ollama")
    assert refusal.value.field == "engine"
