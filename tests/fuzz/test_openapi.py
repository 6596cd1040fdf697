"""Requests made from the published description, valid and not: no 500, and nothing that it does not describe."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case, HookContext
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from gateway.openapi import document
from tests.support.gateway import ADMIN_KEY, Gateway

schema = schemathesis.openapi.from_dict(document())

MODELS = ("auto", "auto:cheap", "math", "embed")

INSIDE = ("Traceback", ".py", "site-packages", "127.0.0.1", "sqlalchemy", "object at 0x")


@schema.hook
def filter_query(context: HookContext, query: dict[str, Any] | None) -> bool:
    """What an address cannot say is not in it, so it violates nothing: no value, an object, a list of one."""
    values = (query or {}).values()
    return not any(
        value is None or isinstance(value, dict) or (isinstance(value, list) and len(value) < 2) for value in values
    )


def test_the_description_published_is_the_one_tested(target: Gateway) -> None:
    assert target.client.get("/openapi.json").json() == document()


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_endpoint_keeps_to_its_description(case: Case[Any], target: Gateway) -> None:
    if isinstance(case.body, dict) and isinstance(name := case.body.get("model"), str):
        case.body["model"] = MODELS[len(name) % len(MODELS)]  # names that lead on, not only to a 404
    if isinstance(case.body, dict) and case.path == "/admin/v1/models":
        case.body["enabled"] = False  # nobody is sent to a server that is none
    response = case.call_and_validate(
        base_url=target.url,
        headers={"authorization": f"Bearer {ADMIN_KEY}"},
        excluded_checks=[positive_data_acceptance, ignored_auth],  # a sound request may ask for what nobody can do
    )
    assert response.status_code < 500
    if response.status_code >= 400:
        assert not any(inside in response.text for inside in INSIDE)


@pytest.mark.parametrize("path", sorted(document()["paths"]))
def test_every_endpoint_described_exists(target: Gateway, path: str) -> None:
    for method in document()["paths"][path]:
        answer = target.client.request(method, path.replace("{id}", "math"))
        assert answer.status_code not in {405, 500}
        assert answer.status_code != 404 or answer.json()["error"]["code"] != "not_found"
