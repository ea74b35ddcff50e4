"""What the sizing core says of a replica that is too slow or too full: for its own model, GPUs and traffic."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np

from core.architecture import Model, read_model
from core.catalog import Accelerator, find_model, known_accelerator
from core.errors import PlannerError
from core.memory.deployment import Deployment, kv_format
from core.memory.serving import size_serving
from core.monitoring.advice.fleet import FULL, gpus_per_replica, model_of
from core.monitoring.advice.remedy import Link, Remedy
from core.monitoring.finding import Finding
from core.monitoring.snapshot import Numbers, Snapshot
from core.monitoring.subjects import Subject
from core.planning.question import CHECKPOINT, ENGINES, Choices, Limits, Question, Targets
from core.planning.result import Plan, Planned
from core.planning.search import plan
from core.quantities import format_length, format_seconds, round_digits, short_seconds
from core.speed.device import published_rates
from core.speed.estimate import Estimate, Workload, estimate
from core.text import Sentence, say
from core.traffic import Traffic, fixed

SHARE = 0.99
"""Latency is judged by its P99."""
ANY = Targets()
"""No limit of latency: what the GPUs can serve at all."""
MOST_GPUS = 4096
"""GPUs of one kind that a plan of remedies may take."""
MUCH_MORE = 1.2
"""A cache format that holds so many times as much is worth a word."""
LONGER = 1.5
"""Prompts that are so many times as long as those of other replicas are told."""


@dataclass(frozen=True)
class Observed:
    """What a replica is and does, as its store and the catalogue know it.

    tp         GPUs that one replica takes
    rate       requests/s of all `replicas` of the model together
    prompt, answer   mean tokens of a request on this replica; `hits` the share of prompts that its prefix cache held
    usual      the same three of all replicas together: what a number of replicas is sized for
    """

    model: Model
    device: Accelerator
    engine: str
    tp: int
    replicas: int
    rate: float
    prompt: float
    answer: float
    hits: float
    usual: tuple[float, float, float]

    def question(self, targets: Targets = ANY) -> Question:
        """Return what to ask the search: as many replicas of this kind as the traffic of all of them needs."""
        prompt, answer, hits = self.usual
        return Question(
            (self.model,),
            Traffic(self.rate, fixed(prompt), fixed(answer), prefix_hits=hits),
            targets,
            Limits(owned={self.device.id: MOST_GPUS}, gpus_per_replica=self.tp),
            Choices((self.engine,), (CHECKPOINT,), tensor_parallel=(self.tp,)),
        )

    def link(self, targets: Targets = ANY) -> Link:
        """Return the Plan page with this traffic."""
        prompt, answer, hits = self.usual
        inputs: dict[str, str | int | float] = {
            "models": self.model.name,
            "rate": round(self.rate, 3),
            "unit": "second",
            "peak": 1.0,
            "input": max(round(prompt), 1),
            "output": max(round(answer), 1),
            "hits": round(100 * hits),
            "gpus": self.device.id,
        }
        if targets.ttft is not None:
            inputs["ttft"] = round(1000 * targets.ttft)
        return Link("plan", inputs)


def observed(snapshot: Snapshot, subject: Subject) -> Observed | Sentence:
    """Return what the replica *subject* is and does, or what is missing to know it."""
    row = snapshot.replicas.rows().get(subject.id)
    name = _name(snapshot, row, subject)
    try:
        model = _model(find_model(name).id) if name else None
    except PlannerError:
        model = None
    if row is None or model is None:
        return say("monitoring.advice.unknown_model", model=name or "?")
    gpu = model_of(snapshot, subject.node) or model_of(snapshot)
    device = known_accelerator(gpu) if gpu else None
    if device is None:
        return say("monitoring.advice.unknown_gpu", gpu=gpu or "?")
    column = snapshot.replicas.column
    same = [place for place, one in enumerate(snapshot.replicas.subjects) if one.model == subject.model]
    rate = float(np.nansum(column("requests")[same]))
    usual = _lengths(snapshot, same)
    own = _lengths(snapshot, [row])
    if usual is None:
        return say("monitoring.advice.unknown_traffic")
    prompt, answer, hits = own or usual
    tp = gpus_per_replica(snapshot)
    return Observed(model, device, _engine(snapshot), tp, len(same), rate, prompt, answer, hits, usual)


def _lengths(snapshot: Snapshot, rows: list[int]) -> tuple[float, float, float] | None:
    """Return mean prompt and answer in tokens, and the share of prompts in the prefix cache, of the replicas *rows*.

    None where they serve nothing, or the engine does not say what.
    """
    column = snapshot.replicas.column
    requests, prompts, answers = (column(it)[rows] for it in ("requests", "prompt_tokens", "output_tokens"))
    hits = column("prefix_hits")[rows]
    rate, prompt, answer = (float(np.nansum(one)) for one in (requests, prompts, answers))
    if not (rate > 0 and prompt >= rate and answer >= rate):
        return None
    known = np.isfinite(hits) & (prompts > 0)
    cached = float(np.average(hits[known], weights=prompts[known])) if known.any() else 0.0
    return prompt / rate, answer / rate, cached


def slow_first_token(finding: Finding, snapshot: Snapshot) -> tuple[Remedy, ...]:
    """Return whether long prompts, the queue or too few replicas make first tokens late, and what would help."""
    subject = finding.subjects[0]
    return (
        *_unlike_others(snapshot, subject),
        *_asked(snapshot, subject, partial(_first_token, limit=finding.limit or 0.5)),
    )


def slow_tokens(finding: Finding, snapshot: Snapshot) -> tuple[Remedy, ...]:
    """Return how many requests at once keep the time per token, and how many replicas that takes."""
    return _asked(snapshot, finding.subjects[0], partial(_per_token, limit=finding.limit or 0.1))


def full_cache(finding: Finding, snapshot: Snapshot) -> tuple[Remedy, ...]:
    """Return what the cache of a replica holds, what a smaller cache format would, and how many replicas it takes."""
    subject = finding.subjects[0]
    counted = (*_held(snapshot, subject), *_unlike_others(snapshot, subject))
    return (*counted, *_asked(snapshot, subject, _cache))


def _asked(
    snapshot: Snapshot, subject: Subject, core: Callable[[Observed], Iterator[Remedy]]
) -> tuple[Remedy, ...]:
    """Return what *core* says of the replica *subject*, or why it can say nothing."""
    seen = observed(snapshot, subject)
    if isinstance(seen, Sentence):
        return (_unknown(seen),)
    try:
        return tuple(core(seen))
    except PlannerError as error:
        return (_unknown(error.sentence),)


def _first_token(seen: Observed, limit: float) -> Iterator[Remedy]:
    best = plan(seen.question()).best
    if best is not None:
        yield _one_prompt(_single(best, seen), seen, limit)
    targets = Targets(limit, SHARE)
    yield _enough(plan(seen.question(targets)), seen, targets)


def _per_token(seen: Observed, limit: float) -> Iterator[Remedy]:
    best = plan(seen.question()).best
    most = None if best is None else _largest_batch(best, seen, limit)
    if most is not None:
        basis = say("monitoring.advice.by_speed", model=seen.model.name, gpus=seen.tp, gpu=seen.device.name)
        yield Remedy(say("monitoring.advice.batch", most=most, limit=short_seconds(limit)), basis)
    targets = Targets(tpot=limit)
    yield _enough(plan(seen.question(targets)), seen, targets)


def _cache(seen: Observed) -> Iterator[Remedy]:
    found = plan(seen.question())
    if found.best is not None:
        yield from _smaller_format(found.best)
    yield _enough(found, seen, ANY)


def _held(snapshot: Snapshot, subject: Subject) -> tuple[Remedy, ...]:
    """Return how many requests of the present length the cache holds, and how many replicas those that wait need."""
    row = snapshot.replicas.rows().get(subject.id)
    if row is None:
        return ()
    column = snapshot.replicas.column
    capacity, usage = _capacity(snapshot)[row], column("kv_usage")[row]
    running, queue = column("running")[row], column("queue")[row]
    if not (capacity > 0 and usage > 0 and running >= 1 and math.isfinite(queue)):
        return ()
    each = usage * capacity / running
    holds = int(FULL * capacity / each)
    values = {
        "capacity": _rounded(capacity),
        "each": _rounded(each),
        "holds": holds,
        "wanted": round(running + queue),
        "replicas": math.ceil((running + queue) * each / (FULL * capacity)),
        "share": FULL,
    }
    return (Remedy(say("monitoring.advice.held", **values), say("monitoring.advice.from_engine")),)


def _capacity(snapshot: Snapshot) -> Numbers:
    """Return the tokens that the cache of each replica holds: as the engine says it, or its blocks times their size."""
    column = snapshot.replicas.column
    told = column("kv_capacity")
    return np.where(np.isfinite(told), told, column("kv_blocks") * column("kv_block_tokens"))


def _smaller_format(one: Plan) -> list[Remedy]:
    """Return what an fp8 cache would hold, where the engine does not use one yet."""
    deployment = one.deployment
    small = replace(deployment, kv=kv_format("fp8"))
    now, then = _pool_tokens(deployment), _pool_tokens(small)
    if now <= 0 or then < MUCH_MORE * now:
        return []
    values = {"now": _rounded(now), "then": _rounded(then), "kv": deployment.kv.name}
    basis = say("monitoring.advice.by_size", model=deployment.model.name, gpu=one.record.name)
    return [Remedy(say("monitoring.advice.smaller_format", **values), basis)]


def _rounded(tokens: float) -> str:
    return format_length(round_digits(tokens, 3))


def _pool_tokens(deployment: Deployment) -> float:
    pool = size_serving(deployment).pool
    return 0.0 if pool is None else pool.tokens


def _unlike_others(snapshot: Snapshot, subject: Subject) -> tuple[Remedy, ...]:
    """Return in what the traffic of a replica differs from that of the others of its model, if it does."""
    rows = snapshot.replicas.rows()
    own = rows.get(subject.id)
    others = [row for key, row in rows.items() if key != subject.id and _same_model(snapshot, row, subject)]
    if own is None or not others:
        return ()
    column = snapshot.replicas.column
    counted = say("monitoring.advice.counted")
    with np.errstate(divide="ignore", invalid="ignore"):
        prompts = column("prompt_tokens") / column("requests")
    found = []
    usual = float(np.nanmedian(prompts[others])) if np.isfinite(prompts[others]).any() else math.nan
    if prompts[own] > LONGER * usual:
        values = {"own": _rounded(float(prompts[own])), "usual": _rounded(usual)}
        found.append(Remedy(say("monitoring.advice.long_prompts", **values), counted))
    usage = column("kv_usage")
    usual = float(np.nanmedian(usage[others])) if np.isfinite(usage[others]).any() else math.nan
    if usage[own] > LONGER * usual:
        uneven = say("monitoring.advice.uneven", own=float(usage[own]), usual=usual)
        found.append(Remedy(uneven, counted))
    return tuple(found)


def _same_model(snapshot: Snapshot, row: int, subject: Subject) -> bool:
    return snapshot.replicas.subjects[row].model == subject.model


def _single(one: Plan, seen: Observed) -> Estimate:
    """Return how long one request of the present length takes alone."""
    load = Workload("single", round(seen.prompt), round(seen.answer), cached=seen.hits)
    return estimate(one.deployment, published_rates(seen.device), load)


def _one_prompt(alone: Estimate, seen: Observed, limit: float) -> Remedy:
    """Return how long a prompt takes without any queue, against the limit."""
    low, high = alone.bands["prefill_s"]
    values = {
        "tokens": _rounded(seen.prompt),
        "hits": seen.hits,
        "seconds": format_seconds(alone.values["prefill_s"], 2),
        "low": format_seconds(low, 2),
        "high": format_seconds(high, 2),
        "limit": short_seconds(limit),
    }
    # A prompt that takes a good part of the limit alone leaves no room for others in front of it.
    key = "prompt_long" if alone.values["prefill_s"] > limit / 2 else "prompt_short"
    basis = say("monitoring.advice.by_speed", model=seen.model.name, gpus=seen.tp, gpu=seen.device.name)
    return Remedy(say(f"monitoring.advice.{key}", **values), basis)


def _enough(found: Planned, seen: Observed, targets: Targets) -> Remedy:
    """Return how many replicas of this kind keep *targets*, or what stands against it."""
    prompt, answer, hits = seen.usual
    values = {
        "rate": seen.rate,
        "prompt": _rounded(prompt),
        "answer": _rounded(answer),
        "now": seen.replicas,
        "gpus": seen.tp,
    }
    basis = say("monitoring.advice.by_plan", engine=seen.engine, gpu=seen.device.name, hits=hits)
    link = seen.link(targets)
    if found.best is not None:
        needed = found.best.replicas
        key = "replicas" if needed > seen.replicas else "replicas_enough"
        return Remedy(say(f"monitoring.advice.{key}", needed=needed, **values), basis, link)
    reasons = [one.reason for one in found.relaxations] + [
        one.reason for one in found.rejections if one.record.id == seen.device.id
    ]
    if not reasons:
        return Remedy(say("monitoring.advice.no_plan", **values), basis, link)
    return Remedy(say("monitoring.advice.no_plan_because", reason=reasons[0], **values), basis, link)


def _largest_batch(one: Plan, seen: Observed, limit: float) -> int | None:
    """Return the most requests at once, up to 1,024, whose time per token stays within *limit*; None: not even one."""
    rates = published_rates(seen.device)

    def per_token(batch: int) -> float:
        load = Workload("closed_loop", round(seen.prompt), round(seen.answer), batch, cached=seen.hits)
        return estimate(one.deployment, rates, load).values["tpot_s"]

    if per_token(1) > limit:
        return None
    low, high = 1, 1024
    while high - low > max(1, low // 32):
        middle = (low + high) // 2
        low, high = (middle, high) if per_token(middle) <= limit else (low, middle)
    return low


def _unknown(reason: Sentence) -> Remedy:
    return Remedy(
        say("monitoring.advice.not_computed", reason=reason), say("monitoring.advice.on_plan"), Link("plan")
    )


def _engine(snapshot: Snapshot) -> str:
    """Return the engine that runs here, the first that the search knows where there are several kinds."""
    running = [exporter.id.replace("_", "-") for exporter in snapshot.detected.engines]
    return next((engine for engine in running if engine in ENGINES), ENGINES[0])


def _name(snapshot: Snapshot, row: int | None, subject: Subject) -> str:
    """Return the name under which the catalogue may know the model of a replica."""
    if subject.model:
        return subject.model
    return snapshot.replicas.label("model_name")[row] if row is not None else ""


@lru_cache(maxsize=16)
def _model(name: str) -> Model:
    return read_model(find_model(name).config, name)
