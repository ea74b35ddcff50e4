"""All exports as files: what the page offers for download, and one zip of everything."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

from core.monitoring.export.alertmanager import alertmanager
from core.monitoring.export.grafana import dashboard
from core.monitoring.export.operator import DEFAULT_NAME, DEFAULT_NAMESPACE, prometheus_rule
from core.monitoring.export.rule_tests import RULES_FILE, TESTS_FILE, rule_tests
from core.monitoring.export.rules import Rules, rules, titles
from core.monitoring.exporters import Detected
from core.monitoring.thresholds import Thresholds
from core.text import DEFAULT_LANGUAGE, Sentence, say, text

OPERATOR_FILE = "llm-serving.prometheusrule.yaml"
DASHBOARD_FILE = "llm-serving.grafana.json"
STANDALONE_FILE = "llm-serving.grafana-standalone.json"
ALERTMANAGER_FILE = "llm-serving.alertmanager.yml"
BUNDLE_FILE = "llm-serving-monitoring.zip"

_YAML, _JSON = "application/yaml", "application/json"

# Nothing in a file may depend on when or where it was made: the oldest time that a zip can hold.
_MADE = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644


@dataclass(frozen=True)
class Export:
    """One file to take away: its name, type and content, what it is, and how it is loaded."""

    name: str
    mime: str
    content: bytes
    title: Sentence
    how: Sentence


def exports(
    thresholds: Thresholds,
    detected: Detected | None = None,
    *,
    name: str = DEFAULT_NAME,
    namespace: str = DEFAULT_NAMESPACE,
    labels: Mapping[str, str] | None = None,
    language: str = DEFAULT_LANGUAGE,
) -> tuple[Export, ...]:
    """Return the files for *thresholds* and the exporters *detected*, the zip of all last.

    Without exporters they are made for DCGM and vLLM. *name*, *namespace* and *labels* are those of the
    `PrometheusRule`. Same arguments, same bytes. Nothing of an endpoint enters: no address, no secret.

    Raises:
        BadRequest: a name, namespace or label that Kubernetes does not take.
    """
    made = rules(thresholds, detected, language=language)
    comments = made.comments(language)
    operator = prometheus_rule(made.groups, name=name, namespace=namespace, labels=labels, comments=comments)
    single = (
        _export("rules", RULES_FILE, _YAML, made.as_yaml(language)),
        _export("operator", OPERATOR_FILE, _YAML, operator),
        _export("rule_tests", TESTS_FILE, _YAML, rule_tests(made, language)),
        _export("dashboard", DASHBOARD_FILE, _JSON, dashboard(made, language=language)),
        _export("standalone", STANDALONE_FILE, _JSON, dashboard(made, recorded=False, language=language)),
        _export("alertmanager", ALERTMANAGER_FILE, _YAML, alertmanager(language)),
    )
    return (*single, _export("bundle", BUNDLE_FILE, "application/zip", _zipped(single, made, language)))


def _export(kind: str, file: str, mime: str, content: str | bytes) -> Export:
    return Export(
        name=file,
        mime=mime,
        content=content.encode() if isinstance(content, str) else content,
        title=say(f"monitoring.export.title.{kind}"),
        how=say(f"monitoring.export.loaded.{kind}", file=file, rules=RULES_FILE),
    )


def _zipped(files: tuple[Export, ...], made: Rules, language: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [("README.md", readme(files, made, language).encode())] + [
            (file.name, file.content) for file in files
        ]:
            entry = zipfile.ZipInfo(name, _MADE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = _MODE << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def readme(files: tuple[Export, ...], made: Rules, language: str = DEFAULT_LANGUAGE) -> str:
    """Return the README of the zip: what the files were made from, and how each is loaded."""

    def line(key: str, **values: object) -> str:
        return text(f"monitoring.export.readme.{key}", language, **values)

    parts = [
        f"# {line('head')}",
        line("about", preset=made.thresholds.name, exporters=titles(made.detected)),
        line("order"),
        *(f"## {file.title.render(language)}: {file.name}\n\n{file.how.render(language)}" for file in files),
    ]
    if made.missing:
        named = ", ".join(one.name.render(language) for one in made.missing)
        parts.append(line("missing", indicators=named))
    return "\n\n".join([*parts, line("secrets")]) + "\n"
