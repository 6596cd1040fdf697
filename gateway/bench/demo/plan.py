"""Which sessions there are, and running them side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from gateway.bench.demo.mix import DECK, mixed
from gateway.bench.demo.session import Outcome, Session
from gateway.bench.demo.tasks import Task

SESSIONS_AT_ONCE = 2

Tell = Callable[[Session], None]
Outcomes = dict[str, list[Outcome]]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """``models`` gives each specialist's description; ``swap`` names the two whose descriptions change places.

    ``disabled`` specialists take no part. ``frozen`` asks for a last session, swapped and without learning.
    """

    requests: int
    seed: int
    models: Mapping[str, str]
    swap: tuple[str, str]
    frozen: bool
    kinds: tuple[str, ...] = tuple(DECK)
    disabled: frozenset[str] = frozenset()

    def tasks(self) -> list[Task]:
        """The prompts of every session."""
        return mixed(self.requests, seed=self.seed, kinds=self.kinds)

    def sessions(self) -> list[Session]:
        """The longest first, since they run side by side."""
        out: dict[str, dict[str, Any]] = {name: {"enabled": False} for name in self.disabled}
        one, other = self.swap
        swapped = {
            **out,
            one: {"description": self.models[other], **out.get(one, {})},
            other: {"description": self.models[one], **out.get(other, {})},
        }
        alone = tuple(name for name in self.models if name not in self.disabled)
        sessions = [
            Session(name="alone", overrides=out, models=alone),
            Session(name="learning", overrides=out),
            Session(name="swapped", overrides=swapped),
        ]
        return [*sessions, Session(name="frozen", overrides=swapped, frozen=True)] if self.frozen else sessions


def run(plan: Plan, *, tell: Tell) -> tuple[Outcomes, Outcomes]:
    """The outcomes of each model alone, and of each scenario; ``tell`` hears of every answer of a session.

    Raises what a session raises.
    """
    tasks, sessions = plan.tasks(), plan.sessions()
    with ThreadPoolExecutor(SESSIONS_AT_ONCE) as pool:
        found = list(pool.map(lambda session: session.run(tasks, step=lambda: tell(session)), sessions))
    alone, *routed = found
    singles = dict(zip(sessions[0].models, alone, strict=True))
    return singles, {session.name: outcomes[0] for session, outcomes in zip(sessions[1:], routed, strict=True)}
