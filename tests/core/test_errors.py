from __future__ import annotations

import pytest

from core import errors
from core.errors import PlannerError, UnknownModel

LEAVES = PlannerError.__subclasses__()


@pytest.fixture
def error() -> UnknownModel:
    return UnknownModel("error.unknown_model", field="model", name="llama-9", nearest="llama-3")


def test_is_one_json_shape(error: UnknownModel) -> None:
    assert error.as_dict().keys() == {"kind", "field", "message"}
    assert error.as_dict()["kind"] == "unknown_model"
    assert error.as_dict()["field"] == "model"


def test_says_what_was_asked_and_what_is_there(error: UnknownModel) -> None:
    assert "llama-9" in error.message
    assert "llama-3" in error.message


def test_speaks_the_language_of_the_reader(error: UnknownModel) -> None:
    assert "目录" in error.sentence.render("zh")
    assert "catalogue" in error.sentence.render("en")


def test_as_text_names_the_field(error: UnknownModel) -> None:
    assert str(error) == f"model: {error.message}"
    assert str(UnknownModel("error.unknown_model", name="a", nearest="b")).startswith("No model")


def test_kinds_are_distinct_and_drawn_in_the_docstring() -> None:
    assert len({leaf.kind for leaf in LEAVES}) == len(LEAVES)
    for leaf in LEAVES:
        assert leaf.__name__ in (errors.__doc__ or "")
