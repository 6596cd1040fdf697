"""``GET /metrics``: what is counted, how it is named, and that labels stay bounded."""

from __future__ import annotations

import re

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import METRICS_TOKEN, Start
from tests.support.cards import card
from tests.support.gateway import Gateway
from tests.support.upstream import Upstream

#: All labels that there are; each has few values.
LABELS = {
    *("endpoint", "model", "status", "direction", "reason", "kind", "version", "check", "cause", "group", "band"),
    *("limit", "stage", "span"),
}


def test_what_happened_is_counted(start: Start, upstream: Upstream) -> None:
    models = [card("one", upstream.url, price={"input": 1.0, "output": 2.0}), card("two", upstream.url)]
    gateway = start({"models": models})
    for number in range(20):
        gateway.chat(f"Question {number}", stream=number % 2 == 0)
    gateway.chat(model="one")
    gateway.chat(model="nonsense")
    gateway.client.post("/v1/chat/completions", content=b"{")
    metric = gateway.metric
    assert metric("polyculture_requests_total", endpoint="chat", status="200") == 21
    assert metric("polyculture_requests_total", endpoint="chat", model="", status="404") == 1
    assert metric("polyculture_requests_total", endpoint="unread", model="", status="400") == 1
    assert metric("polyculture_request_duration_seconds_count", endpoint="chat") == 22
    assert metric("polyculture_overhead_seconds_count", endpoint="chat") == 21
    assert metric("polyculture_upstream_first_byte_seconds_count") == 21
    assert metric("polyculture_routed_total", reason="policy") == 20
    whole_answers = 11  # streams were not asked for their usage
    assert metric("polyculture_tokens_total", direction="input") == 10 * whole_answers
    assert metric("polyculture_tokens_total", direction="output") == 5 * whole_answers
    cost = metric("polyculture_cost_usd_total", model="one")
    assert cost == pytest.approx(metric("polyculture_tokens_total", model="one", direction="input") * 2e-6)
    assert metric("polyculture_routed_share") == pytest.approx(1)
    assert 1 <= metric("polyculture_effective_models") <= 2
    assert 0.5 <= metric("polyculture_largest_share") <= 1
    assert metric("polyculture_embedding_duration_seconds_count") == 20
    assert metric("polyculture_log_healthy") == 1
    assert metric("polyculture_router_version") > 40
    assert metric("polyculture_learner_lag_events") < 40
    assert metric("polyculture_build_info") == 1


def test_a_streams_tokens_count_where_the_upstream_tells_them(healthy: Gateway) -> None:
    before = healthy.metric("polyculture_tokens_total", direction="output")
    healthy.chat(stream=True)
    healthy.chat(stream=True, stream_options={"include_usage": True})
    assert healthy.metric("polyculture_tokens_total", direction="output") == before + 5


def test_names_and_labels_keep_to_the_rules(healthy: Gateway) -> None:
    for number in range(60):
        healthy.chat(model=f"made-up-{number}")
        healthy.chat(model="chat", user=f"user-{number}", headers={"x-polyculture-tags": f"tag-{number}"})
        healthy.client.get(f"/nowhere/{number}")
        healthy.feedback({"decision_id": f"{number:032x}", "metric": f"m-{number}", "value": 1})
    text = healthy.client.get("/metrics").text
    assert "_created" not in text
    assert not re.search(r"made-up|user-|tag-|nowhere|m-\d", text)
    for family in text_string_to_metric_families(text):
        assert family.name.startswith("polyculture_")
        assert family.documentation
        for sample in family.samples:
            labels = set(sample.labels) - {"le"}
            assert labels <= LABELS
        assert len(family.samples) < 300


def test_other_machines_need_the_token(healthy: Gateway) -> None:
    """A forwarded request is another machine's, whoever forwards it."""
    forwarded = {"x-forwarded-for": "203.0.113.9"}
    for headers, status in (
        ({}, 200),
        (forwarded, 403),
        (forwarded | {"authorization": "Bearer wrong"}, 403),
        (forwarded | {"authorization": f"Bearer {METRICS_TOKEN}"}, 200),
    ):
        answer = httpx.get(f"{healthy.url}/metrics", headers=headers)
        assert answer.status_code == status
        if status == 200:
            assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        else:
            assert answer.json()["error"]["type"] == "permission_error"
