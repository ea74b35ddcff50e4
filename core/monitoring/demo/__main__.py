"""Start the demo cluster, say where it is and what is wrong with it, and serve the dashboard on it.

    python -m core.monitoring.demo [COMMAND…]

COMMAND is what serves the dashboard, as in `make demo`; without one the cluster alone runs until Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

from core.monitoring.demo import ward
from core.monitoring.demo.cluster import DEMO_URL, DemoCluster, DemoUnavailable
from core.monitoring.demo.scenario import PLANTED
from core.monitoring.endpoints import VARIABLES
from core.text import say, text


def told(cluster: DemoCluster) -> str:
    """Return what a person at the terminal should know about the *cluster*."""
    lines = [text("monitoring.demo.address", seconds=cluster.seconds, url=cluster.url)]
    lines.append(text("monitoring.demo.what"))
    for planted in PLANTED:
        fault = say(f"monitoring.demo.fault.{planted.fault}", gpu=planted.gpu)
        lines.append("  " + text("monitoring.demo.planted", node=planted.node, fault=fault))
    return "\n".join([*lines, text("monitoring.demo.stop")])


def main(command: Sequence[str]) -> int:
    """Run until *command* ends, or without one until a signal; return the exit status."""
    # As Ctrl-C, so that the cluster is stopped on the way out. A shell has what it starts in the background
    # ignore Ctrl-C, but here whoever sends it wants the end.
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, signal.default_int_handler)
    try:
        with DemoCluster() as cluster:
            print(told(cluster), flush=True)
            if not command:
                signal.pause()
            # The demo is what is to be seen, also where the environment names another Prometheus.
            environment = {
                name: value for name, value in os.environ.items() if name not in VARIABLES.values()
            }
            with subprocess.Popen(
                [sys.executable, "-I", "-S", ward.__file__, "-", *command],
                env={**environment, DEMO_URL: cluster.url},
                stdin=subprocess.PIPE,
            ) as dashboard:
                # On the way out its input is closed, on which it ends.
                return dashboard.wait()
    except DemoUnavailable as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
