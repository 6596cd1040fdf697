"""What a gateway would log, made by its own fold: proposals, draws, answers, feedback."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gateway.controls import Controls
from gateway.database import begin, connect, migrate
from gateway.events import Answer, ArmSet, Decision, Event, Feedback, Lesson, LineageStarted, doubles, singles
from gateway.fold import Fold
from gateway.hindsight import Hindsight
from gateway.transaction import Record, Transaction
from router_models import make

DIMENSIONS, ARMS = 4, ("a", "b", "c")

#: How often each arm's answers are good.
BEST = {"a": 0.3, "b": 0.5, "c": 0.8}

Told = tuple[str, bytes | None, str | None, Event]


class Served:
    """What a gateway logs: the fold proposes, a number is drawn, and what came of it is told."""

    def __init__(self, *, seed: int = 0, policy: str = "random") -> None:
        self.rng = np.random.default_rng(seed)
        self.fold = Fold(make_policy=make)
        self.log: list[Told] = []
        self.count = 0
        parameters = json.dumps({"exploration": 0.1})
        self.tell(LineageStarted(embedder="test", dimensions=DIMENSIONS, policy=policy, parameters=parameters))
        for name in ARMS:
            self.tell(ArmSet(name=name, prior=doubles(np.zeros(DIMENSIONS)), digest=name))

    def tell(self, event: Event, *, tenant: str = "", subject: bytes | None = None, source: str | None = None) -> None:
        self.log.append((tenant, subject, source, event))
        assert self.fold.apply(Record(len(self.log), 0, event.kind, tenant, subject, source, event))

    def request(self, *, tenant: str = "default", explore: bool = True, arms: Sequence[str] = ARMS) -> Decision:
        """A decision, logged; its subject is the count."""
        features = self.rng.normal(size=DIMENSIONS).astype(np.float32)
        snapshot = self.fold.state(tenant).snapshot()
        mask = np.array([name in arms for name in snapshot.arms])
        proposal = snapshot.propose(features, eligible=mask, explore=explore)
        draw = float(self.rng.random())
        place = int(np.searchsorted(np.cumsum(proposal.probabilities), draw, side="right"))
        decision = Decision(
            chosen=snapshot.arms[min(place, len(mask) - 1)],
            reason="policy",
            version=self.fold.version(tenant),
            arms=[name for name, fits in zip(snapshot.arms, mask, strict=True) if fits],
            probabilities=doubles(proposal.probabilities[mask]),
            scores=singles(proposal.scores[mask]),
            draw=draw,
            features=singles(features),
            lineage=self.fold.lineage,
            key="default",
            endpoint="chat",
            preference="",
            excluded={},
        )
        self.count += 1
        self.tell(decision, tenant=tenant, subject=self.subject)
        return decision

    @property
    def subject(self) -> bytes:
        return self.count.to_bytes(16, "big")

    def answer(self, model: str, *, tenant: str = "default", drawn: bool = True) -> None:
        done = Answer(
            answered=model,
            cost=1e-4,
            drawn=drawn,
            status=200,
            latency=0.1,
            first_byte=0.1,
            input_tokens=1,
            output_tokens=1,
            failed=[],
        )
        self.tell(done, tenant=tenant, subject=self.subject)

    def feedback(self, decision: Decision, reward: float, *, source: str = "key", tenant: str = "default") -> None:
        lesson = Lesson(decision.chosen, decision.features, decision.lineage)
        said = Feedback(reward=reward, weight=1.0, previous=None, lesson=lesson)
        self.tell(said, tenant=tenant, subject=self.subject, source=source)

    def round(self, *, tenant: str = "default") -> Decision:
        """A request, its answer, and its outcome."""
        decision = self.request(tenant=tenant)
        self.answer(decision.chosen, tenant=tenant)
        self.feedback(decision, float(self.rng.random() < BEST[decision.chosen]), tenant=tenant)
        return decision

    def write(self, folder: Path) -> None:
        engine = connect(folder)
        migrate(engine)
        with engine.connect() as connection:
            transaction = Transaction(connection=connection, position=0)
            with begin(connection):
                for tenant, subject, source, event in self.log:
                    transaction.append(event, tenant=tenant, subject=subject, source=source)
                transaction.flush()

    def replayed(self, policy: str, *, controls: Controls | None = None, **settings: object) -> Hindsight:
        hindsight = Hindsight(policy=policy, settings=settings, controls=controls)
        for seq, (tenant, subject, source, event) in enumerate(self.log, start=1):
            hindsight.take(Record(seq, 0, event.kind, tenant, subject, source, event))
        return hindsight
