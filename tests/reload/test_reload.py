"""The configuration file read again, by API and by signal, while clients are served."""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import yaml

from gateway.events import ArmRemoved, ArmSet, PolicyTuned, PoolJoined, TrustTuned
from tests.conftest import Start
from tests.support.cards import Card, card
from tests.support.gateway import ADMIN_KEY, KEY, Gateway, eventually, question, spawned
from tests.support.registered import HEADERS, Models, complaint
from tests.support.upstream import Upstream

CLIENTS = 32


def configured(*models: Card, **fields: Any) -> dict[str, Any]:
    return {"models": list(models), "routing": {"share_cap": None}, **fields}


def write(gateway: Gateway, configuration: Any) -> None:
    text = configuration if isinstance(configuration, str) else yaml.safe_dump(configuration, sort_keys=False)
    (gateway.data_dir.parent / "polyculture.yaml").write_text(text, encoding="utf-8")


def reload(gateway: Gateway, configuration: Any, **asked: Any) -> httpx.Response:
    """Write the file anew, and have it read."""
    write(gateway, configuration)
    return gateway.client.post("/admin/v1/configuration/reload", json=asked, headers=HEADERS)


def test_models_come_go_and_change_with_the_file(start: Start, upstream: Upstream) -> None:
    one, two, three = (card(name, upstream.url, description=name) for name in ("one", "two", "three"))
    gateway = start(configured(one, two))
    models = Models(gateway=gateway)
    models.created(card("mine", upstream.url))
    models.ask("POST", "/two/disable")
    after = configured({**two, "price": {"input": 7.0}}, three)
    told = reload(gateway, after, dry_run=True).json()
    expected = {"models_added": ["three"], "models_changed": ["two"], "models_removed": ["one"]}
    assert {name: told[name] for name in expected} == expected
    assert models.names() == ["mine", "one", "two"]
    assert reload(gateway, after).json() == {**told, "dry_run": False}
    assert models.names() == ["mine", "three", "two"]
    assert (models.get("two")["state"], models.get("two")["card"]["price"]["input"]) == ("disabled", 7.0)
    assert set(gateway.probabilities()) == {"mine", "three"}
    assert complaint(gateway.chat(model="one"), 404)
    assert gateway.chat(model="three").status_code == 200
    assert [event.name for event in gateway.events(ArmSet)] == ["one", "two", "mine", "three"]
    assert [event.name for event in gateway.events(ArmRemoved)] == ["one"]
    nothing = reload(gateway, after).json()
    assert not any(nothing.values())
    audited = gateway.client.get("/admin/v1/audit", headers=HEADERS).json()
    assert [each["action"] for each in audited["data"]].count("configuration.reload") == 2


def test_settings_that_can_change_at_once_do(start: Start, upstream: Upstream) -> None:
    one, two = (card(name, upstream.url, price={"output": price}) for name, price in (("one", 9000.0), ("two", 0.0)))
    gateway = start(configured(one, two, metrics={"stars": {"best": 5}}), ACME_KEY="pc-acme")
    acme = {"authorization": "Bearer pc-acme"}
    assert gateway.chat(headers=acme).status_code == 401
    after = configured(
        one,
        two,
        metrics={"seconds": {"worst": 10, "best": 0}},
        tenants=[{"id": "acme", "key_env": "ACME_KEY", "models": ["one"], "pool": "both"}],
        feedback={"trust": False},
        retention_days=9,
    )
    routing = {"preferences": {"thrifty": {"cost_weight": 1.0}}, "exploration": 0.4, "gate": {"margin": 0.05}}
    after["routing"] |= routing
    told = reload(gateway, after).json()
    for path in ("routing.exploration", "routing.gate.margin", "metrics.seconds", "metrics.stars", "tenants.acme"):
        assert path in told["changed"]
    assert told["needs_restart"] == []
    audited = gateway.client.get("/admin/v1/audit", headers=HEADERS).json()["data"]
    (noted,) = (each["detail"] for each in audited if each["action"] == "configuration.reload")
    detail = json.loads(noted)
    assert ("tenants" in detail["changed"], len(detail["tenants"])) == (True, 1)
    assert "tenants.acme" not in noted
    assert [event for event in gateway.events(PolicyTuned) if '"exploration": 0.4' in event.parameters]
    assert gateway.events(TrustTuned)[-1].parameters == ""
    assert gateway.events(PoolJoined)
    assert set(gateway.route(headers=acme)["excluded"]) == {"two"}
    thrifty = gateway.probabilities(model="auto:thrifty")
    assert thrifty["two"] > thrifty["one"]
    assert complaint(gateway.chat(model="auto:cheap"), 404)
    name = gateway.chat().headers["x-polyculture-decision-id"]
    assert gateway.feedback({"decision_id": name, "metric": "seconds", "value": 5}).json()["reward"] == 0.5
    assert complaint(gateway.feedback({"decision_id": name, "metric": "stars", "value": 5}), 400)
    gateway.stop()
    assert Models(gateway=start(after, ACME_KEY="pc-acme")).names() == ["one", "two"]


def test_what_parts_are_built_by_waits_for_a_restart(start: Start, upstream: Upstream) -> None:
    one = card("one", upstream.url)
    gateway = start(configured(one, tenants=[{"id": "default"}]))
    after = configured(one, tenants=[{"id": "default", "corrections": {"enabled": True}}])
    after["routing"] |= {"policy": "linucb", "fallbacks": 1, "gate": {"mode": "manual"}}
    told = reload(gateway, after).json()
    assert told["changed"] == ["routing.fallbacks"]
    waiting = ["routing.gate.mode", "routing.policy", "tenants.default.corrections.enabled"]
    assert told["needs_restart"] == waiting
    assert gateway.look("status")["policy"] == "polyculture"
    assert reload(gateway, after).json()["needs_restart"] == waiting


def test_an_unsound_file_changes_nothing_and_says_where(start: Start, upstream: Upstream) -> None:
    one = card("one", upstream.url)
    gateway = start(configured(one))
    models = Models(gateway=gateway)
    etag = models.get("one")["etag"]
    keyed = card("two", upstream.url)
    keyed["upstream"]["api_key_env"] = "NO_SUCH_VARIABLE"
    for unsound, why in [
        ("models: [", "line 1"),
        ("# being written\n", "is empty"),
        (configured(card("two", upstream.url), colour="red"), "colour"),
        (configured(keyed), "NO_SUCH_VARIABLE"),
        (configured(one, tenants=[{"id": "acme", "key_env": "ACME_KEY"}]), "ACME_KEY"),
        (configured(one, one), "share the id"),
        *((document, "line 1") for document in ("- 1", "[]", "false", "0", "''")),
    ]:
        said = complaint(reload(gateway, unsound), 422)
        assert why in said
        assert "the old" in said
    (gateway.data_dir.parent / "polyculture.yaml").unlink()
    told = gateway.client.post("/admin/v1/configuration/reload", headers=HEADERS)
    assert "cannot be read" in complaint(told, 422)
    assert (models.names(), models.get("one")["etag"]) == (["one"], etag)
    assert gateway.chat().status_code == 200
    write(gateway, configured(one))


def test_a_signal_reloads_as_well(start: Start, upstream: Upstream) -> None:
    one, two = card("one", upstream.url), card("two", upstream.url)
    gateway = start(configured(one))
    write(gateway, "models: [")
    gateway.process.send_signal(signal.SIGHUP)
    eventually(lambda: "configuration_refused" in gateway.log)
    write(gateway, configured(one, two))
    gateway.process.send_signal(signal.SIGHUP)
    eventually(lambda: "configuration_reloaded" in gateway.log)
    assert set(gateway.probabilities()) == {"one", "two"}


def test_a_signal_that_comes_while_the_gateway_starts_is_heard(tmp_path: Path, upstream: Upstream) -> None:
    one, two = card("one", upstream.url), card("two", upstream.url)
    with spawned(tmp_path, configured(one)) as (process, log):
        status = Path(f"/proc/{process.pid}/status")
        eventually(lambda: caught(status.read_text(encoding="utf-8"), signal.SIGHUP))
        (tmp_path / "polyculture.yaml").write_text(yaml.safe_dump(configured(one, two)), encoding="utf-8")
        process.send_signal(signal.SIGHUP)
        gateway = Gateway(process=process, log=log, data_dir=tmp_path / "data")
        eventually(lambda: "configuration_reloaded" in gateway.log)
        assert set(gateway.probabilities()) == {"one", "two"}
        assert gateway.stop() == 0


def caught(status: str, number: signal.Signals) -> bool:
    """Whether a process handles a signal (proc(5))."""
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(mask, 16) >> (number - 1) & 1)


async def under_load(gateway: Gateway, configurations: list[Any]) -> Counter[int]:
    """The statuses that clients saw while the file was read again and again."""
    answers: asyncio.Queue[int] = asyncio.Queue()
    statuses: Counter[int] = Counter()
    over = asyncio.Event()
    limits = httpx.Limits(max_connections=CLIENTS + 1)
    async with httpx.AsyncClient(base_url=gateway.url, limits=limits, timeout=60) as client:

        async def ask(number: int) -> None:
            headers = {"authorization": f"Bearer {KEY}"}
            while not over.is_set():
                document = question(f"Question {number}", stream=number % 2 == 0)
                answer = await client.post("/v1/chat/completions", json=document, headers=headers)
                answers.put_nowait(answer.status_code)

        asking = [asyncio.ensure_future(ask(number)) for number in range(CLIENTS)]
        for configuration in configurations:
            statuses.update([await answers.get() for _ in range(CLIENTS)])
            write(gateway, configuration)
            headers = {"authorization": f"Bearer {ADMIN_KEY}"}
            answer = await client.post("/admin/v1/configuration/reload", headers=headers)
            assert answer.status_code == 200, answer.text
        over.set()
        await asyncio.gather(*asking)
        statuses.update(answers.get_nowait() for _ in range(answers.qsize()))
    return statuses


def test_no_request_fails_while_the_file_is_read_again(start: Start, upstream: Upstream) -> None:
    cards = {name: card(name, upstream.url, description=name) for name in ("one", "two", "three")}
    gateway = start(configured(*cards.values()))
    turns = [configured(cards["one"], cards[other], metrics={other: {}}) for other in ("two", "three")] * 3
    statuses = asyncio.run(under_load(gateway, turns))
    assert set(statuses) == {200}
    assert set(gateway.probabilities()) == {"one", "three"}
