"""Health, the list of models, freezing, starting and stopping."""

from __future__ import annotations

import json
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway import __version__
from gateway.events import Answer, Feedback
from tests.conftest import Start
from tests.support import answers, cards
from tests.support.cards import card
from tests.support.gateway import PATIENCE_S, Gateway
from tests.support.upstream import Script, Upstream, stream


@pytest.mark.parametrize("path", ["/healthz", "/health/liveliness"])
def test_alive(healthy: Gateway, path: str) -> None:
    assert healthy.client.get(path).json() == {"status": "ok", "service": "polyculture", "version": __version__}


@pytest.mark.parametrize("path", ["/readyz", "/health/readiness"])
def test_ready(healthy: Gateway, path: str) -> None:
    assert healthy.client.get(path).json() == {"status": "ready", "models": 7, "log": "ok"}


def test_without_models_it_is_alive_and_not_ready(start: Start) -> None:
    gateway = start({"models": []})
    assert gateway.client.get("/healthz").status_code == 200
    assert gateway.client.get("/readyz").status_code == 503
    answer = gateway.chat()
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "no_eligible_model"


def test_models_are_listed_with_what_they_can_do(healthy: Gateway) -> None:
    listed = healthy.client.get("/v1/models").json()
    assert listed["object"] == "list"
    names = [model["id"] for model in listed["data"]]
    assert names[:4] == ["auto", "auto:quality", "auto:cheap", "auto:eu"]
    assert "retired" not in names
    code = next(model for model in listed["data"] if model["id"] == "code")
    assert (code["tools"], code["json_mode"], code["tags"]) == (True, True, ["eu", "fast"])
    for model in listed["data"]:
        assert model["object"] == "model"
        assert healthy.client.get(f"/v1/models/{model['id']}").json() == model


@pytest.mark.parametrize("name", ["none", "retired", "quality", "auto:none", "auto:", "%00", "a%2Fb", "é"])
def test_a_model_that_is_not_there(healthy: Gateway, name: str) -> None:
    answer = healthy.client.get(f"/v1/models/{name}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "model_not_found"


def test_a_models_id_may_hold_a_slash(start: Start, upstream: Upstream) -> None:
    named = {**card("Qwen/Qwen3-4B:free", upstream.url), "description": "x"}
    gateway = start({"models": [named]})
    assert gateway.client.get("/v1/models/Qwen/Qwen3-4B:free").json()["id"] == named["id"]
    assert gateway.chat(model=named["id"]).headers["x-polyculture-model"] == named["id"]


def test_frozen_feedback_is_kept_and_not_learned(start: Start, upstream: Upstream) -> None:
    models = [card("one", upstream.url), card("two", upstream.url)]
    configuration = {"models": models, "routing": {"share_cap": None}}
    gateway = start(configuration)
    assert gateway.admin("freeze").json() == {"frozen": True}
    before = gateway.probabilities()
    for _ in range(10):
        name = gateway.chat().headers["x-polyculture-decision-id"]
        assert gateway.feedback({"decision_id": name, "score": 1}).json()["learned"] is False
    assert gateway.metric("polyculture_learner_lessons") == 0
    assert gateway.metric("polyculture_learning_frozen") == 1
    assert gateway.probabilities() == before
    gateway.stop()
    again = start(configuration)
    assert again.metric("polyculture_learning_frozen") == 1
    assert again.admin("unfreeze").json() == {"frozen": False}
    name = again.chat().headers["x-polyculture-decision-id"]
    assert again.feedback({"decision_id": name, "score": 1}).json()["learned"] is True


def test_it_opens_as_many_files_as_it_may(start: Start, upstream: Upstream) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        gateway = start({"models": [card("only", upstream.url)]})
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE) == (hard, hard)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well(start: Start, upstream: Upstream, how: signal.Signals) -> None:
    gateway = start({"models": [card("only", upstream.url)]})
    assert gateway.chat().status_code == 200
    assert gateway.stop(how) == 0
    with sqlite3.connect(gateway.data_dir / "polyculture.db") as database:
        assert database.execute("SELECT max(position) FROM snapshots").fetchone()[0] >= 3
    database.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", gateway.port), timeout=5)


def test_answers_under_way_are_finished_before_the_end(start: Start, upstream: Upstream) -> None:
    gateway = start({"models": [card("only", upstream.url)]})
    upstream.scripts["only"] = Script(pieces=stream(answers.events({"model": "only"})), pause_s=0.1)
    with gateway.client.stream("POST", "/v1/chat/completions", json={**QUESTION, "stream": True}) as answer:
        lines = answer.iter_lines()
        assert next(lines)
        gateway.process.send_signal(signal.SIGTERM)
        assert [line for line in lines if line][-1] == "data: [DONE]"
    assert gateway.process.wait(PATIENCE_S) == 0


def test_who_is_cut_off_at_the_end_is_told_so(start: Start, upstream: Upstream) -> None:
    gateway = start({"models": [card("streamed", upstream.url), card("whole", upstream.url)]}, POLYCULTURE_DRAIN_S="1")
    begun = stream(answers.events({"model": "streamed"})[:3], end=False)
    upstream.scripts = {"streamed": Script(pieces=begun, ending="hang"), "whole": Script(pieces=[], ending="hang")}
    with ThreadPoolExecutor(2) as pool:
        streamed = pool.submit(gateway.chat, model="streamed", stream=True)
        whole = pool.submit(gateway.chat, model="whole")
        upstream.wait_for_call("streamed")
        upstream.wait_for_call("whole")
        gateway.process.send_signal(signal.SIGTERM)
        assert json.loads(streamed.result().text.split("data: ")[-1])["error"]["code"] == "unavailable"
        assert (whole.result().status_code, whole.result().headers["retry-after"]) == (503, "5")
    assert gateway.process.wait(PATIENCE_S) == 0
    assert "Traceback" not in gateway.log
    assert [event.status for event in gateway.events(Answer)] == [499, 499]
    assert gateway.events(Feedback) == []  # no model is to blame


QUESTION = {"model": "auto", "messages": [{"role": "user", "content": "Hi"}]}


def serve(home: Path, configuration: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``serve`` where it cannot start."""
    (home / "polyculture.yaml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
    settings = ["--config", str(home / "polyculture.yaml"), "--data-dir", str(home / "data"), "--port", "0", *arguments]
    command = [sys.executable, "-m", "gateway", "serve", *settings]
    return subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("configuration", "complaint"),
    [
        ({"modells": []}, "modells"),
        ({"models": [{**card("x", ""), "upstream": {"base_url": "http://u:p@x/", "model": "y"}}]}, "user or password"),
        ({"routing": {"policy": "nonsense"}}, "nonsense"),
        ({"tenants": [{"id": "acme", "key_env": "NOT_SET"}]}, "NOT_SET"),
    ],
)
def test_a_faulty_configuration_is_told_in_a_line(tmp_path: Path, configuration: Any, complaint: str) -> None:
    done = serve(tmp_path, configuration)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("Error: ")
    assert complaint in done.stderr


def test_a_taken_port_and_a_taken_directory_are_told_in_a_line(
    start: Start, upstream: Upstream, tmp_path: Path
) -> None:
    gateway = start(cards.faulty(upstream.url))
    port = serve(tmp_path, {}, "--port", str(gateway.port))
    assert (port.returncode, port.stderr.count("\n")) == (1, 1)
    assert "choose another port" in port.stderr
    directory = serve(tmp_path, {}, "--data-dir", str(gateway.data_dir))
    assert (directory.returncode, directory.stderr.count("\n")) == (1, 1)
    assert "another gateway is using" in directory.stderr
