"""Discrete-event simulation of one lane under load, pass by pass: what the closed form of queueing.py is held to.

It knows what the engine's scheduler does and nothing else: first come, first served; a request takes a slot from
its first prompt token to its last output token; a pass decodes all running sequences once and processes up to
`chunk` tokens of the prompts that wait. Times of passes are those of the roofline.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from core.speed.constants import Constants
from core.speed.device import DeviceRates
from core.speed.profile import StepProfile
from core.speed.prompts import lanes_of
from core.speed.queueing import QUANTILES
from core.speed.serving import Load, prompts_of, riding_of, step_of
from core.traffic import Traffic

_BATCHES = 10
"""Parts of a run whose percentiles are compared, for the sampling error."""

_WARM = 0.2
"""Share of the requests, first and last, that do not count: the lane fills and empties."""


@dataclass(frozen=True)
class Sampled:
    """A figure of a simulation, and the standard error that its random requests leave."""

    value: float
    error: float


@dataclass(frozen=True)
class Simulation:
    """Percentiles of a simulated deployment by share of the requests, in seconds.

    ttft          arrival to first token
    per_token     mean time per token after the first, of requests with more than one
    request       arrival to last token
    concurrency   requests that run at once on the whole deployment, on average
    rate          requests per second that the whole deployment finished
    requests      how many were counted
    """

    ttft: dict[float, Sampled]
    per_token: dict[float, Sampled]
    request: dict[float, Sampled]
    concurrency: float
    rate: float
    requests: int


@dataclass(frozen=True)
class PassTimes:
    """Seconds of the passes of one lane, as tables.

    `near`, `far`: a decode pass of 0, 1, 2 ... sequences with contexts of `contexts[0]` and `contexts[1]` tokens.
    `riding` is what prompts of `lengths` tokens add to it, `extra` what a pass costs more that decodes nothing.
    """

    near: Any
    far: Any
    contexts: tuple[float, float]
    lengths: Any
    riding: Any
    extra: Any


@dataclass(frozen=True)
class Requests:
    """Requests of one lane in order of arrival: seconds and tokens, one row each."""

    arrival: Any
    prompt: Any
    riding: Any
    extra: Any
    passes: Any
    context: Any


@dataclass
class _Lane:
    """What a lane does at one moment.

    `done` counts decode passes; `decoding` is a heap of when requests end; `owed` are the prompt tokens left of
    those that hold a slot. A request takes one when a pass has room for its prompt.
    """

    clock: float = 0.0
    done: int = 0
    context: float = 0.0
    area: float = 0.0
    owed: float = 0.0
    decoding: list[tuple[int, int]] = field(default_factory=list)
    waiting: deque[int] = field(default_factory=deque)
    prompting: deque[int] = field(default_factory=deque)


def pass_times(
    profile: StepProfile,
    device: DeviceRates,
    constants: Constants,
    load: Load,
    traffic: Traffic,
    *,
    slots: int,
) -> PassTimes:
    """Return the tables of one lane with up to *slots* sequences; `load` states chunk, drafts and cached share."""
    longest = traffic.input.quantile(0.9999)
    lengths = np.unique(np.geomspace(1.0, max(2.0, longest), 60).round())
    loads = [replace(load, input=size) for size in lengths]
    alone = np.array([float(prompts_of(profile, device, constants, one, 1.0).total) for one in loads])
    riding = np.array([float(riding_of(profile, device, constants, one).total) for one in loads])
    passes = np.maximum(1.0, lengths * (1.0 - load.cached) / load.chunk)
    middle = traffic.input.mean + traffic.output.mean / 2.0
    contexts = (0.5 * middle, 2.0 * middle)
    counts = np.unique(np.concatenate([np.arange(1, 65), np.geomspace(1, slots, 60).round()]))
    counts = counts[counts <= slots]
    tables = []
    for context in contexts:
        fixed = replace(load, input=context, output=0.0)
        steps = [
            float(step_of(profile, device, constants, fixed, count * profile.pp).total) for count in counts
        ]
        tables.append(np.concatenate([[0.0], np.interp(np.arange(1, slots + 1), counts, steps)]))
    return PassTimes(tables[0], tables[1], contexts, lengths, riding, (alone - riding) / passes)


def draw(
    times: PassTimes, load: Load, traffic: Traffic, *, arrival: float, count: int, seed: int
) -> Requests:
    """Return *count* random requests of *traffic*, *arrival* per second on this lane (Poisson)."""
    random = np.random.default_rng(seed)
    came = np.cumsum(random.exponential(1.0 / arrival, count))
    prompt = traffic.input.sample(random, count)
    output = traffic.output.sample(random, count)
    return Requests(
        arrival=came,
        prompt=np.maximum(1, np.ceil(prompt * (1.0 - load.cached))).astype(int),
        riding=np.interp(prompt, times.lengths, times.riding) * np.maximum(1.0, prompt / times.lengths[-1]),
        extra=np.interp(prompt, times.lengths, times.extra),
        passes=np.ceil((output - 1) / tokens_per_step(load)).astype(int),
        context=prompt,
    )


def tokens_per_step(load: Load) -> float:
    """Return the tokens that a decode pass gives each sequence on average."""
    return float(load.tokens_per_step)


class Run:
    """One lane that serves *requests* in order, until all are done.

    Results, by request in seconds: `first` and `last`, when its first and last token came. With `loop`, requests
    do not come by the clock: that many are in flight, and one that ends is replaced at once.
    """

    def __init__(
        self,
        times: PassTimes,
        requests: Requests,
        *,
        slots: int,
        chunk: float,
        gain: float = 1.0,
        loop: int = 0,
    ) -> None:
        self._requests, self._slots, self._chunk, self._gain = requests, slots, chunk, gain
        span = times.contexts[1] - times.contexts[0]
        slope = (times.far - times.near) / span
        self._base: list[float] = (times.near - slope * times.contexts[0]).tolist()
        # Mean context times slope is the sum of contexts times slope / sequences.
        self._slope: list[float] = (slope / np.maximum(1, np.arange(len(slope)))).tolist()
        count = len(requests.prompt)
        self._came = [0.0] * min(loop, count) if loop else requests.arrival.tolist()
        self._loop, self._count, self._next = loop, count, 0
        self._prompt, self._riding = requests.prompt.tolist(), requests.riding.tolist()
        self._extra, self._passes = requests.extra.tolist(), requests.passes.tolist()
        self._context = requests.context.tolist()
        self._left = requests.prompt.tolist()
        self.first, self.last = [0.0] * count, [0.0] * count
        self.lane = _Lane()
        self._serve()

    @property
    def arrival(self) -> Any:
        """When each request came."""
        return np.array(self._came)

    def _serve(self) -> None:
        lane = self.lane
        while True:
            self._admit()
            if lane.prompting:
                self._mixed_pass()
            elif lane.decoding:
                self._decode()
            elif self._next < len(self._came):
                lane.clock = self._came[self._next]
            else:
                return

    def _admit(self) -> None:
        lane, came = self.lane, self._came
        while self._next < len(came) and came[self._next] <= lane.clock:
            lane.waiting.append(self._next)
            self._next += 1
        while (
            lane.waiting
            and lane.owed < self._chunk
            and len(lane.decoding) + len(lane.prompting) < self._slots
        ):
            one = lane.waiting.popleft()
            lane.prompting.append(one)
            lane.owed += self._left[one]

    def _step(self) -> float:
        running = len(self.lane.decoding)
        return self._base[running] + self._slope[running] * self.lane.context

    def _mixed_pass(self) -> None:
        lane, budget, finished = self.lane, self._chunk, []
        # Weights that the step reads are shared; a prompt reads the others itself.
        seconds = max(self._step() if lane.decoding else 0.0, self._extra[lane.prompting[0]])
        while lane.prompting and budget > 0:
            one = lane.prompting[0]
            taken = min(budget, self._left[one])
            seconds += self._riding[one] * taken / self._prompt[one]
            self._left[one] -= taken
            budget -= taken
            lane.owed -= taken
            if self._left[one] > 0:
                break
            finished.append(lane.prompting.popleft())
        running = len(lane.decoding)
        self._advance(1, seconds, running + len(finished) + len(lane.prompting))
        for one in finished:
            self.first[one] = lane.clock
            if self._passes[one]:
                lane.context += self._context[one]
                heapq.heappush(lane.decoding, (lane.done + self._passes[one], one))
            else:
                self._end(one)

    def _decode(self) -> None:
        """Run passes until one ends, or one comes that finds a slot."""
        lane, running = self.lane, len(self.lane.decoding)
        passes = lane.decoding[0][0] - lane.done
        step = self._step()
        growth = self._slope[running] * running * self._gain
        if self._next < len(self._came) and running < self._slots:
            wait = self._came[self._next] - lane.clock
            passes = min(passes, _passes_within(wait, step, growth))
        self._advance(passes, passes * step + growth * passes * (passes - 1) / 2.0, running)

    def _advance(self, passes: int, seconds: float, present: int) -> None:
        lane = self.lane
        lane.clock += seconds
        lane.area += seconds * present
        lane.done += passes
        lane.context += passes * len(lane.decoding) * self._gain
        while lane.decoding and lane.decoding[0][0] <= lane.done:
            _, one = heapq.heappop(lane.decoding)
            lane.context -= self._context[one] + self._passes[one] * self._gain
            self._end(one)

    def _end(self, one: int) -> None:
        self.last[one] = self.lane.clock
        if self._loop and len(self._came) < self._count:
            self._came.append(self.lane.clock)


def _passes_within(wait: float, step: float, growth: float) -> int:
    """Return the passes until the one in which *wait* seconds are over, the first *step* long, each *growth* longer."""
    if growth * wait < 1e-9 * step * step:
        return max(1, int(np.ceil(wait / step)))
    half = step / growth - 0.5
    return max(1, int(np.ceil((half * half + 2.0 * wait / growth) ** 0.5 - half)))


def simulate(
    profile: StepProfile,
    device: DeviceRates,
    constants: Constants,
    load: Load,
    traffic: Traffic,
    *,
    slots: float,
    arrival: float | None = None,
    loop: int = 0,
    count: int = 3000,
    seed: int = 0,
    quantiles: tuple[float, ...] = QUANTILES,
) -> Simulation:
    """Return percentiles of *count* requests of *traffic*, simulated on one lane of the deployment.

    *arrival* requests per second come to the whole deployment at random, by default those of the busiest hour;
    with *loop* that many are always in flight instead. At most *slots* run at once. The same *seed* gives the
    same requests. All records are of one deployment: numbers, not arrays.
    """
    lanes = float(lanes_of(profile, load))
    each = max(1, int(slots / lanes))
    load = replace(load, input=traffic.input.mean, output=traffic.output.mean)
    times = pass_times(profile, device, constants, load, traffic, slots=each)
    rate = (traffic.peak_rate if arrival is None else arrival) / lanes
    total = int(count * (1.0 + 2.0 * _WARM))
    requests = draw(times, load, traffic, arrival=rate, count=total, seed=seed)
    running = max(1, round(loop / lanes)) if loop else 0
    done = Run(times, requests, slots=each, chunk=float(load.chunk), gain=tokens_per_step(load), loop=running)
    counted = slice(int(count * _WARM), int(count * _WARM) + count)
    came, first, last = (np.asarray(one)[counted] for one in (done.arrival, done.first, done.last))
    steps = requests.passes[counted] * tokens_per_step(load)
    several = steps > 0
    per_token = (last - first)[several] / steps[several]
    beside = float(constants.first_token)  # no GPU takes part in it
    return Simulation(
        ttft=_percentiles(first - came + beside, quantiles),
        per_token=_percentiles(per_token, quantiles),
        request=_percentiles(last - came + beside, quantiles),
        concurrency=done.lane.area / done.lane.clock * lanes,
        rate=(count - 1) / (came[-1] - came[0]) * lanes,
        requests=count,
    )


def _percentiles(values: Any, quantiles: tuple[float, ...]) -> dict[float, Sampled]:
    """Return quantiles, and the standard error of each from those of consecutive parts."""
    parts = np.array_split(values, _BATCHES) if len(values) >= _BATCHES else []
    table = {}
    for q in quantiles:
        spread = np.std([np.quantile(part, q) for part in parts], ddof=1) if parts else np.nan
        value = float(np.quantile(values, q)) if len(values) else float("nan")
        table[q] = Sampled(value, float(spread) / _BATCHES**0.5)
    return table
