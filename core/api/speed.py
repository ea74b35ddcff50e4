"""The answer of the `speed` verb."""

from __future__ import annotations

from typing import Any

from core.api.deployments import device_of, joined, model_of, record_of
from core.api.requests import Gpu, Speculative, SpeedRequest
from core.architecture.checkpoint import checkpoint_format
from core.errors import BadRequest
from core.memory.deployment import Deployment, Device
from core.memory.engines import find_engine
from core.quantities import GB
from core.speed.constants import check_version, is_date
from core.speed.device import DeviceRates, device_rates, matrix_rates
from core.speed.estimate import Estimate, Mode, Workload, estimate
from core.speed.pools import PoolsEstimate
from core.speed.reasons import reasons_of
from core.speed.speculation import Speculation

USUAL_INPUT, USUAL_OUTPUT = 1024, 256
"""Tokens of a request where neither is stated: a short chat."""


def speed_of(request: SpeedRequest) -> Estimate:
    """Return the speed that *request* asks for; `pools.pools_of` is for requests with disaggregated pools.

    Raises:
        PlannerError: an unknown model, GPU, format or engine, a config that cannot be read, a layout that cannot be,
            or a GPU whose rates are not known.
    """
    workload = workload_of(request, _mode(request))
    deployment = loaded(request, workload)
    return estimate(deployment, rates_of(request, deployment), workload)


def workload_of(request: SpeedRequest, mode: Mode) -> Workload:
    """Return the load of *request* in *mode*.

    Raises:
        PlannerError: no version, or a smaller model that proposes drafts is missing, not wanted or not known.
    """
    check_version(request.engine_version)
    return Workload(
        mode,
        request.input_tokens or USUAL_INPUT,
        request.output_tokens or USUAL_OUTPUT,
        1 if mode == "single" else request.concurrency or 1,
        request.max_batch,
        request.prefill_chunk,
        bool(request.overlap),
        request.engine_version,
        request.prefix_cache_hit_rate or 0.0,
        _speculation(request.speculative),
    )


def loaded(request: SpeedRequest, workload: Workload) -> Deployment:
    """Return the deployment of *request* under *workload*.

    Raises:
        PlannerError: an unknown model, GPU, format or engine, or a config that cannot be read.
    """
    if request.gpu is None:
        raise BadRequest("request.gpu_needed", field="gpu")
    # A date chooses constants of speed; memory is that of the newest version.
    version = None if is_date(request.engine_version) else request.engine_version
    return joined(
        request,
        find_engine(request.engine, version),
        _device(request.gpu, workload.mode),
        context=workload.input_tokens + workload.output_tokens,
        input_tokens=workload.input_tokens,
        output_tokens=workload.output_tokens,
        requests=workload.concurrency,
    )


def _mode(request: SpeedRequest) -> Mode:
    """Return the mode, by default a closed loop, or a single request where no concurrency is stated.

    Raises:
        BadRequest: several requests in the mode of one.
    """
    mode = request.mode or ("closed_loop" if request.concurrency else "single")
    if mode == "single" and (request.concurrency or 1) > 1:
        raise BadRequest("request.single", field="concurrency", concurrency=request.concurrency)
    return mode


def _speculation(given: Speculative | None) -> Speculation | None:
    """Return what proposes drafts; a smaller model in the format of its checkpoint.

    Raises:
        PlannerError: the smaller model is missing, not wanted or not known.
    """
    if given is None:
        return None
    if given.method != "draft" and given.model is not None:
        raise BadRequest("request.draft_unused", field="speculative.model", method=given.method)
    model = None if given.model is None else model_of(given.model)
    weights = checkpoint_format(model) if model else None
    return Speculation(given.method, given.tokens, given.acceptance, model, weights)


def _device(gpu: str | Gpu, mode: Mode) -> Device | None:
    """Return the memory of *gpu*; None where it is not known and not needed."""
    if isinstance(gpu, Gpu) and gpu.memory_gib is None and mode != "offline":
        return device_of(gpu.name) if record_of(gpu, needed=False) else None
    return device_of(gpu)


def rates_of(request: SpeedRequest, deployment: Deployment) -> DeviceRates:
    """Return the rates of the GPU of *request*: what it states, and the catalogue's for what it does not.

    Raises:
        PlannerError: an unknown name, or a rate that is not known.
    """
    gpu = request.gpu if isinstance(request.gpu, Gpu) else Gpu()
    record = record_of(request.gpu or gpu, needed=isinstance(request.gpu, str))
    tflops: dict[str, float] = dict(record.peak_flops) if record else {}
    if gpu.tflops:
        tflops = {name: rate * 1e12 for name, rate in gpu.tflops.model_dump(exclude_none=True).items()}
    peaks = matrix_rates(tflops, full=deployment.weights.id == "fp32", compute=request.compute)
    return device_rates(
        record,
        peaks,
        bandwidth=gpu.bandwidth_gbs and gpu.bandwidth_gbs * GB,
        link=gpu.link_gbs and gpu.link_gbs * GB,
        interconnect=gpu.interconnect,
        node_gpus=request.gpus_per_node,
        node_link=request.inter_node_gbs and request.inter_node_gbs * GB,
        gpus=deployment.layout.gpus,
    )


def speed_answer(found: Estimate) -> dict[str, Any]:
    """Return the contract's answer of the `speed` verb; times in seconds, rates of the whole deployment."""
    return {**figures(found), "reasons": [str(sentence) for sentence in reasons_of(found)]}


def figures(found: Estimate | PoolsEstimate) -> dict[str, Any]:
    """Return what the answer has in numbers, of one deployment or of pools."""
    return {
        **found.values,
        "output_tokens_per_s_per_gpu": found.values["output_tokens_per_s"] / found.gpus,
        "batch": found.batch,
        "bound": found.bound,
        "band": {name: list(limits) for name, limits in found.bands.items()},
    }
