from __future__ import annotations

import io
import zipfile

import pytest
import yaml

from core.errors import BadRequest
from core.monitoring.export.bundle import BUNDLE_FILE, OPERATOR_FILE, Export, exports
from core.monitoring.export.rule_tests import RULES_FILE
from core.monitoring.thresholds import PRESETS
from core.text import LANGUAGES
from tests.core.monitoring.export.sets import SETS

SERVING = PRESETS["serving"]


def by_name(found: tuple[Export, ...]) -> dict[str, Export]:
    return {one.name: one for one in found}


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_the_zip_holds_every_file_and_says_how_to_load_it(language: str) -> None:
    found = exports(SERVING, SETS[0].detected, language=language)
    archive = zipfile.ZipFile(io.BytesIO(by_name(found)[BUNDLE_FILE].content))
    assert archive.testzip() is None
    assert archive.namelist() == ["README.md", *(one.name for one in found if one.name != BUNDLE_FILE)]
    readme = archive.read("README.md").decode()
    for one in found:
        if one.name != BUNDLE_FILE:
            assert archive.read(one.name) == one.content
            assert one.name in readme
            assert one.how.render(language) in readme


def test_same_arguments_same_bytes() -> None:
    assert exports(SERVING) == exports(SERVING)


def test_the_operator_gets_the_same_groups() -> None:
    found = by_name(exports(SERVING, name="llm", namespace="obs", labels={"team": "ml"}))
    plain = yaml.safe_load(found[RULES_FILE].content)
    wrapped = yaml.safe_load(found[OPERATOR_FILE].content)
    assert wrapped["apiVersion"] == "monitoring.coreos.com/v1"
    assert wrapped["kind"] == "PrometheusRule"
    assert wrapped["metadata"] == {"name": "llm", "namespace": "obs", "labels": {"team": "ml"}}
    assert wrapped["spec"] == plain


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("name", {"name": "Upper Case"}),
        ("name", {"name": "x" * 254}),
        ("namespace", {"namespace": "a.b"}),
        ("namespace", {"namespace": "x\ninjected: true"}),
        ("labels", {"labels": {"bad key!": "x"}}),
        ("labels", {"labels": {"release": "x: y"}}),
        ("labels", {"labels": {"": "x"}}),
    ],
)
def test_names_that_kubernetes_does_not_take_are_refused(field: str, wrong: dict[str, object]) -> None:
    with pytest.raises(BadRequest) as refused:
        exports(SERVING, **wrong)  # type: ignore[arg-type]
    assert refused.value.field == field


def test_labels_may_have_a_prefix_and_no_value() -> None:
    found = by_name(exports(SERVING, labels={"example.com/team": ""}))
    assert yaml.safe_load(found[OPERATOR_FILE].content)["metadata"]["labels"] == {"example.com/team": ""}
