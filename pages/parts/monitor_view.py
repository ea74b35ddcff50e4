"""What every part of the Monitor page is handed: the inputs, what was read, and the words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.monitoring.endpoints import Endpoint
from core.monitoring.snapshot import Snapshot
from core.monitoring.thresholds import Thresholds
from core.text import Sentence
from pages.parts import language
from pages.parts.breakdown import plain
from pages.parts.inputs import Inputs
from pages.parts.monitor_data import Look
from pages.parts.monitor_fields import RANGES


@dataclass(frozen=True)
class View:
    """One drawing of the page: the data of `look`, which has a snapshot, judged by `thresholds`."""

    inputs: Inputs
    endpoint: Endpoint
    look: Look
    thresholds: Thresholds
    t: Callable[..., str]

    @property
    def snapshot(self) -> Snapshot:
        """The data."""
        assert self.look.snapshot is not None  # noqa: S101 - for the reader: nothing is drawn without
        return self.look.snapshot

    @property
    def span_s(self) -> float:
        """How far charts go back, in seconds."""
        return RANGES[str(self.inputs["range"])]

    @property
    def locale(self) -> str:
        """The language of the page."""
        return language.current()

    def read(self, sentence: Sentence) -> str:
        """Return *sentence* in the language of the page, as Markdown that shows it as it is."""
        return plain(sentence.render(self.locale))
