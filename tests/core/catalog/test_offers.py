"""Every row of hardware_db/offers.csv."""

from datetime import date

import pytest

from core.catalog import Offer, accelerators, offers

ROWS = tuple(offers().values())
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)


@each_row
def test_an_offer_is_of_a_known_accelerator(row: Offer) -> None:
    record = accelerators()[row.accelerator]
    assert row.provenance.as_of.year >= record.launch_year


@each_row
def test_an_id_names_cloud_instance_and_region(row: Offer) -> None:
    assert row.id == f"{row.cloud}/{row.instance}/{row.region}"
    assert row.id.count("/") == 2
    assert offers()[row.id] is row


@each_row
def test_prices_are_plausible(row: Offer) -> None:
    assert 0.1 <= row.usd_per_gpu_hour <= 20
    assert row.gpus in {1, 2, 4, 8}
    assert row.vcpus >= 4 * row.gpus
    assert row.memory_gib >= 8 * row.gpus


@each_row
def test_spot_is_not_dearer_than_on_demand(row: Offer) -> None:
    if row.spot_high is not None:
        assert row.spot_high <= 1.05 * row.usd_per_hour
        assert row.spot_zones >= 1
        assert row.spot_usd_per_gpu_hour == pytest.approx((row.spot_median or 0) / row.gpus)
    else:
        assert row.spot_usd_per_gpu_hour is None


@each_row
def test_every_offer_says_where_it_comes_from(row: Offer) -> None:
    assert len(row.provenance.source) > 20
    assert date(2026, 1, 1) <= row.provenance.as_of
    if "from memory" in row.notes:
        assert row.provenance.confidence == "low"


def test_a_day_that_is_not_known_is_said_to_be_chosen() -> None:
    for row in ROWS:
        if row.provenance.as_of != date(2026, 9, 6):
            assert "the day of the crawl is not published" in row.provenance.source or (
                "its first day is stated" in row.provenance.source
            ), row.id


def test_no_fraction_of_a_gpu_is_offered() -> None:
    assert "NV6ads_A10_v5" not in {row.instance for row in ROWS}
    assert len(ROWS) == 84


def test_known_prices() -> None:
    p5 = offers()["aws/p5.48xlarge/us-east-1"]
    assert (p5.accelerator, p5.gpus, p5.usd_per_hour) == ("h100-sxm-80", 8, 55.04)
    assert p5.usd_per_gpu_hour == pytest.approx(6.88)
    assert (p5.spot_low, p5.spot_median, p5.spot_high) == (16.9508, 18.6838, 55.04)
    assert offers()["aws/p4d.24xlarge/us-east-1"].usd_per_hour == pytest.approx(21.957642)
    assert offers()["aws/g5.8xlarge/us-east-2"].gpus == 1  # not eight V100


@pytest.mark.parametrize(
    "changes",
    [
        {"usd_per_hour": 0.0},
        {"gpus": 0},
        {"spot_median": None},
        {"spot_low": 9.0, "spot_median": 8.0},
        {"spot_zones": 0},
        {"colour": "red"},
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, object]) -> None:
    good = offers()["aws/p5.48xlarge/us-east-1"].model_dump()
    with pytest.raises(ValueError, match=r"."):
        Offer.model_validate(good | changes)
