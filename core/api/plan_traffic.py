"""The traffic that a request of the `plan` verb describes: stated, measured by a trace, or of a preset."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from core.api.faults import Faults, chosen
from core.api.plan_request import PlanRequest
from core.api.requests import Spread
from core.errors import BadRequest
from core.text import Sentence, say
from core.traffic import Lengths, Preset, Trace, Traffic, fixed, lognormal, presets, read_trace
from core.traffic import traffic_of as stated_traffic
from core.traffic.traffic import SECONDS

RATES = {f"requests_per_{unit}": unit for unit in SECONDS}
"""Fields that state a rate, and their unit."""

MOST_TRACE_FAULTS = 100
"""Faulty rows of a trace that an answer tells one by one."""


def traffic_of(request: PlanRequest) -> Traffic:
    """Return the traffic of *request*: what it states, else what its trace has, else its preset.

    Raises:
        BadRequest: no rate or several, no lengths, an unknown preset, a trace that cannot be read, or values that
            do not go together; all faults in one message.
    """
    faults = Faults()
    preset, trace = faults.attempt(preset_of, request), faults.attempt(trace_of, request)
    faults.tell()
    measured = trace.traffic if trace else None
    usual = preset.traffic(1.0) if preset else None
    known = measured or usual
    rate = faults.attempt(_rate, request, measured)
    input_ = faults.attempt(_lengths, "input_tokens", request.input_tokens, known.input if known else None)
    output = faults.attempt(_lengths, "output_tokens", request.output_tokens, known.output if known else None)
    faults.tell()
    peak, hits = request.peak_factor, request.prefix_cache_hit_rate
    if peak is None:
        peak = known.peak if known else 1.0
    if hits is None:
        hits = usual.prefix_hits if usual else 0.0
    return Traffic(rate, input_, output, peak, hits)


def preset_of(request: PlanRequest) -> Preset | None:
    """Return the preset that *request* names, None where it names none.

    Raises:
        BadRequest: there is no such preset.
    """
    if request.preset is None:
        return None
    (name,) = chosen("preset", [request.preset], tuple(presets()))
    return presets()[name]


def assumed(request: PlanRequest) -> tuple[Sentence, ...]:
    """Return what stands in for what *request* does not state, and how far to trust it."""
    preset = preset_of(request)
    if preset is None:
        return ()
    origin = preset.provenance
    return (say("plan.preset", name=preset.name, source=origin.source, confidence=origin.confidence),)


def trace_of(request: PlanRequest) -> Trace | None:
    """Return what the trace of *request* says, None where it has none.

    Raises:
        BadRequest: it cannot be read.
    """
    return None if request.trace is None else _trace(request.trace)


@lru_cache(maxsize=4)
def _trace(content: str) -> Trace:
    """Read a trace; kept, since its traffic and its faults are asked for in turn."""
    return read_trace(content)


def trace_answer(trace: Trace) -> dict[str, Any]:
    """Return what was read from a trace, and which of its lines (1: the header) were not, as an answer tells it."""
    traffic = trace.traffic
    return {
        "rows": trace.rows,
        "unit": trace.unit,
        "requests_per_second": traffic.rate,
        "peak_factor": traffic.peak,
        "input_tokens": _summary(traffic.input),
        "output_tokens": _summary(traffic.output),
        "day": None if trace.day is None else list(trace.day),
        "faulty_rows": len(trace.faults),
        "faults": [
            {"line": fault.line, "reason": str(fault.sentence)} for fault in trace.faults[:MOST_TRACE_FAULTS]
        ],
    }


def _summary(lengths: Lengths) -> dict[str, float]:
    return {"mean": lengths.mean, "p95": lengths.quantile(0.95)}


def _rate(request: PlanRequest, measured: Traffic | None) -> float:
    """Return the mean requests per second that *request* states, else those of its trace."""
    given = [name for name in RATES if getattr(request, name) is not None]
    if len(given) > 1:
        raise BadRequest("plan.two_rates", field=given[1], given=", ".join(given))
    if given:
        tokens = fixed(1.0)
        return stated_traffic(getattr(request, given[0]), tokens, tokens, per=RATES[given[0]]).rate
    if measured is None:
        raise BadRequest("plan.no_rate", field="requests_per_second", choices=", ".join(RATES))
    return measured.rate


def _lengths(field: str, given: float | Spread | None, known: Lengths | None) -> Lengths:
    if isinstance(given, Spread):
        return lognormal(given.mean, given.p95, field=f"{field}.p95")
    if given is not None:
        return fixed(given)
    if known is None:
        raise BadRequest("plan.no_lengths", field=field, presets=", ".join(presets()))
    return known
