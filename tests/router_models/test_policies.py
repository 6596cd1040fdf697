"""Every policy passes every check; and some laws hold of all of them for any input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router_models import POLICIES, make
from router_models.policy import Arm, Observation, Policy
from tests.router_models.checks import NAMES, D, check_policy, learned, requests

EACH = [make(name, **({"model": "alpha"} if name == "fixed" else {})) for name in POLICIES]
STATES = {policy.name: learned(policy) for policy in EACH}


@pytest.mark.parametrize("policy", EACH, ids=lambda policy: policy.name)
def test_policy_passes_every_check(policy: Policy) -> None:
    check_policy(policy)
    assert STATES[policy.name].snapshot().arms == tuple(sorted(NAMES))


@pytest.mark.parametrize("policy", EACH, ids=lambda policy: policy.name)
@settings(max_examples=25, deadline=None)
@given(
    values=st.lists(st.floats(-3, 3, width=32), min_size=D, max_size=D),
    eligible=st.lists(st.booleans(), min_size=len(NAMES), max_size=len(NAMES)).filter(any),
    cost_weight=st.floats(0, 1e4),
)
def test_probabilities_are_a_distribution_over_the_eligible(
    policy: Policy, values: list[float], eligible: list[bool], cost_weight: float
) -> None:
    snapshot = STATES[policy.name].snapshot()
    mask = np.array(eligible)
    proposal = snapshot.propose(
        np.array(values, dtype=np.float32), eligible=mask, costs=np.full(len(NAMES), 1e-3), cost_weight=cost_weight
    )
    assert proposal.probabilities.sum() == pytest.approx(1.0, abs=1e-9)
    assert (proposal.probabilities[~mask] == 0).all()
    assert (proposal.probabilities >= 0).all()


def test_unknown_names_and_parameters_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match="no policy is called"):
        make("oracle")
    with pytest.raises(ValueError, match="has no parameter 'courage'; it has adapt, "):
        make("polyculture", courage=1)
    for wrong in ({"exploration": 2.0}, {"cap": 0.0}, {"budget": -1.0}, {"level": 0.0}):
        with pytest.raises(ValueError, match=r"exploration|cap|budget|deviations"):
            make("polyculture", **wrong)


@pytest.mark.parametrize("value", [1e308, -1e7, float("nan"), float("inf"), 10**12, "much", [1]])
@pytest.mark.parametrize(("policy", "name"), [("polyculture", "scale"), ("polyculture", "fine"), ("linucb", "width")])
def test_absurd_parameters_are_refused(policy: str, name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{name} of the policy '{policy}' is a number, of at most 1,000,000"):
        make(policy, **{name: value})


EDGES = [{name: figure} for name in ("noise", "level", "skill", "ease", "trust", "doubt") for figure in (1e-3, 1e3)]


@pytest.mark.parametrize("edge", [*EDGES, {"scale": 1e3}, {"thrift": 1e3}, {"coarse": 128}, {"fine": 128, "memory": 1}])
def test_figures_stay_finite_at_the_edge_of_what_is_allowed(edge: dict[str, Any]) -> None:
    chance = np.random.default_rng(0)
    state = make("polyculture", **edge).start(dimensions=D, arms=[Arm(name=n, prior=np.zeros(D)) for n in "abc"])
    for number in range(80):
        x = chance.normal(scale=0.3, size=D).astype(np.float32)
        probabilities = state.snapshot().propose(x, eligible=np.ones(3, bool)).probabilities
        assert probabilities.sum() == pytest.approx(1.0)
        state.learn(Observation(arm="abc"[number % 3], features=x, reward=float(chance.random() < 0.5)))
    with pytest.raises(ValueError, match=r"scale and thrift|deviations|whole numbers"):
        make("polyculture", **{name: 1001 for name in edge if name != "memory"})


def test_fixed_gives_way_where_its_model_is_not_eligible() -> None:
    snapshot = STATES["fixed"].snapshot()
    x = requests(1)[0]
    only = np.array([name == "alpha" for name in snapshot.arms])
    assert snapshot.propose(x, eligible=np.ones(len(NAMES), dtype=bool)).probabilities[only] == 1.0
    assert snapshot.propose(x, eligible=~only).probabilities[~only] == pytest.approx(1 / 3)
