"""A live cluster, observed through Prometheus: what is exported, how it stands, what to do about it."""
