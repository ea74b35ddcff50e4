"""What the search tries: every engine, number format and layout of a model, on every accelerator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from core.architecture import Model
from core.architecture.checkpoint import checkpoint_format, with_ignored
from core.architecture.formats import WeightFormat, weight_format
from core.catalog import Accelerator
from core.catalog.nodes import fabric_gpus
from core.errors import BadRequest, PlannerError
from core.memory.deployment import Deployment, Device, KvFormat, engine_kv, kv_format
from core.memory.engines import Engine, find_engine
from core.memory.layout import Layout, check_layout
from core.memory.support import unsupported
from core.planning.question import CHECKPOINT, Choices
from core.text import Sentence, say

WIDEST = 64
"""GPUs of the largest replica that is tried, whatever a question allows: what a larger one would bring is told."""

_TENSOR_PARALLEL = (1, 2, 4, 8, 16)
_STAGES = (1, 2, 4, 8)
_ATTENTION_RANKS = (2, 4, 8, 16, 32, 64)


@dataclass(frozen=True)
class Variant:
    """One way to run a model, on whatever device."""

    engine: Engine
    weights: WeightFormat
    kv: KvFormat
    layout: Layout

    def on(self, model: Model, device: Device | None, context: int) -> Deployment:
        """Return *model* deployed this way on *device*, for requests of up to *context* tokens."""
        return Deployment(model, device, self.engine, self.weights, self.kv, self.layout, context)


def layouts_of(model: Model, tensor_parallel: tuple[int, ...] | None = None) -> tuple[Layout, ...]:
    """Return the layouts to try for *model*: tensor and pipeline parallelism, for experts also spread over ranks.

    *tensor_parallel* replaces the degrees that are tried; those that do not divide the heads are left out.
    """
    return tuple(layout for layout in _layouts(model, tensor_parallel) if _is_possible(model, layout))


def _layouts(model: Model, tensor_parallel: tuple[int, ...] | None) -> Iterator[Layout]:
    degrees = tensor_parallel or _TENSOR_PARALLEL
    for tp in degrees:
        for pp in _STAGES:
            yield Layout(tp=tp, pp=pp)
            if model.is_moe and tp > 1:
                yield Layout(tp=tp, pp=pp, ep=tp)
    if model.is_moe and 1 in degrees:
        for ranks in _ATTENTION_RANKS:
            if model.experts % ranks == 0:
                yield Layout(dp=ranks, ep=ranks, attention_dp=True)


def _is_possible(model: Model, layout: Layout) -> bool:
    try:
        check_layout(model, layout)
    except PlannerError:
        return False
    return layout.gpus <= WIDEST


def divides_blocks(model: Model, weights: WeightFormat, layout: Layout) -> bool:
    """Return whether the blocks of block-quantised *weights* survive the division of the matrices by *layout*.

    Rows of a rank must be whole blocks of 128: DeepSeek-V3's experts of 2048 rows allow 16 ranks, not 32.
    Source: vLLM quantization/utils/fp8_utils.py, validate_fp8_block_shape.
    """
    block = 128
    if weights.id != "fp8-block":
        return True
    inside = max(1, layout.expert_ranks // layout.ep)
    dense = model.dense_inner % (block * layout.tp) == 0
    return dense and (not model.is_moe or model.expert_inner % (block * inside) == 0)


def formats_of(model: Model, choices: Choices) -> tuple[WeightFormat, ...]:
    """Return the weight formats to try, each once: a checkpoint that is stored in fp8 has no other fp8."""
    own = checkpoint_format(model)
    found: dict[str, WeightFormat] = {}
    for name in choices.weights:
        weights = own if name == CHECKPOINT else with_ignored(weight_format(name), model)
        if weights.id == "fp8" and own.id.startswith("fp8"):
            weights = own
        found.setdefault(weights.id, weights)
    return tuple(found.values())


@lru_cache(maxsize=64)
def variants_of(model: Model, choices: Choices) -> tuple[Variant, ...]:
    """Return every engine, weight format, cache format and layout of *choices* for *model*.

    Raises:
        BadRequest: no tensor-parallel degree of *choices* divides the attention heads.
    """
    layouts = layouts_of(model, choices.tensor_parallel)
    if not layouts:
        asked = ", ".join(str(tp) for tp in choices.tensor_parallel or ())
        good = ", ".join(str(tp) for tp in range(1, WIDEST + 1) if model.heads % tp == 0)
        raise BadRequest(
            "planning.heads", field="tp", model=model.name, heads=model.heads, tp=asked, good=good
        )
    found = []
    for name in choices.engines:
        engine = find_engine(name)
        for weights in formats_of(model, choices):
            kinds = {
                kind.name: kind
                for kind in (
                    engine_kv(engine, weights, model) if chosen is None else kv_format(chosen)
                    for chosen in choices.kv
                )
            }
            for layout in layouts:
                if divides_blocks(model, weights, layout):
                    found += [Variant(engine, weights, kv, layout) for kv in kinds.values()]
    return tuple(found)


def refusal(
    variant: Variant, model: Model, record: Accelerator, device: Device
) -> tuple[str, Sentence] | None:
    """Return (stage, reason) why *variant* cannot run on *record* at all; None where it can.

    Vendors and compute capabilities are those of the engine. Where a device has no compute capability, it must
    multiply in the format itself.
    """
    reason = unsupported(variant.on(model, device, 1))
    if reason is not None:
        return ("engine" if reason.key in ("fleet.vendor", "fleet.capability") else "format"), reason
    needed = "fp8" if variant.weights.id.startswith("fp8") else variant.weights.id
    if device.capability is None and needed in ("bf16", "fp8") and not record.supports(needed):
        return "format", say("planning.no_dtype", format=variant.weights.label, dtype=needed)
    return None


def is_joined(record: Accelerator, layout: Layout) -> bool:
    """Return whether the GPUs of one replica can work together.

    A tensor-parallel group stays in one server, or in the fabric that joins servers; devices that are a computer
    of their own have no link to others.
    """
    linked = (record.link_bytes_per_s or record.pcie_bytes_per_s) is not None
    return layout.gpus == 1 or (linked and layout.tp <= fabric_gpus(record) and fabric_gpus(record) > 1)
