"""A deployment as Kubernetes objects: the replicas, their service, and how many may be away at once."""

from __future__ import annotations

import math
import re

import yaml

from core.architecture.formats import checkpoint_bytes
from core.catalog import accelerators
from core.catalog.nodes import SERVER, gpus_per_node
from core.errors import BadRequest
from core.memory.deployment import Deployment
from core.memory.engines.profile import parse_version
from core.memory.launch import OPTIONS as FILE
from core.memory.launch import launch
from core.memory.support import unsupported
from core.planning.containers import container_of, facts, version_of
from core.planning.pods import OPTIONS, Object, Replicas, pod, start
from core.quantities import format_gib
from core.text import DEFAULT_LANGUAGE, Sentence, say


class _Plain(yaml.SafeDumper):
    """Writes a part that occurs twice twice: anchors are hard to read, and to edit."""

    def ignore_aliases(self, data: object) -> bool:
        """Return true for all parts."""
        del data
        return True


def manifest(
    deployment: Deployment,
    replicas: int,
    *,
    port: int = 8000,
    checkpoint_as_is: bool = True,
    secret: str = "hf-token",  # noqa: S107 - the name of a Secret object, not a secret
    claim: str | None = None,
    gpus_per_node: int | None = None,
    language: str = DEFAULT_LANGUAGE,
) -> str:
    """Return Kubernetes objects that run *replicas* of *deployment*, as one YAML text of several documents.

    A Deployment, or a LeaderWorkerSet where a replica needs more GPUs than a node has (*gpus_per_node*, by
    default those of the usual server), a Service, a PodDisruptionBudget, and a ConfigMap where the engine reads
    options from a file. The engine gets the arguments of
    `launch`. *claim* names a volume claim that keeps checkpoints; without it a pod downloads its own. *secret*
    names the Secret whose key `token` opens gated models. Comments at the top are in *language*.

    Raises:
        BadRequest: an engine without a server, no GPU or one that the engine does not run on, a layout that
            cannot be spread over nodes, or numbers out of range.
    """
    them = _replicas(
        deployment,
        replicas,
        port=port,
        as_is=checkpoint_as_is,
        secret=secret,
        claim=claim,
        per_node=gpus_per_node,
    )
    workload = _deployment(them) if them.nodes == 1 else _leader_worker_set(them)
    comments = "".join(f"# {sentence.render(language)}\n" for sentence in _comments(them))
    return comments + yaml.dump_all(
        [workload, _service(them), _disruption_budget(them), *_options(them)],
        Dumper=_Plain,
        sort_keys=False,
        allow_unicode=True,
        width=1000,
        explicit_start=True,
    )


def object_name(model: str) -> str:
    """Return a name that Kubernetes accepts for a service (RFC 1035 label), from a model's id.

    >>> object_name("deepseek-ai/DeepSeek-V3"), object_name("meta-llama/Llama-3.1-8B"), object_name("01")
    ('deepseek-v3', 'llama-3-1-8b', 'm-01')
    """
    name = re.sub(r"[^a-z0-9]+", "-", model.rsplit("/", 1)[-1].lower()).strip("-")[:40].strip("-")
    return name if name[:1].isalpha() else f"m-{name}".strip("-")


def _replicas(
    deployment: Deployment,
    replicas: int,
    *,
    port: int,
    as_is: bool,
    secret: str,
    claim: str | None,
    per_node: int | None,
) -> Replicas:
    if not 1 <= port <= 65535:
        raise BadRequest("manifest.port", field="port", port=port)
    if replicas < 1:
        raise BadRequest("manifest.replicas", field="replicas", replicas=replicas)
    words = launch(deployment, as_is, OPTIONS)
    if deployment.device is None:
        raise BadRequest("manifest.no_gpu", field="gpu")
    refused = unsupported(deployment)
    if refused is not None:
        raise BadRequest(refused.key, field="gpu", **refused.values)
    container = container_of(deployment.engine, deployment.device)
    name = object_name(deployment.model.name)
    nodes = _nodes(deployment, per_node)
    if deployment.engine.name == "llama.cpp":
        claim = claim or f"{name}-models"  # it downloads nothing
    return Replicas(
        deployment=deployment,
        device=deployment.device,
        words=words,
        container=container,
        name=name,
        replicas=replicas,
        nodes=nodes,
        gpus=deployment.layout.gpus // nodes,
        port=port,
        checkpoint=checkpoint_bytes(deployment.model, deployment.weights),
        secret=secret,
        claim=claim,
    )


def _nodes(deployment: Deployment, per_node: int | None) -> int:
    """Return over how many nodes a replica is spread, evenly.

    Raises:
        BadRequest: the engine cannot, or data-parallel ranks would be torn apart.
    """
    device, layout, engine = deployment.device, deployment.layout, deployment.engine
    if per_node is None:
        record = accelerators().get(device.id or "") if device else None
        per_node = gpus_per_node(record) if record else SERVER
    nodes = math.ceil(layout.gpus / per_node)
    if nodes == 1:
        return 1
    since = facts()["several_nodes"].get(engine.name)
    if since is None or parse_version(engine.version) < parse_version(since):
        raise BadRequest(
            "manifest.one_node",
            field="engine",
            gpus=layout.gpus,
            nodes=nodes,
            per_node=per_node,
            engine=engine.label,
            version=engine.version,
            since=facts()["several_nodes"]["vllm"],
        )
    group = layout.tp * layout.pp if layout.attention_dp and engine.name == "vllm" else 1
    while nodes <= layout.gpus:
        if layout.gpus % nodes == 0 and layout.gpus // nodes % group == 0:
            return nodes
        nodes += 1
    raise BadRequest("manifest.uneven", field="tp", gpus=layout.gpus, nodes=nodes - 1, group=group)


def _deployment(them: Replicas) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(them),
        "spec": {
            "replicas": them.replicas,
            "selector": {"matchLabels": them.labels},
            # No GPUs are kept free for an update: pods are replaced one by one.
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
            "progressDeadlineSeconds": them.replicas * start(them) + 600,
            "template": pod(them, "alone"),
        },
    }


def _leader_worker_set(them: Replicas) -> Object:
    return {
        "apiVersion": "leaderworkerset.x-k8s.io/v1",
        "kind": "LeaderWorkerSet",
        "metadata": _metadata(them),
        "spec": {
            "replicas": them.replicas,
            "startupPolicy": "LeaderCreated",
            "rolloutStrategy": {
                "type": "RollingUpdate",
                "rollingUpdateConfiguration": {"maxSurge": 0, "maxUnavailable": 1},
            },
            "leaderWorkerTemplate": {
                "size": them.nodes,
                "restartPolicy": "RecreateGroupOnPodRestart",
                "leaderTemplate": pod(them, "leader"),
                "workerTemplate": pod(them, "worker"),
            },
        },
    }


def _service(them: Replicas) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(them),
        "spec": {
            "selector": them.labels_of(them.front),
            "ports": [{"name": "http", "port": them.port, "targetPort": "http", "protocol": "TCP"}],
        },
    }


def _disruption_budget(them: Replicas) -> Object:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _metadata(them),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": them.labels_of(them.front)}},
    }


def _options(them: Replicas) -> list[Object]:
    """Return the file of options, where the engine reads one."""
    if not them.words.file:
        return []
    metadata = _metadata(them) | {"name": them.options}
    data = {FILE: them.words.file}
    return [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}]


def _metadata(them: Replicas) -> Object:
    return {"name": them.name, "labels": them.labels}


def _comments(them: Replicas) -> list[Sentence]:
    deployment, rates = them.deployment, facts()["start"]
    found = [
        say(
            "manifest.header",
            model=" ".join(deployment.model.name.split()),
            engine=deployment.engine.label,
            version=version_of(deployment.engine),
            replicas=them.replicas,
            gpus=deployment.layout.gpus,
            as_of=facts()["as_of"].isoformat(),
        )
    ]
    if them.nodes > 1:
        found.append(say("manifest.several_nodes", nodes=them.nodes, lws=facts()["leader_worker_set"]))
    if deployment.engine.name == "llama.cpp":
        found.append(say("manifest.file", file=them.words.arguments[0][1], claim=them.claim))
    else:
        found.append(say("manifest.secret", name=them.secret))
    waits = say(
        "manifest.startup",
        minutes=start(them) / 60,
        size=format_gib(them.checkpoint),
        download=rates["download_gbs"],
        load=rates["load_gbs"],
        warm_up=rates["warm_up_s"],
    )
    return [*found, waits]
