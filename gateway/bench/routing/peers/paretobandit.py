"""ParetoBandit (arXiv 2604.00136): disjoint LinUCB with forgetting and a pacer for the budget.

Set up as in its paper's experiments: without priors, its tabula-rasa hyperparameters; with them, its tuned ones and
the priors in its package. The static cost penalty is off, the pacer is on where there is a budget. On outcomes of its
own models it sees its own features, 25 whitened principal components of MiniLM's embedding, as in its paper; elsewhere
it sees ours, which it does better with (.58 against .56 on llmrouter-9).
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gateway.bench.routing.peers.peer import Features, Peer, PeerPolicy
from router_models.policy import Arm, Observation, Vector

PRICES = {
    "meta-llama/llama-3.1-8b-instruct": (0.1, 0.1),
    "mistralai/mistral-large-2512": (0.5, 1.5),
    "google/gemini-2.5-flash": (0.3, 2.5),
    "google/gemini-2.5-pro": (1.25, 10.0),
}
"""USD per million tokens in and out that its experiments use for its own models."""

TOKENS = 1000.0
"""What a request is taken to have, to turn another model's mean cost of a request into a price per token."""

FORCED = 20
"""Requests that a model which joins later gets unconditionally, as in its onboarding experiment."""


def own_features(embeddings: Features) -> Features:
    """Its features (n, 26) of MiniLM's embeddings (n, 384), by the projection that it ships."""
    from pareto_bandit.config import DEFAULT_PCA_PATH
    from pareto_bandit.feature_service import FeatureService

    service = FeatureService(
        custom_encoder=lambda row: embeddings[int(row)], embedding_dim=embeddings.shape[1], pca_path=DEFAULT_PCA_PATH
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the projection was saved by an older scikit-learn
        features: Features = service.extract_features_batch(list(map(str, range(len(embeddings)))))
    return features.astype(np.float32)


def constant_last(features: Features) -> Features:
    """Our features in its layout."""
    return np.roll(features, -1, axis=1)


@dataclass(frozen=True, kw_only=True)
class ParetoBandit(PeerPolicy):
    """``prices`` is each model's mean cost of a request in USD; ``priors`` asks for those in its package."""

    name: ClassVar[str] = "paretobandit"
    prices: Mapping[str, float]
    seed: int
    budget: float | None = None
    priors: bool = False

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Its hyperparameters, as its package gives them."""
        from pareto_bandit.config import BEST_K3_HPARAMS, BEST_K3_TABULA_RASA_HPARAMS

        tuned = BEST_K3_HPARAMS if self.priors else BEST_K3_TABULA_RASA_HPARAMS
        return {**tuned, "priors": "warmup" if self.priors else "none", "cost_penalty": 0.0, "budget": self.budget}

    def start(self, *, dimensions: int, arms: Sequence[Arm]) -> Router:
        """See :class:`router_models.policy.Policy`."""
        router = Router(policy=self, dimensions=dimensions)
        for arm in arms:
            router.add(arm)
        return router


class Router(Peer):
    """Its router is made at the first choice, when all models that are there from the start are known."""

    def __init__(self, *, policy: ParetoBandit, dimensions: int) -> None:
        super().__init__()
        self._policy = policy
        self._dimensions = dimensions
        self._made: Any = None
        self._forced: list[str] = []

    @property
    def _router(self) -> Any:
        if self._made is None:
            self._made = self._make()
        return self._made

    def _price(self, name: str) -> dict[str, float]:
        blended = self._policy.prices[name] / TOKENS * 1e6
        into, out = PRICES.get(name, (blended, blended))
        return {"input_cost_per_m": into, "output_cost_per_m": out}

    def _make(self) -> Any:
        from pareto_bandit import BanditRouter
        from pareto_bandit.budget_pacer import BudgetPacer
        from pareto_bandit.feature_service import FeatureService

        logging.getLogger("pareto_bandit").setLevel(logging.ERROR)
        parameters, budget = self._policy.parameters, self._policy.budget
        return BanditRouter.create(
            model_registry={name: self._price(name) for name in self.arms},
            feature_service=FeatureService.for_precomputed(self._dimensions),
            priors=parameters["priors"],
            prior_n_effective=parameters["prior_n_effective"],
            alpha=parameters["alpha"],
            forgetting_factor=parameters["forgetting_factor"],
            cost_penalty=0.0,
            budget_pacer=None if budget is None else BudgetPacer(target_avg_spend_usd=budget),
            bandit_seed=self._policy.seed,
        )

    def add(self, arm: Arm) -> None:
        """A model that comes later is registered as in its onboarding experiment."""
        super().add(arm)
        if self._made is not None:
            self._made.register_model(arm.name, speed="fast", **self._price(arm.name))
            self._forced += [arm.name] * FORCED

    def remove(self, name: str) -> None:
        """Take a model out of its registry and its bandit."""
        super().remove(name)
        self._router.registry.pop(name)
        self._router.bandit.delete_arm(name)
        self._forced = [forced for forced in self._forced if forced != name]

    def announce(self, factors: dict[str, float]) -> None:
        """Announce prices, as its price experiment does."""
        for name in self.arms:
            prices = {kind: price * factors[name] for kind, price in self._price(name).items()}
            self._router.update_model_pricing(name, **prices)

    def paid(self, name: str, usd: float) -> None:
        """Let the pacer see what was billed."""
        if self._router.budget_pacer is not None:
            self._router.budget_pacer.observe(usd)

    def learn(self, observation: Observation) -> None:
        """Feedback, late or not; on a model that has left it is dropped."""
        if observation.arm in self.arms and observation.weight:
            x = observation.features.astype(np.float64)
            self._router.update(observation.arm, x, observation.reward, weight=observation.weight, advance_time=False)

    def probabilities(self, x: Features, *, explore: bool) -> Vector:
        """All mass on what its router picks, or on its best estimate, which changes nothing in it."""
        vector = x.astype(np.float64)
        bandit = self._router.bandit
        if explore and self._forced:
            bandit.mark_selected(self._forced[0])
            return self.certain(self._forced.pop(0))
        if explore:
            return self.certain(self._router.route(vector)[0])
        return self.certain(max(self.arms, key=lambda arm: bandit.get_expected_reward(arm, vector)))
