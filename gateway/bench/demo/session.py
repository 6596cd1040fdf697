"""One gateway answers all the prompts: choosing for itself, or one model after another alone."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from gateway.bench.demo.gateway import Client, launched
from gateway.bench.demo.tasks import Task

ALONE_AT_ONCE = 3


class Outcome(msgspec.Struct, frozen=True):
    """What became of one prompt: its kind, who answered (nobody: the model refused it), and the score."""

    kind: str
    model: str | None
    score: float


@dataclass(frozen=True, kw_only=True)
class Session:
    """A gateway of its own with changed model cards; ``models`` are forced in turn, or none and the router chooses."""

    name: str
    overrides: Mapping[str, Mapping[str, Any]]
    frozen: bool = False
    models: tuple[str, ...] = ()

    def steps(self, requests: int) -> int:
        """How many answers it asks for, with so many prompts."""
        return requests * (len(self.models) or 1)

    def run(self, tasks: Sequence[Task], *, step: Callable[[], None]) -> list[list[Outcome]]:
        """The outcomes of every forced model, or of the router; ``step`` is called after each answer.

        The router is asked one prompt at a time and told the score before the next; a forced model is told nothing.
        """
        with tempfile.TemporaryDirectory(prefix="polyculture-demo-") as folder:
            files = Path(folder) / "gateway"
            with launched(files, overrides=self.overrides, frozen=self.frozen) as client:
                if not self.models:
                    return [[_routed(client, task, step) for task in tasks]]
                with ThreadPoolExecutor(ALONE_AT_ONCE) as pool:
                    return [
                        list(pool.map(lambda task, model=model: _forced(client, task, model, step), tasks))
                        for model in self.models
                    ]


def _routed(client: Client, task: Task, step: Callable[[], None]) -> Outcome:
    answer = client.ask(task)
    score = task.score(answer.text)
    client.tell(answer, score)
    step()
    return Outcome(kind=task.kind, model=answer.model, score=score)


def _forced(client: Client, task: Task, model: str, step: Callable[[], None]) -> Outcome:
    answer = client.force(task, model=model)
    step()
    if answer is None:
        return Outcome(kind=task.kind, model=None, score=0.0)
    return Outcome(kind=task.kind, model=answer.model, score=task.score(answer.text))
