"""The Monitor page, without a browser, on a store that answers from tables."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.monitoring.answers import Answer
from core.monitoring.collect import collect
from core.monitoring.demo.cluster import DemoCluster, State
from core.monitoring.endpoints import Endpoint
from core.monitoring.faults import FAULTS, MonitoringFault
from core.monitoring.thresholds import PRESETS
from core.text import LANGUAGES, Sentence, say, text
from pages.parts import monitor_data, monitor_where
from pages.parts.monitor_fields import matchers, thresholds_of
from pages.parts.monitor_gpus import cells_of
from pages.parts.monitor_series import MOST
from tests.conftest import ROOT
from tests.core.monitoring.cluster import NAMES, NOW, Cluster, changed, detected, healthy, replica, without

TOKEN = "very-secret-token"  # noqa: S105 - looked for in what a page sends
HOT = "gpu_hot~gpu~node-1~3"


@dataclass
class Store(Cluster):
    """A cluster as a whole client; `fault` is raised by every question."""

    fault: MonitoringFault | None = None
    charts: int = 0
    closed: bool = False
    notes: tuple[Sentence, ...] = ()

    def close(self) -> None:
        self.closed = True

    def names(self) -> frozenset[str]:
        if self.fault:
            raise self.fault
        return NAMES

    def instant(self, query: str, at: float | None = None) -> Answer:
        if self.fault:
            raise self.fault
        return super().instant(query, at)

    def range(
        self, query: str, start: float, end: float, step: float | None = None, series: int = 1
    ) -> Answer:
        if self.fault:
            raise self.fault
        if step is not None:
            return super().range(query, start, end, step, series)
        self.asked.append((query, end))
        self.charts += 1
        times = np.linspace(start, end, 20)
        return Answer(({"node": "node-1"},), times, np.full((1, 20), 0.5), (), False, 0.0, notes=self.notes)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The store behind the page, which has an endpoint with a token."""
    made = Store(**healthy().__dict__)
    for cache in (monitor_data.store, monitor_data._read, monitor_data._curves, monitor_data._advice):
        cache.clear()
    monitor_where._configuration.clear()
    monkeypatch.setenv("PROMETHEUS_URL", "http://store.example:9090")
    monkeypatch.setenv("PROMETHEUS_TOKEN", TOKEN)
    monkeypatch.setattr(monitor_data, "Prometheus", lambda _: made)
    yield made
    monitor_where._configuration.clear()
    monitor_data.store.clear()


def page(**query: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "pages/main.py"), default_timeout=60)
    at.run()
    for name, value in query.items():
        at.query_params[name] = value
    at.switch_page("monitor.py").run()
    assert not at.exception
    return at


def words(at: AppTest) -> str:
    kinds = ("error", "warning", "info", "markdown", "caption", "subheader", "code")
    return " ".join(str(one.value) for kind in kinds for one in at.get(kind))


def headline(at: AppTest) -> str:
    return str(at.subheader[0].value)


def later(at: AppTest) -> AppTest:
    """Read again, as after an interval."""
    at.button(key="monitor_now").click().run()
    assert not at.exception
    return at


def test_a_healthy_cluster_is_all_clear(cluster: Store) -> None:
    at = page()
    assert text("monitor_page.clear") in headline(at)
    cards = {metric.label: metric.value for metric in at.metric}
    assert cards[text("monitor_page.card.gpus")] == "16"
    assert cards[text("monitor_page.card.replicas")] == "2"
    assert cards[text("monitor_page.card.gpu_utilisation")] == "82 %"


def test_a_fault_is_a_line_that_opens_by_a_link(cluster: Store) -> None:
    changed(cluster, "gpu_temperature:average", 93.0, node="node-1", gpu="3")
    closed = page()
    assert "1 finding" in headline(closed)
    assert text("monitor_page.cause") not in words(closed)
    at = page(finding=HOT)
    assert text("monitor_page.cause") in words(at)
    assert text("monitor_page.remedies") in words(at)
    at.button(
        key=next(one.key for one in at.button if str(one.key).startswith("monitor_finding_"))
    ).click().run()
    assert "finding" not in at.query_params
    assert text("monitor_page.cause") not in words(at)


def test_a_place_of_a_finding_leads_to_its_history_and_back(cluster: Store) -> None:
    changed(cluster, "gpu_temperature:average", 93.0, node="node-1", gpu="3")
    at = page(finding=HOT)
    at.button(key="monitor_place_0").click().run()
    assert at.query_params["subject"] == "gpu~node-1~3"
    at.button(key="monitor_back_1").click().run()
    assert at.query_params["subject"] == "node~node-1"
    at.button(key="monitor_back_0").click().run()
    assert "subject" not in at.query_params


def test_a_changed_limit_clears_a_finding_and_is_in_the_link(cluster: Store) -> None:
    changed(cluster, "gpu_temperature:average", 88.0, node="node-1", gpu="3")
    at = page()
    assert "1 finding" in headline(at)
    at.session_state["monitor_limit_gpu_temperature"] = True
    at.run()
    asked = len(cluster.asked)
    at.number_input(key="monitor_bound_gpu_temperature_high").set_value(89.0).run()
    assert text("monitor_page.clear") in headline(at)
    assert at.query_params["limits"] == "gpu_temperature.high:89"
    assert len(cluster.asked) == asked, "a changed limit needs no new question"
    assert text("monitor_page.clear") in headline(page(limits="gpu_temperature.high:89"))
    at.button(key="monitor_reset").click().run()
    assert "1 finding" in headline(at)


def test_a_limit_that_cannot_be_says_why(cluster: Store) -> None:
    at = page(limits="gpu_temperature.high:95")
    at.session_state["monitor_limit_gpu_temperature"] = True
    at.run()
    assert "90" in " ".join(str(one.value) for one in at.error)
    assert "link" in words(page(limits="nothing.high:1")) or at.warning


def test_partial_answers_are_never_all_clear(cluster: Store) -> None:
    cluster.partial, cluster.warnings = True, ("a store was away",)
    at = page()
    assert text("monitor_page.unknown") in headline(at)
    assert "a store was away" in words(at)


def test_without_samples_nothing_is_clear(cluster: Store) -> None:
    cluster.rows.clear()
    assert text("monitor_page.unknown") in headline(page())
    assert text("monitor_page.empty_title") in " ".join(str(one.proto.title) for one in page().warning)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_store_that_goes_away_leaves_its_last_data_greyed(cluster: Store, fault: Any) -> None:
    at = page()
    cluster.fault = MonitoringFault(fault, "unreachable.refused", host="store.example", port=9090)
    later(at)
    assert "store.example" in at.error[0].value
    assert text("monitor_page.clear") not in headline(at)
    assert "grayscale" in " ".join(str(one.proto.body) for one in at.get("html"))
    assert at.metric[0].value == "16"
    cluster.fault = None
    assert text("monitor_page.clear") in headline(later(at))
    assert not at.error


def test_what_is_kept_of_a_fault_holds_nothing_that_was_read(cluster: Store) -> None:
    cluster.fault = MonitoringFault("too_much_data", "too_much_data.bytes", most=64)
    seen = monitor_data.look(cluster.endpoint, PRESETS["serving"], "", NOW)
    assert seen.fault is not None
    assert (seen.fault.fault, seen.fault.message) == (cluster.fault.fault, cluster.fault.message)
    assert seen.fault.__traceback__ is None
    assert seen.fault.__context__ is None


def test_a_store_that_is_not_kept_is_closed(cluster: Store) -> None:
    monitor_data.store(cluster.endpoint, "one")
    monitor_data.store.clear()
    assert cluster.closed


def test_a_slow_scrape_is_judged_and_not_warming_up_for_ever(cluster: Store) -> None:
    for level in ("gpu", "engine"):
        cluster.put(f"{level}_samples", [({}, 5.0)])
    for name in ("gpu_temperature:samples", "kv_usage:samples"):
        cluster.rows[name] = [(labels, 7.0) for labels, _ in cluster.rows[name]]
    at = page()
    assert text("monitor_page.clear") in headline(at)
    changed(cluster, "gpu_temperature:average", 93.0, node="node-1", gpu="3")
    assert "1 finding" in headline(later(at))


def test_a_large_fleet_is_asked_again_where_a_limit_was_changed(cluster: Store) -> None:
    serving = PRESETS["serving"]
    cluster.put("gpu", [({}, 2001.0)])
    monitor_data.look(cluster.endpoint, serving, "", NOW)
    asked = len(cluster.asked)
    changed_limit = serving.changed("gpu_temperature", high=70.0)
    monitor_data.look(cluster.endpoint, changed_limit, "", NOW)
    assert any("> 70" in query for query, _ in cluster.asked[asked:])


def test_labels_that_were_renamed_are_never_all_clear(cluster: Store) -> None:
    for name, rows in cluster.rows.items():
        cluster.rows[name] = [({}, value) for labels, value in rows if "gpu" in labels][:1] or rows
    cluster.put("gpu", [({}, 1.0)])
    at = page()
    assert text("monitor_page.unknown") in headline(at)
    assert "Hostname" in words(at)


def test_how_much_a_batch_may_hold_is_asked_for_and_in_the_link(cluster: Store) -> None:
    at = page()
    at.session_state["monitor_limit_batch_efficiency"] = True
    at.run()
    assert not any("vllm:num_requests_running" in query and "/ 256" in query for query, _ in cluster.asked)
    at.number_input(key="monitor_max_num_seqs").set_value(256).run()
    assert at.query_params["max_num_seqs"] == "256"
    assert any("vllm:num_requests_running" in query and "/ 256" in query for query, _ in cluster.asked)
    cluster.put("batch_efficiency:average", [(replica(f"node-{node}"), 0.4) for node in range(2)])
    cluster.put("queue:average", [(replica(f"node-{node}"), 4.0) for node in range(2)])
    assert text("monitoring.finding.batch_low.title") in " ".join(one.label for one in later(at).button)


@pytest.mark.parametrize("name", ["compute_utilisation", "e2e"])
def test_what_is_not_flagged_as_others_are_says_so(cluster: Store, name: str) -> None:
    at = page()
    at.session_state[f"monitor_limit_{name}"] = True
    at.run()
    assert text(f"monitor_page.limit_note.{name}") in words(at)


def test_a_store_that_never_answered_says_so(cluster: Store) -> None:
    cluster.fault = MonitoringFault("unreachable", "unreachable.refused", host="store.example", port=9090)
    at = page()
    assert text("monitor_page.nothing_yet") in at.error[0].value
    assert not at.metric


def test_no_secret_leaves_the_server(cluster: Store) -> None:
    changed(cluster, "gpu_temperature:average", 93.0, node="node-1", gpu="3")
    at = page(finding=HOT)
    for name in ("monitor_missing", "monitor_export", "monitor_connect_panel"):
        at.session_state[name] = True
    at.run()
    assert not at.exception
    sent = "".join(str(getattr(one, "proto", "")) for one in at._tree)
    assert "store.example" not in sent, "nor an address, which the operator may not want known"
    assert text("monitor_page.cause") in sent
    assert TOKEN not in sent
    assert TOKEN not in str(at.query_params)
    assert len(at.get("download_button")) == 7


def test_what_is_missing_names_the_line_that_enables_it(cluster: Store) -> None:
    at = page()
    at.session_state["monitor_missing"] = True
    at.run()
    assert "DCGM_FI_PROF_SM_ACTIVE" in words(at)


@pytest.mark.parametrize(
    "query", [{}, {"subject": "node~node-1"}, {"finding": HOT}, {"subject": "gpu~node-1~3"}]
)
def test_at_most_25_questions_a_refresh(cluster: Store, query: dict[str, str]) -> None:
    changed(cluster, "gpu_temperature:average", 93.0, node="node-1", gpu="3")
    page(**query)
    assert 0 < cluster.charts <= MOST
    assert len(cluster.asked) <= 25


def test_a_chart_says_what_is_odd_about_its_answer(cluster: Store) -> None:
    cluster.notes = (say("monitoring.answer.duplicates", count=3),)
    assert "3 series carry the same labels" in words(page())


def test_another_visitor_asks_nothing_anew(cluster: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor_data, "GRID_S", 10**6)
    page()
    asked = len(cluster.asked)
    page()
    assert len(cluster.asked) == asked


def test_a_run_without_new_data_is_fast(cluster: Store) -> None:
    at = page(refresh="off")
    at.run()
    began = time.process_time()
    for _ in range(5):
        at.run()
    assert (time.process_time() - began) / 5 < 0.3


@pytest.mark.parametrize("language", LANGUAGES)
def test_speaks_both_languages(cluster: Store, language: str) -> None:
    changed(cluster, "gpu_temperature:average", 93.0, node="node-1", gpu="3")
    at = page(lang=language, finding=HOT, subject="gpu~node-1~3", limits="ttft.high:0.4", heat="kv_usage")
    assert text("monitor_page.cause", language) in words(at)
    assert "{" not in headline(at)


def test_names_from_the_store_are_shown_as_they_are(cluster: Store) -> None:
    for name, rows in cluster.rows.items():
        cluster.rows[name] = [
            ({key: value.replace("node-1", "**x**<b>") for key, value in labels.items()}, value)
            for labels, value in rows
        ]
    changed(cluster, "gpu_temperature:average", 93.0, node="**x**<b>", gpu="3")
    at = page()
    shown = next(one.label for one in at.button if str(one.key).startswith("monitor_finding_"))
    assert r"\*\*x\*\*\<b\>" in shown


def test_a_filter_is_matchers_and_nothing_else(cluster: Store) -> None:
    assert matchers('a="b"} or up{c="d"') is None
    assert matchers('a=~"x|y", b!="c\\"d"')
    at = page(filter='cluster="eu"')
    assert any('cluster="eu"' in query for query, _ in cluster.asked)
    at.text_input(key="monitor_filter").set_value("up or vector(1)").run()
    assert at.query_params["filter"] == 'cluster="eu"'
    assert "up or vector(1)" in words(at)


def test_both_bounds_of_a_band_move_together() -> None:
    found, refused = thresholds_of("serving", {"ttft.high": 2.0, "ttft.high_bad": 4.0})
    assert not refused
    assert (found["ttft"].high, found["ttft"].high_bad) == (2.0, 4.0)
    found, refused = thresholds_of("serving", {"ttft.high": 2.0, "queue.high": 9.0})
    assert set(refused) == {"ttft"}
    assert found["queue"].high == 9.0


def test_a_large_fleet_is_drawn_by_node() -> None:
    snapshot = replace(collect(healthy(), detected(), PRESETS["serving"]), aggregated=True)  # type: ignore[arg-type]
    cells = cells_of("gpu_utilisation", snapshot.nodes, snapshot, PRESETS["serving"])
    assert not cells.gpus
    assert cells.ids == ["node~node-0", "node~node-1"]


def test_a_missing_gpu_has_a_cell_that_is_unknown() -> None:
    cluster = healthy()
    without(cluster, gpu="7", node="node-0")
    cluster.put("gpu_gone", [({"node": "node-0", "gpu": "7"}, 60.0)])
    snapshot = collect(cluster, detected(), PRESETS["serving"], at=NOW)  # type: ignore[arg-type]
    cells = cells_of("gpu_utilisation", snapshot.gpus, snapshot, PRESETS["serving"])
    shades = dict(zip(cells.ids, cells.shades, strict=True))
    assert len(cells.ids) == 16
    assert shades["gpu~node-0~7"] == "unknown"


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoCluster]:
    """The demo cluster of a machine without an endpoint, which does not start by itself."""
    made = DemoCluster()
    monkeypatch.delenv("PROMETHEUS_URL", raising=False)
    monkeypatch.setattr(monitor_where, "demo_cluster", lambda: made)
    monitor_where._configuration.clear()
    yield made
    monitor_where._configuration.clear()


def test_a_start_tells_how_far_it_is(demo: DemoCluster) -> None:
    demo.state = State.STARTING
    at = page()
    assert not at.error
    assert not at.metric
    assert text("monitor_page.demo.steps") in words(at)


def test_a_demo_without_its_program_says_what_to_install(demo: DemoCluster) -> None:
    demo.state = State.FAILED
    demo.sentence = say("monitoring.demo.missing", program="Prometheus", command="apt-get install prometheus")
    at = page()
    assert "apt-get install prometheus" in at.error[0].value


def test_an_address_that_is_not_allowed_says_why(demo: DemoCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONITOR_TYPED_ADDRESSES", "0")
    demo.state = State.STARTING
    at = page()
    at.session_state["monitor_connect_panel"] = True
    at.run()
    at.text_input(key="monitor_address").set_value("http://169.254.169.254/latest")
    at.button[-1].click().run()
    assert "MONITOR" in at.error[0].value
    assert "169.254" not in str(at.query_params)


def test_a_typed_address_is_not_in_the_link(cluster: Store, demo: DemoCluster) -> None:
    demo.state = State.STARTING
    at = page()
    at.session_state[monitor_where.ENTERED] = Endpoint("typed", "http://127.0.0.1:9091", typed=True)
    at.run()
    assert text("monitor_page.clear") in headline(at)
    assert "9091" not in str(at.query_params)


def test_a_typed_address_is_chosen_before_what_is_configured_and_stays_out_of_the_link(
    cluster: Store,
) -> None:
    at = page()
    at.session_state[monitor_where.ENTERED] = Endpoint("127.0.0.1:9091", "http://127.0.0.1:9091", typed=True)
    at.run()
    choice = at.selectbox(key="monitor_endpoint")
    assert (choice.value, choice.options) == ("127.0.0.1:9091", ["127.0.0.1:9091", "prometheus"])
    choice.select("prometheus").run()
    assert at.query_params["endpoint"] == "prometheus"
    at.selectbox(key="monitor_endpoint").select("127.0.0.1:9091").run()
    assert at.selectbox(key="monitor_endpoint").value == "127.0.0.1:9091"
    assert "9091" not in str(at.query_params)


@pytest.mark.parametrize(
    ("address", "headers", "expected"),
    [
        ("127.0.0.1", {"Host": "127.0.0.1:8501"}, True),
        ("::1", {"Host": "[::1]:8501"}, True),
        ("127.0.0.1", {}, True),
        ("127.0.0.1", {"Host": "planner.example"}, False),
        ("127.0.0.1", {"Host": "localhost:8501", "X-Forwarded-For": "203.0.113.7"}, False),
        ("127.0.0.1", {"Host": "localhost:8501", "Forwarded": "for=203.0.113.7"}, False),
        ("0.0.0.0", {"Host": "localhost:8501"}, False),  # noqa: S104 - what is refused
        (None, {}, False),
    ],
)
def test_only_who_sits_at_the_machine_may_type_addresses_unasked(
    address: str | None, headers: dict[str, str], expected: bool
) -> None:
    assert monitor_where.own_machine(address, headers) is expected
