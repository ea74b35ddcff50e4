"""A small cluster that does not exist, watched by a Prometheus that does."""
