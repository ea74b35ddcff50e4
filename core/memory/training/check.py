"""Runs that cannot be started, each refused with the field, what is wrong and what would be right."""

from __future__ import annotations

from core.architecture import Model
from core.errors import BadRequest
from core.memory.training.adapters import TARGETS, available, lacking, sites
from core.memory.training.run import Adapters, TrainingRun


def check_run(run: TrainingRun) -> None:
    """Refuse a run that no framework can start.

    Raises:
        BadRequest: a layout that does not divide the model, ZeRO without a second GPU, adapters that do not fit.
    """
    _check_layout(run)
    if run.adapters:
        _check_adapters(run.model, run.adapters)


def _check_layout(run: TrainingRun) -> None:
    model, layout = run.model, run.layout
    if layout.zero and layout.gpus == 1:
        raise BadRequest("training.zero_one_gpu", field="zero", zero=layout.zero)
    if layout.tp > 1 and model.heads % layout.tp:
        good = ", ".join(str(n) for n in range(1, min(model.heads, 64) + 1) if model.heads % n == 0)
        raise BadRequest("request.tp_heads", field="tp", tp=layout.tp, heads=model.heads, good=good)
    if layout.pp > model.layers:
        raise BadRequest("request.pp_layers", field="pp", pp=layout.pp, layers=model.layers)
    if layout.vpp > 1 and layout.pp == 1:
        raise BadRequest("training.vpp_alone", field="vpp", vpp=layout.vpp)
    if layout.pp * layout.vpp > model.layers:
        raise BadRequest(
            "training.vpp_layers", field="vpp", vpp=layout.vpp, pp=layout.pp, layers=model.layers
        )
    if run.sequence % layout.cp:
        raise BadRequest("training.cp_sequence", field="cp", cp=layout.cp, sequence=run.sequence)
    if layout.ep > 1 and not model.is_moe:
        raise BadRequest("request.ep_dense", field="ep", ep=layout.ep)
    ranks = layout.shards * layout.tp
    if ranks % (layout.ep * layout.etp):
        raise BadRequest("training.experts_divide", field="ep", ep=layout.ep, etp=layout.etp, ranks=ranks)
    if layout.ep > max(1, model.experts):
        raise BadRequest("request.ep_experts", field="ep", ep=layout.ep, experts=model.experts)


def _check_adapters(model: Model, adapters: Adapters) -> None:
    for target in adapters.targets:
        if target not in TARGETS and target != "mlp":
            raise BadRequest(
                "request.choice", field="lora.targets", value=target, choices=", ".join([*TARGETS, "mlp"])
            )
    missing = lacking(model, adapters.targets)
    if missing:
        raise BadRequest(
            "training.targets",
            field="lora.targets",
            targets=", ".join(missing),
            model=model.name,
            good=", ".join(available(model)),
        )
    smallest = min(
        (site for site in sites(model, adapters.targets)),
        key=lambda site: min(site.groups[0].shape[1], sum(group.shape[0] for group in site.groups)),
    )
    limit = min(smallest.groups[0].shape[1], sum(group.shape[0] for group in smallest.groups))
    if adapters.rank > limit:
        raise BadRequest(
            "training.rank", field="lora.rank", rank=adapters.rank, layer=smallest.groups[0].name, limit=limit
        )
