"""Quotes that several tests start from."""

from hypothesis import strategies as st

from core.cost.quote import Quote

OWNED = Quote("8 x H100", "purchase", "h100-sxm-80", 1, 8, 300_000.0, per="node", period="once")
HOURLY = Quote("on demand", "on_demand", "h100-sxm-80", 1, 8, 6.88)
SPOT = Quote("spot", "spot", "h100-sxm-80", 1, 8, 18.6838, per="node", spot_high=55.04)
TERM = Quote("three years", "reserved", "h100-sxm-80", 1, 8, 3.0, commitment_months=36)
ALL = (OWNED, HOURLY, SPOT, TERM)

any_quote = st.builds(
    Quote,
    name=st.just("any"),
    kind=st.sampled_from(("on_demand", "spot", "reserved", "purchase")),
    gpu=st.sampled_from(("h100-sxm-80", "t4", "mi300x", "nobody knows it")),
    nodes=st.integers(1, 20),
    gpus_per_node=st.sampled_from((1, 4, 8)),
    price=st.floats(0.1, 1e6),
    per=st.sampled_from(("gpu", "node", "total")),
    tax=st.floats(0.0, 0.3),
    hours_per_day=st.floats(1.0, 24.0),
    commitment_months=st.sampled_from((0, 12, 36)),
).map(lambda one: one if one.kind != "purchase" else Quote(**{**one.__dict__, "period": "once"}))
