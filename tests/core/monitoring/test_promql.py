from __future__ import annotations

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.monitoring.promql import braces, duration, either, quoted, relabelled, seconds


@pytest.mark.parametrize(
    ("text", "length"),
    [("5m", 300), ("90s", 90), ("1h30m", 5400), ("500ms", 0.5), ("1d", 86400), ("2w", 1209600)],
)
def test_reads_durations(text: str, length: float) -> None:
    assert seconds(text) == length


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "5m!", "1.5h", "5M"])
def test_refuses_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="^" + text.replace(".", r"\.") + "$"):
        seconds(text)


@given(st.integers(min_value=1, max_value=10**6))
def test_a_duration_reads_back(length: int) -> None:
    assert seconds(duration(length)) == length


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0")))
def test_any_text_is_one_literal(value: str) -> None:
    """A label value cannot end its quotes: the matcher holds exactly the text that was given."""
    parsed = promql_parser.parse(f"up{{a={quoted(value)}}}")
    (matcher,) = parsed.matchers.matchers
    assert matcher.value == value


def test_empty_matchers_need_no_braces() -> None:
    assert braces() == braces("", "  ") == ""
    assert braces('a="1",', "", ' b="2"') == '{a="1",b="2"}'


def test_chains_in_order() -> None:
    assert either(["a"]) == "a"
    assert either(["a", "b", "c"], "uuid") == "a or on (uuid) b or on (uuid) c"


def test_a_label_that_is_canonical_costs_nothing() -> None:
    assert relabelled("x", {}, ["gpu", "pod"]) == "x"


def test_a_label_is_never_read_and_written_at_once() -> None:
    made = relabelled(
        "x", {"node": ["Hostname", "node", "instance"], "pod": ["exported_pod", "pod"]}, ["node", "pod"]
    )
    assert '"node", "$1", "joined"' in made
    assert '"pod", "$1", "joined"' in made
    promql_parser.parse(made)
