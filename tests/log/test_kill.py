"""kill -9 at any moment, under load and orders: nothing that a client was told is ever taken back, and the state that
is saved is the log's.
"""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from gateway.database import FILE
from gateway.events import Feedback, decode
from tests.log.conftest import until
from tests.log.process import environment, serving
from tests.support.gateway import ADMIN_KEY, KEY, Gateway, question
from tests.support.upstream import Upstream

ROUNDS = 3
CLIENTS = 8

#: How long the load goes on before the kill, in seconds: at least, at most.
MOMENT = (0.5, 1.5)

_numbers = count()


class Told:
    """What clients have been told."""

    def __init__(self) -> None:
        self.decisions: set[str] = set()
        self.feedback: dict[str, float] = {}


async def client(url: str, told: Told, rng: random.Random) -> None:
    """Ask, one time in two as a stream, and praise or blame one answer in two, until nobody answers any more."""
    headers = {"authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as http:
        while True:
            body = {**question(f"What of question {next(_numbers)}?"), "stream": rng.random() < 0.5}
            answer = await http.post("/v1/chat/completions", json=body)
            assert answer.status_code == 200
            assert not body["stream"] or answer.text.endswith("data: [DONE]\n\n")
            name = answer.headers["x-polyculture-decision-id"]
            told.decisions.add(name)
            if rng.random() < 0.5:
                score = round(rng.random(), 3)
                said = await http.post("/v1/feedback", json={"decision_id": name, "score": score})
                assert said.json()["status"] == "recorded"
                told.feedback[name] = score


async def admin(url: str, rng: random.Random) -> None:
    """Save, return to what was saved, let another policy learn, stop learning and go on, until nobody answers."""
    headers = {"authorization": f"Bearer {ADMIN_KEY}"}
    async with httpx.AsyncClient(base_url=f"{url}/admin/v1/router", headers=headers, timeout=30) as http:
        while True:
            saved = (await http.get("/versions")).json()["data"]
            policy = {"policy": rng.choice(["linucb", "polyculture"]), "parameters": {"exploration": rng.random()}}
            orders: list[tuple[str, dict[str, Any]]] = [
                ("/pin", {"pinned": False}),
                ("/policy", {**policy, "force": True}),
                ("/shadow", policy),
                ("/freeze", {}),
                ("/unfreeze", {}),
                *(("/rollback", {"version": version["id"], "tenant": "default"}) for version in saved[1:3]),
            ]
            path, document = rng.choice(orders)
            answer = await http.post(path, json=document)
            assert answer.status_code in (200, 409), answer.text
            await http.post("/unfreeze", json={})


async def kill_under_load(gateway: Gateway, told: Told, rng: random.Random) -> None:
    before = len(told.decisions)
    clients = [asyncio.ensure_future(client(gateway.url, told, rng)) for _ in range(CLIENTS)]
    clients.append(asyncio.ensure_future(admin(gateway.url, rng)))
    await asyncio.sleep(rng.uniform(*MOMENT))
    await until(lambda: (len(told.decisions) > before and told.feedback) or any(each.done() for each in clients))
    gateway.process.send_signal(signal.SIGKILL)
    for ended in await asyncio.gather(*clients, return_exceptions=True):
        assert isinstance(ended, httpx.TransportError), f"{ended!r}: {gateway.log}"


def check_log(data_dir: Path, told: Told) -> None:
    with closing(sqlite3.connect(data_dir / FILE)) as database:
        rows = database.execute("SELECT seq, kind, subject, payload FROM events ORDER BY seq").fetchall()
    assert [seq for seq, *_ in rows] == list(range(1, len(rows) + 1))
    decided = [subject.hex() for _, kind, subject, _ in rows if kind == "decision"]
    assert len(decided) == len(set(decided))
    assert told.decisions <= set(decided)
    said = {subject.hex(): decode(kind, payload) for _, kind, subject, payload in rows if kind == "feedback"}
    for name, score in told.feedback.items():
        event = said[name]
        assert isinstance(event, Feedback)
        assert event.reward == score


def test_nothing_acknowledged_is_lost(tmp_path: Path, upstream: Upstream) -> None:
    told, rng = Told(), random.Random()
    for _ in range(ROUNDS):
        before = len(told.decisions)
        with serving(tmp_path / "home", upstream=upstream.url) as gateway:
            asyncio.run(kill_under_load(gateway, told, rng))
        assert len(told.decisions) > before
        check_log(tmp_path / "home" / "data", told)

    with serving(tmp_path / "home", upstream=upstream.url) as gateway:
        assert "Traceback" not in gateway.log
        items = [{"decision_id": name, "score": score} for name, score in told.feedback.items()]
        results = gateway.feedback(items[:1000]).json()["results"]
        assert {result["status"] for result in results} == {"unchanged"}
        assert gateway.metric("polyculture_learner_lag_events") == 0
        assert gateway.stop() == 0

    verified = subprocess.run(
        [sys.executable, "-m", "gateway", "router", "verify"],
        env=environment(tmp_path / "home"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "largest difference 0\n" in verified.stdout
