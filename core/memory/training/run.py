"""A training run is a value: a model, what is trained of it and how, and the GPUs that share the work."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from core.architecture import Model
from core.architecture.formats import WeightFormat
from core.memory.deployment import Device
from core.memory.training.frameworks import Framework, find_framework

Method = Literal["full", "lora", "qlora"]
Checkpointing = Literal["none", "selective", "full", "full+offload"]
Attention = Literal["fused", "eager"]
Loss = Literal["eager", "compiled", "chunked", "chunked_full_logits", "fused", "megatron"]
Offload = Literal["optimizer", "parameters", "all"]

DTYPE_BYTES = {"fp32": 4.0, "bf16": 2.0, "fp16": 2.0, "none": 0.0}
"""Bytes of an element in the formats that training computes and accumulates in."""


@dataclass(frozen=True)
class Adapters:
    """LoRA: two matrices of `rank` beside every layer that `targets` name.

    `targets` are q k v o qkv gate up down mlp head embed; `qkv` is one adapter beside a joined projection.
    `train_embeddings`: embedding and head are trained whole (PEFT `modules_to_save`).
    """

    rank: int = 16
    targets: tuple[str, ...] = ("q", "v")
    dtype: str = "bf16"
    dropout: float = 0.0
    train_embeddings: bool = False


@dataclass(frozen=True)
class Optimizer:
    """An optimizer and the format of its states; `fused_backward` steps each layer as its gradient is made."""

    name: str = "AdamW"
    state: str = "fp32"
    fused_backward: bool = False


@dataclass(frozen=True)
class Precision:
    """Formats of the weights that layers compute in, of gradients, and of the copy that the optimizer updates.

    `master`: "none", a format, or "sharded": the (sharded) fp32 weights are the master copy and layers compute
    in 16 bit (FSDP mixed precision, autocast).
    """

    weights: str = "bf16"
    grads: str = "bf16"
    master: str = "fp32"
    fp8_compute: bool = False


@dataclass(frozen=True)
class TrainingLayout:
    """How the GPUs share the run.

    Data (`dp`), tensor (`tp`), pipeline (`pp`, with `vpp` model chunks a GPU) and context parallelism (`cp`), with
    `sp` sequence parallelism beside tensor parallelism; experts over `ep` of the data-parallel ranks, each expert
    over `etp`; `zero` shards optimizer states (1), gradients (2) and weights (3) over `dp` x `cp`.
    """

    dp: int = 1
    tp: int = 1
    pp: int = 1
    cp: int = 1
    ep: int = 1
    etp: int = 1
    vpp: int = 1
    sp: bool = False
    zero: int = 0

    @property
    def gpus(self) -> int:
        """GPUs of the whole run."""
        return self.dp * self.tp * self.pp * self.cp

    @property
    def shards(self) -> int:
        """Ranks over which ZeRO spreads what all of them would hold."""
        return self.dp * self.cp

    @property
    def expert_shards(self) -> int:
        """Ranks that hold the same experts, over which ZeRO spreads those."""
        return max(1, self.dp * self.cp * self.tp // (self.ep * self.etp))


@dataclass(frozen=True)
class TrainingRun:
    """Everything that the memory of a training process depends on.

    `sequence` is in tokens, `micro_batch` in sequences a GPU, `accumulation` the micro-batches of a step.
    `base` is the format of the frozen weights (LoRA, QLoRA); `upcast` says that what it leaves wide is turned
    into fp32, and the residual stream with it (PEFT `prepare_model_for_kbit_training`).
    `trainable` overrides the count that method and adapters imply. `stage` is the pipeline stage asked for.
    """

    model: Model
    method: Method = "full"
    device: Device | None = None
    framework: Framework = field(default_factory=find_framework)
    adapters: Adapters | None = None
    base: WeightFormat | None = None
    quantiser: str | None = None
    upcast: bool = False
    trainable: int | None = None
    optimizer: Optimizer = Optimizer()
    precision: Precision = Precision()
    sequence: int = 4096
    micro_batch: int = 1
    accumulation: int = 1
    checkpointing: Checkpointing = "none"
    attention: Attention = "fused"
    loss: Loss = "eager"
    logits_kept: bool = False
    compiled: bool = False
    dropout: float = 0.0
    layout: TrainingLayout = TrainingLayout()
    offload: Offload | None = None
    stage: Literal["max", "first", "last"] = "max"

    @property
    def tokens(self) -> float:
        """Tokens of one micro-batch on one GPU."""
        return self.sequence * self.micro_batch / self.layout.cp

    @property
    def effective_batch(self) -> int:
        """Sequences that one step of the optimizer sees."""
        return self.micro_batch * self.accumulation * self.layout.dp

    @property
    def compute_bytes(self) -> float:
        """Bytes of an activation element."""
        return DTYPE_BYTES[self.precision.weights]

    @property
    def grads_persist(self) -> bool:
        """Whether gradients of all weights are there while a micro-batch is processed."""
        several = self.accumulation > 1 or self.layout.pp > 1
        return several or bool(self.framework.constant("contiguous_gradients"))
