"""What the sizing core says of slow and of full replicas."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from core.monitoring.advice import Remedy, remedies
from core.monitoring.advice.serving import observed
from core.monitoring.snapshot import Snapshot
from core.planning.search import plan
from core.text import Sentence
from tests.core.monitoring.advice.clusters import finding, gpus, replicas, snapshot

TODAY = date(2026, 11, 22)
NODES = ("a", "b", "c", "d")


def cluster(
    model: str = "Qwen/Qwen3-32B", card: str = "NVIDIA H100 80GB HBM3", **columns: list[float]
) -> Snapshot:
    """Return four replicas on four H100 each, 2 requests/s of 1,000 and 200 tokens to each."""
    usual: dict[str, list[float]] = {
        "requests": [2.0] * 4,
        "prompt_tokens": [2000.0] * 4,
        "output_tokens": [400.0] * 4,
        "running": [8.0] * 4,
        "queue": [0.0] * 4,
        "kv_usage": [0.3] * 4,
    }
    served = replicas(NODES, model, **(usual | columns))
    return snapshot(gpus({name: [0.6] * 4 for name in NODES}, card), served)


def advised(rule: str, of: Snapshot, limit: float | None = None) -> tuple[Remedy, ...]:
    return remedies(finding(rule, of.replicas.subjects[0], limit=limit), of, TODAY)


def texts(found: tuple[Remedy, ...]) -> str:
    return "\n".join(str(one.sentence) for one in found)


def test_what_is_seen_of_a_replica() -> None:
    seen = observed(cluster(), cluster().replicas.subjects[0])
    assert not isinstance(seen, Sentence)
    assert (seen.model.name, seen.device.id, seen.tp, seen.replicas) == (
        "Qwen/Qwen3-32B",
        "h100-sxm-80",
        4,
        4,
    )
    assert (seen.rate, seen.prompt, seen.answer, seen.hits) == (8.0, 1000.0, 200.0, 0.0)


def test_replicas_are_counted_for_the_traffic_of_all_of_them() -> None:
    """One replica with long prompts does not make all requests long: 3 x 1,000 and 1 x 3,000 are 1,500 on average."""
    mixed = cluster(prompt_tokens=[6000.0, 2000.0, 2000.0, 2000.0], prefix_hits=[0.5, 0.0, 0.0, 0.0])
    seen = observed(mixed, mixed.replicas.subjects[0])
    assert not isinstance(seen, Sentence)
    assert (seen.prompt, seen.hits) == (3000.0, 0.5)
    assert seen.usual == (1500.0, 200.0, 0.25)
    link = next(one.link for one in advised("ttft_slow", mixed, 0.5) if one.link)
    assert (link.inputs["input"], link.inputs["hits"]) == (1500, 25)


def test_a_replica_is_not_planned_larger_than_it_is() -> None:
    seen = observed(cluster(), cluster().replicas.subjects[0])
    assert not isinstance(seen, Sentence)
    best = plan(seen.question()).best
    assert best is not None
    assert best.gpus_per_replica == 4


def test_long_prompts_are_told_from_a_queue() -> None:
    """30,000 tokens take longer than 500 ms on four H100 however many replicas there are; 500 tokens do not."""
    long = cluster(prompt_tokens=[60_000.0, 2000.0, 2000.0, 2000.0])
    said = texts(advised("ttft_slow", long, 0.5))
    assert "30,000 tokens on average here and 1,000 on the other" in said
    assert "More replicas do not shorten that" in said
    short = texts(advised("ttft_slow", cluster(prompt_tokens=[1000.0] * 4), 0.5))
    assert "what is lost is lost in the queue" in short


def test_more_load_takes_more_replicas() -> None:
    """The number of replicas is that of the search for the same traffic, and grows with it."""

    def needed(rate: float) -> int:
        load: dict[str, Any] = {
            "requests": [rate] * 4,
            "prompt_tokens": [1000 * rate] * 4,
            "output_tokens": [200 * rate] * 4,
        }
        said = texts(advised("ttft_slow", cluster(**load), 0.5))
        found = re.search(r"([\d,]+) replicas of 4 GPUs (?:are needed|suffice)", said)
        assert found, said
        return int(found[1].replace(",", ""))

    assert 1 <= needed(2.0) < needed(40.0) < needed(200.0)


def test_the_link_computes_the_same_plan() -> None:
    link = next(one.link for one in advised("ttft_slow", cluster(), 0.5) if one.link)
    assert link.page == "plan"
    assert link.inputs["models"] == "Qwen/Qwen3-32B"
    assert (link.inputs["rate"], link.inputs["unit"], link.inputs["ttft"]) == (8.0, "second", 500)
    assert (link.inputs["input"], link.inputs["output"], link.inputs["gpus"]) == (1000, 200, "h100-sxm-80")


def test_a_full_cache_by_hand() -> None:
    """100,000 tokens, 95 % used by 50 requests: 1,900 each, 47 below 90 %. With 50 more waiting: 2.1, so 3 replicas."""
    full = cluster(
        kv_usage=[0.95, 0.3, 0.3, 0.3],
        kv_blocks=[6250.0] * 4,
        kv_block_tokens=[16.0] * 4,
        running=[50.0, 8.0, 8.0, 8.0],
        queue=[50.0, 0.0, 0.0, 0.0],
    )
    said = texts(advised("kv_pressure", full))
    assert "room for 100,000 tokens, and a request holds 1,900 of them now: 47 fit below 90%" in said
    assert "while 100 run or wait. That takes 3 replicas" in said
    assert "95% full here and 30% on the other replicas" in said
    assert "fp8" in said


def test_slow_tokens_are_helped_by_fewer_at_once() -> None:
    said = texts(advised("itl_slow", cluster(), 0.02))
    found = re.search(r"Up to (\d+) requests at once keep 20 ms", said)
    assert found, said
    looser = re.search(r"Up to (\d+) requests", texts(advised("itl_slow", cluster(), 0.03)))
    assert looser
    assert 1 <= int(found[1]) < int(looser[1])


@pytest.mark.parametrize(
    ("changed", "missing"),
    [
        ({"model": "somebody/finetune"}, 'the catalogue does not know the model "somebody/finetune"'),
        ({"card": "Card of tomorrow"}, 'does not know the GPU "Card of tomorrow"'),
        ({"prompt_tokens": [float("nan")] * 4}, "does not export how many requests and tokens"),
        ({"requests": [0.0] * 4}, "does not export how many requests and tokens"),
    ],
)
def test_what_is_not_known_is_said_instead_of_a_number(changed: dict[str, Any], missing: str) -> None:
    said = texts(advised("ttft_slow", cluster(**changed), 0.5))
    assert "No number is given here" in said
    assert missing in said
    assert "replicas of" not in said


def test_an_impossible_limit_says_what_stands_against_it() -> None:
    said = texts(advised("ttft_slow", cluster(), 0.001))
    assert "No number of replicas" in said
    assert re.search(r"No number of replicas .*\d ms", said)


def test_requests_that_the_model_does_not_take_are_told_with_the_rest() -> None:
    """The search refuses 50,950 tokens, but how this replica differs from the others is known all the same."""
    said = texts(advised("ttft_slow", cluster(prompt_tokens=[400_000.0, 2000.0, 2000.0, 2000.0]), 0.5))
    assert "200,000 tokens on average here" in said
    assert "No number is given here: Requests of 50950 tokens" in said
