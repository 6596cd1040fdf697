"""Keys that the environment gives for tenants of the configuration: they come and go with both."""

from __future__ import annotations

from typing import Any

import yaml

from tests.conftest import Start
from tests.keys.conftest import Desk
from tests.support.cards import card
from tests.support.gateway import ADMIN_KEY, KEY, Gateway
from tests.support.upstream import Upstream

ACME = {"id": "acme", "key_env": "ACME_KEY", "models": ["one"]}


def configured(upstream: Upstream, *tenants: dict[str, Any]) -> dict[str, Any]:
    return {"models": [card("one", upstream.url), card("two", upstream.url)], "tenants": list(tenants)}


def statuses(gateway: Gateway, *secrets: str) -> list[int]:
    return [Desk(gateway=gateway).chat(secret).status_code for secret in secrets]


def test_a_key_that_is_given_anew_ends_the_one_before(start: Start, upstream: Upstream) -> None:
    document = configured(upstream, ACME)
    gateway = start(document, ACME_KEY="pc-acme-1")
    made = Desk(gateway=gateway).make("made", tenant="acme")["secret"]
    assert statuses(gateway, KEY, "pc-acme-1", made) == [200, 200, 200]
    gateway.stop()
    others = {"POLYCULTURE_API_KEY": "pc-other", "POLYCULTURE_ADMIN_KEY": "pca-other"}
    gateway = start(document, ACME_KEY="pc-acme-2", **others)
    assert statuses(gateway, KEY, "pc-acme-1", "pc-acme-2", "pc-other", made) == [401, 401, 200, 200, 200]
    assert Desk(gateway=gateway).ask("GET", "keys").status_code == 401
    listed = Desk(gateway=gateway, key="pca-other").done("GET", "keys")["data"]
    assert sorted(each["name"] for each in listed) == ["acme", "admin", "default", "made"]
    gateway.stop()
    gateway = start(document, ACME_KEY="pc-acme-1")
    assert statuses(gateway, KEY, "pc-acme-1", "pc-acme-2", "pc-other") == [200, 200, 401, 401]
    assert Desk(gateway=gateway, key="pca-other").ask("GET", "keys").status_code == 401


def test_a_key_that_the_configuration_no_longer_names_ends(start: Start, upstream: Upstream) -> None:
    gateway = start(configured(upstream, ACME), ACME_KEY="pc-acme-1")
    made = Desk(gateway=gateway).make("made", tenant="acme")["secret"]
    gateway.stop()
    nameless = {name: value for name, value in ACME.items() if name != "key_env"}
    gateway = start(configured(upstream, nameless), ACME_KEY="pc-acme-1")
    assert statuses(gateway, "pc-acme-1", made, KEY) == [401, 200, 200]


def test_a_tenant_that_left_the_configuration_is_let_in_by_no_key(start: Start, upstream: Upstream) -> None:
    gateway = start(configured(upstream, ACME), ACME_KEY="pc-acme-1")
    desk = Desk(gateway=gateway)
    made = desk.make("made", tenant="acme", scopes=["inference", "admin:read"])["secret"]
    file = gateway.data_dir.parent / "polyculture.yaml"
    for tenants, expected in (((), 401), ((ACME,), 200)):
        file.write_text(yaml.safe_dump(configured(upstream, *tenants)), encoding="utf-8")
        desk.done("POST", "configuration/reload")
        assert statuses(gateway, "pc-acme-1", made, KEY) == [expected, expected, 200]
        assert Desk(gateway=gateway, key=made).ask("GET", "keys").status_code == 200  # who administers, still does
        assert desk.ask("POST", "keys", {"name": "more", "tenant": "acme"}).status_code == (404 if not tenants else 201)
    gateway.stop()
    again = start(configured(upstream), ACME_KEY="pc-acme-1")
    assert statuses(again, "pc-acme-1", made, KEY) == [401, 401, 200]
    assert Desk(gateway=again, key=ADMIN_KEY).done("GET", "keys", tenant="acme")["data"]
