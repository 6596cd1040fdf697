"""A gateway with default settings in a process of its own, before models that answer at once, spoken to over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
from prometheus_client.parser import text_string_to_metric_families

from gateway.bench.serving import ADMIN_KEY, KEY, gateway

PATIENCE_S: Final = 60.0
SOON_S: Final = 10.0


class Failed(Exception):
    """The gateway did not do its part; the message says what it answered."""


class Answered(msgspec.Struct, frozen=True):
    """A completion: its id, the model that gave it, and the version that the router went by."""

    id: str
    model: str
    version: str


class Installation:
    """A client of a running gateway, for requests and for orders."""

    def __init__(self, *, http: httpx.Client, port: int) -> None:
        self._http = http
        self._admin = {"authorization": f"Bearer {ADMIN_KEY}"}
        self.port = port

    def ask(self, prompt: str) -> Answered:
        """The answer of the model that the router chooses."""
        body = {"model": "auto", "messages": [{"role": "user", "content": prompt}]}
        answer = _checked(self._http.post("/v1/chat/completions", json=body))
        head = answer.headers
        return Answered(answer.json()["id"], head["x-polyculture-model"], head["x-polyculture-router-version"])

    def tell(self, *told: tuple[Answered, float]) -> None:
        """Give these answers' scores as feedback, in one request."""
        items = [{"completion_id": answered.id, "score": score} for answered, score in told]
        results = _checked(self._http.post("/v1/feedback", json=items)).json()["results"]
        if any("error" in result for result in results):
            raise Failed(f"feedback was answered {results}")

    def probabilities(self, prompt: str) -> dict[str, float]:
        """What the router would give each model, by a dry run."""
        body = {"model": "auto", "messages": [{"role": "user", "content": prompt}]}
        candidates = _checked(self._http.post("/v1/route", json=body)).json()["candidates"]
        return {each["model"]: each["probability"] for each in candidates}

    def export(self) -> bytes:
        """What the router has learned."""
        return _checked(self._http.get("/admin/v1/router/export", headers=self._admin)).content

    def bring(self, archive: bytes, *, force: bool) -> httpx.Response:
        """Import an exported file; refusals are answers, too."""
        query = {"force": str(force).lower()}
        return self._http.post("/admin/v1/router/import", headers=self._admin, params=query, content=archive)

    def order(self, action: str, document: Any) -> Any:
        """An admin's order."""
        return _checked(self._http.post(f"/admin/v1/router/{action}", headers=self._admin, json=document)).json()

    def look(self, what: str, **query: Any) -> Any:
        """What an admin is shown."""
        return _checked(self._http.get(f"/admin/v1/{what}", headers=self._admin, params=query)).json()

    def standing(self) -> dict[str, Any]:
        """How the default tenant's router stands before the gate."""
        found: dict[str, Any] = next(
            each for each in self.look("router/gate")["tenants"] if each["tenant"] == "default"
        )
        return found

    def audited(self, action: str) -> list[dict[str, Any]]:
        """The audit log's entries of one kind."""
        return [each for each in self.look("audit", limit=1000)["data"] if each["action"] == action]

    def metric(self, name: str) -> float:
        """The sum of a metric's samples."""
        families = text_string_to_metric_families(_checked(self._http.get("/metrics")).text)
        return sum(sample.value for family in families for sample in family.samples if sample.name == name)


def eventually(check: Callable[[], bool]) -> bool:
    """Whether this is so, within a few seconds."""
    until = time.monotonic() + SOON_S
    while not (found := check()) and time.monotonic() < until:
        time.sleep(0.02)
    return found


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_error:
        raise Failed(f"{response.request.method} {response.request.url.path} was answered {response.text[:500]}")
    return response


@contextmanager
def installed(folder: Path, models: Sequence[str], *, upstream: int) -> Iterator[Installation]:
    """A gateway before these models, with its files in ``folder``, until the block ends.

    Raises :class:`gateway.bench.process.ProcessFailed` when it does not start.
    """
    server = {"base_url": f"http://127.0.0.1:{upstream}/v1"}
    cards = [{"id": name, "description": "answers", "upstream": {**server, "model": name}} for name in models]
    with gateway(folder, {"models": cards}) as serving:
        serving.process.first_answer_s(port=serving.port, key=KEY, model=models[0])
        headers = {"authorization": f"Bearer {KEY}"}
        with httpx.Client(base_url=serving.url, headers=headers, timeout=PATIENCE_S, trust_env=False) as http:
            yield Installation(http=http, port=serving.port)
