"""From status and body to a document, or to the fault that they mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Never
from urllib.parse import urlsplit

from core.monitoring.answers import Document, read_document
from core.monitoring.endpoints import Endpoint
from core.monitoring.faults import MonitoringFault

LONGEST_REASON = 200

# What stores say of a query that asks for too much: Prometheus, VictoriaMetrics, Thanos, Mimir.
_TOO_MUCH = ("too many", "maximum resolution", "exceed", "limit", "err-mimir-max", "too long query")
_SLOW = ("timed out", "timeout", "took longer", "deadline exceeded", "context canceled")
_DUPLICATES = ("duplicate series", "same labelset", "many-to-many", "multiple matches for labels")


def document_of(status: int, headers: Mapping[str, str], body: bytes, endpoint: Endpoint) -> Document:
    """Return the document of a success.

    Raises:
        MonitoringFault: any other answer.
    """
    host = endpoint.address.host
    if 300 <= status < 400:
        target = urlsplit(headers.get("Location", "")).hostname if headers.get("Location") else None
        raise MonitoringFault("redirected", host=host, target=(target or host)[:253])
    if status in {401, 403}:
        raise MonitoringFault("auth", "auth.unknown" if status == 401 else "auth.forbidden", host=host)
    if status == 404:
        raise MonitoringFault("not_found", host=host, prefix=endpoint.address.prefix or "/")
    if status in {413, 414, 431}:
        raise MonitoringFault("bad_query", "bad_query.long", host=host, status=status)
    try:
        document = read_document(body)
    except (ValueError, RecursionError):
        document = None
    said = document.content if document is not None else {}
    if status == 200 and document is not None and said.get("status") == "success":
        return document
    reason = _reason(said, endpoint)
    if status == 429:
        raise MonitoringFault("overloaded", "overloaded.rate", host=host)
    if status in {408, 504} or (status in {499, 503} and _says(said, _SLOW)):
        raise MonitoringFault("timeout", "timeout.server", host=host)
    if status in {502, 503}:
        raise MonitoringFault("overloaded", "overloaded.busy", host=host, status=status)
    if said.get("status") == "error":
        _refused(host, status, said, reason)
    if status >= 500:
        raise MonitoringFault("overloaded", "overloaded.failed", host=host, status=status, reason="-")
    if document is None and body.lstrip()[:1] == b"{":
        raise MonitoringFault("not_prometheus", "not_prometheus.truncated", host=host)
    if document is None:
        raise MonitoringFault("not_prometheus", "not_prometheus.page", host=host, status=status)
    raise MonitoringFault("not_prometheus", "not_prometheus.shape", host=host)


def _refused(host: str, status: int, said: Mapping[str, Any], reason: str) -> Never:
    """Raise the fault of an error that the store describes."""
    if _says(said, _DUPLICATES):
        raise MonitoringFault("bad_query", "bad_query.duplicates", host=host, reason=reason)
    if _says(said, _SLOW):
        raise MonitoringFault("timeout", "timeout.server", host=host)
    if status < 500 and _says(said, _TOO_MUCH):
        raise MonitoringFault("too_much_data", "too_much_data.refused", host=host, reason=reason)
    if status < 500:
        raise MonitoringFault("bad_query", "bad_query.refused", host=host, reason=reason)
    raise MonitoringFault("overloaded", "overloaded.failed", host=host, status=status, reason=reason)


def _says(said: Mapping[str, Any], words: tuple[str, ...]) -> bool:
    text = f"{said.get('errorType', '')} {said.get('error', '')}".lower()
    return any(word in text for word in words)


def _reason(said: Mapping[str, Any], endpoint: Endpoint) -> str:
    """Return the store's own words, short, printable and without what we sent it in confidence."""
    text = str(said.get("error", ""))
    for secret in endpoint.secrets:
        text = text.replace(secret, "…")
    text = " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())
    return text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 1]}…"
