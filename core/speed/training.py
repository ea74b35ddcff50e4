"""How long a training run takes and what it costs: six FLOPs a parameter and token, attention, recomputation.

The time of a step is that of its matrix products at the share of the peak that devices of this kind reach, and of
messages, transfers and pipeline bubbles that do not hide behind them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from core.architecture import Model
from core.catalog import Accelerator
from core.catalog.accelerators import accelerators
from core.cost.prices import Price, hourly_cost, prices_of
from core.memory.training.adapters import adapters_held
from core.memory.training.run import DTYPE_BYTES, TrainingRun
from core.memory.training.shapes import Stage, held, layer_kinds, stage_groups, stages_of
from core.speed.device import SWITCHED, USUAL_NETWORK, USUAL_NODE

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def _data() -> dict[str, Any]:
    text = Path(__file__).with_name("training.yaml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.load(text, Loader=_LOADER)
    return data


@dataclass(frozen=True)
class Utilisation:
    """Share of the dense 16-bit peak that matrix products reach, with its source, its day and how far to trust it."""

    value: float
    source: str
    confidence: str
    as_of: date


def utilisation(record: Accelerator, model: Model) -> Utilisation:
    """Return the utilisation of *record* when it trains *model*; mixtures of experts reach less."""
    for row in _data()["utilisation"]:
        if all(str(row[name]) in str(getattr(record, name)) for name in ("arch", "vendor") if name in row):
            break
    experts = _data()["experts"]
    value, source = float(row["value"]), str(row["source"])
    if model.is_moe:
        value, source = value * float(experts["value"]), f"{source}; {experts['source']}"
    return Utilisation(value, source, str(row["confidence"]), row["as_of"])


@dataclass(frozen=True)
class TokenFlops:
    """FLOPs for a token: of the model itself, forward and backward, and of what is computed again."""

    model: float
    recomputed: float


@lru_cache(maxsize=1024)
def _products(model: Model) -> float:
    """Return the parameters that multiply one token: matrices of the decoder, the head but not the embedding."""
    groups = [group for group in model.groups if group.is_matrix and group.role != "vision"]
    total = sum(group.parameters * group.active for group in groups if group.role != "embedding")
    return total + (model.vocabulary * model.hidden if model.tied else 0)


@lru_cache(maxsize=1024)
def _attention(model: Model, sequence: int) -> float:
    """Return the forward FLOPs of attention for a token: two products with half of the sequence, or a window."""
    windows = {layer: cache.window for cache in model.caches if cache.window for layer in cache.layers}
    total = 0.0
    for kind in layer_kinds(model):
        queries = kind.rows("attention.q_b") or kind.rows("attention.q")
        output = kind.columns("attention.o") or queries
        for layer in kind.layers:
            total += 2 * (queries + output) * min(sequence / 2, windows.get(layer) or sequence)
    return total


def token_flops(run: TrainingRun) -> TokenFlops:
    """Return the FLOPs of one token: 2N forward and 4N backward, of which a frozen matrix needs 2N.

    Full checkpointing computes the forward pass again, the selective kind half of its products.
    """
    forward = 2 * _products(run.model) + _attention(run.model, run.sequence)
    backward = 2 * forward
    if run.method != "full":
        whole = Stage(0, 1, range(run.model.layers))
        adapters = adapters_held(run, whole)
        backward = forward + _attention(run.model, run.sequence) + 4 * adapters
        forward += 2 * adapters
    again = {"none": 0.0, "selective": 0.5}.get(run.checkpointing, 1.0)
    return TokenFlops(forward + backward, again * forward)


@dataclass(frozen=True)
class StepTime:
    """Seconds of one step of the optimizer, of all GPUs together in step."""

    compute: float
    recomputation: float
    messages: float
    offload: float
    bubble: float

    @property
    def total(self) -> float:
        """Seconds of the step."""
        return self.compute + self.recomputation + self.messages + self.offload + self.bubble


@dataclass(frozen=True)
class TrainingTime:
    """Time and cost of a run over `tokens`: seconds, GPU-hours, and US dollars where a price is known.

    `mfu` is the share of the peak that the model's own FLOPs take, without what is computed again.
    """

    tokens: float
    steps: float
    step: StepTime
    seconds: float
    gpu_hours: float
    mfu: float
    utilisation: Utilisation
    usd: float | None
    price: Price | None


def machine_of(run: TrainingRun) -> Accelerator:
    """Return the catalogue's record of the device of *run*, or of a usual one where it is not in the catalogue."""
    name = run.device.id if run.device and run.device.id else _data()["unknown_device"]
    return accelerators()[name]


def _peak(record: Accelerator, run: TrainingRun) -> float:
    peaks = record.peak_flops
    if run.precision.fp8_compute and "fp8" in peaks:
        return peaks["fp8"] / 2 + peaks.get("bf16", peaks["fp8"] / 2) / 2  # attention and head stay in 16 bit
    if DTYPE_BYTES[run.precision.weights] == 4:
        return peaks.get("tf32", peaks.get("fp32", 0.0)) or max(peaks.values())
    return peaks.get("bf16") or peaks.get("fp16") or peaks.get("fp32") or max(peaks.values())


def _rate(record: Accelerator, ranks: float) -> float:
    """Return the bytes/s of messages in a group that spans *ranks* consecutive GPUs."""
    domain = record.link_domain_gpus if record.link_domain_gpus > 1 else USUAL_NODE
    inside = record.link_bytes_per_s or record.pcie_bytes_per_s or USUAL_NETWORK
    if record.interconnect not in SWITCHED:
        inside /= 2
    rate = inside if ranks <= domain else min(inside, USUAL_NETWORK)
    return rate * float(_data()["link_efficiency"]["value"])


def _messages(run: TrainingRun, record: Accelerator, compute: float) -> float:
    """Return the seconds of messages of a step that nothing hides."""
    layout, model = run.layout, run.model
    exposed = _data()["exposed"]
    groups = stage_groups(model, stages_of(model.layers, layout.pp)[0])
    weights = 2.0 * held(groups, layout)
    trained = weights if run.method == "full" else 2.0 * adapters_held(run, Stage(0, 1, range(model.layers)))
    part = (layout.shards - 1) / layout.shards
    data = 2 * trained * part / _rate(record, layout.gpus)
    if layout.zero == 3 and layout.shards > 1:
        gathered = 2 * weights * run.accumulation  # for the forward and for the backward pass
        data = (gathered + trained * run.accumulation) * part / _rate(record, layout.gpus)
    hidden = float(exposed["data"])
    data = max(data - (1 - hidden) * compute, hidden * data)
    calls = 6 if run.checkpointing.startswith("full") else 4
    volume = 2 * (layout.tp - 1) / layout.tp * run.tokens * model.hidden * 2.0
    tensor = calls * model.layers / layout.pp * volume * run.accumulation / _rate(record, layout.tp)
    around = 4 * model.layers / layout.pp * (layout.cp - 1) / layout.cp * run.tokens * model.hidden * 2.0
    context = around * run.accumulation / _rate(record, layout.tp * layout.cp)
    return data + float(exposed["tensor"]) * tensor + hidden * context


def _offload(run: TrainingRun, record: Accelerator, compute: float) -> float:
    """Return the seconds of transfers over PCI Express, and of the host's updates, that nothing hides."""
    layout, model, exposed = run.layout, run.model, float(_data()["exposed"]["offload"])
    slot = record.pcie_bytes_per_s or record.link_bytes_per_s or USUAL_NETWORK
    shards = layout.shards if layout.zero else 1
    count = held(stage_groups(model, stages_of(model.layers, layout.pp)[0]), layout) / shards
    trained = count if run.method == "full" else adapters_held(run, Stage(0, 1, range(model.layers))) / shards
    moved, host = 0.0, 0.0
    if run.offload:
        host = trained / float(_data()["host_updates"]["value"])
        moved += 4 * trained  # gradients there, weights back
    if run.offload in ("parameters", "all"):
        moved += 2 * 2 * count * run.accumulation
    if run.checkpointing == "full+offload":
        moved += 4 * model.hidden * model.layers / layout.pp * run.tokens * run.accumulation
    transfer = moved / slot
    return host + max(transfer - (1 - exposed) * compute, exposed * transfer)


def step_time(run: TrainingRun) -> StepTime:
    """Return the seconds of one step of *run* on its device, all GPUs in step."""
    record, flops = machine_of(run), token_flops(run)
    tokens = run.sequence * run.effective_batch
    rate = _peak(record, run) * utilisation(record, run.model).value * run.layout.gpus
    compute, again = tokens * flops.model / rate, tokens * flops.recomputed / rate
    layout = run.layout
    bubble = (layout.pp - 1) / (layout.vpp * run.accumulation) * (compute + again)
    messages = _messages(run, record, compute + again)
    return StepTime(compute, again, messages, _offload(run, record, compute + again), bubble)


def seconds_per_token(run: TrainingRun) -> float:
    """Return the seconds of a step divided by its tokens: what two settings are compared by."""
    return step_time(run).total / (run.sequence * run.effective_batch)


def training_time(run: TrainingRun, tokens: float, price: Price | None = None) -> TrainingTime:
    """Return how long *run* takes for *tokens* and what it costs; the cheapest offer where no *price* is given."""
    record, step = machine_of(run), step_time(run)
    steps = tokens / (run.sequence * run.effective_batch)
    seconds = steps * step.total
    gpus = run.layout.gpus
    known = run.device is not None and run.device.id is not None
    if price is None and known:
        price = next(iter(prices_of(record.id)), None)
    each = hourly_cost(price, gpus, 1, 1) if price else None
    model_flops = token_flops(run).model * tokens
    return TrainingTime(
        tokens=tokens,
        steps=steps,
        step=step,
        seconds=seconds,
        gpu_hours=seconds / 3600 * gpus,
        mfu=model_flops / (seconds * _peak(record, run) * gpus),
        utilisation=utilisation(record, run.model),
        usd=None if each is None else float(each) * seconds / 3600,
        price=price,
    )
