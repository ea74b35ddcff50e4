"""Whether a training run fits, what fills the GPU, and what was assumed: one sentence each."""

from __future__ import annotations

from core.memory.training.bands import training_band
from core.memory.training.peak import HOST_PER_GPU, TrainingMemory
from core.quantities import GIB
from core.text import Sentence, say


def training_reasons(memory: TrainingMemory) -> list[Sentence]:
    """Return the verdict first, then what fills the GPU at the peak, then warnings and assumptions."""
    return [verdict(memory), _filling(memory), *_cautions(memory)]


def verdict(memory: TrainingMemory) -> Sentence:
    """Return whether the run fits on its device, and how sure that is."""
    device = memory.run.device
    if device is None:
        return say("training.no_device", process=memory.process / GIB)
    if memory.host > HOST_PER_GPU:
        return say("training.host_too_small", host=memory.host / GIB, room=HOST_PER_GPU / GIB)
    values = {"process": memory.process / GIB, "usable": device.usable / GIB, "gpu": device.name}
    low, high = training_band(memory.run, memory.process)
    if memory.process > device.usable:
        key = "training.too_large" if low > device.usable else "training.perhaps_too_large"
        return say(key, short=(memory.process - device.usable) / GIB, **values)
    if high > device.usable:
        return say("training.tight", high=high / GIB, **values)
    return say("training.fits", free=(device.usable - memory.process) / GIB, **values)


def _filling(memory: TrainingMemory) -> Sentence:
    parts = memory.components
    largest = max(parts, key=lambda name: parts[name])
    return say(
        "training.filling",
        phase=say(f"training.phase.{memory.peak_phase}"),
        component=say(f"training.component.{largest}"),
        size=parts[largest] / GIB,
        share=100 * parts[largest] / max(1.0, memory.allocated),
    )


def _cautions(memory: TrainingMemory) -> list[Sentence]:
    run, found = memory.run, []
    if not run.framework.dated:
        found.append(say("training.version_unknown", version=run.framework.version))
    if run.method == "full" and run.adapters:
        found.append(say("training.lora_unused"))
    if run.layout.zero and run.layout.shards == 1:
        found.append(say("training.zero_idle", zero=run.layout.zero))
    if run.upcast:
        found.append(say("training.upcast"))
    elif run.method == "qlora" and run.quantiser is None and run.framework.constant("upcast"):
        found.append(say("training.not_upcast"))
    if run.model.is_moe:
        found.append(say("training.balanced"))
    if run.model.multimodal:
        found.append(say("training.towers"))
    if run.offload or run.checkpointing == "full+offload":
        found.append(say("training.offload_uncertain"))
    return [*found, *run.model.warnings]
