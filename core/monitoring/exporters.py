"""Who exports what: the records of hardware_db/monitoring/exporters, and what one look at the metric names finds.

`detect` takes the metric names of a store and says which exporters feed it. `Detected.expression` then gives one
PromQL per indicator whose series carry canonical labels, whoever exported them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Literal

from pydantic import Field, model_validator

from core.catalog.records import Provenance, Record
from core.monitoring.compose import LABELS, Source, composed
from core.monitoring.indicators import FOLDER, Level, indicators, read_yaml
from core.monitoring.readings import Over, Question, Reading

# Indicators that every exporter has because Prometheus scrapes it.
_SCRAPED = {"gpu": ("gpu_exporter_up",), "engine": ("replica_up", "replica_age"), "node": ()}


class Enabling(Record):
    """What makes an exporter give an indicator: the exact line or flag, and where it goes."""

    where: str
    line: str = Field(min_length=1)


class Info(Record):
    """A metric whose labels describe the subject of the others: joined by the labels `on`, which give `labels`."""

    metric: str
    on: tuple[str, ...]
    labels: tuple[str, ...]


class Export(Record):
    """A metric name: its type, and the first and last release it was seen in, where that was followed."""

    type: Literal["gauge", "counter", "histogram", "summary"]
    seen: str = ""


class Exporter(Record):
    """One program that exports metrics of GPUs, nodes or engine replicas.

    `identity` names for each canonical label the labels that may hold it, best first. `parts` are labels that split
    one subject (ranks of a replica). `preallocates_memory` says why the memory of its GPU is always nearly full;
    empty where it is not. One in `front` of engines (a router, a serving frame) is asked only for what no engine
    gives. `enable` says what makes it give an indicator that is off, `turn_on` what makes it export at all.
    """

    id: str
    title: str
    level: Level
    prefixes: tuple[str, ...] = ("",)
    needs_any: tuple[str, ...] = Field(min_length=1)
    identity: dict[str, tuple[str, ...]]
    parts: tuple[str, ...] = ()
    own_pods: str = ""
    complete_uuid: bool = False
    info: Info | None = None
    drop_values: tuple[int, ...] = ()
    drop_above: float | None = None
    preallocates_memory: str = ""
    indicators: dict[str, tuple[Reading, ...]]
    enable: dict[str, Enabling] = Field(default_factory=dict)
    turn_on: Enabling
    front: bool = False
    exports: dict[str, Export]
    notes: str = ""
    provenance: Provenance

    @model_validator(mode="after")
    def _knows_its_indicators(self) -> Exporter:
        unknown = (self.indicators.keys() | self.enable.keys()) - indicators().keys()
        if unknown:
            raise ValueError(f"{self.id} names unknown indicators {sorted(unknown)}")
        return self

    def found(self, names: Collection[str]) -> tuple[str, ...]:
        """Return the prefixes with which it is in a store with these metric names."""
        return tuple(
            prefix for prefix in self.prefixes if any(prefix + name in names for name in self.needs_any)
        )

    def anchor(self, prefix: str, names: Collection[str]) -> str:
        """Return the first of its own metrics that the store has: the sign that it was there."""
        return next(prefix + name for name in self.needs_any if prefix + name in names)

    def readings(self, indicator: str, prefix: str, names: Collection[str]) -> tuple[Reading, ...]:
        """Return the ways to read *indicator*, best first; those of the scrape itself for every exporter."""
        if indicator not in _SCRAPED[self.level]:
            return self.indicators.get(indicator, ())
        seen = f"({self.anchor(prefix, names)}{{sel}} or last_over_time({self.anchor(prefix, names)}{{sel}}[{{w}}]))"
        zero = f"0 * ({seen} < bool 0)"
        measured = "time() - max by (job, instance) (process_start_time_seconds)"
        value = measured if indicator == "replica_age" else "max by (job, instance) (up)"
        metric = "process_start_time_seconds" if indicator == "replica_age" else "up"
        joined = f"({zero} + on (job, instance) group_left () ({value}))"
        return (Reading(promql=joined),) if metric in names else ()


@cache
def exporters() -> Mapping[str, Exporter]:
    """Return all exporters by id, in the order in which they are preferred."""
    found = {}
    for path in sorted((FOLDER / "exporters").glob("*.yaml")):
        fields: dict[str, Any] = read_yaml(path)
        provenance = Provenance.taken_from(fields)
        found[fields["id"]] = Exporter(provenance=provenance, **fields)
    order = {name: index for index, name in enumerate(_PREFERRED)}
    return MappingProxyType(
        dict(sorted(found.items(), key=lambda pair: (order.get(pair[0], len(order)), pair[0])))
    )


# Where two exporters watch the same GPU, the one that tells more comes first.
_PREFERRED = ("dcgm", "nvidia_gpu_exporter", "amd_device_metrics", "amd_smi", "triton_gpu")


@dataclass(frozen=True)
class Missing:
    """An indicator that an exporter of the store could give, and what enables it."""

    indicator: str
    exporter: Exporter
    enabling: Enabling


@dataclass(frozen=True)
class Detected:
    """The exporters that feed a store, with the metric names that it has."""

    names: frozenset[str]
    gpu: tuple[Exporter, ...]
    engines: tuple[Exporter, ...]
    nodes: tuple[Exporter, ...] = ()

    @property
    def exporters(self) -> tuple[Exporter, ...]:
        """All of them."""
        return self.gpu + self.engines + self.nodes

    @property
    def preallocating(self) -> tuple[Exporter, ...]:
        """Engines that take most of the memory at their start, whatever the load."""
        return tuple(engine for engine in self.engines if engine.preallocates_memory)

    def at(self, level: Level) -> tuple[Exporter, ...]:
        """Return the exporters of one level."""
        return {"gpu": self.gpu, "engine": self.engines, "node": self.nodes}[level]

    def sources(self, indicator: str, question: Question) -> tuple[Source, ...]:
        """Return, for each exporter and prefix, the readings of *indicator* that the store can answer."""
        every = self.at(indicators()[indicator].level)
        engines = self._sources(indicator, question, [one for one in every if not one.front])
        return engines or self._sources(indicator, question, [one for one in every if one.front])

    def _sources(
        self, indicator: str, question: Question, candidates: Sequence[Exporter]
    ) -> tuple[Source, ...]:
        found = []
        for exporter in candidates:
            for prefix in exporter.found(self.names):
                own = Question(
                    self.names,
                    prefix,
                    question.selector,
                    question.window,
                    question.quantile,
                    question.over,
                    question.capacity,
                    exporter.drop_above,
                )
                readings = tuple(
                    reading
                    for reading in exporter.readings(indicator, prefix, self.names)
                    if reading.readable(own)
                )
                if readings:
                    found.append(
                        Source(
                            exporter.id,
                            exporter.identity,
                            exporter.parts,
                            readings,
                            own,
                            exporter.own_pods,
                            exporter.complete_uuid,
                            self._info(exporter, prefix),
                        )
                    )
        return tuple(found)

    def _info(self, exporter: Exporter, prefix: str) -> tuple[str, tuple[str, ...], tuple[str, ...]] | None:
        info = exporter.info
        if info is None or prefix + info.metric not in self.names:
            return None
        return prefix + info.metric, info.on, info.labels

    def has(self, indicator: str, *, capacity: float | None = None) -> bool:
        """Whether the store can answer *indicator*."""
        return bool(self.sources(indicator, Question(self.names, capacity=capacity)))

    def expression(
        self,
        indicator: str,
        *,
        selector: str = "",
        window: str = "5m",
        by: Sequence[str] = (),
        quantile: float = 0.99,
        over: Over | None = None,
        capacity: float | None = None,
        only: Mapping[str, str] | None = None,
    ) -> str | None:
        """Return one PromQL for *indicator* with canonical labels; None where no exporter gives it.

        Args:
            indicator: an id of `indicators()`.
            selector: label matchers of the user, without braces, as the exporters write the labels.
            window: length over which rates and quantiles are taken, and the statistic of `over`.
            by: canonical labels to keep, the values of their subjects put together as the indicator asks. Empty:
                one series a subject (`LABELS`).
            quantile: of the latencies, 0 to 1.
            over: avg, min, max, count or last over the window, so that one instant query judges a duration. None:
                the value now. A GPU then loses its pod, which may change within the window.
            capacity: requests that a batch may hold, for engines that do not export it.
            only: canonical labels and the value they must have, such as {"node": "gpu-3"}.

        How a window is taken: gauges by `avg_over_time` and its like on the metric itself; rates and quantiles as
        the rate over the whole window (an average of quantiles would mean nothing); lowest, highest and count of
        rates and formulas by a subquery with a step of a minute at the most.
        """
        definition = indicators()[indicator]
        question = Question(self.names, "", selector, window, quantile, over, capacity)
        sources = self.sources(indicator, question)
        if not sources:
            return None
        return composed(definition, sources, by=tuple(by), only=only or {})

    def labels(self, indicator: str, over: Over | None = None) -> tuple[str, ...]:
        """Return the canonical labels of one series of *indicator*."""
        definition = indicators()[indicator]
        wide = over is not None
        return LABELS.get((definition.id, wide)) or LABELS[definition.level, wide]

    def missing(self, indicator: str | None = None, *, capacity: float | None = None) -> tuple[Missing, ...]:
        """Return what the exporters of the store could give but do not, with the line that enables each.

        A mean where a quantile could be had counts as missing. *capacity* is what a batch may hold, where it is known.
        """
        wanted = [indicator] if indicator else list(indicators())
        return tuple(
            Missing(name, exporter, exporter.enable[name])
            for name in wanted
            for exporter in self.at(indicators()[name].level)
            if name in exporter.enable and not self._given(exporter, name, capacity)
        )

    def _given(self, exporter: Exporter, indicator: str, capacity: float | None) -> bool:
        return any(
            reading.readable(Question(self.names, prefix, capacity=capacity)) and not reading.mean
            for prefix in exporter.found(self.names)
            for reading in exporter.readings(indicator, prefix, self.names)
        )

    def means(self, indicator: str) -> tuple[Exporter, ...]:
        """Return the exporters that give the mean of *indicator* where a quantile was asked for."""
        given = self.sources(indicator, Question(self.names))
        found = {source.exporter for source in given if all(reading.mean for reading in source.readings)}
        return tuple(exporter for exporter in self.exporters if exporter.id in found)

    @property
    def absent(self) -> tuple[Exporter, ...]:
        """Known exporters that the store has nothing of; `turn_on` of each says how to get it."""
        found = {exporter.id for exporter in self.exporters}
        return tuple(exporter for exporter in exporters().values() if exporter.id not in found)

    @property
    def absent_levels(self) -> tuple[Level, ...]:
        """Levels that no exporter of the store watches."""
        levels: tuple[Level, ...] = ("gpu", "engine", "node")
        return tuple(level for level in levels if not self.at(level))


def detect(names: Collection[str]) -> Detected:
    """Return which exporters feed a store with these metric names."""
    known = frozenset(names)
    found = [exporter for exporter in exporters().values() if exporter.found(known)]

    def of(level: Level) -> tuple[Exporter, ...]:
        return tuple(exporter for exporter in found if exporter.level == level)

    return Detected(known, of("gpu"), of("engine"), of("node"))
