"""What the default policy has learned, and how it learns."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from router_models.alarm import Alarm
from router_models.basis import Basis
from router_models.change import Surprise
from router_models.checks import check_observation, check_prior, restored, restored_names
from router_models.hyperparameters import Hyperparameters
from router_models.memory import Memory
from router_models.neighbourhoods import Grain
from router_models.onboarding import Onboarding
from router_models.pacing import Pacer
from router_models.policy import Arm, Arrays, Credit, Observation
from router_models.posterior import Posterior
from router_models.relearning import AVERAGE, RECENT, believe, evidence, is_due, noise_variance, survey, variances
from router_models.share import ShareCap
from router_models.thompson import SAMPLES, normals
from router_models.view import View

REPRICE: Final = 16
SAMPLE: Final = 256
"""Outcomes between two solutions of the price on money, and recent requests that it is solved on."""

OUTDATED: Final = 10.0
"""What an arm's earlier outcomes count for together after an alarm."""


class Belief:
    """The state of :class:`router_models.polyculture.Polyculture`; arms are kept in the order of their names."""

    def __init__(self, *, settings: Hyperparameters, dimensions: int) -> None:
        self.settings = settings
        self.names: list[str] = []
        self.priors = np.zeros((0, dimensions))
        self.memory = Memory(dimensions=dimensions, limit=settings.memory)
        self.basis = Basis(sizes=(settings.coarse, settings.fine))
        self.relearned = 0
        self.moved = 0
        self.scale = 1.0
        self.noise = settings.noise**2
        self.posterior = Posterior(**variances(settings, self.scale))
        self.surprise = Surprise()
        self.share = ShareCap(cap=settings.cap)
        self.onboarding = Onboarding()
        self.pacer = Pacer(budget=settings.budget)
        self.view: View | None = None

    def add(self, arm: Arm) -> None:
        """See :class:`router_models.policy.State`."""
        self.view = None
        prior = check_prior(arm, self.priors.shape[1])
        index = bisect_left(self.names, arm.name)
        if index < len(self.names) and self.names[index] == arm.name:
            self.priors[index] = prior
            return
        self.names.insert(index, arm.name)
        self.priors = np.insert(self.priors, index, prior, axis=0)
        self.onboarding.insert(index, seen=self.memory.seen)
        for part in (self.memory, self.posterior, self.surprise, self.share, self.pacer):
            part.insert(index)

    def remove(self, name: str) -> None:
        """See :class:`router_models.policy.State`."""
        if name in self.names:
            self.view = None
            index = self.names.index(name)
            del self.names[index]
            self.priors = np.delete(self.priors, index, axis=0)
            for part in (self.memory, self.posterior, self.surprise, self.share, self.onboarding, self.pacer):
                part.remove(index)

    def chose(self, name: str) -> None:
        """See :class:`router_models.policy.State`."""
        if name in self.names:
            index = self.names.index(name)
            self.share.chose(index)
            self.onboarding.chose(index)

    def paid(self, name: str, usd: float) -> None:
        """See :class:`router_models.policy.State`. Raises ``ValueError`` unless ``usd`` is finite and not negative."""
        if not 0 <= usd < np.inf:
            raise ValueError(f"a cost must be finite and not negative, not {usd}")
        if name in self.names:
            self.pacer.paid(self.names.index(name), usd)

    def learn(self, observation: Observation) -> Alarm | None:
        """See :class:`router_models.policy.State`."""
        check_observation(observation, self.priors.shape[1])
        if observation.arm not in self.names or not observation.weight:
            return None
        self.view = None
        arm, x = self.names.index(observation.arm), observation.features
        reward, weight = observation.reward, observation.weight
        match = float(self.priors[arm] @ x)
        basis = self.basis.places(x[None])[0].astype(np.float64)
        basis[-1] = match
        if observation.previous is not None:
            counts = self.memory.amend(arm, observation.previous, observation)
            self.posterior.amend(arm, basis, reward - observation.previous, counts)
            return None
        target = reward - AVERAGE - match
        mean, variance = self.posterior.learn(arm, basis, target, weight)
        self.memory.append(arm, observation)
        surprise = (target - mean) / math.sqrt(self.noise * (1.0 / weight + variance))
        latest = self.surprise.alarm(arm, surprise)
        if latest:
            self.memory.fade(arm, OUTDATED, latest)
        if is_due(self.memory.seen - self.moved, self.relearned - self.moved):
            self.relearn()
        elif latest:
            self.refit()
        if self.settings.budget is not None and self.memory.seen % REPRICE == 0:
            self.reprice()
        return Alarm("outcomes", latest, observation.arm) if latest else None

    def drifted(self, alarm: Alarm) -> None:
        """See :class:`router_models.policy.State`: prices of an arm start anew, or all neighbourhoods do."""
        self.view = None
        if alarm.kind == "prices" and alarm.arm in self.names:
            self.pacer.drifted(self.names.index(alarm.arm), alarm.mean, alarm.since)
        if alarm.kind == "prompts" and self.memory.seen:
            self.moved = max(self.memory.seen - alarm.since, 0)
            self.relearn()

    def reweigh(self, credit: Credit) -> bool:
        """See :class:`router_models.policy.State`."""
        changed = self.memory.reweigh(credit)
        if changed:
            self.view = None
            self.refit()
        return changed

    def relearn(self) -> None:
        """Cluster the latest requests anew, those of today's kind alone, then form beliefs anew."""
        latest = self.memory.order()[-min(self.memory.seen - self.moved, RECENT) :]
        self.basis = survey(self.memory.features[latest].astype(np.float32), self.settings)
        self.relearned = self.memory.seen
        self.refit()

    def refit(self) -> None:
        """Form beliefs anew from the memory: adapt the scale of skill, the posterior and the noise."""
        said = evidence(self.memory, self.basis, self.priors)
        self.posterior, self.scale = believe(said, self.settings)
        self.noise = noise_variance(self.posterior, said, self.settings)

    def reprice(self) -> None:
        """Solve for the price on money that recent requests would meet the budget at."""
        latest = self.memory.order()[-SAMPLE:]
        features = self.memory.features[latest].astype(np.float32)
        matches = features @ self.priors.T
        coefficients = self.posterior.coefficients()
        scores = self.basis.places(features) @ coefficients.T + matches * (1.0 + coefficients[:, -1])
        self.pacer.solve(scores - self.share.prices(), self.settings.exploration)

    def snapshot(self) -> View:
        """See :class:`router_models.policy.State`; where only choices and costs were booked, only prices are new."""
        if self.view is None:
            self.view = self.conviction()
        return replace(
            self.view,
            newcomers=self.onboarding.newcomers(),
            prices=self.share.prices(),
            expected_costs=self.pacer.expected(),
            pace=self.pacer.per_dollar(),
            allowance=self.pacer.allowance(),
        )

    def conviction(self) -> View:
        """All that is believed, as requests read it, of the places in use; copies a few kilobytes an arm."""
        float32, used = np.float32, self.basis.used
        return View(
            arms=tuple(self.names),
            basis=self.basis.tight,
            priors=self.priors.astype(float32),
            coefficients=self.posterior.coefficients()[:, used].astype(float32),
            covariance=self.posterior.covariance[:, used[:, None], used].astype(float32),
            noise=self.noise,
            samples=np.array([normals(name) for name in self.names]).reshape(-1, SAMPLES),
            newcomers=self.onboarding.newcomers(),
            prices=self.share.prices(),
            expected_costs=self.pacer.expected(),
            pace=self.pacer.per_dollar(),
            allowance=self.pacer.allowance(),
            average=AVERAGE,
            scale=self.settings.scale,
            thrift=self.settings.thrift,
            exploration=self.settings.exploration,
        )

    def arrays(self) -> Arrays:
        """See :class:`router_models.policy.State`."""
        grains = {f"centres_{index}": grain.centres.copy() for index, grain in enumerate(self.basis.grains)}
        return {
            "names": np.array(self.names, dtype=np.str_),
            "priors": self.priors.copy(),
            **self.memory.arrays(),
            **grains,
            "spreads": np.array([grain.spread for grain in self.basis.grains]),
            "covariance": self.posterior.covariance.copy(),
            "estimate": self.posterior.estimate.copy(),
            "shared_covariance": self.posterior.shared_covariance.copy(),
            "pull": self.posterior.pull.copy(),
            "shared": self.posterior.shared.copy(),
            "surprise": self.surprise.sums.copy(),
            "excess": self.share.excess.copy(),
            "trials": self.onboarding.trials.copy(),
            "costs": self.pacer.costs.copy(),
            "scalars": np.array(
                [self.scale, self.noise, self.pacer.price, self.pacer.bank, self.relearned, self.moved]
            ),
        }

    def restore(self, arrays: Arrays) -> None:
        """Take over what :meth:`arrays` gave. Raises ``ValueError`` or ``LinAlgError`` on anything unusable."""
        self.names = restored_names(arrays)
        k, d, p = len(self.names), self.priors.shape[1], self.basis.size
        self.priors = restored(arrays, "priors", (k, d))
        self.memory.restore(arrays, k)
        scalars = restored(arrays, "scalars", (6,)).tolist()
        self.scale, self.noise, self.pacer.price, self.pacer.bank, relearned, moved = scalars
        self.relearned, self.moved = int(relearned), int(moved)
        if min(self.scale, self.noise) <= 0 or self.pacer.price < 0:
            raise ValueError("scale and noise are positive, a price is not negative")
        self.posterior = Posterior(**variances(self.settings, self.scale))
        self.posterior.covariance = restored(arrays, "covariance", (k, p, p))
        self.posterior.estimate = restored(arrays, "estimate", (k, p))
        self.posterior.shared_covariance = restored(arrays, "shared_covariance", (p, p))
        self.posterior.pull = restored(arrays, "pull", (p,))
        self.posterior.shared = restored(arrays, "shared", (p,))
        self.surprise.sums = restored(arrays, "surprise", (4, k))
        self.share.excess = restored(arrays, "excess", (k,))
        self.onboarding.trials = np.maximum(restored(arrays, "trials", (k,)), 0.0)
        self.pacer.costs = restored(arrays, "costs", (2, k))
        np.linalg.cholesky(self.posterior.covariance)
        np.linalg.cholesky(self.posterior.shared_covariance)
        self.basis = Basis(sizes=self.basis.sizes, grains=self.grains(arrays))

    def grains(self, arrays: Arrays) -> tuple[Grain, ...]:
        """The saved clusterings."""
        spreads = restored(arrays, "spreads", (arrays["spreads"].size,)).tolist()
        grains = []
        for index, (size, spread) in enumerate(zip(self.basis.sizes, spreads, strict=bool(spreads))):
            centres: npt.NDArray[np.float32] = np.array(arrays[f"centres_{index}"], dtype=np.float32)
            lengths = np.einsum("ij,ij->i", centres, centres)
            if centres.shape[1:] != self.priors.shape[1:] or not 0 < len(centres) <= size or not spread > 0:
                raise ValueError("the centres do not fit")
            if not np.isfinite(lengths).all():
                raise ValueError("the centres must be finite")
            grains.append(Grain(centres=centres, lengths=lengths, spread=spread, softness=self.settings.softness))
        return tuple(grains)
