"""A gateway in a process of its own, with a data directory of its own, and a client that speaks plain HTTP to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from gateway.bench.demo.tasks import Task
from gateway.bench.serving import KEY, gateway
from gateway.specialists.cards import catalogue

PATIENCE_S = 120.0


class DemoFailed(Exception):
    """The gateway did not do its part; the message says what it answered."""


class Answer(msgspec.Struct, frozen=True):
    """A completion: its ``id``, the model that gave it, and what it says."""

    id: str
    model: str
    text: str


class Client:
    """Speaks to a gateway; safe to share between threads."""

    def __init__(self, *, http: httpx.Client) -> None:
        self._http = http

    def ask(self, task: Task) -> Answer:
        """The answer of the model that the router chooses."""
        return _read(self._complete(task, "auto"))

    def force(self, task: Task, *, model: str) -> Answer | None:
        """The answer of one model; ``None`` when it cannot take the request."""
        response = self._complete(task, model)
        return None if response.status_code == httpx.codes.BAD_REQUEST else _read(response)

    def tell(self, answer: Answer, score: float) -> None:
        """Give a score as feedback."""
        _checked(self._http.post("/v1/feedback", json={"completion_id": answer.id, "score": score}))

    def _complete(self, task: Task, model: str) -> httpx.Response:
        messages = [{"role": "user", "content": task.prompt}]
        body = {"model": model, "messages": messages, "max_tokens": task.max_tokens, "seed": 1}
        return self._http.post("/v1/chat/completions", json=body)


def _read(response: httpx.Response) -> Answer:
    answer = _checked(response).json()
    return Answer(
        id=answer["id"],
        model=response.headers["x-polyculture-model"],
        text=answer["choices"][0]["message"]["content"] or "",
    )


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_error:
        raise DemoFailed(f"{response.request.method} {response.request.url.path} was answered {response.text}")
    return response


@contextmanager
def launched(folder: Path, *, overrides: Mapping[str, Mapping[str, Any]], frozen: bool) -> Iterator[Client]:
    """A gateway and its specialists, all of them ready, with its files in ``folder``, until the block ends.

    Raises :class:`gateway.bench.process.ProcessFailed` when they do not start.
    """
    configuration = {"specialists": True, "overrides": dict(overrides)}
    with gateway(folder, configuration, POLYCULTURE_FROZEN=str(frozen).lower()) as serving:
        for model in installed():
            if overrides.get(model, {}).get("enabled", True):
                serving.process.first_answer_s(port=serving.port, key=KEY, model=model)
        headers = {"authorization": f"Bearer {KEY}"}
        with httpx.Client(base_url=serving.url, headers=headers, timeout=PATIENCE_S, trust_env=False) as http:
            yield Client(http=http)


def installed() -> dict[str, str]:
    """Each specialist whose packages are there, with its description."""
    return {entry.id: entry.description for entry in catalogue() if not entry.missing()}
