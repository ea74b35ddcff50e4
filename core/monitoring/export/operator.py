"""The rules as an object that the Prometheus Operator loads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from core.errors import BadRequest
from core.monitoring.export.groups import Group, as_yaml

DEFAULT_NAME = "llm-serving"
DEFAULT_NAMESPACE = "monitoring"
DEFAULT_LABELS = {"release": "prometheus"}
"""What the Prometheus of the Helm chart kube-prometheus-stack, installed as "prometheus", selects rules by.

Source: that chart's value `prometheus.prometheusSpec.ruleSelectorNilUsesHelmValues`, which is true by default.
"""

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")


def prometheus_rule(
    groups: Sequence[Group],
    *,
    name: str = DEFAULT_NAME,
    namespace: str = DEFAULT_NAMESPACE,
    labels: Mapping[str, str] | None = None,
    comments: Sequence[str] = (),
) -> str:
    """Return *groups* as a `PrometheusRule` (monitoring.coreos.com/v1), as YAML.

    *labels* must be those that the Prometheus object's `ruleSelector` asks for.

    Raises:
        BadRequest: a name, namespace or label that Kubernetes does not take.
    """
    labels = DEFAULT_LABELS if labels is None else labels
    _check("name", name, _NAME, 253)
    _check("namespace", namespace, _NAMESPACE, 63)
    for key, value in labels.items():
        prefix, _, word = key.rpartition("/")
        if "/" in key:
            _check("labels", prefix, _NAME, 253)
        _check("labels", word or " ", _LABEL, 63)
        _check("labels", value, _LABEL, 63)
    return as_yaml(
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
            "spec": {"groups": [group.as_dict() for group in groups]},
        },
        comments,
    )


def _check(field: str, value: str, pattern: re.Pattern[str], longest: int) -> None:
    if not pattern.fullmatch(value) or len(value) > longest:
        raise BadRequest("monitoring.export.bad_name", field=field, value=value[:80], longest=longest)
