"""A router that has learned who is good at what, and the same router with what it knows of its arms mixed up."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from router_models import make
from router_models.gate import Evidence
from router_models.policy import Arm, Observation, Policy, Snapshot, State

ARMS, DIMENSIONS, TOPICS = 5, 12, 5

#: How often an arm's answer is good: by its level, and more often on its own topic.
LEVELS, SKILL = (0.15, 0.25, 0.35, 0.45, 0.55), 0.35


@dataclass(kw_only=True)
class World:
    """Requests on topics; the ``state`` of a router that learns, and its ``evidence``."""

    seed: int
    policy: Policy = field(default_factory=lambda: make("polyculture"))
    evidence: Evidence = field(default_factory=Evidence)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.centres = self.rng.normal(size=(TOPICS, DIMENSIONS)) / np.sqrt(DIMENSIONS)
        self.names = tuple(f"arm-{place}" for place in range(ARMS))
        priors = [Arm(name=name, prior=np.zeros(DIMENSIONS)) for name in self.names]
        self.state: State = self.policy.start(dimensions=DIMENSIONS, arms=priors)
        self.means = np.array(LEVELS)

    def request(self) -> tuple[np.ndarray, np.ndarray]:
        """Features (d,), and how good every arm's answer would be."""
        topic = int(self.rng.integers(TOPICS))
        features = (self.centres[topic] + 0.1 * self.rng.normal(size=DIMENSIONS)).astype(np.float32)
        chances = self.means + SKILL * (np.arange(ARMS) == topic)
        return features, (self.rng.random(ARMS) < chances).astype(np.float64)

    def choose(self, snapshot: Snapshot, features: np.ndarray) -> int:
        """The arm that a snapshot draws."""
        chances = snapshot.propose(features, eligible=np.ones(ARMS, dtype=bool)).probabilities
        return int(self.rng.choice(ARMS, p=chances / chances.sum()))

    def learn(self, rounds: int) -> None:
        """Serve and learn for so many requests."""
        for _ in range(rounds):
            features, answers = self.request()
            arm = self.choose(self.state.snapshot(), features)
            self.teach(arm, features, float(answers[arm]))

    def teach(self, arm: int, features: np.ndarray, reward: float) -> None:
        observation = Observation(arm=self.names[arm], features=features, reward=reward)
        self.state.chose(self.names[arm])
        self.state.learn(observation)
        self.evidence.take(observation)

    def permuted(self) -> State:
        """The state in which the weakest arms are taken for the strongest ones."""
        arrays = dict(self.state.arrays())
        for name in ("covariance", "estimate"):
            arrays[name] = arrays[name][::-1].copy()
        known = arrays["memory_arms"]
        arrays["memory_arms"] = np.where(known >= 0, ARMS - 1 - known, -1)
        return self.policy.load(arrays)


def learned(seed: int, *, rounds: int = 600) -> World:
    """A world whose router has learned for a while."""
    world = World(seed=seed)
    world.learn(rounds)
    return world
