"""From a workload to the deployments that serve it: search space, evaluation, reasons, ranking."""
