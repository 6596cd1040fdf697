from __future__ import annotations

import numpy as np
import pytest

from router_models.policy import Vector
from router_models.posterior import Evidence, Posterior

P, K = 5, 3
OWN = np.array([0.3, 0.1, 0.1, 0.2, 0.4])
COMMON = np.array([1.0, 0.5, 0.2, 0.2, 0.7])


def history(count: int = 40) -> list[tuple[int, Vector, float, float]]:
    random = np.random.default_rng(0)
    return [
        (int(random.integers(K)), random.normal(size=P), float(random.random()), float(random.choice([0.3, 1.0])))
        for _ in range(count)
    ]


def empty() -> Posterior:
    posterior = Posterior(own=OWN, common=COMMON)
    for arm in range(K):
        posterior.insert(arm)
    return posterior


def learned() -> Posterior:
    posterior = empty()
    for arm, z, reward, weight in history():
        posterior.learn(arm, z, reward, weight)
    return posterior


def gathered() -> Evidence:
    gram, moment, squares, count = np.zeros((K, P, P)), np.zeros((K, P)), 0.0, 0.0
    for arm, z, reward, weight in history():
        gram[arm] += weight * np.outer(z, z)
        moment[arm] += weight * reward * z
        squares += weight * reward**2
        count += weight
    return Evidence(gram=gram, moment=moment, squares=squares, count=count)


def dense() -> tuple[Vector, Vector]:
    """Mean and covariance of (own_1 .. own_K, shared) by one big regression: the textbook's answer."""
    size = (K + 1) * P
    precision = np.diag(1.0 / np.concatenate([np.tile(OWN, K), COMMON]))
    moment = np.zeros(size)
    for arm, z, reward, weight in history():
        row = np.zeros(size)
        row[arm * P : (arm + 1) * P] = z
        row[K * P :] = z
        precision += weight * np.outer(row, row)
        moment += weight * reward * row
    covariance = np.linalg.inv(precision)
    return covariance @ moment, np.asarray(covariance, np.float64)


def test_rank_one_updates_are_exact_bayesian_inference() -> None:
    mean, covariance = dense()
    posterior = learned()
    shared = mean[K * P :]
    assert posterior.shared == pytest.approx(shared)
    assert posterior.shared_covariance == pytest.approx(covariance[K * P :, K * P :])
    assert posterior.coefficients() == pytest.approx(mean[: K * P].reshape(K, P) + shared)


def test_learning_one_by_one_is_learning_at_once() -> None:
    one_by_one, at_once = learned(), Posterior.fit(gathered(), own=OWN, common=COMMON)
    assert one_by_one.covariance == pytest.approx(at_once.covariance)
    assert one_by_one.shared_covariance == pytest.approx(at_once.shared_covariance)
    assert one_by_one.coefficients() == pytest.approx(at_once.coefficients())


def test_log_evidence_is_the_marginal_likelihood_up_to_a_constant() -> None:
    said = gathered()
    rows = [(arm, z * np.sqrt(weight), reward * np.sqrt(weight)) for arm, z, reward, weight in history()]
    differences = []
    for scale in (1.0, 3.0):
        kernel = np.eye(len(rows))
        for i, (arm, z, _) in enumerate(rows):
            for j, (other, y, _) in enumerate(rows):
                kernel[i, j] += (z * COMMON) @ y + scale * (arm == other) * ((z * OWN) @ y)
        y = np.array([reward for _, _, reward in rows])
        quadratic = float(y @ np.linalg.solve(kernel, y))
        truth = -0.5 * np.linalg.slogdet(kernel)[1] - 0.5 * said.count * np.log(quadratic)
        fitted = Posterior.fit(said, own=scale * OWN, common=COMMON)
        assert fitted.misfit(said) == pytest.approx(quadratic)
        differences.append(fitted.log_evidence(said) - truth)
    assert differences[0] == pytest.approx(differences[1])


def test_amending_a_reward_is_having_learned_the_other_one() -> None:
    posterior, right = empty(), empty()
    for index, (arm, z, reward, weight) in enumerate(history()):
        posterior.learn(arm, z, reward, weight)
        right.learn(arm, z, 1.0 if index == 7 else reward, weight)
    arm, z, reward, weight = history()[7]
    posterior.amend(arm, z, 1.0 - reward, weight)
    assert posterior.coefficients() == pytest.approx(right.coefficients())


def test_removing_an_arm_is_never_having_heard_of_it() -> None:
    posterior, without = learned(), empty()
    posterior.remove(1)
    without.remove(1)
    for arm, z, reward, weight in history():
        if arm != 1:
            without.learn(arm // 2, z, reward, weight)
    assert posterior.coefficients() == pytest.approx(without.coefficients())
    assert posterior.shared_covariance == pytest.approx(without.shared_covariance)
