"""What guides say of cost, and what the prices say."""

from dataclasses import replace

import pytest

from core.catalog import Offer, offers
from core.catalog.ownership import ownership
from core.cost.assumptions import Assumptions
from core.cost.bill import bill
from core.cost.compare import compare
from core.cost.quote import Quote
from core.cost.renting import quote_of

TYPICAL = Assumptions()
OFFERS = offers()


def saved(offer: Offer, price: float | None) -> float:
    """Return the share that a spot price of *offer* takes off its list price."""
    assert price is not None
    return 1.0 - price / offer.usd_per_hour


def test_four_nodes_of_a100_with_infiniband_cost_more_than_120_000() -> None:
    """A server with 8 A100 80 GB was sold for 148,000 to 167,000 USD (dihuni, 2022 and 2023)."""
    server, fabric = ownership()["srv_hgx_a100_640"], ownership()["net_ib_per_node_hdr"]
    quote = Quote("cluster", "purchase", "a100-sxm-80", 4, 8, server.typical, per="node", period="once")
    lines = bill(quote, replace(TYPICAL, network_usd=fabric.typical)).lines
    total = lines["hardware"].sum() + lines["network"].sum()
    assert total == pytest.approx(4 * 158_000 + 4 * 14_000)
    assert 5 < total / 120_000 < 6


def test_what_120_000_buys_is_one_server_with_four_a100() -> None:
    one = ownership()["srv_4xa100"]
    assert one.low < 120_000 <= one.high
    assert 2 * one.low > 120_000


@pytest.mark.parametrize(
    ("offer", "least", "middle", "most"),
    [
        ("aws/p4d.24xlarge/us-east-1", 0.36, 0.55, 0.70),  # A100: in the best zone alone
        ("aws/p4d.24xlarge/us-east-2", 0.06, 0.42, 0.52),
        ("aws/p4d.24xlarge/eu-central-1", 0.00, 0.04, 0.31),
        ("aws/p5.48xlarge/us-east-1", 0.00, 0.66, 0.69),  # H100: yes, but in one zone nothing
        ("aws/p5.48xlarge/us-east-2", 0.72, 0.74, 0.76),  # more
        ("aws/p5.4xlarge/us-east-1", 0.00, 0.04, 0.21),
        ("aws/g4dn.xlarge/ap-northeast-1", 0.63, 0.64, 0.64),
    ],
)
def test_spot_saves_60_to_70_percent_in_some_places(
    offer: str, least: float, middle: float, most: float
) -> None:
    one = OFFERS[offer]
    found = [saved(one, price) for price in (one.spot_high, one.spot_median, one.spot_low)]
    assert found == pytest.approx([least, middle, most], abs=0.006)


def test_where_on_aws_spot_saves_60_to_70_percent() -> None:
    priced = [one for one in OFFERS.values() if one.cloud == "aws" and one.spot_median]
    found = {one.id.removeprefix("aws/") for one in priced if 0.6 <= saved(one, one.spot_median) <= 0.7}
    assert found == {
        "p4de.24xlarge/ap-northeast-1",
        "p5.48xlarge/us-east-1",
        "g4dn.xlarge/ap-northeast-1",
        "g4dn.metal/us-east-1",
        "g5.8xlarge/us-east-2",
        "g6e.8xlarge/us-east-1",
    }
    assert len(priced) == 39


def test_interruptions_take_some_of_what_spot_saves() -> None:
    """66 % off an hour of p5.48xlarge are 63 % off an hour that counts, where 8 % are repeated."""
    offer = OFFERS["aws/p5.48xlarge/us-east-1"]
    rows = compare([quote_of(offer), quote_of(offer, "spot")], TYPICAL).rows
    assert 1 - rows[1].gpu_hour / rows[0].gpu_hour == pytest.approx(1 - 18.6838 * 1.08 / 55.04)


def test_a_t4_costs_a_fifth_of_an_a100_by_the_hour_and_the_same_by_what_it_does() -> None:
    """AWS list prices: g4dn.xlarge 0.526, p4d.24xlarge 21.957642 USD/h for eight."""
    quotes = [quote_of(OFFERS[f"aws/{one}/us-east-1"]) for one in ("g4dn.xlarge", "p4d.24xlarge")]
    small, large = compare(quotes, TYPICAL).rows
    assert large.gpu_hour / small.gpu_hour == pytest.approx(5.218, abs=1e-3)
    assert (small.tbs_hour, large.tbs_hour) == pytest.approx((0.526 / 0.320, 2.7447 / 1.555), abs=1e-3)
    assert (small.pflop_hour, large.pflop_hour) == pytest.approx((0.526 / 0.065, 2.7447 / 0.312), abs=1e-3)
    assert small.tbs_hour / large.tbs_hour == pytest.approx(0.931, abs=1e-3)
    assert small.pflop_hour / large.pflop_hour == pytest.approx(0.920, abs=1e-3)
    # By the GiB that an engine sees, a T4 is the cheaper one
    assert small.gib_hour / large.gib_hour == pytest.approx(0.514, abs=1e-3)
