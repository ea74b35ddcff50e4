"""Requests of the `train` verb, checked, and the training run that they describe."""

from __future__ import annotations

from typing import Literal, cast

from pydantic import Field

from core.api.deployments import device_of, model_of
from core.api.requests import Count, Request, Strict
from core.architecture import Model
from core.architecture.formats import WeightFormat, weight_format
from core.errors import BadRequest
from core.memory.training.check import check_run
from core.memory.training.frameworks import Framework, find_framework
from core.memory.training.optimizers import find_optimizer
from core.memory.training.run import Adapters, Loss, Optimizer, Precision, TrainingLayout, TrainingRun


class LoraRequest(Strict):
    """LoRA adapters: their rank, the matrices beside which they sit, and how they are kept."""

    rank: Count | None = None
    targets: list[str] | None = Field(None, min_length=1, max_length=20)
    adapter_dtype: Literal["fp32", "bf16", "fp16"] | None = None
    dropout: float | None = Field(None, ge=0, lt=1)
    train_embeddings: bool | None = None


class QuantiserRequest(Strict):
    """What quantises the frozen base of QLoRA; `double`: its scales are quantised too."""

    implementation: Literal["bitsandbytes", "torchao", "gptq"] | None = None
    double: bool | None = None


class OptimizerRequest(Strict):
    """An optimizer, the format of its states, and whether it steps inside the backward pass."""

    name: str | None = Field(None, max_length=50)
    state: str | None = Field(None, max_length=50)
    fused_backward: bool | None = None


class PrecisionRequest(Strict):
    """Formats of weights, gradients and the master copy."""

    weights: Literal["fp32", "bf16", "fp16"] | None = None
    grads: Literal["fp32", "bf16", "fp16", "none"] | None = None
    master: Literal["fp32", "bf16", "fp16", "none", "sharded"] | None = None
    fp8_compute: bool | None = None


class TrainRequest(Request):
    """The fields of the `train` verb."""

    method: Literal["full", "lora", "qlora"] | None = None
    framework: str | None = None
    framework_version: str | None = Field(None, max_length=100)
    lora: LoraRequest | None = None
    quantiser: QuantiserRequest | None = None
    trainable_parameters: int | None = Field(None, ge=0, le=10**16)
    optimizer: OptimizerRequest | None = None
    precision: PrecisionRequest | None = None
    sequence: Count | None = None
    micro_batch: Count | None = None
    grad_accumulation: Count | None = None
    checkpointing: Literal["none", "selective", "full", "full+offload"] | None = None
    flash_attention: bool | None = None
    compile: bool | None = None
    dropout: float | None = Field(None, ge=0, lt=1)
    loss: Loss | None = None
    logits_kept: bool | None = None
    zero: Literal[0, 1, 2, 3] | None = None
    sp: bool | None = None
    cp: Count | None = None
    vpp: Count | None = None
    etp: Count | None = None
    offload: Literal["optimizer", "parameters", "all"] | None = None
    gpus: Count | None = None
    stage: Literal["max", "first", "last"] | None = None


USUAL_SEQUENCE = 4096
"""Tokens of a sequence where a request says nothing."""


def training_of(request: TrainRequest) -> TrainingRun:
    """Return the run that *request* describes, with what is usual for its framework filled in.

    Raises:
        PlannerError: an unknown model, GPU, format or framework, or fields that do not go together.
    """
    model = model_of(request.model)
    framework = find_framework(request.framework, request.framework_version)
    method = request.method or ("lora" if request.lora else "full")
    quantiser = request.quantiser.implementation if request.quantiser else None
    run = TrainingRun(
        model=model,
        method=method,
        device=device_of(request.gpu),
        framework=framework,
        adapters=_adapters(request, framework) if method != "full" or request.lora else None,
        base=_base(request, method),
        quantiser=quantiser,
        upcast=method == "qlora" and quantiser == "bitsandbytes" and bool(framework.constant("upcast")),
        trainable=request.trainable_parameters,
        optimizer=_optimizer(request.optimizer or OptimizerRequest()),
        precision=_precision(request, method, framework),
        sequence=request.sequence or min(USUAL_SEQUENCE, model.max_context or USUAL_SEQUENCE),
        micro_batch=request.micro_batch or 1,
        accumulation=request.grad_accumulation or 1,
        checkpointing=request.checkpointing or "none",
        attention="eager" if request.flash_attention is False else "fused",
        loss=request.loss or cast(Loss, framework.constant("loss")),
        logits_kept=bool(request.logits_kept),
        compiled=bool(request.compile),
        dropout=request.dropout or 0.0,
        layout=_layout(request, model),
        offload=request.offload,
        stage=request.stage or "max",
    )
    check_run(run)
    return run


def _adapters(request: TrainRequest, framework: Framework) -> Adapters | None:
    if request.lora is None and request.trainable_parameters is not None:
        return None
    asked, usual = request.lora or LoraRequest(), Adapters()
    return Adapters(
        rank=asked.rank or usual.rank,
        targets=tuple(dict.fromkeys(asked.targets)) if asked.targets else usual.targets,
        dtype=asked.adapter_dtype or str(framework.constant("adapter_dtype")),
        dropout=asked.dropout or 0.0,
        train_embeddings=bool(asked.train_embeddings),
    )


def _base(request: TrainRequest, method: str) -> WeightFormat | None:
    usual = "nf4" if method == "qlora" else None
    name = request.weights.lower() if request.weights else usual
    if name == "nf4" and request.quantiser and request.quantiser.double:
        name = "nf4-double"
    if name is None:
        return None
    found = weight_format(name)
    quantised = bool(found.covers)
    if quantised and method != "qlora":
        raise BadRequest(f"training.quantised_{method}", field="weights", weights=name)
    if method == "qlora" and (not quantised or found.is_gguf):
        raise BadRequest("training.qlora_base", field="weights", weights=name)
    return found if quantised else None


def _optimizer(asked: OptimizerRequest) -> Optimizer:
    return find_optimizer(
        asked.name or "AdamW", asked.state or "fp32", fused_backward=bool(asked.fused_backward)
    )


def _precision(request: TrainRequest, method: str, framework: Framework) -> Precision:
    asked = request.precision or PrecisionRequest()
    usual = dict(framework.constant("precision"))
    if method != "full":
        usual = {"weights": "bf16", "grads": "bf16", "master": "none"}
    stated = request.weights.lower() if request.weights else None
    if stated in ("fp32", "bf16", "fp16") and asked.weights is None:
        usual["weights"] = stated
    return Precision(
        weights=asked.weights or usual["weights"],
        grads=asked.grads or usual["grads"],
        master=asked.master or usual["master"],
        fp8_compute=bool(asked.fp8_compute),
    )


def _layout(request: TrainRequest, model: Model) -> TrainingLayout:
    tp, pp, cp = request.tp or 1, request.pp or 1, request.cp or 1
    dp = request.dp
    if dp is None:
        gpus = request.gpus or tp * pp * cp
        if gpus % (tp * pp * cp):
            raise BadRequest("training.gpus", field="gpus", gpus=gpus, product=tp * pp * cp)
        dp = gpus // (tp * pp * cp)
    return TrainingLayout(
        dp=dp,
        tp=tp,
        pp=pp,
        cp=cp,
        ep=request.ep or 1,
        etp=request.etp or 1,
        vpp=request.vpp or 1,
        sp=bool(request.sp),
        zero=request.zero or 0,
    )
