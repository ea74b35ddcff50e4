"""From status and body to a document, or to the fault that they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Never
from urllib.parse import urlsplit

from core.monitoring.answers import Document, read_document
from core.monitoring.endpoints import Endpoint
from core.monitoring.faults import MonitoringFault

LONGEST_REASON = 200

# What stores say of a query that asks for too much: Prometheus, VictoriaMetrics, Thanos, Mimir.
_TOO_MUCH = ("too many", "maximum resolution", "exceed", "limit", "err-mimir-max")
_LONG = ("too long query", "query too long", "query length")
_SLOW = ("timed out", "timeout", "took longer", "deadline", "canceled")
_DUPLICATES = ("duplicate series", "same labelset", "many-to-many", "multiple matches for labels")

# Stores quote the query and labels, whose names may hold any of those words.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\{[^}]*\}')


def document_of(
    status: int, headers: Mapping[str, str], body: bytes | bytearray, endpoint: Endpoint
) -> Document:
    """Return the document of a success.

    Raises:
        MonitoringFault: any other answer.
    """
    _by_status(status, headers, endpoint)
    try:
        document = read_document(body)
    except (ValueError, RecursionError):
        document = None
    said = document.content if document is not None else {}
    if status == 200 and document is not None and said.get("status") == "success":
        return document
    host = endpoint.address.host
    if said.get("status") == "error":
        _refused(status, said, endpoint)
    if status in {502, 503}:
        raise MonitoringFault("overloaded", "overloaded.busy", host=host, status=status)
    if status >= 500:
        raise MonitoringFault("overloaded", "overloaded.failed", host=host, status=status, reason="-")
    if document is not None:
        raise MonitoringFault("not_prometheus", "not_prometheus.shape", host=host)
    if body.lstrip()[:1] == b"{":
        raise MonitoringFault("not_prometheus", "not_prometheus.truncated", host=host)
    raise MonitoringFault("not_prometheus", "not_prometheus.page", host=host, status=status)


def _by_status(status: int, headers: Mapping[str, str], endpoint: Endpoint) -> None:
    """Raise the fault of a status that means the same whatever the body says."""
    host = endpoint.address.host
    if 300 <= status < 400:
        raise MonitoringFault("redirected", host=host, target=_target(headers.get("Location", "")) or host)
    match status:
        case 401:
            raise MonitoringFault("auth", "auth.unknown", host=host)
        case 403:
            raise MonitoringFault("auth", "auth.forbidden", host=host)
        case 404:
            raise MonitoringFault("not_found", host=host, prefix=endpoint.address.prefix or "/")
        case 408 | 504:
            raise MonitoringFault("timeout", "timeout.server", host=host)
        case 413 | 414 | 431:
            raise MonitoringFault("bad_query", "bad_query.long", host=host, status=status)
        case 429:
            raise MonitoringFault("overloaded", "overloaded.rate", host=host)


def _target(location: str) -> str:
    """Return the host to which a redirect leads, and nothing else: the rest may hold what a login handed out."""
    try:
        host = urlsplit(location).hostname or ""
    except ValueError:
        return ""
    return host if re.fullmatch(r"[a-z0-9.:_-]{1,253}", host, re.ASCII) else ""


def _refused(status: int, said: Mapping[str, Any], endpoint: Endpoint) -> Never:
    """Raise the fault of an error that the store describes."""
    host, reason = endpoint.address.host, _reason(said, endpoint)
    words = _QUOTED.sub("", f"{said.get('errorType', '')} {said.get('error', '')}".lower())

    def says(signs: tuple[str, ...]) -> bool:
        return any(sign in words for sign in signs)

    if says(_DUPLICATES):
        raise MonitoringFault("bad_query", "bad_query.duplicates", host=host, reason=reason)
    if "parse error" in words:
        raise MonitoringFault("bad_query", "bad_query.refused", host=host, reason=reason)
    if says(_SLOW):
        raise MonitoringFault("timeout", "timeout.server", host=host)
    if says(_LONG):
        raise MonitoringFault("bad_query", "bad_query.long", host=host, status=status)
    if status < 500 and says(_TOO_MUCH):
        raise MonitoringFault("too_much_data", "too_much_data.refused", host=host, reason=reason)
    if status < 500:
        raise MonitoringFault("bad_query", "bad_query.refused", host=host, reason=reason)
    if status in {502, 503}:
        raise MonitoringFault("overloaded", "overloaded.busy", host=host, status=status)
    raise MonitoringFault("overloaded", "overloaded.failed", host=host, status=status, reason=reason)


def _reason(said: Mapping[str, Any], endpoint: Endpoint) -> str:
    """Return the store's own words, short, printable and without what we sent it in confidence."""
    text = str(said.get("error", ""))
    for secret in endpoint.secrets:
        text = text.replace(secret, "…")
    text = " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())
    return text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 1]}…"
