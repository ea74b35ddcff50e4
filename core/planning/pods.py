"""The pods of a manifest: the engine's container, its arguments, probes, devices and volumes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from core.memory.deployment import Deployment, Device
from core.memory.launch import Launch
from core.planning.containers import Container, facts, pod_resources, resource_of, selector_of, start_seconds

Object = dict[str, Any]

Role = Literal["alone", "leader", "worker"]
"""What a pod is to its replica: all of it, the one that answers requests, or one of the others."""

HF_CACHE = "/root/.cache/huggingface"
MODELS = "/models"
"""Where a llama.cpp pod finds its GGUF file: its working directory."""

OPTIONS = "/etc/engine"
"""Where a pod finds the file of options that its engine reads."""

_PERIOD = 10
_DIST_PORT = 20000
_DP_PORT = 13345


@dataclass(frozen=True)
class Replicas:
    """What the objects of one manifest share: replicas of a deployment, each on `nodes` pods of `gpus` devices."""

    deployment: Deployment
    device: Device
    words: Launch
    container: Container
    name: str
    replicas: int
    nodes: int
    gpus: int
    port: int
    checkpoint: float
    secret: str
    claim: str | None

    @property
    def labels(self) -> dict[str, str]:
        """Labels of all objects."""
        return {
            "app.kubernetes.io/name": self.deployment.engine.name,
            "app.kubernetes.io/instance": self.name,
        }

    def labels_of(self, role: Role) -> dict[str, str]:
        """Return the labels of the pods of *role*."""
        return self.labels | ({} if role == "alone" else {"app.kubernetes.io/component": role})

    @property
    def options(self) -> str:
        """The name of the object that holds the file of options."""
        return f"{self.name}-options"

    @property
    def front(self) -> Role:
        """The role of the pods that answer requests."""
        return "alone" if self.nodes == 1 else "leader"


def _arguments(them: Replicas, role: Role) -> list[str]:
    """Return the engine's arguments, with those that join several pods."""
    # Kubernetes replaces $(NAME) in arguments: what the launch words hold is meant literally.
    words = [word.replace("$(", "$$(") for word in them.words.words]
    words += ["--host", "0.0.0.0", "--port", str(them.port)]  # noqa: S104 - inside the pod
    if role == "alone":
        return words
    if them.deployment.engine.name == "sglang":
        return [
            *words,
            *("--dist-init-addr", f"$(LWS_LEADER_ADDRESS):{_DIST_PORT}"),
            *("--nnodes", "$(LWS_GROUP_SIZE)", "--node-rank", "$(LWS_WORKER_INDEX)"),
        ]
    words += _vllm_data_parallel(them) if _splits_data(them) else _vllm_nodes()
    return words + (["--headless"] if role == "worker" else [])


def _splits_data(them: Replicas) -> bool:
    """Whether vLLM's nodes hold whole data-parallel ranks, which it starts otherwise than parts of one."""
    layout = them.deployment.layout
    return them.deployment.engine.name == "vllm" and layout.attention_dp and layout.dp > 1


def _vllm_nodes() -> list[str]:
    return [
        *("--nnodes", "$(LWS_GROUP_SIZE)", "--node-rank", "$(LWS_WORKER_INDEX)"),
        *("--master-addr", "$(LWS_LEADER_ADDRESS)"),
    ]


def _vllm_data_parallel(them: Replicas) -> list[str]:
    return [
        *("--data-parallel-size-local", str(_local_ranks(them))),
        *("--data-parallel-address", "$(LWS_LEADER_ADDRESS)"),
        *("--data-parallel-rpc-port", str(_DP_PORT)),
    ]


def _local_ranks(them: Replicas) -> int:
    return them.gpus // (them.deployment.layout.tp * them.deployment.layout.pp)


def pod(them: Replicas, role: Role) -> Object:
    """Return the template of the pods of *role*."""
    selector = selector_of(them.device)
    spec: Object = {"nodeSelector": selector} if selector else {}
    spec |= {
        "enableServiceLinks": False,  # VLLM_PORT and the like would be set for a service named vllm
        "tolerations": [{"key": resource_of(them.device), "operator": "Exists", "effect": "NoSchedule"}],
        # Requests that are being answered may end: no new ones come after the pod is told to stop.
        "terminationGracePeriodSeconds": 120,
        "containers": [_engine_container(them, role)],
        "volumes": _volumes(them),
    }
    return {
        "metadata": {"labels": them.labels_of(role), "annotations": {"model": them.deployment.model.name}},
        "spec": spec,
    }


def _engine_container(them: Replicas, role: Role) -> Object:
    command = list(them.container.program or them.words.program)
    if role == "worker" and _splits_data(them):
        # The first rank of a node is a product, which only a shell computes.
        first = f'exec "$@" --data-parallel-start-rank $((LWS_WORKER_INDEX * {_local_ranks(them)}))'
        command = ["sh", "-c", first, "sh", *command]
    container: Object = {
        "name": "engine",
        "image": them.container.image,
        "command": command,
        "args": _arguments(them, role),
    }
    if them.deployment.engine.name == "llama.cpp":
        container["workingDir"] = MODELS
    else:
        secret = {"name": them.secret, "key": "token", "optional": True}
        container["env"] = [{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": secret}}]
    container["resources"] = _resources(them)
    if them.nodes > 1:
        container["securityContext"] = {"capabilities": {"add": ["IPC_LOCK"]}}  # RDMA pins memory
    container["volumeMounts"] = [
        {"name": "shared-memory", "mountPath": "/dev/shm"},  # noqa: S108 - in the pod
        {"name": "models", "mountPath": MODELS if them.deployment.engine.name == "llama.cpp" else HF_CACHE},
        *([{"name": "options", "mountPath": OPTIONS, "readOnly": True}] if them.words.file else []),
    ]
    return container | (_probes(them) if role == them.front else {})


def _resources(them: Replicas) -> Object:
    asked = pod_resources(them.gpus, them.checkpoint)
    gpus = {resource_of(them.device): str(them.gpus)}
    requests = {"cpu": str(asked["cpu"]), "memory": f"{asked['memory']}Gi"}
    if them.claim is None:
        requests["ephemeral-storage"] = f"{asked['disk']}Gi"
    return {"requests": requests | gpus, "limits": gpus}


def _volumes(them: Replicas) -> list[Object]:
    asked = pod_resources(them.gpus, them.checkpoint)
    shared = {"medium": "Memory", "sizeLimit": f"{asked['shared']}Gi"}
    models: Object = (
        {"persistentVolumeClaim": {"claimName": them.claim}}
        if them.claim
        else {"emptyDir": {"sizeLimit": f"{asked['disk']}Gi"}}
    )
    options = [{"name": "options", "configMap": {"name": them.options}}] if them.words.file else []
    return [{"name": "shared-memory", "emptyDir": shared}, {"name": "models"} | models, *options]


def _probes(them: Replicas) -> Object:
    """Return the port and the probes: none but the first counts until the model is loaded."""
    probe = {"httpGet": {"path": facts()["health"][them.deployment.engine.name], "port": "http"}}
    return {
        "ports": [{"name": "http", "containerPort": them.port, "protocol": "TCP"}],
        "startupProbe": probe
        | {"periodSeconds": _PERIOD, "timeoutSeconds": 5, "failureThreshold": start(them) // _PERIOD},
        "readinessProbe": probe | {"periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 3},
        "livenessProbe": probe | {"periodSeconds": 10, "timeoutSeconds": 10, "failureThreshold": 6},
    }


def start(them: Replicas) -> int:
    """Return the seconds that a start may take, a multiple of the probe's period."""
    return math.ceil(start_seconds(them.checkpoint) / _PERIOD) * _PERIOD
