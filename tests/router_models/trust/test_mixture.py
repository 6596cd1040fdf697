"""Who means ill, from figures alone: campaigns are known by their targets, and never take everybody in."""

from __future__ import annotations

import numpy as np
import pytest

from router_models.policy import Vector
from router_models.trust.mixture import CONTRARY, MOST, Mixture
from router_models.trust.sources import DOWN

SHARE = 0.15


def mixture(arms: int) -> Mixture:
    made = Mixture(share=SHARE)
    for _ in range(arms):
        made.insert()
    return made


def counts(*sources: list[float], told: float = 10.0, expected: float = 0.5) -> Vector:
    """(5, N, K): each source's mean reward of every arm, over ``told`` outcomes, none of them audited."""
    means = np.array(sources)
    number, nothing = np.full_like(means, told), np.zeros_like(means)
    return np.stack([number, number * means, number * expected, nothing, nothing])


def reviewed(made: Mixture, said: Vector, contrary: Vector | None = None, *, times: int = 3) -> Vector:
    """The honesty (N,) of each source after a few reviews."""
    ratios = np.zeros(said.shape[1]) if contrary is None else contrary
    for _ in range(times):
        found = made.review(said, ratios, share=SHARE)
    return found


def test_a_campaign_is_known_by_what_it_wants_up_and_down() -> None:
    made = mixture(3)
    found = reviewed(made, counts(*[[0.5, 0.5, 0.5]] * 8, *[[0.0, 1.0, 0.5]] * 2))
    assert found[:8].min() > 0.9
    assert found[8:].max() < 0.01
    up, down = made.targets.T
    assert [int(up.argmax()), int(down.argmax())] == [1, 0]
    assert max(up[0], up[2], down[1], down[2]) < 0.5 < min(up[1], down[0])


def test_one_of_many_campaigners_is_found_out_sooner() -> None:
    suspect, honest = [0.0, 1.0, 0.5], [0.5, 0.5, 0.5]
    alone = reviewed(mixture(3), counts(*[honest] * 20, suspect, told=2.0))[-1]
    joined = reviewed(mixture(3), counts(*[honest] * 15, *[suspect] * 6, told=2.0))[-1]
    assert joined < alone


def test_audits_tell_campaigners_from_those_who_merely_met_bad_answers() -> None:
    said = counts(*[[0.5, 0.5, 0.5]] * 20, *[[0.0, 0.5, 0.5]] * 8, told=2.0)
    open_case = reviewed(mixture(3), said)[20:]
    said[DOWN, 20:23, 0] = 3.0
    found = reviewed(mixture(3), said)
    assert found[20:23].max() < 0.2
    assert found[23:].max() < open_case.min()
    said[DOWN, 20:, 0] = -3.0
    assert reviewed(mixture(3), said)[20:].min() > open_case.max()


def test_nobody_suspects_the_strict_the_lenient_or_those_who_agree_with_each_other() -> None:
    strict, lenient = [0.25, 0.2, 0.3], [0.75, 0.8, 0.7]
    assert reviewed(mixture(3), counts(*[[0.5, 0.5, 0.5]] * 10, strict, lenient)).min() > 0.8
    surprised = reviewed(mixture(2), counts(*[[0.15, 0.5]] * 10, told=4.0))
    assert surprised.min() > 0.8


def test_most_are_honest_whatever_they_say() -> None:
    made = mixture(2)
    reviewed(made, counts(*[[0.0, 1.0]] * 200), times=20)
    assert made.prevalence.sum() <= MOST + 1e-12
    assert (made.targets.sum(axis=1) < 1.0).all()


def test_who_means_the_opposite_is_contrary() -> None:
    made = mixture(1)
    found = made.findings(counts([0.5], [0.5]), np.array([0.0, 12.0]))
    assert found.contrary[0] < 2 * CONTRARY < 0.99 < found.contrary[1]
    assert (found.honest + found.hostile + found.contrary) == pytest.approx([1.0, 1.0])


def test_without_arms_or_sources_there_is_nothing_to_find() -> None:
    made = mixture(0)
    assert made.review(np.zeros((5, 0, 0)), np.zeros(0), share=SHARE).shape == (0,)
    assert made.usual == pytest.approx(1.0 - SHARE - CONTRARY)
