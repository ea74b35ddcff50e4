"""What an engine needs beside weights and cache: activations, CUDA graphs, its own runtime. Bytes per GPU."""

from __future__ import annotations

from dataclasses import dataclass

from core.memory.deployment import Deployment
from core.quantities import GIB
from core.text import Sentence, say


@dataclass(frozen=True)
class Overhead:
    """An amount with the formula that gave it and where its constants come from."""

    bytes: float
    formula: Sentence
    source: str


def activation(deployment: Deployment, *, last_stage: bool = True) -> Overhead:
    """Return the peak of one forward pass with its sampling step.

    The rule belongs to the engine (see engines/*.yaml): vLLM profiles a pass of max_num_batched_tokens and
    samples max_num_seqs rows of logits, llama.cpp reserves one compute buffer, Transformers runs a prompt.
    """
    span = deployment.engine.span("activation", deployment.device.capability if deployment.device else None)
    rule = span.get("rule")
    if rule == "compute_buffer":
        return _compute_buffer(deployment, str(span["source"]))
    if rule == "prompt":
        return _prompt(deployment, span)
    return _profiled(deployment, span, last_stage)


def _profiled(deployment: Deployment, span: dict[str, float | str], last_stage: bool) -> Overhead:
    """Return workspace + max(sampling, forward), the peak of a profiling run.

    Sampling holds the hidden states and `logit_bytes` for each of sequences x vocabulary logits (16-bit logits,
    their fp32 copy, the sorted copy and its indices ...), on every tensor-parallel rank alike.
    """
    model, element = deployment.model, deployment.element_bytes
    tokens = deployment.batched_tokens
    rows = span.get("multimodal_rows") if model.multimodal else None
    sequences = min(int(rows or span.get("logit_rows", deployment.sequences)), tokens)
    hidden = tokens * model.hidden * element
    logits = float(span["logit_bytes"]) * sequences * model.vocabulary
    wider = (element - 2) * sequences * model.vocabulary  # logits of an fp32 model
    sampling = hidden + logits + max(0.0, wider) if last_stage else 0.0
    inner = model.dense_inner / deployment.layout.tp  # experts have their own work space
    blocks = (
        tokens * (float(span["mlp_copies"]) * inner + float(span["hidden_copies"]) * model.hidden) * element
    )
    # Hidden states and residual are handed from stage to stage.
    forward = blocks + (2 * hidden if deployment.layout.pp > 1 else 0.0)
    experts = _expert_workspace(deployment, tokens, float(span["expert_copies"]))
    encoder = float(span["encoder_gib"]) * GIB + hidden if model.multimodal else 0.0
    # Recent versions keep the experts' work space; before, it was freed after the forward pass.
    kept, freed = (experts, 0.0) if span.get("experts_kept", True) else (0.0, experts)
    peak = float(span["workspace_gib"]) * GIB + max(sampling, forward + freed) + kept + encoder
    sampled = sampling > forward + freed
    formula = say(
        "memory.activation_sampling" if sampled else "memory.activation_forward",
        tokens=tokens,
        sequences=sequences,
        vocabulary=model.vocabulary,
        hidden=model.hidden,
        logit_bytes=span["logit_bytes"],
        copies=span["mlp_copies"],
        inner=round(inner),
        hidden_copies=span["hidden_copies"],
        element=element,
        extra=(peak - (hidden + logits if sampled else blocks)) / GIB,
        total=peak / GIB,
    )
    return Overhead(peak, formula, str(span["source"]))


def _expert_workspace(deployment: Deployment, tokens: int, copies: float) -> float:
    """Return the work space of fused experts: their inputs and outputs for every chosen expert."""
    model = deployment.model
    if not model.is_moe or not copies:
        return 0.0
    inside = max(1, deployment.layout.expert_ranks // deployment.layout.ep)
    inner = model.expert_inner / inside
    widest = max(2 * inner, model.hidden)
    return copies * tokens * model.experts_per_token * (widest + inner) * deployment.element_bytes


def _compute_buffer(deployment: Deployment, source: str) -> Overhead:
    """Return llama.cpp's compute buffer on one device, in fp32.

    Without flash attention the scores of one micro batch, heads x ubatch x n_ctx, and the mask are held at once;
    with it, only the logits are large. MLA with flash attention rebuilds keys and values of the whole context
    in 16 bit.
    """
    model = deployment.model
    batch = min(deployment.batched_tokens, deployment.context)
    context, hidden = deployment.context, model.hidden
    flash = deployment.flash_attention
    if flash is None:
        flash = bool(deployment.engine.span("flash_attention").get("value"))
    logits = 4.0 * batch * (model.vocabulary + 1.5 * hidden)
    if flash:
        # The mask in fp32 as it arrives and in fp16 as the kernel reads it, and four hidden states.
        attention = 6.0 * batch * context + 16.0 * batch * hidden
        expanded = next((layout for layout in model.caches if layout.expanded_heads), None)
        if expanded is not None and not deployment.engine.span("latent_cache").get("expanded"):
            attention += 2.0 * context * sum(expanded.expanded) + 8.0 * batch * model.heads * model.head_dim
    else:
        attention = 4.0 * batch * (model.heads * context + context + 4 * hidden)
    peak = max(logits, attention)
    formula = say(
        "memory.activation_logits" if logits >= attention else "memory.activation_scores",
        batch=batch,
        vocabulary=model.vocabulary,
        heads=model.heads,
        context=context,
        total=peak / GIB,
    )
    return Overhead(peak, formula, source)


def _prompt(deployment: Deployment, span: dict[str, float | str]) -> Overhead:
    """Return the peak of one prompt in a single pass: MLP inputs and outputs, hidden states, one row of logits."""
    model, element = deployment.model, deployment.element_bytes
    tokens = min(deployment.batched_tokens, deployment.context)
    inner = model.dense_inner or model.expert_inner * model.experts_per_token
    width = float(span["mlp_copies"]) * inner + float(span["hidden_copies"]) * model.hidden
    peak = tokens * width * element + 6.0 * model.vocabulary
    formula = say(
        "memory.activation_prompt",
        tokens=tokens,
        copies=span["mlp_copies"],
        inner=inner,
        hidden_copies=span["hidden_copies"],
        hidden=model.hidden,
        element=element,
        total=peak / GIB,
    )
    return Overhead(peak, formula, str(span["source"]))


def runtime(deployment: Deployment) -> Overhead:
    """Return what is neither torch nor cache: CUDA context, NCCL buffers, compiled kernels, request tables."""
    span = deployment.engine.span("runtime")
    layout = deployment.layout
    if layout.tp > 1 or layout.attention_dp:
        key = "tp"
    elif layout.pp > 1 and "pp" in span:
        key = "pp"
    else:
        key = "tp1"
    size = float(span[key]) * GIB
    table = 0.0
    if deployment.engine.fact("request_table"):
        # int32 slot numbers, one row for each request that may run (SGLang ReqToTokenPool).
        table = 4.0 * deployment.sequences * (deployment.context + 4)
    formula = say(
        "memory.runtime",
        engine=deployment.engine.label,
        constant=size / GIB,
        table=table / GIB,
        total=(size + table) / GIB,
    )
    return Overhead(size + table, formula, str(span.get("source", "")))


def cuda_graphs(deployment: Deployment) -> Overhead:
    """Return the memory of captured CUDA graphs: a base and an amount for each layer of a stage."""
    span = deployment.engine.span("cuda_graph")
    layers = -(-deployment.model.layers // deployment.layout.pp)
    base, each = float(span["gib"]), float(span["per_layer"])
    off = deployment.enforce_eager or not (base or each)
    size = 0.0 if off else (base + each * layers) * GIB
    formula = say(
        "memory.graphs_off" if off else "memory.graphs", base=base, each=each, layers=layers, total=size / GIB
    )
    return Overhead(size, formula, str(span.get("source", "")))


def graphs_are_budgeted(deployment: Deployment) -> bool:
    """Return whether the engine subtracts its CUDA graphs before it sizes the cache."""
    return bool(deployment.engine.span("cuda_graph").get("budgeted"))
