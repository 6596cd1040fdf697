"""Models and their secrets: named, sent to the model's server alone, and refused where one stands in a card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.admin.test_models import begun, keyed, least
from tests.conftest import Start
from tests.support.registered import Models, complaint
from tests.support.upstream import Upstream

PLANTED = "sk-planted0123456789abcdefplanted"


@pytest.mark.parametrize(
    "fields",
    [
        {"api_key": PLANTED},
        {"description": f"Ask it with {PLANTED}."},
        {"upstream": {"base_url": "http://user:planted0123@127.0.0.1:9/v1", "model": "x"}},
        {"upstream": {"base_url": "http://127.0.0.1:9/v1", "model": "x", "api_key_env": "planted0123secret"}},
        {"upstream": {"base_url": "http://127.0.0.1:9/v1", "model": "x", "api_key_env": PLANTED}},
        {"upstream": {"base_url": "http://127.0.0.1:9/v1", "model": "x", "api_key_env": "POLYCULTURE_ADMIN_KEY"}},
        {
            "upstream": {
                "model": "azure/x",
                "kind": "litellm",
                "options": {"version": "planted0123456789abcdefplanted01"},
            }
        },
        {PLANTED: 1},
    ],
)
def test_what_looks_like_a_key_is_refused_and_kept_nowhere(start: Start, upstream: Upstream, fields: Any) -> None:
    gateway, models = begun(start, upstream)
    answer = models.create({**least("second", upstream), **fields})
    assert "looks like a key" in complaint(answer, 400)
    assert "planted" not in answer.text
    edited = models.ask("POST", json={**least("third", upstream), "tags": ["a"]})
    assert "looks like a key" in complaint(models.edit("third", fields, match=edited.headers["etag"]), 400)
    gateway.stop()
    kept = b"".join(path.read_bytes() for path in gateway.data_dir.iterdir() if path.is_file())
    assert b"planted" not in kept
    assert "planted" not in gateway.log


def test_a_named_secret_is_sent_to_the_model_and_shown_to_nobody(start: Start, upstream: Upstream) -> None:
    gateway = start({"models": []}, MY_KEY="planted-in-the-environment")
    models = Models(gateway=gateway)
    shown = models.ask("POST", json=keyed(upstream, "MY_KEY"))
    assert gateway.chat(model="keyed").status_code == 200
    assert upstream.calls[-1].header("authorization") == "Bearer planted-in-the-environment"
    told = shown.text + models.ask("GET").text + models.ask("GET", "/keyed/history").text
    assert "MY_KEY" in told
    gateway.stop()
    kept = b"".join(path.read_bytes() for path in gateway.data_dir.iterdir() if path.is_file())
    assert b"planted" not in kept + told.encode() + gateway.log.encode()
    again = start({"models": []})  # the variable is gone: what the API declared does not keep a gateway from starting
    assert "MY_KEY is not set" in Models(gateway=again).get("keyed")["note"]
    assert again.chat(model="keyed").status_code == 404


def test_a_key_file_holds_one_line(start: Start, upstream: Upstream, tmp_path: Path) -> None:
    gateway = start({"models": []})
    models = Models(gateway=gateway)
    reached = {"base_url": upstream.url, "model": "filed"}
    for name, content in [
        ("two", b"one\nX-Evil: two"),
        ("binary", b"\xff\xfe"),
        ("empty", b""),
        ("long", b"x" * 99_999),
    ]:
        (tmp_path / name).write_bytes(content)
    for name in (*(str(tmp_path / each) for each in ("two", "binary", "empty", "long", "none", "")), "/dev/zero"):
        answer = models.create({"id": "filed", "upstream": {**reached, "api_key_file": name}})
        assert "key file" in complaint(answer, 400)
    (tmp_path / "key").write_text("planted-in-a-file\n", encoding="utf-8")
    models.created({"id": "filed", "upstream": {**reached, "api_key_file": str(tmp_path / "key")}})
    assert gateway.chat(model="filed").status_code == 200
    assert upstream.calls[-1].header("authorization") == "Bearer planted-in-a-file"
