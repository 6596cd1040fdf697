"""Budgets over HTTP: soft and hard stops, tenants' limits, and sums that outlive kills and erasures."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ACME_KEY, Start
from tests.governance.test_erasure import files
from tests.keys.conftest import Desk, desk, gateway
from tests.log.process import serving
from tests.support.cards import card, healthy
from tests.support.command import answered, run
from tests.support.gateway import KEY, Gateway, eventually
from tests.support.upstream import Upstream

__all__ = ["desk", "gateway"]

#: USD that an answer of the model "math" costs: 10 tokens in, 5 out.
ANSWER_USD = 20e-6


def test_past_the_soft_stop_answers_warn_and_auto_means_something_else(desk: Desk) -> None:
    gateway = desk.gateway
    limits = {"usd_per_day": 0.01, "soft_stop": 0.002, "soft_model": "auto:cheap", "answer_tokens": 5}
    made = desk.make("soft", limits=limits, models=["math", "code"], preferences=["auto"])
    before = gateway.metric("polyculture_budget_stops_total", stage="soft", span="day")
    assert desk.chat(made["secret"], model="math").status_code == 200
    for _ in range(2):
        answer = desk.chat(made["secret"])
        assert answer.status_code == 200
        assert answer.headers["x-polyculture-budget-warning"].endswith("% of the budget of the day")
        name = answer.headers["x-polyculture-decision-id"]
        shown = gateway.client.get(f"/v1/decisions/{name}", headers={"authorization": f"Bearer {KEY}"}).json()
        assert shown["preference"] == "cheap"
    assert desk.chat(made["secret"], model="math").headers["x-polyculture-model"] == "math"
    assert gateway.metric("polyculture_budget_stops_total", stage="soft", span="day") == before + 1
    log = desk.done("GET", "audit", limit=1000)
    stops = [each for each in log["data"] if each["action"] == "budget.soft_stop"]
    assert [log["names"][each["subject"]] for each in stops].count("key default/soft") == 1
    assert "soft" not in [line.split()[-1] for line in gateway.log.splitlines() if "budget_stop" in line]


def test_past_the_hard_stop_nothing_goes_until_the_day_ends(desk: Desk) -> None:
    made = desk.make("hard", limits={"usd_per_day": 0.0004, "usd_per_month": 1.0})
    taken = [desk.chat(made["secret"], model="math", max_tokens=5) for _ in range(30)]
    assert {each.status_code for each in taken} == {200, 429}
    refused = taken[-1]
    midnight = 86_400 - datetime.now(UTC).timestamp() % 86_400
    assert abs(int(refused.headers["retry-after"]) - midnight) < 60
    assert refused.json()["error"]["code"] == "budget_exceeded"
    assert desk.gateway.metric("polyculture_limit_refusals_total", limit="budget_day") > 0
    desk.done("PATCH", f"keys/{made['id']}", {"limits": {"usd_per_day": None}})
    assert desk.chat(made["secret"], model="math").status_code == 200


def test_a_tenants_limits_hold_for_all_of_its_keys_and_are_set_by_admins(desk: Desk) -> None:
    made = [desk.make(name, tenant="acme")["secret"] for name in ("one", "two")]
    shown = desk.done("GET", "tenants/acme/limits")
    assert (shown["origin"], shown["limits"]["requests_per_minute"]) == ("file", None)
    changed = desk.done("PATCH", "tenants/acme/limits", {"requests_per_minute": 3, "concurrency": 9})
    assert (changed["origin"], changed["use"]["requests_left"]) == ("api", 3)
    found = [desk.chat(secret).status_code for secret in (*made, ACME_KEY, made[0])]
    assert found == [200, 200, 200, 429]
    assert "tenant's limit of 3 requests a minute" in desk.chat(made[1]).json()["error"]["message"]
    desk.done("PATCH", "tenants/acme/limits", {"requests_per_minute": 5})
    assert [desk.chat(secret).status_code for secret in (*made, ACME_KEY)] == [200, 200, 429]
    desk.done("PATCH", "tenants/acme/limits", {"requests_per_minute": None})
    assert desk.done("GET", "tenants/acme/limits")["limits"]["concurrency"] == 9
    assert desk.done("DELETE", "tenants/acme/limits")["origin"] == "file"
    assert desk.chat(ACME_KEY).status_code == 200
    entries = desk.done("GET", "audit", limit=1000)["data"]
    assert [each["action"] for each in entries].count("tenant.limits") == 4


@pytest.mark.parametrize(
    ("limits", "param"),
    [
        ({"requests_per_minute": 0}, "requests_per_minute"),
        ({"usd_per_day": -1}, "usd_per_day"),
        ({"usd_per_month": 1e-10}, "usd_per_month"),
        ({"soft_model": "math"}, "soft_model"),
        ({"soft_model": "auto:fast"}, "soft_model"),
        ({"pence_per_year": 1}, "pence_per_year"),
    ],
)
def test_bad_limits_are_refused(desk: Desk, limits: dict[str, Any], param: str) -> None:
    for method, path, document, place in (
        ("PATCH", "tenants/acme/limits", limits, param),
        ("POST", "keys", {"name": "bad", "limits": limits}, f"limits.{param}"),
    ):
        answer = desk.ask(method, path, document)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, place)
    assert desk.ask("GET", "tenants/nobody/limits").status_code == 404


def test_limits_of_the_configuration_hold_and_survive_a_restart(start: Start, upstream: Upstream) -> None:
    document = healthy(upstream.url)
    document["tenants"] = [{"id": "acme", "key_env": "ACME_KEY", "limits": {"usd_per_month": 0.0002, "soft_stop": 1}}]
    first = Desk(gateway=start(document, ACME_KEY=ACME_KEY))
    count = 0
    while first.chat(ACME_KEY, model="math", max_tokens=5).status_code == 200:
        count += 1
    assert 0 < count * ANSWER_USD <= 0.0002
    spent = first.done("GET", "tenants/acme/limits")["use"]["usd_this_month"]
    assert spent == pytest.approx(count * ANSWER_USD)
    first.done("PATCH", "tenants/acme/limits", {"concurrency": 7})
    first.gateway.stop()
    again = Desk(gateway=start(document, ACME_KEY=ACME_KEY))
    shown = again.done("GET", "tenants/acme/limits")
    assert (shown["use"]["usd_this_month"], shown["limits"]["concurrency"]) == (pytest.approx(spent), 7)
    assert again.chat(ACME_KEY, model="math", max_tokens=5).json()["error"]["code"] == "budget_exceeded"


def test_what_was_answered_is_paid_for_whenever_the_gateway_is_killed(tmp_path: Path, upstream: Upstream) -> None:
    home, count = tmp_path / "home", 0
    secret = ""
    for _ in range(2):
        with serving(home, upstream=upstream.url) as gateway:
            desk = Desk(gateway=gateway)
            secret = secret or desk.make("spender", limits={"usd_per_month": 1.0})["secret"]
            for number in range(5):
                assert desk.chat(secret, stream=number % 2 == 0, stream_options={"include_usage": True}).is_success
            gateway.process.send_signal(signal.SIGKILL)
            gateway.process.wait()
            count += 5
    with serving(home, upstream=upstream.url) as gateway:
        (sums,) = Desk(gateway=gateway).done("GET", "spend", by="key", key="spender")["data"]
        assert (sums["requests"], sums["usd"]) == (count, pytest.approx(count * ANSWER_USD))
        assert gateway.stop() == 0


def test_erasing_a_tenant_gives_no_money_back_and_leaves_no_name(start: Start, upstream: Upstream) -> None:
    models = [card("math", upstream.url, price={"input": 1, "output": 2})]
    tenants = [{"id": "acme-inc", "key_env": "ACME_KEY"}]
    desk = Desk(gateway=start({"models": models, "tenants": tenants}, ACME_KEY=ACME_KEY))
    own = desk.make("own-key", tenant="acme-inc")["secret"]
    desk.done("PATCH", "tenants/acme-inc/limits", {"usd_per_day": 1.0})
    for key in (ACME_KEY, own, KEY):
        assert desk.chat(key).status_code == 200
    before = eventually(lambda: (found := desk.done("GET", "spend", by="tenant"))["total"]["requests"] == 3 and found)
    assert {each["tenant"]: each["requests"] for each in before["data"]} == {"acme-inc": 2, "default": 1}
    desk.done("DELETE", "tenants/acme-inc")
    after = desk.done("GET", "spend", by="tenant,key")
    assert after["total"] == before["total"]
    assert [(each["tenant"], each["key"]) for each in after["data"]] == [("", ""), ("default", "default")]
    assert desk.chat(own).status_code == 401
    desk.gateway.stop()
    left = files(desk.gateway.data_dir)
    assert b"acme-inc" not in left
    assert b"own-key" not in left


def test_spend_is_summed_as_it_is_asked_for(gateway: Gateway, desk: Desk) -> None:
    secret = desk.make("summed")["secret"]
    for model in ("math", "math", "code"):
        assert desk.chat(secret, model=model).status_code == 200
    today = datetime.now(UTC).date().isoformat()
    found = eventually(
        lambda: (told := desk.done("GET", "spend", by="model,day", key="summed"))["total"]["requests"] == 3 and told
    )
    assert [(each["model"], each["day"], each["requests"]) for each in found["data"]] == [
        ("code", today, 1),
        ("math", today, 2),
    ]
    assert found["total"]["usd"] == pytest.approx(2 * ANSWER_USD + 250e-6)
    assert desk.done("GET", "spend", until="2020-01-01", since="2019-01-01")["total"]["requests"] == 0
    assert desk.ask("GET", "spend", by="weekday").json()["error"]["param"] == "by"
    assert desk.ask("GET", "spend", since="yesterday").status_code == 400
    assert answered(gateway, "spend", "--by", "model", "--key", "summed")["total"] == found["total"]
    assert "math" in run(gateway, "spend", "--by", "model").output


def test_limits_by_command(gateway: Gateway) -> None:
    made = answered(gateway, "keys", "create", "capped", "--limit", "requests_per_minute=7", "--limit", "soft_stop=0.5")
    assert (made["terms"]["limits"]["requests_per_minute"], made["terms"]["limits"]["soft_stop"]) == (7, 0.5)
    done = answered(gateway, "limits", "acme", "--set", "concurrency=4", "--set", "soft_model=auto:cheap")
    assert (done["limits"]["concurrency"], done["limits"]["soft_model"]) == (4, "auto:cheap")
    assert answered(gateway, "limits", "acme", "--set", "soft_model=")["limits"]["soft_model"] is None
    assert "concurrency" in run(gateway, "limits", "acme").output
    assert answered(gateway, "limits", "acme", "--reset")["origin"] == "file"
    bad = run(gateway, "limits", "acme", "--set", "concurrency")
    assert (bad.exit_code, "name=value" in bad.output) == (2, True)
