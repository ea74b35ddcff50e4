"""The programs that can keep the demo's samples, and how each is started on loopback."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.monitoring.demo.samples import targets
from core.monitoring.demo.scenario import Scenario


@dataclass(frozen=True)
class Store:
    """A time series database that scrapes, and that takes Prometheus' remote writes."""

    name: str
    program: str
    package: str
    """Debian's package that has the program."""
    arguments: tuple[str, ...]
    """With {address}, {data} and {config} to fill in."""
    ready: str
    """The path that answers 200 when it is ready."""
    write: str
    """The path of remote writes."""
    flush: str = ""
    """The path that makes what was written visible, where that takes a while by itself."""

    def command(self, program: str, address: str, folder: Path) -> list[str]:
        """Return the command that starts it on *address* (host:port) with its data and configuration in *folder*."""
        values = {"address": address, "data": folder / "data", "config": folder / "scrape.yml"}
        return [program, *(argument.format(**values) for argument in self.arguments)]


PROMETHEUS = Store(
    name="Prometheus",
    program="prometheus",
    package="prometheus",
    arguments=(
        "--config.file={config}",
        "--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=2d",
        "--web.listen-address={address}",
        "--web.enable-remote-write-receiver",
        "--log.level=warn",
    ),
    ready="/-/ready",
    write="/api/v1/write",
)

VICTORIA = Store(
    name="VictoriaMetrics",
    program="victoria-metrics",
    package="victoria-metrics",
    arguments=(
        "-promscrape.config={config}",
        "-storageDataPath={data}",
        "-retentionPeriod=1",
        "-httpListenAddr={address}",
        "-loggerLevel=ERROR",
        # By default it hides the last 30 s, so that late samples cannot change an answer.
        "-search.latencyOffset=1s",
    ),
    ready="/health",
    write="/api/v1/write",
    flush="/internal/force_flush",
)


def scrape_config(
    store: Store, scenario: Scenario, exporter_port: int, scrape_s: float, extra: Mapping[str, Any]
) -> str:
    """Return the configuration of *store*, in JSON, which is YAML too.

    Each node has an address of its own there, as in a real cluster, although one process answers for all.
    *extra* is merged over it, key by key at the top: rule_files, alerting.
    """
    interval = f"{round(scrape_s * 1000)}ms"
    jobs: dict[str, list[dict[str, Any]]] = {}
    for target in targets(scenario):
        group = {
            "targets": [f"127.0.0.1:{exporter_port}"],
            "labels": target.labels | {"__metrics_path__": target.path},
        }
        jobs.setdefault(target.job, []).append(group)
    made: dict[str, Any] = {
        "global": {"scrape_interval": interval, "scrape_timeout": interval},
        "scrape_configs": [{"job_name": job, "static_configs": groups} for job, groups in jobs.items()],
    }
    if store is PROMETHEUS:
        # History may still be written when the first scrapes come.
        made["global"]["evaluation_interval"] = interval
        made["storage"] = {"tsdb": {"out_of_order_time_window": "12h"}}
    for name, value in extra.items():
        made[name] = made[name] | value if name == "global" else value
    return json.dumps(made, indent=1)
