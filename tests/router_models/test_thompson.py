from __future__ import annotations

import numpy as np
import pytest

from router_models.thompson import SAMPLES, argmax_frequencies, greedy, normals, with_floor


def test_samples_are_standard_normal_fixed_by_name_and_unlike_each_other() -> None:
    alpha, bravo = normals("alpha"), normals("bravo")
    assert alpha is normals("alpha")
    assert np.sort(alpha) == pytest.approx(np.sort(bravo))
    assert alpha.mean() == pytest.approx(0.0, abs=1e-6)
    assert alpha.std() == pytest.approx(1.0, abs=0.02)
    assert abs(float(np.corrcoef(alpha, bravo)[0, 1])) < 0.2


def test_frequencies_are_near_those_of_many_independent_draws() -> None:
    names = [f"arm-{index}" for index in range(5)]
    mean, deviation = np.array([0.5, 0.52, 0.4, 0.55, 0.1]), np.array([0.1, 0.05, 0.2, 0.01, 0.01])
    samples = np.array([normals(name) for name in names])
    draws = np.random.default_rng(0).normal(mean, deviation, size=(200_000, 5)).argmax(axis=1)
    truth = np.bincount(draws, minlength=5) / len(draws)
    assert argmax_frequencies(mean, deviation, samples, np.ones(5, dtype=bool)) == pytest.approx(truth, abs=0.06)


def test_ties_are_shared_and_ineligible_arms_get_nothing() -> None:
    samples = np.zeros((3, SAMPLES), dtype=np.float32)
    eligible = np.array([True, True, False])
    frequencies = argmax_frequencies(np.array([0.5, 0.5, 0.9]), np.zeros(3), samples, eligible)
    assert frequencies.tolist() == [0.5, 0.5, 0.0]
    assert greedy(np.array([0.5, 0.5, 0.9]), eligible).tolist() == [0.5, 0.5, 0.0]
    assert with_floor(np.array([1.0, 0.0, 0.0]), eligible, 0.1) == pytest.approx([0.95, 0.05, 0.0])
