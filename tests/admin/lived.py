"""Gateways that have lived: two models that look alike, and feedback that tells them apart."""

from __future__ import annotations

from typing import Any

from tests.conftest import ACME_KEY, Start
from tests.support.cards import card
from tests.support.gateway import KEY, Gateway
from tests.support.upstream import Upstream

MODELS = ("one", "two", "three")


def configured(upstream: Upstream, **routing: Any) -> dict[str, Any]:
    """Three models of which nothing is known, and two tenants."""
    return {
        "models": [card(name, upstream.url, description="answers") for name in MODELS],
        "routing": {"share_cap": None, "exploration": 0.1, **routing},
        "tenants": [{"id": "acme", "key_env": "ACME_KEY"}],
    }


def begun(start: Start, upstream: Upstream, *, home: str = "home", **routing: Any) -> Gateway:
    return start(configured(upstream, **routing), home=home, ACME_KEY=ACME_KEY)


def teach(gateway: Gateway, good: str, *, rounds: int = 12, key: str = KEY, least: float = 0.0) -> None:
    """Requests whose answers are good where ``good`` gave them."""
    headers = {"authorization": f"Bearer {key}"}
    for number in range(rounds):
        answer = gateway.chat(f"Question {number % 5}", headers=headers)
        score = 1.0 if answer.headers["x-polyculture-model"] == good else least
        said = {"completion_id": answer.json()["id"], "score": score}
        assert gateway.feedback(said, key=key).status_code == 200


def live(gateway: Gateway) -> str:
    """The default tenant's version, by the header of a request that no policy draws."""
    version: str = gateway.route("Question 1")["router_version"]
    return version
