"""The registry's admin API, as a test speaks to it."""

from __future__ import annotations

from typing import Any

import httpx

from tests.support.gateway import ADMIN_KEY, Gateway

HEADERS = {"authorization": f"Bearer {ADMIN_KEY}"}


class Models:
    """``/admin/v1/models`` of a gateway."""

    def __init__(self, *, gateway: Gateway) -> None:
        self._client = gateway.client

    def ask(self, method: str, path: str = "", *, match: str | None = None, **details: Any) -> httpx.Response:
        headers = HEADERS if match is None else {**HEADERS, "if-match": match}
        return self._client.request(method, f"/admin/v1/models{path}", headers=headers, **details)

    def create(self, card: Any, **query: Any) -> httpx.Response:
        return self.ask("POST", json=card, params=query)

    def created(self, card: Any) -> dict[str, Any]:
        """A model that was not there before."""
        answer = self.create(card)
        assert answer.status_code == 201, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def get(self, name: str) -> dict[str, Any]:
        answer = self.ask("GET", f"/{name}")
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        assert answer.headers["etag"] == document["etag"]
        return document

    def edit(self, name: str, patch: Any, *, match: str | None = "*") -> httpx.Response:
        return self.ask("PATCH", f"/{name}", match=match, json=patch)

    def delete(self, name: str, *, match: str | None = "*") -> httpx.Response:
        return self.ask("DELETE", f"/{name}", match=match)

    def names(self, **query: Any) -> list[str]:
        """The ids of a page."""
        answer = self.ask("GET", params=query)
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.json()["data"]]

    def history(self, name: str) -> list[dict[str, Any]]:
        answer = self.ask("GET", f"/{name}/history")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["data"]
        return found


def complaint(answer: httpx.Response, status: int) -> str:
    """What an error of this status says."""
    assert answer.status_code == status, answer.text
    message: str = answer.json()["error"]["message"]
    return message
