"""The dashboard and its JSON routes in one process: `make run`, `streamlit run app.py` or `python app.py`.

Streamlit runs pages/main.py, not this file: with pages/ beside the script that it runs, Streamlit would
take that folder for its old automatic pages, and the first deep link to a page would skip the set-up.

    POST /api/v1/{verb}   one request or a list of them, as core.api answers it
    GET  /healthz         {"status": "ok"} and versions
    GET  /metrics         requests, seconds and memory for Prometheus
    GET  /vendor/…        plotly.js of the installed plotly package, so that nothing comes from elsewhere
"""

from __future__ import annotations

import gc
import gzip
import importlib
import logging
import os
import pkgutil
import platform
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
import streamlit as st
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import core
from core import api
from core.catalog import accelerators, model_ids
from core.monitoring.demo.cluster import stop_demo
from core.monitoring.exporters import exporters
from core.text import LANGUAGES, sentences, text
from pages.parts import language, planning, plot, quoting

LIMIT_MB = 25
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
FOREVER = "public, max-age=31536000, immutable"

log = logging.getLogger("planner")
registry = CollectorRegistry()
ProcessCollector(registry=registry)
requests_seconds = Histogram(
    "planner_api_request_seconds",
    "Time to answer a request of the JSON routes, by verb and HTTP status.",
    ["verb", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=registry,
)


class Refused(Exception):
    """A request that core.api never sees: an HTTP status, and a sentence in `core.text` with its values."""

    def __init__(self, status: int, key: str, /, **values: Any) -> None:
        self.status = status
        kind = key.removeprefix("api.")
        self.answer = {"error": {"kind": kind, "field": None, "message": text(key, **values)}}
        super().__init__(key)


def reply(content: Any, status: int = 200) -> Response:
    """Return *content* as JSON."""
    return Response(orjson.dumps(content), status, media_type="application/json")


async def body_of(request: Request) -> object:
    """Return the JSON of a request's body, and refuse what is too large or is not JSON.

    The size is counted while the body arrives: a Content-Length may be absent or wrong.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LIMIT_MB * 10**6:
            raise Refused(413, "api.too_large", limit=LIMIT_MB)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(400, "api.unreadable", reason=error) from None


async def answer(request: Request) -> tuple[Any, int]:
    """Return the answer to one call of the JSON routes, and its HTTP status."""
    verb = request.path_params["verb"]
    if verb not in api.VERBS:
        raise Refused(404, "api.unknown_verb", verb=verb, verbs=", ".join(api.VERBS))
    if request.method != "POST":
        raise Refused(405, "api.not_post")
    asked = await body_of(request)
    # A large batch takes seconds of CPU: in a thread, so that the pages keep their connection.
    answered = await run_in_threadpool(api.answer, verb, asked)
    return answered, 422 if isinstance(answered, dict) and "error" in answered else 200


async def call(request: Request) -> Response:
    """Answer POST /api/v1/{verb}; whatever happens, the answer is JSON of one shape."""
    began = time.perf_counter()
    verb = request.path_params["verb"]
    try:
        content, status = await answer(request)
    except Refused as refusal:
        content, status = refusal.answer, refusal.status
    except Exception:
        log.exception("POST /api/v1/%s", verb)
        fault = Refused(500, "api.internal")
        content, status = fault.answer, fault.status
    # An address that nobody serves must not make a new time series.
    known = verb if verb in api.VERBS else "unknown"
    requests_seconds.labels(known, str(status)).observe(time.perf_counter() - began)
    response = reply(content, status)
    if status == 405:
        response.headers["Allow"] = "POST"
    return response


async def nowhere(request: Request) -> Response:
    """Answer an address below /api that nothing serves; Streamlit would answer with its page."""
    refusal = Refused(404, "api.unknown_address", path=request.url.path, verbs=", ".join(api.VERBS))
    return reply(refusal.answer, refusal.status)


async def healthz(_: Request) -> Response:
    """Say that the process answers, and which versions it runs."""
    packages = ("streamlit", "plotly", "pandas", "numpy", "pydantic")
    versions = {"python": platform.python_version()} | {name: version(name) for name in packages}
    return reply({"status": "ok", "verbs": list(api.VERBS), "versions": versions})


async def metrics(_: Request) -> Response:
    """Return the figures of this process in Prometheus' text format."""
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class Vendor:
    """plotly.js, compressed once: Streamlit's own gzip would compress its 5 MB for every visitor."""

    def __init__(self, path: Path) -> None:
        self.plain = path.read_bytes()
        self.compressed = gzip.compress(self.plain, 6)

    async def answer(self, request: Request) -> Response:
        """Return the script; its address holds its version, so a browser may keep it for ever."""
        headers = {"Cache-Control": FOREVER, "Vary": "Accept-Encoding"}
        compressed = "gzip" in request.headers.get("accept-encoding", "")
        if compressed:
            headers["Content-Encoding"] = "gzip"
        return Response(
            self.compressed if compressed else self.plain, headers=headers, media_type="text/javascript"
        )


def warm() -> None:
    """Load what the pages use, so that the first visitor does not wait for it."""
    for module in pkgutil.walk_packages(core.__path__, "core."):
        if not module.name.endswith("__main__") and not module.name.startswith("core.refresh"):
            importlib.import_module(module.name)
    for name in ("pandas", "pyarrow", "plotly.graph_objects", "plotly.io", "streamlit.elements.arrow"):
        importlib.import_module(name)
    for name in LANGUAGES:
        sentences(name)
    # One answer of each kind reads the tables that the next ones share.
    api.answer("size", {"model": model_ids()[0], "gpu": next(iter(accelerators()))})
    exporters()
    planning.warm()
    quoting.warm()


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Get ready before the first visitor, and end the demo cluster with the server.

    Streamlit runs a full garbage collection after every script run. What is alive here stays alive:
    frozen, it is left out of these collections, which then take next to no time.
    """
    warm()
    gc.collect()
    gc.freeze()
    yield
    await run_in_threadpool(stop_demo)


def fault(_: Exception) -> bool:
    """Show a sentence in place of the traceback, which Streamlit has written to the log."""
    st.error(text("shell.fault", language.current()), icon=":material/error:")
    return True


def routes() -> list[Route]:
    """Return the routes beside the pages, below `server.baseUrlPath` where that is set."""
    base = (st.get_option("server.baseUrlPath") or "").strip("/")
    root = f"/{base}" if base else ""
    return [
        Route(f"{root}/api/v1/{{verb}}", call, methods=METHODS),
        Route(f"{root}/api/{{rest:path}}", nowhere, methods=METHODS),
        Route(f"{root}/api", nowhere, methods=METHODS),
        Route(f"{root}/healthz", healthz),
        Route(f"{root}/metrics", metrics),
        Route(f"{root}/{plot.ADDRESS}", Vendor(plot.SCRIPT).answer),
    ]


app = st.App(
    Path(__file__).parent / "pages/main.py", lifespan=lifespan, routes=routes(), on_script_error=fault
)

if __name__ == "__main__":
    settings: dict[str, Any] = {}
    if port := os.environ.get("PORT", os.environ.get("STREAMLIT_SERVER_PORT")):
        settings["server.port"] = int(port)
    if address := os.environ.get("ADDRESS", os.environ.get("STREAMLIT_SERVER_ADDRESS")):
        settings["server.address"] = address
    app.run(config=settings)
