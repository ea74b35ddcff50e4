"""Names of the modules that adapters sit beside, as Transformers calls them."""

from __future__ import annotations

from core.architecture import Model
from core.memory.training.adapters import TARGETS, available

_USUAL = {
    "attention.q": "q_proj", "attention.k": "k_proj", "attention.v": "v_proj", "attention.o": "o_proj",
    "attention.q_a": "q_a_proj", "attention.q_b": "q_b_proj",
    "attention.kv_a": "kv_a_proj_with_mqa", "attention.kv_b": "kv_b_proj",
    "mlp.gate": "gate_proj", "mlp.up": "up_proj", "mlp.down": "down_proj",
    "shared_expert.gate": "gate_proj", "shared_expert.up": "up_proj", "shared_expert.down": "down_proj",
    "expert.gate": "gate_proj", "expert.up": "up_proj", "expert.down": "down_proj",
    "head": "lm_head", "embedding": "embed_tokens",
}  # fmt: skip

_JOINED_QKV = ("attention.q", "attention.k", "attention.v")

# Source: peft utils/constants.py TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING and the models' own code.
_OTHERS: dict[str, dict[str, str]] = {
    "gpt2": {**dict.fromkeys(_JOINED_QKV, "c_attn"), "attention.o": "attn.c_proj", "mlp.up": "c_fc",
             "mlp.down": "mlp.c_proj", "embedding": "wte"},
    "gpt_neox": {**dict.fromkeys(_JOINED_QKV, "query_key_value"), "attention.o": "attention.dense",
                 "mlp.up": "dense_h_to_4h", "mlp.down": "dense_4h_to_h", "head": "embed_out",
                 "embedding": "embed_in"},
    "phi3": {**dict.fromkeys(_JOINED_QKV, "qkv_proj"), "mlp.gate": "gate_up_proj", "mlp.up": "gate_up_proj"},
    "gptj": {"attention.o": "out_proj", "mlp.up": "fc_in", "mlp.down": "fc_out", "embedding": "wte"},
    "mixtral": {"expert.gate": "w1", "expert.up": "w3", "expert.down": "w2"},
}  # fmt: skip


def module_names(model: Model, targets: tuple[str, ...]) -> list[str]:
    """Return the modules of *model* that *targets* name, in the order of the layer."""
    wanted = [
        name for target in targets for name in (("gate", "up", "down") if target == "mlp" else (target,))
    ]
    groups = {group for name in wanted if name in available(model) for group in TARGETS[name]}
    held = [group.name for group in model.groups if group.name in groups]
    if "head" in wanted:
        held.append("head")
    names = _USUAL | _OTHERS.get(model.family, {})
    return list(dict.fromkeys(names[name] for name in held if name in names))
