"""Events as the gateway writes them, for tests: a space of a few dimensions, arms by name, decisions among them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from gateway.controls import Controls
from gateway.events import (
    EVERYONE,
    Answer,
    ArmSet,
    Decision,
    Event,
    Feedback,
    Lesson,
    LineageStarted,
    Reason,
    doubles,
    singles,
)
from gateway.fold import Fold
from gateway.transaction import Record
from router_models import make

TENANT = "default"

POLICY: Reason = "policy"
FORCED: Reason = "forced"

#: Of the feature space that most tests work in.
DIMENSIONS = 6

#: The seed of features that no request has.
NOT_FINITE = -1


def started(*, policy: str = "polyculture", dimensions: int = DIMENSIONS, cap: float | None = 0.6) -> LineageStarted:
    parameters = {"exploration": 0.01, "cap": cap} if policy == "polyculture" else {"exploration": 0.01}
    return LineageStarted(
        embedder="test", dimensions=dimensions, policy=policy, parameters=json.dumps(parameters, sort_keys=True)
    )


def arm(name: str, *, dimensions: int = DIMENSIONS, seed: int = 0) -> ArmSet:
    prior = np.random.default_rng([seed, *name.encode()]).normal(0, 0.1, dimensions)
    return ArmSet(name=name, prior=doubles(prior), digest=f"{name}-{seed}")


def features(seed: int, *, dimensions: int = DIMENSIONS) -> bytes:
    if seed == NOT_FINITE:
        return singles(np.full(dimensions, np.nan))
    vector = np.random.default_rng(seed).normal(size=dimensions)
    return singles(vector / np.linalg.norm(vector))


def decision(
    chosen: str,
    *,
    arms: Sequence[str] = (),
    seed: int = 0,
    lineage: int = 1,
    reason: Reason = "policy",
    dimensions: int = DIMENSIONS,
) -> Decision:
    among = list(arms) or [chosen]
    probabilities = np.random.default_rng(seed).dirichlet(np.ones(len(among)))
    return Decision(
        chosen=chosen,
        reason=reason,
        version="1.1",
        arms=among,
        probabilities=doubles(probabilities),
        scores=singles(probabilities),
        draw=0.5,
        features=features(seed, dimensions=dimensions),
        lineage=lineage,
        key="default",
        endpoint="chat",
        preference="",
        excluded={},
    )


def answer(answered: str, *, cost: float | None = 1e-4, drawn: bool = True) -> Answer:
    return Answer(
        answered=answered,
        cost=cost,
        drawn=drawn,
        status=200,
        latency=0.2,
        first_byte=0.1,
        input_tokens=10,
        output_tokens=20,
        failed=[],
    )


def feedback(
    name: str,
    reward: float,
    *,
    seed: int = 0,
    lineage: int = 1,
    previous: float | None = None,
    weight: float = 1.0,
    dimensions: int = DIMENSIONS,
) -> Feedback:
    lesson = Lesson(name, features(seed, dimensions=dimensions), lineage)
    return Feedback(reward=reward, weight=weight, previous=previous, lesson=lesson)


def record(seq: int, event: Event, *, tenant: str = TENANT, subject: bytes | None = None) -> Record:
    concerns_all = not isinstance(event, Decision | Answer | Feedback)
    return Record(seq, seq, event.kind, EVERYONE if concerns_all else tenant, subject, None, event)


def records(*events: Event, tenant: str = TENANT) -> Iterator[Record]:
    """The events as the log would number them."""
    return (record(seq, event, tenant=tenant) for seq, event in enumerate(events, start=1))


def folded(*events: Event) -> Fold:
    """The fold over these events."""
    return over(records(*events))


def over(records: Iterable[Record], *, controls: Controls | None = None) -> Fold:
    """The fold over these records."""
    fold = Fold(make_policy=make, controls=controls)
    for each in records:
        assert fold.apply(each)
    return fold
