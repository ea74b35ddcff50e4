"""What the monitor gives to Prometheus, Alertmanager and Grafana: rules, their tests, a route, a dashboard.

All of it follows from the same thresholds and the same exporters as the page, so that an alert and the page
never disagree. Rules come in two steps: recording rules translate whatever exporters there are into names of
our own, `llmops:<indicator>:<unit>`; alerts and dashboard use those names alone.
"""
