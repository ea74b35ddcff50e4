"""Whether an engine runs on a device at all, and serves the chosen number format there."""

from __future__ import annotations

from core.memory.deployment import Deployment
from core.text import Sentence, say


def unsupported(deployment: Deployment) -> Sentence | None:
    """Return why the engine of *deployment* cannot run on its device, or cannot serve its weights there.

    None where it can, and where the device is not one of the catalogue. The limits are those of the engine's
    YAML file: vendors, and compute capabilities of NVIDIA cards by weight format.
    """
    device, engine = deployment.device, deployment.engine
    if device is None or device.vendor is None:
        return None
    if device.vendor not in engine.fact("vendors"):
        return say("fleet.vendor", engine=engine.label, vendor=device.vendor)
    if device.capability is None:
        return None
    least = float(engine.fact("capability", 0.0))
    if device.capability < least:
        return say("fleet.capability", engine=engine.label, capability=device.capability, least=least)
    least = float(engine.fact("format_capability", {}).get(deployment.weights.id, 0.0))
    if device.capability < least:
        key = "fleet.no_bf16" if deployment.weights.id == "bf16" else "fleet.format"
        return say(
            key,
            format=deployment.weights.label,
            engine=engine.label,
            capability=device.capability,
            least=least,
        )
    return None
