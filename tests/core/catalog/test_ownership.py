"""Every row of hardware_db/ownership.csv."""

import pytest

from core.catalog import offers
from core.catalog.ownership import Figure, figures_of, grid, ownership, tariff

ROWS = tuple(ownership().values())
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.key)


@each_row
def test_a_row_is_in_order_and_says_where_it_comes_from(row: Figure) -> None:
    assert row.low <= row.typical <= row.high
    assert len(row.provenance.source) >= len("from memory")
    assert ownership()[row.key] is row


@each_row
def test_what_is_from_memory_is_of_low_confidence(row: Figure) -> None:
    assert not row.provenance.source.startswith("from memory") or row.provenance.confidence == "low"


@each_row
def test_a_share_is_a_share(row: Figure) -> None:
    if row.unit.startswith("fraction"):
        assert row.high <= 1.0


def test_a_row_out_of_order_is_refused() -> None:
    row = ownership()["pue_global"].model_dump() | {"low": 2.0}
    with pytest.raises(ValueError, match="in this order"):
        Figure.model_validate(row)


def test_prices_in_other_currencies_have_a_rate() -> None:
    currencies = {row.unit[:3] for row in ROWS if row.unit[:3].isupper() and row.unit[3:4] in {"", "/"}}
    assert {"EUR", "CNY", "USD"} <= currencies
    assert {f"fx_{one.lower()}" for one in currencies - {"USD", "FTE"}} <= ownership().keys()


def test_regions_of_clouds_have_a_grid() -> None:
    assert grid("us-east-1").key == "grid_us"
    assert grid("eu-central-1").key == "grid_de"
    assert grid("nowhere").key == grid(None).key == "grid_world"
    for region in {offer.region for offer in offers().values()}:
        assert any(region in row.places for row in figures_of("carbon")), region


def test_a_tariff_is_that_of_the_country() -> None:
    known = [tariff(place) for place in ("us-east-1", "eu-central-1", "cn")]
    assert [one and one.key for one in known] == ["el_us_com", "el_eu_ind", "el_cn_ind"]
    assert tariff("ap-northeast-1") is None
    assert tariff(None) is None
