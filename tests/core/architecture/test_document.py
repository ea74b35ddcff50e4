from __future__ import annotations

import pytest

from core.architecture.document import LIMIT, read_document
from core.errors import BadModelConfig


@pytest.mark.parametrize("content", ['{"a": 1}', b'{"a": 1}', b'\xef\xbb\xbf{"a": 1}', ' \n{"a": 1}\n'])
def test_text_and_bytes_are_read(content: str | bytes) -> None:
    assert read_document(content) == {"a": 1}


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ("", "not_json"),
        ("{", "not_json"),
        ('{"a": 1,}', "not_json"),
        (b"\xff\xfe", "not_json"),
        ("[" * 100_000, "not_json"),
        ('{"a": ' + "1" * 5000 + "}", "not_json"),
        ("[]", "not_a_config"),
        ("3", "not_a_config"),
        ("null", "not_a_config"),
        (" " * (LIMIT + 1), "too_large"),
    ],
)
def test_what_is_no_config_is_refused_in_a_short_sentence(content: str | bytes, key: str) -> None:
    with pytest.raises(BadModelConfig) as refused:
        read_document(content)
    assert refused.value.sentence.key == f"config.{key}"
    assert refused.value.field == "model"
    assert len(refused.value.message) < 300


def test_the_place_of_a_fault_is_named() -> None:
    with pytest.raises(BadModelConfig, match="line 3, column 1"):
        read_document('{\n"a": 1\n"b": 2}')
