"""One file from another machine, whole or not at all."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from core.errors import Unreachable, shown

MOST_BYTES = 64 * 10**6
"""The largest catalogue was 3.7 MB in 2026."""

CHUNK = 65_536


@dataclass(frozen=True)
class Limits:
    """Seconds without a byte, seconds in all, and bytes that are accepted."""

    silence_s: float = 20.0
    seconds: float = 120.0
    most_bytes: int = MOST_BYTES


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses to be sent elsewhere: the address is part of what is trusted."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Return no request, so that the redirect is an error."""


def fetch(url: str, limits: Limits | None = None) -> str:
    """Return the text at *url*, which must be UTF-8.

    Raises:
        Unreachable: another status than 200, a redirect, silence, too slow, too large, cut short, or no text.
    """
    known = limits or Limits()
    if not url.startswith(("https://", "http://")):
        raise Unreachable("refresh.scheme", url=shown(url))
    request = urllib.request.Request(url, headers={"Accept-Encoding": "identity"})  # noqa: S310 - checked above
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=known.silence_s) as answer:
            content = _body(url, answer, known)
    except urllib.error.HTTPError as error:
        error.close()
        key = "refresh.redirect" if 300 <= error.code < 400 else "refresh.status"
        target = shown(error.headers.get("Location", ""))
        raise Unreachable(key, url=url, status=error.code, target=target) from None
    except TimeoutError:
        raise Unreachable("refresh.silent", url=url, seconds=known.silence_s) from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            raise Unreachable("refresh.silent", url=url, seconds=known.silence_s) from None
        raise Unreachable("refresh.failed", url=url, reason=shown(str(reason))) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreachable("refresh.no_text", url=url) from None


def _body(url: str, answer: Any, limits: Limits) -> bytes:
    """Return the body of *answer*, in as many pieces as arrive."""
    if answer.status != http.client.OK:
        raise Unreachable("refresh.status", url=url, status=answer.status, target="")
    announced = answer.headers.get("Content-Length", "")
    end, body = time.monotonic() + limits.seconds, bytearray()
    while piece := answer.read1(CHUNK):
        body += piece
        if len(body) > limits.most_bytes:
            raise Unreachable("refresh.too_large", url=url, most=limits.most_bytes / 1e6)
        if time.monotonic() > end:
            raise Unreachable("refresh.slow", url=url, seconds=limits.seconds)
    if announced.isdigit() and len(body) != int(announced):
        raise Unreachable("refresh.cut", url=url, found=len(body), announced=int(announced))
    return bytes(body)
