"""A whole gateway on a disk that takes no more: it serves on, says so, and catches up when there is room again."""

from __future__ import annotations

import resource
from pathlib import Path

from gateway.events import Decision
from tests.log.process import serving
from tests.support.gateway import eventually
from tests.support.upstream import Upstream


def test_a_full_disk_stops_learning_and_not_serving(tmp_path: Path, upstream: Upstream) -> None:
    with serving(tmp_path / "home", upstream=upstream.url) as gateway:
        first = gateway.chat()
        assert "x-polyculture-log" not in first.headers

        limits = resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        answers = [gateway.chat(f"Question {number}", stream=number % 2 == 0) for number in range(20)]
        assert {answer.status_code for answer in answers} == {200}
        assert {answer.headers.get("x-polyculture-log") for answer in answers[1::2]} == {"unavailable"}
        name = first.headers["x-polyculture-decision-id"]
        refused = gateway.feedback({"decision_id": name, "score": 1})
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        assert gateway.client.get("/readyz").json()["log"] == "unavailable"
        assert gateway.metric("polyculture_log_healthy") == 0
        assert gateway.metric("polyculture_undurable_responses_total") == 20
        assert gateway.metric("polyculture_log_pending_events") >= 40

        resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, limits)
        eventually(lambda: gateway.metric("polyculture_log_healthy") == 1)
        eventually(lambda: gateway.metric("polyculture_log_pending_events") == 0)
        assert gateway.client.get("/readyz").json()["log"] == "ok"
        names = [answer.headers["x-polyculture-decision-id"] for answer in [first, *answers]]
        for name in names:
            assert len(gateway.events(Decision, about=name)) == 1
            assert gateway.feedback({"decision_id": name, "score": 1}).json()["status"] == "recorded"
        assert gateway.metric("polyculture_log_dropped_events") == 0
        assert gateway.stop() == 0
