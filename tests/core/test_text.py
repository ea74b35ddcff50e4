from __future__ import annotations

import pytest

from core.text import DEFAULT_LANGUAGE, LANGUAGES, Sentence, say, text


def test_fills_placeholders() -> None:
    assert "llama-9" in text("error.unknown_model", name="llama-9", nearest="llama-3")


def test_english_is_the_default() -> None:
    assert DEFAULT_LANGUAGE == "en"
    assert text("app.name") == text("app.name", "en") != text("app.name", "zh")


def test_a_sentence_inside_a_sentence_takes_its_language() -> None:
    outer = say("error.unknown_model", name=say("app.name"), nearest="-")
    assert text("app.name", "zh") in outer.render("zh")
    assert text("app.name", "en") in outer.render("en")


def test_a_sentence_reads_as_text() -> None:
    assert str(Sentence("app.name")) == text("app.name")


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_an_unknown_key_is_a_fault(language: str) -> None:
    with pytest.raises(KeyError):
        text("no.such.sentence", language)


def test_languages_are_named_in_themselves() -> None:
    assert LANGUAGES == {"en": "English", "zh": "中文"}


def test_half_of_a_surrogate_pair_does_not_spoil_a_sentence() -> None:
    found = text("error.unknown_model", name="a\ud800b", nearest="none")
    assert "a?b" in found
    assert found.encode()
