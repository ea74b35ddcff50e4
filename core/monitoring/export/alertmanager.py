"""An Alertmanager configuration to start from: who is told of what, and which alert says it all for others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.monitoring.consequences import FOLLOWS
from core.monitoring.export.alerts import UNLIMITED, WATCHES
from core.monitoring.export.groups import as_yaml
from core.monitoring.indicators import indicators
from core.text import DEFAULT_LANGUAGE, text

ON_CALL, TEAM, REVIEW = "on-call", "team", "cost-review"
"""Receivers: a person now, a channel in working hours, a list that is read now and then."""

SUBJECT = ("node", "gpu", "instance")
"""Labels that say what an alert is about; Alertmanager takes a label that both lack as equal."""

_ON_GPU = {
    watch.finding for watch in (*WATCHES, *UNLIMITED) if indicators()[watch.indicator].level == "gpu"
} - {"telemetry"}
"""Findings about one GPU; that of an exporter is about all GPUs of its node."""


def alertmanager(language: str = DEFAULT_LANGUAGE, *, group_wait: str = "30s") -> str:
    """Return the configuration as YAML, with comments in *language*. Its receivers tell nobody yet.

    *group_wait* is how long Alertmanager waits for other alerts of a group before it says the first.
    """

    def comment(key: str) -> list[str]:
        return [text(f"monitoring.export.alertmanager.{key}", language)]

    parts = [
        as_yaml({"global": {"resolve_timeout": "5m"}}, comment("head")),
        as_yaml({"route": _route(group_wait)}, comment("route")),
        as_yaml({"receivers": []}, comment("receivers")).replace("receivers: []\n", "receivers:\n"),
        *(as_yaml([{"name": name}], comment(name.replace("-", "_"))) for name in (ON_CALL, TEAM, REVIEW)),
        "inhibit_rules:\n",
    ]
    for key, rules in _hidden().items():
        parts.append(as_yaml(rules, comment(f"hides.{key}")))
    return "".join(parts)


def _hidden() -> dict[str, list[dict[str, Any]]]:
    """Return, by reason, the ways in which an alert makes others needless."""
    down = 'alertname="ReplicaDown"'
    return {
        "critical": [_rule('severity="critical"', ['severity=~"warning|info"'], ["indicator", *SUBJECT])],
        "replica": [_rule(down, ['level="engine"', 'alertname!="ReplicaDown"'], ["instance"])],
        "follows": list(_consequences()),
    }


def _consequences() -> Iterator[dict[str, Any]]:
    for cause, names in FOLLOWS.items():
        on_gpu = [name for name in names if name in _ON_GPU]
        if on_gpu:
            equal = ["node", "gpu"] if cause in _ON_GPU else ["node"]
            yield _rule(f'finding="{cause}"', [f'finding=~"{"|".join(on_gpu)}"'], equal)
        others = [name for name in names if name not in _ON_GPU]
        if others:
            yield _rule(f'finding="{cause}"', [f'finding=~"{"|".join(others)}"'], ["instance"])


def _rule(source: str, target: list[str], equal: list[str]) -> dict[str, Any]:
    return {"source_matchers": [source], "target_matchers": target, "equal": equal}


def _route(group_wait: str) -> dict[str, Any]:
    return {
        "receiver": TEAM,
        "group_by": ["alertname", "node", "instance"],
        "group_wait": group_wait,
        "group_interval": "5m",
        "repeat_interval": "12h",
        "routes": [
            {"matchers": ['severity="critical"'], "receiver": ON_CALL, "repeat_interval": "1h"},
            {"matchers": ['severity="warning"'], "receiver": TEAM},
            {
                "matchers": ['severity="info"'],
                "receiver": REVIEW,
                "group_by": ["alertname"],
                "group_wait": "10m",
                "repeat_interval": "7d",
            },
        ],
    }
