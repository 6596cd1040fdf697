"""The overview: up to date, about every metric, and each of its queries returns data from a real Prometheus."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import yaml

from dashboards import FILES, HERE, alerts, overview
from dashboards.overview import ROWS, VARIABLES
from gateway import __version__
from gateway.metrics import Metrics
from tests.dashboards.scraping import Prometheus, scraping
from tests.support import answers, cards, gateway
from tests.support.gateway import ADMIN_KEY, Gateway, eventually
from tests.support.upstream import Script, Upstream, refusal, whole

#: Rows as peers and users know them, in their order.
ORDER = ["Traffic", "Tokens and cost", "Routing and model distribution", "Learning", "Model health", "Process"]

ADMIN = {"authorization": f"Bearer {ADMIN_KEY}"}

QUERIES = [(panel.title, query.expression) for panels in ROWS.values() for panel in panels for query in panel.queries]
RULES = [rule["expr"] for group in yaml.safe_load(alerts.rendered())["groups"] for rule in group["rules"]]


def families() -> dict[str, str]:
    """Every metric with its type."""
    return {family.name: family.type for family in Metrics(version=__version__).registry.collect()}


def samples() -> set[str]:
    """The names under which Prometheus keeps them."""
    endings = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"], "info": ["_info"], "gauge": [""]}
    return {name + ending for name, kind in families().items() for ending in endings[kind]}


def named(expression: str) -> set[str]:
    return set(re.findall(r"polyculture_\w+", expression))


def test_the_files_are_up_to_date() -> None:
    for folder in (HERE, FILES):
        text = (folder / overview.NAME).read_text(encoding="utf-8")
        assert text == overview.rendered(), "run: python -m dashboards"
    shown = json.loads(overview.rendered())["panels"]
    assert [panel["title"] for panel in shown if panel["type"] == "row"] == ORDER
    assert len({panel["id"] for panel in shown}) == len(shown)


def test_no_panel_lies_on_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(overview.rendered())["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])}
        assert taken.isdisjoint(cells), panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_every_name_in_panels_and_rules_is_a_metric() -> None:
    for expression in [*(expression for _, expression in QUERIES), *RULES, *VARIABLES.values()]:
        assert named(expression)
        assert named(expression) <= samples(), expression


def test_every_metric_is_on_some_panel() -> None:
    shown = set().union(*(named(expression) for _, expression in QUERIES))
    unseen = {
        name for name in families() if not any(re.fullmatch(rf"{name}(_total|_bucket|_info)?", each) for each in shown)
    }
    assert unseen == set()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, shared_upstream: Upstream) -> Iterator[Prometheus]:
    """Prometheus before a gateway with traffic of every kind, twice: rates need a before and an after."""
    home = tmp_path_factory.mktemp("watched")
    shared_upstream.clear()
    models = [
        cards.card("good", shared_upstream.url, price={"input": 1.0, "output": 2.0}, tags=["pair"]),
        cards.card("bad", shared_upstream.url, tags=["pair"]),
        cards.card("mute", shared_upstream.url),
    ]
    shared_upstream.scripts["bad"] = refusal(500)
    shared_upstream.scripts["mute"] = Script(pieces=[whole(answers.compact({"choices": [], "usage": answers.USAGE}))])
    with gateway.launched(home / "gateway", {"models": models}) as running, scraping(running, home) as found:
        shadow = {"policy": "linucb", "canary": 0.5}
        assert running.client.post("/admin/v1/router/shadow", json=shadow, headers=ADMIN).status_code == 200
        for _ in range(2):
            traffic(running)
            learned = f"polyculture_learner_lessons >= {running.metric('polyculture_learner_lessons')}"
            eventually(partial(found.query, learned))
        yield found
    shared_upstream.clear()


def traffic(running: Gateway) -> None:
    """Answers, fallbacks, failures, faults, feedback."""
    for number in range(12):
        running.chat(f"Question {number}", headers={"x-polyculture-tags": "pair"})
        answer = running.chat(f"Question {number}", stream=number % 2 == 0)
        running.feedback({"decision_id": answer.headers["x-polyculture-decision-id"], "score": 1.0})
    running.chat(model="bad")
    running.chat(model="mute")


def concrete(expression: str) -> str:
    """The expression with Grafana's variables filled in."""
    return expression.replace("$job", ".+").replace("$instance", ".+").replace("$__rate_interval", "1h")


def numbers(result: list[dict[str, Any]]) -> list[float]:
    return [float(series["value"][1]) for series in result]


@pytest.mark.parametrize(("title", "expression"), QUERIES, ids=[f"{title}-{n}" for n, (title, _) in enumerate(QUERIES)])
def test_each_query_returns_data(server: Prometheus, title: str, expression: str) -> None:
    found = numbers(eventually(lambda: server.query(concrete(expression))))
    assert any(math.isfinite(number) for number in found), title


def test_the_variables_have_values(server: Prometheus) -> None:
    for query in VARIABLES.values():
        metric, label = query.removeprefix("label_values(").removesuffix(")").rsplit(", ", 1)
        found = server.query(concrete(metric))
        assert found
        assert all(series["metric"][label] for series in found)


def test_prometheus_takes_every_rule(server: Prometheus) -> None:
    health = eventually(lambda: (found := server.rules()) and "unknown" not in found.values() and found)
    assert set(health.values()) == {"ok"}
    assert len(health) == len(RULES)


def test_the_overview_shows_what_happened(server: Prometheus) -> None:
    def at_least(expression: str, least: float) -> bool:
        return numbers(server.query(expression)) >= [least]

    assert at_least("sum(polyculture_fallbacks_total)", 1)
    assert at_least('sum(polyculture_upstream_failures_total{model="bad"})', 2)
    assert at_least("sum(polyculture_cost_usd_total)", 1e-6)
