"""What a rank holds of a model, counted from its tensor groups: parameters by kind, layers by their tensors."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from core.architecture import Model, TensorGroup
from core.architecture.tensors import matrix
from core.memory.layout import stage_layers
from core.memory.training.run import TrainingLayout, TrainingRun


@dataclass(frozen=True, eq=False)
class LayerKind:
    """Layers made of the same tensors."""

    groups: tuple[TensorGroup, ...]
    layers: tuple[int, ...]

    def find(self, name: str) -> TensorGroup | None:
        """Return the group *name* of these layers."""
        return next((group for group in self.groups if group.name == name), None)

    def rows(self, name: str) -> int:
        """Return the output features of the group *name*, 0 where the layers have none."""
        group = self.find(name)
        return group.shape[0] if group else 0

    def columns(self, name: str) -> int:
        """Return the input features of the group *name*, 0 where the layers have none."""
        group = self.find(name)
        return group.shape[1] if group else 0


@lru_cache(maxsize=512)
def layer_kinds(model: Model) -> tuple[LayerKind, ...]:
    """Return the distinct layers of the decoder, each with its tensors and where it stands."""
    held: dict[int, list[int]] = defaultdict(list)
    for number, group in enumerate(model.groups):
        if group.role != "vision":
            for layer in group.layers:
                held[layer].append(number)
    alike: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for layer in range(model.layers):
        alike[tuple(held[layer])].append(layer)
    return tuple(
        LayerKind(tuple(model.groups[number] for number in numbers), tuple(layers))
        for numbers, layers in alike.items()
    )


def share(group: TensorGroup, layout: TrainingLayout) -> float:
    """Return the share of *group* that one rank holds under tensor and expert parallelism."""
    if group.shard in ("vocabulary", "column", "row"):
        return 1 / layout.tp
    if group.shard == "kv-heads":
        heads = max(1, group.shape[0] // group.unit)
        return math.ceil(heads / layout.tp) / heads
    if group.shard == "expert":
        return math.ceil(group.copies / layout.ep) / group.copies / layout.etp
    return 1.0


@dataclass(frozen=True)
class Stage:
    """A pipeline stage: its number, of how many, and its layers."""

    number: int
    stages: int
    layers: range

    @property
    def first(self) -> bool:
        """Whether it holds the embedding."""
        return self.number == 0

    @property
    def last(self) -> bool:
        """Whether it holds the head and computes the loss."""
        return self.number == self.stages - 1


@lru_cache(maxsize=4096)
def stages_of(layers: int, pp: int) -> tuple[Stage, ...]:
    """Return the pipeline stages of a model of *layers*."""
    return tuple(Stage(number, pp, part) for number, part in enumerate(stage_layers(layers, pp)))


def stages_asked(run: TrainingRun) -> tuple[Stage, ...]:
    """Return the stages of which the most loaded may be the answer: ends, and the longest between them."""
    stages = stages_of(run.model.layers, run.layout.pp)
    if run.stage == "first":
        return stages[:1]
    if run.stage == "last":
        return stages[-1:]
    if len(stages) <= 2:
        return stages
    return (stages[0], max(stages[1:-1], key=lambda stage: len(stage.layers)), stages[-1])


@lru_cache(maxsize=4096)
def stage_groups(model: Model, stage: Stage, *, untied: bool = False) -> tuple[tuple[TensorGroup, int], ...]:
    """Return the groups of *stage*, each with the number of its layers that hold it (1 outside the stack).

    Towers are on the first stage. A tied embedding is on the last stage too, which computes the logits with it.
    *untied*: the framework gives models whose embedding is shared a head of their own.
    """
    found = [(head_of(model), 1)] if untied and model.tied and stage.last else []
    for group in model.groups:
        if group.layers and group.role != "vision":
            count = sum(1 for layer in group.layers if layer in stage.layers)
        elif group.layers:
            count = len(group.layers) if stage.first else 0
        elif group.stage == "first" or group.role == "vision":
            count = int(stage.first or (model.tied and stage.last and group.name == "embedding"))
        elif group.stage == "last":
            count = int(stage.last)
        else:
            count = 1
        if count:
            found.append((group, count))
    return tuple(found)


def head_of(model: Model) -> TensorGroup:
    """Return the output head, or the shape that it has where it is tied to the embedding."""
    found = next((group for group in model.groups if group.name == "head"), None)
    return found or matrix("head", model.vocabulary, model.hidden, "head", "vocabulary", stage="last")


def groups_held(run: TrainingRun, stage: Stage) -> tuple[tuple[TensorGroup, int], ...]:
    """Return the groups of *stage* as the framework of *run* holds them."""
    return stage_groups(run.model, stage, untied=bool(run.framework.constant("unties")))


def parameters(group: TensorGroup) -> int:
    """Return the parameters of *group* in one layer."""
    return math.prod(group.shape) * group.copies


def held(groups: Iterable[tuple[TensorGroup, int]], layout: TrainingLayout) -> float:
    """Return the parameters of *groups* on one rank before ZeRO divides them."""
    return sum(count * parameters(group) * share(group, layout) for group, count in groups)


@lru_cache(maxsize=4096)
def layer_parameters(model: Model, layout: TrainingLayout, *, experts: bool) -> float:
    """Return the parameters of the largest layer on one rank, with or without its routed experts."""
    return max(
        (
            held(((group, 1) for group in kind.groups if experts or group.role != "expert"), layout)
            for kind in layer_kinds(model)
        ),
        default=0.0,
    )


@lru_cache(maxsize=4096)
def end_parameters(model: Model, layout: TrainingLayout, stage: Stage) -> float:
    """Return the parameters outside the layers of *stage*: embedding, last norm, head."""
    outside = [(group, count) for group, count in stage_groups(model, stage) if not group.layers]
    return held(((group, count) for group, count in outside if group.role != "vision"), layout)
