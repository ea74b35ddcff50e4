"""From the readings of several exporters to one expression with canonical labels.

Order matters and is the same for all: duplicates merged by their highest value, then the names that mean the same
chained with `or`, then labels renamed, then exporters chained, then subjects put together. Where buckets or rates of
several subjects are merged, labels are renamed first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from core.monitoring.indicators import Indicator
from core.monitoring.promql import aggregated, braces, duration, either, quoted, relabelled, seconds
from core.monitoring.readings import (
    Question,
    Reading,
    buckets,
    events,
    gauge_expression,
    observations,
    summary_expression,
    template_expression,
    with_traffic,
)

_GPU = ("node", "host", "gpu", "uuid", "model", "mig", "mig_profile")
_ENGINE = ("node", "host", "instance", "model_name", "namespace", "pod")

# Canonical labels of one series, by level (or indicator) and whether a window is asked for. Pods come and go on a
# GPU, so a statistic over a window is that of the device.
LABELS: Mapping[tuple[str, bool], tuple[str, ...]] = {
    ("gpu", False): (*_GPU, "namespace", "pod"),
    ("gpu", True): _GPU,
    ("engine", False): _ENGINE,
    ("engine", True): _ENGINE,
    ("node", False): ("node", "host"),
    ("node", True): ("node", "host"),
    ("gpu_exporter_up", False): ("node", "host", "instance"),
    ("gpu_exporter_up", True): ("node", "host", "instance"),
}

# What tells subjects of a level apart, at the least: kept until subjects are put together.
_KEYS = {"gpu": ("node", "gpu", "uuid", "mig"), "engine": ("instance", "model_name"), "node": ("node",)}

_COMBINED = {"mean": "avg", "sum": "sum", "max": "max", "min": "min", "quantile": "max", "rate": "max"}

# A uuid without the "GPU-" that the driver and DCGM write before it.
_BARE_UUID = "([0-9a-fA-F]{8}-[0-9a-fA-F-]+)"

# Longest step of a subquery, the steps that it has at the least, and the longest window of a rate inside one.
_STEP_S = 60
_STEPS = 15
_MOMENT_S = 300


@dataclass(frozen=True)
class Source:
    """One exporter with one prefix: its readings of an indicator, best first, and how its labels are called."""

    exporter: str
    identity: Mapping[str, Sequence[str]]
    parts: tuple[str, ...]
    readings: tuple[Reading, ...]
    question: Question
    own_pods: str = ""
    complete_uuid: bool = False
    info: tuple[str, tuple[str, ...], tuple[str, ...]] | None = None

    @property
    def plain(self) -> Source:
        """The same readings with the labels that their exporter writes."""
        return replace(self, identity={}, own_pods="", complete_uuid=False, info=None)

    def raw(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Return the labels of the exporter that the canonical *labels* are made from."""
        found = [source for label in labels for source in self.identity.get(label, (label,))]
        if self._described(labels) and self.info is not None:
            _, on, given = self.info
            found = [source for source in found if source not in given] + list(on)
        return tuple(dict.fromkeys(found))

    def _described(self, labels: Sequence[str]) -> bool:
        given = self.info[2] if self.info is not None else ()
        return any(source in given for label in labels for source in self.identity.get(label, ()))

    def named(self, expression: str, labels: Sequence[str]) -> str:
        """Give *expression* the canonical *labels*."""
        if self.info is not None and self._described(labels):
            metric, on, given = self.info
            kept = aggregated("max", (*on, *given), f"{metric}{braces(self.question.selector)}")
            expression = f"({expression}) * on ({', '.join(on)}) group_left ({', '.join(given)}) {kept}"
        named = relabelled(expression, self.identity, labels)
        if self.complete_uuid and "uuid" in labels:
            bare = f'label_replace({named}, "bare", "$1", "uuid", "(.*)")'
            named = f'label_replace({bare}, "uuid", "GPU-$1", "bare", "{_BARE_UUID}")'
        if self.own_pods and "pod" in labels:
            named = f'label_replace({named}, "pod", "", "pod", "{self.own_pods}")'
            if "namespace" in labels:
                named = f'label_replace({named}, "namespace", "", "pod", "")'
        return named


def composed(
    indicator: Indicator, sources: Sequence[Source], *, by: tuple[str, ...], only: Mapping[str, str]
) -> str:
    """Return one expression for *indicator* from all *sources*.

    Without *by* each series is one subject with the labels of `LABELS`; with *by* subjects are put together as
    `indicator.across` says. *only* keeps the series whose canonical labels have these values.
    """
    over = sources[0].question.over is not None
    own = LABELS.get((indicator.id, over)) or LABELS[indicator.level, over]
    extra = tuple(label for label in only if label not in by) if by else ()
    direct = indicator.across in {"quantile", "rate"}
    if not by:
        labels = tuple(dict.fromkeys((*own, *only)))
    elif direct:
        labels = tuple(dict.fromkeys((*by, *extra)))
    else:
        labels = tuple(dict.fromkeys((*_KEYS[indicator.level], *by, *extra)))
        if indicator.id == "gpu_exporter_up":
            labels = tuple(dict.fromkeys((*own, *by, *extra)))
    if by and len(sources) == 1 and not only and indicator.across in {"mean", "max", "min"}:
        return _grouped(indicator, sources[0], labels, by)
    made = _readings if by and direct else _of_source
    chained = list(dict.fromkeys(made(indicator, source, labels) for source in sources))
    if len(chained) == 1:
        whole = chained[0]
    elif by and direct:
        tagged = [
            f'label_replace({part}, "exporter", "{index}", "", "")' for index, part in enumerate(chained)
        ]
        whole = aggregated("max", labels, either(tagged))
    elif indicator.level == "gpu" and "uuid" in labels:
        # The same GPU, seen by two exporters with other labels, is one GPU.
        whole = either([f"({part})" for part in chained], "uuid, mig")
    else:
        whole = either([f"({part})" for part in chained])
    for label, value in only.items():
        kept = f'label_replace(vector(1), "{label}", {quoted(value)}, "", "")'
        whole = f"({whole}) and on ({label}) {kept}"
    if by and (not direct or extra):
        whole = aggregated(_COMBINED[indicator.across], by, whole)
    return whole


def _of_source(indicator: Indicator, source: Source, labels: tuple[str, ...]) -> str:
    """Return the readings of one exporter by *labels*.

    Labels are renamed last, on one series a subject: renaming costs more than all the rest.
    """
    chain = _readings(indicator, source.plain, source.raw(labels))
    has_text = any(reading.label for reading in source.readings)
    kept = (*labels, indicator.value_label) if has_text else labels
    return aggregated("max", kept, source.named(chain, labels))


def _grouped(indicator: Indicator, source: Source, labels: tuple[str, ...], by: tuple[str, ...]) -> str:
    """Return the subjects of one exporter put together, before their labels are renamed.

    Not for sums: an exporter that restarted with a new address would count twice. At 10,000 GPUs this takes a
    fifth of the time.
    """
    how = _COMBINED[indicator.across]
    chain = _readings(indicator, source.plain, source.raw(labels))
    return aggregated(how, by, source.named(aggregated(how, source.raw(by), chain), by))


def _readings(indicator: Indicator, source: Source, labels: tuple[str, ...]) -> str:
    """Return the readings of one exporter chained, the best that each subject has, by *labels*."""
    made = [_by_labels(indicator, source, reading, labels) for reading in source.readings]
    return either(list(dict.fromkeys(made)))


def _by_labels(indicator: Indicator, source: Source, reading: Reading, labels: tuple[str, ...]) -> str:
    question = source.question
    if reading.is_rate:
        moment = source if reading.event else replace(source, question=_moment(question))
        if reading.promql:
            whole = _merged(indicator, moment, template_expression(reading, moment.question), labels)
        else:
            made = _quantile if reading.histogram else _rates
            whole = made(indicator, moment, reading, labels)
        return _over_time(whole, question, reading)
    if reading.label:
        return _label_value(indicator, source, reading, labels)
    if reading.gauge:
        raw = gauge_expression(reading, question)
    elif reading.summary:
        raw = summary_expression(reading, question)
    else:
        raw = template_expression(reading, question)
    merged = _merged(indicator, source, raw, labels)
    return _over_time(merged, question, reading) if reading.promql else merged


def _merged(indicator: Indicator, source: Source, raw: str, labels: tuple[str, ...]) -> str:
    """Merge what was collected twice, then put the parts of a subject together."""
    how = _COMBINED[indicator.across]
    counted = source.question.over == "count"
    parts = tuple(label for label in source.parts if label not in labels)
    named = source.named(raw, labels)
    if how == "max" or counted or not parts:
        return aggregated("max", labels, named)
    return aggregated(how, labels, aggregated("max", (*labels, *parts), named))


def _rates(indicator: Indicator, source: Source, reading: Reading, labels: tuple[str, ...]) -> str:
    question = source.question

    def total(name: str, matchers: str) -> str:
        # A counter of a GPU that was collected twice is one counter; those of a replica differ by a label of theirs.
        how = "max" if indicator.level == "gpu" else "sum"
        return aggregated(how, labels, source.named(events(name, matchers, question), labels))

    def summed(names: Sequence[str], matchers: str) -> str:
        """Add rates; one that has no series yet counts as none."""
        whole = total(names[0], matchers)
        for name in names[1:]:
            whole = f"({whole} + {total(name, matchers)} or {whole})"
        return whole

    above = summed((reading.rate, *reading.plus), reading.matchers)
    if reading.per:
        below = summed(reading.per, "" if reading.zero else reading.matchers)
        if reading.zero:
            above = f"({above} or 0 * {below})"
        above = f"{above} / ({below} > 0)"
    if reading.of_capacity:
        above = f"{above} / {question.capacity:.12g}"
    return above if reading.times == 1.0 else f"{above} * {reading.times:.12g}"


def _quantile(indicator: Indicator, source: Source, reading: Reading, labels: tuple[str, ...]) -> str:
    question = source.question
    raw, le = buckets(reading, question)
    kept = (le, *labels) if le else labels
    summed = aggregated("sum", kept, source.named(raw, labels))
    counted = aggregated("sum", labels, source.named(observations(reading, question), labels))
    scale = "" if reading.times == 1.0 else f" * {reading.times:.12g}"
    return with_traffic(f"histogram_quantile({question.quantile:g}, {summed}){scale}", counted)


def _moment(question: Question) -> Question:
    """Return the question with the window that one point of a subquery takes: five minutes at the most."""
    if question.over in {"min", "max", "count", "last"} and seconds(question.window) > _MOMENT_S:
        return replace(question, window=duration(_MOMENT_S))
    return question


def _label_value(indicator: Indicator, source: Source, reading: Reading, labels: tuple[str, ...]) -> str:
    """Return the text of a label as a canonical label; the number of the sample says nothing."""
    selected = f"{source.question.prefix}{reading.gauge}{braces(source.question.selector, reading.matchers)}"
    named = source.named(selected, labels)
    copied = f'label_replace({named}, "{indicator.value_label}", "$1", "{reading.label}", "(.*)")'
    return aggregated("max", (*labels, indicator.value_label), copied)


def _over_time(expression: str, question: Question, reading: Reading) -> str:
    """Return the statistic of a rate or a formula over the window; its average is the rate over the window."""
    over = question.over
    if over is None or over == "last" or (over == "avg" and reading.is_rate) or reading.event:
        return expression
    # No store takes a step of no seconds.
    step = max(1.0, min(_STEP_S, seconds(question.window) / _STEPS))
    return f"{over}_over_time(({expression})[{question.window}:{duration(step)}])"
