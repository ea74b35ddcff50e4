from __future__ import annotations

import pytest

from core.monitoring.indicators import indicators, xid_codes
from core.text import LANGUAGES, sentences


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_each_indicator_has_a_name_and_a_meaning_and_no_other_has(language: str) -> None:
    written = {key for key in sentences(language) if key.startswith("monitoring.indicator.")}
    assert written == {
        f"monitoring.indicator.{name}.{part}" for name in indicators() for part in ("name", "meaning")
    }
    for indicator in indicators().values():
        assert indicator.name.render(language)
        assert indicator.meaning.render(language)


def test_no_code_is_critical_and_a_warning() -> None:
    codes = xid_codes()
    assert len(set(codes.all)) == len(codes.critical) + len(codes.warning)
