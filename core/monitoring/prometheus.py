"""Queries to a Prometheus, or to what speaks its API, that end in arrays or in one typed fault."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from prometheus_api_client import PrometheusConnect
from requests.auth import AuthBase
from urllib3.util.retry import Retry

from core.monitoring.answers import Answer, FloatArray, instant_answer, range_answer
from core.monitoring.endpoints import Endpoint
from core.monitoring.faults import MonitoringFault
from core.monitoring.promql import quoted
from core.monitoring.session import GuardedSession

USUAL_POINTS = 300
MOST_POINTS = 11_000
"""A series, in Prometheus's own limit: `exceeded maximum resolution of 11,000 points per timeseries`."""
MOST_POINTS_IN_ALL = 200_000

DAY_S = 86_400
LEAST_STEP_S = 5
STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, DAY_S)

SKEW_S = 30.0
"""From here on a clock that differs is worth a warning: rates and ages are then visibly off."""

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
OPERATORS = ("=", "!=", "=~", "!~")


@dataclass(frozen=True)
class StoreInfo:
    """What answers: *kind* is prometheus, victoriametrics, thanos, mimir or unknown; *version* may be empty."""

    kind: str
    version: str = ""

    @property
    def hidden_s(self) -> float:
        """How many seconds of the newest samples it does not show (VictoriaMetrics: search.latencyOffset)."""
        return 30.0 if self.kind == "victoriametrics" else 0.0


@dataclass(frozen=True)
class Matcher:
    """How a label must compare with *value*: *operator* is one of `OPERATORS`."""

    value: str
    operator: str = "="

    def __post_init__(self) -> None:
        if self.operator not in OPERATORS:
            raise ValueError(f"{self.operator} is no operator of a label")


def selector(matchers: Mapping[str, str | Matcher]) -> str:
    """Return the PromQL selector, with braces, of *matchers* by label; none is an empty text.

    >>> print(selector({"node": "n-1", "pod": Matcher("vllm-.*", "=~")}))
    {node="n-1",pod=~"vllm-.*"}

    Raises:
        ValueError: a label that is no name.
    """
    parts: list[str] = []
    for label, wanted in matchers.items():
        if not _LABEL.fullmatch(label):
            raise ValueError(f"{label!r} is no name of a label")
        matcher = wanted if isinstance(wanted, Matcher) else Matcher(wanted)
        parts.append(f"{label}{matcher.operator}{quoted(matcher.value)}")
    return f"{{{','.join(parts)}}}" if parts else ""


def step_for(span_s: float, step: float | None = None, series: int = 1) -> int:
    """Return the step in seconds of a range of *span_s* seconds with *series* series.

    Where *step* is given it is kept if the answer stays below the limits, else the next of the ladder that does.

    Raises:
        MonitoringFault: `too_much_data` where so many series cannot have two points each.
    """
    most = min(USUAL_POINTS if step is None else MOST_POINTS, MOST_POINTS_IN_ALL // max(series, 1))
    if most < 2:
        raise MonitoringFault("too_much_data", "too_much_data.series", series=series, most=MOST_POINTS_IN_ALL)
    # The ends are aligned downwards, so that one point more than span / step may come.
    least = max(span_s / (most - 1), LEAST_STEP_S if step is None else step)
    if step is not None and math.ceil(step) >= least:
        return max(math.ceil(step), 1)
    for rung in STEPS_S:
        if rung >= least:
            return rung
    return math.ceil(least / DAY_S) * DAY_S


class _Bearer(AuthBase):
    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def __call__(self, request: Any) -> Any:
        if self._endpoint.token is not None:
            request.headers["Authorization"] = f"Bearer {self._endpoint.token.reveal()}"
        return request


class Prometheus:
    """A client of one endpoint, for many threads and pages at once; every method raises `MonitoringFault`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.skew_s = 0.0
        self._session = GuardedSession(endpoint)
        auth: Any = _Bearer(endpoint) if endpoint.token is not None else None
        if endpoint.username is not None and endpoint.password is not None:
            # As bytes: requests would write texts in Latin-1, which no Prometheus reads.
            auth = (endpoint.username.encode(), endpoint.password.reveal().encode())
        self._connect = PrometheusConnect(
            endpoint.url,
            headers={name: value.reveal() for name, value in endpoint.headers},
            auth=auth,
            session=self._session,
            retry=Retry(0),
            method="POST",
        )
        self._about: StoreInfo | None = None

    def __repr__(self) -> str:
        return f"Prometheus({self.endpoint.name!r})"

    def instant(self, query: str, at: float | None = None) -> Answer:
        """Return the values of *query* at *at*, unix seconds, or now by the store's clock."""
        began = time.monotonic()
        self._connect.custom_query(query, params=self._limits() | ({} if at is None else {"time": at}))
        when = time.time() + self.skew_s if at is None else at
        return instant_answer(self._session.take(), when, time.monotonic() - began)

    def range(
        self, query: str, start: float, end: float, step: float | None = None, series: int = 1
    ) -> Answer:
        """Return *query* from *start* to *end*, unix seconds, on a grid of times aligned to the step.

        *step* in seconds; without one, one of a ladder, so that at most 300 points come. *series* is how many
        are expected: a step that would give more than 200,000 points in all is widened.
        """
        began = time.monotonic()
        seconds = step_for(max(end - start, 0), step, series)
        first, last = math.floor(start / seconds) * seconds, math.floor(end / seconds) * seconds
        grid: FloatArray = np.arange(first, max(first, last) + 1, seconds, dtype=np.float64)
        begin, until = (datetime.fromtimestamp(at, UTC) for at in (grid[0], grid[-1]))
        self._connect.custom_query_range(query, begin, until, str(seconds), params=self._limits())
        return range_answer(self._session.take(), grid, time.monotonic() - began)

    def names(self) -> frozenset[str]:
        """Return the names of all metrics."""
        self._connect.get_label_values("__name__", params=self._limits())
        found = self._session.take().data
        if not isinstance(found, list):
            raise MonitoringFault("not_prometheus", "not_prometheus.shape", host=self.endpoint.address.host)
        return frozenset(str(name) for name in found)

    def now(self) -> float:
        """Return the store's clock in unix seconds, and note in `skew_s` how far it is ahead of ours."""
        # VictoriaMetrics asks as of 30 s ago unless told otherwise, and so does its time().
        query = "now()" if self.about().kind == "victoriametrics" else "time()"
        before = time.time()
        answer = self.instant(query)
        after = time.time()
        now = float(answer.latest[0]) if len(answer) else math.nan
        if math.isnan(now):
            raise MonitoringFault("not_prometheus", "not_prometheus.shape", host=self.endpoint.address.host)
        self.skew_s = now - (before + after) / 2
        return now

    def about(self) -> StoreInfo:
        """Return which store it is, asked once."""
        if self._about is None:
            self._about = self._ask_about()
        return self._about

    def close(self) -> None:
        """Close the connections."""
        self._connect.close()

    def _limits(self) -> dict[str, Any]:
        """Return the time limit that the store itself shall keep: a little less, so that it can say so."""
        return {"timeout": f"{max(round(self.endpoint.deadline_s * 900), 1)}ms"}

    def _ask_about(self) -> StoreInfo:
        try:
            reply = self._session.request(
                "GET",
                f"{self.endpoint.url}/api/v1/status/buildinfo",
                headers=self._connect.headers,
                auth=self._connect.auth,
                verify=self._session.verify,
                cert=self._session.cert,
            )
        except MonitoringFault as fault:
            if fault.fault in {"not_found", "bad_query", "not_prometheus"}:
                return StoreInfo("unknown")
            raise
        data = self._session.take().data
        build = data if isinstance(data, dict) else {}
        version, application = str(build.get("version", "")), str(build.get("application", "")).lower()
        if "X-Server-Hostname" in reply.headers:
            # The version that it gives is the one of Prometheus whose API it follows.
            return StoreInfo("victoriametrics")
        for kind in ("mimir", "thanos", "victoriametrics", "prometheus"):
            if kind in application:
                return StoreInfo(kind, version)
        # Thanos answers as Prometheus does, with its own version, which has not reached 1.
        if version.startswith("0."):
            return StoreInfo("thanos", version)
        return StoreInfo("prometheus" if version and not application else "unknown", version)
