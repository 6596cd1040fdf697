"""A gateway whose keys tests make, and what they make them with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ACME_KEY
from tests.support import cards
from tests.support import gateway as gateways
from tests.support.gateway import ADMIN_KEY, Gateway
from tests.support.upstream import Upstream


class Desk:
    """Where an admin works on keys; a key is told by its secret."""

    def __init__(self, *, gateway: Gateway, key: str = ADMIN_KEY) -> None:
        self.gateway = gateway
        self._headers = {"authorization": f"Bearer {key}"}

    def ask(self, method: str, path: str, document: Any = None, **query: Any) -> httpx.Response:
        """A request under ``/admin/v1``."""
        return self.gateway.client.request(
            method, f"/admin/v1/{path}", json=document, params=query, headers=self._headers
        )

    def make(self, name: str, **terms: Any) -> dict[str, Any]:
        """A new key, with its secret."""
        answer = self.ask("POST", "keys", {"name": name, **terms})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def done(self, method: str, path: str, document: Any = None, **query: Any) -> Any:
        """What a request that succeeds says."""
        answer = self.ask(method, path, document, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def chat(self, secret: str, **fields: Any) -> httpx.Response:
        """One request by the holder of a key."""
        return self.gateway.chat(headers={"authorization": f"Bearer {secret}"}, **fields)


@pytest.fixture(scope="module")
def gateway(shared_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    home: Path = tmp_path_factory.mktemp("keys")
    document = cards.healthy(shared_upstream.url)
    document["models"].append(cards.card("judge", shared_upstream.url, endpoint="moderations"))
    with gateways.launched(home, document, ACME_KEY=ACME_KEY) as running:
        yield running


@pytest.fixture
def desk(gateway: Gateway) -> Desk:
    return Desk(gateway=gateway)
